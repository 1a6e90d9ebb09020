"""The bytes of S3's objects, in a temporary file that all of them share: memory is for what works with them.

The file has no name, so that nothing of it stays, however the process ends. It is empty again when the last object is
gone.
"""

from __future__ import annotations

import os
import tempfile
import threading
from types import SimpleNamespace

from moto.s3 import models


class _File:
    """The shared file: pieces of it are handed out one after the other."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # an object that is collected as garbage releases its bytes at any moment
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the process lives)
        self._number = self._file.fileno()
        self._end = 0
        self._held = 0

    def append(self, data: bytes) -> int:
        """Writes bytes down; returns where they begin."""
        with self._lock:
            self._held += len(data)  # first, so that the file does not shrink meanwhile
            begin = place = self._end
            self._end += len(data)
        rest = memoryview(data)
        while rest:  # one call of the system writes 2 GB at most
            written = os.pwrite(self._number, rest, place)
            rest, place = rest[written:], place + written
        return begin

    def read(self, begin: int, size: int) -> bytes:
        """Reads bytes again."""
        parts = []
        while size and (part := os.pread(self._number, size, begin)):
            parts.append(part)
            begin, size = begin + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def release(self, size: int) -> None:
        """Lets go of so many bytes; the file shrinks when nobody holds any."""
        with self._lock:
            self._held -= size
            if size and not self._held:
                self._file.truncate(0)
                self._end = 0


_FILE = _File()


class Body:
    """What moto keeps an object's bytes in: a file as moto uses one, written at once and read from any place."""

    def __init__(self, max_size: int = 0) -> None:
        self._file = _FILE
        self._begin = self._size = self._place = 0

    def seek(self, place: int) -> None:
        """Goes to a place to read from."""
        self._place = place

    def truncate(self) -> None:
        """Forgets the bytes."""
        self._file.release(self._size)
        self._size = 0

    def write(self, data: bytes) -> None:
        """Takes all bytes of the object."""
        self._begin, self._size = self._file.append(data), len(data)

    def read(self, size: int | None = None) -> bytes:
        """So many bytes from the place on, or all that there are."""
        left = self._size - self._place
        data = self._file.read(self._begin + self._place, left if size is None else min(size, left))
        self._place += len(data)
        return data

    def close(self) -> None:
        """Forgets the bytes."""
        self.truncate()


def take_over() -> None:
    """Has moto keep its objects' bytes here from now on."""
    setattr(models, "tempfile", SimpleNamespace(SpooledTemporaryFile=Body))  # noqa: B010 (mypy)
