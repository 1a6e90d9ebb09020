"""The second witness of a journal's end: without it a journal that was cut short would look like a shorter history."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_FORM = struct.Struct("<8sQ16s")
_MARK = b"labkit 1"


@dataclass(frozen=True)
class Place:
    """A place in a journal: the number of an entry, and the digest of all entries up to it."""

    number: int = 0
    digest: bytes = bytes(16)


class Witness:
    """A file of a few bytes that is told of each entry after it was committed.

    So it never knows more than the journal does, at whatever moment the process is killed: where it does, entries are
    lost. An entry that is to be taken out again is taken out here first.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last(self) -> Place | None:
        """The last entry that it was told of; None where its file is new, or damaged."""
        data = os.pread(self._file, _FORM.size, 0)
        if len(data) < _FORM.size:
            return None
        mark, number, digest = _FORM.unpack(data)
        return Place(number, digest) if mark == _MARK else None

    def note(self, place: Place) -> None:
        """Note the last entry."""
        os.pwrite(self._file, _FORM.pack(_MARK, place.number, place.digest), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
