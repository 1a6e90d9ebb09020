"""A second record of the journal's end. Without it, a journal that was cut short would look like a shorter history."""

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
    """A file of a few bytes with the journal's last entry, written after that entry is committed.

    So it is never ahead of the journal, at whatever moment the process is killed; if it is ahead, entries are lost. For
    the same reason an entry is removed here before it is removed from the journal.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last(self) -> Place | None:
        """Return the last noted entry; None if the file is new or damaged."""
        data = os.pread(self._file, _FORM.size, 0)
        if len(data) < _FORM.size:
            return None
        mark, number, digest = _FORM.unpack(data)
        return Place(number, digest) if mark == _MARK else None

    def note(self, place: Place) -> None:
        """Note the last entry of the journal; raise OSError if it can't be written."""
        # One small pwrite over the old record: the file never grows, so a full disk doesn't fail it halfway.
        os.pwrite(self._file, _FORM.pack(_MARK, place.number, place.digest), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
