"""Stores the bytes that are too large for a sandbox's memory and journal, in files of its own.

A store's folder holds two kinds of bytes:

- **Files** for large bodies, such as that of a request that puts an object. A file is written as a draft, kept under a
  name, and never changed again. The journal names the files that its entries need; whoever removes a file must know
  that nothing refers to it. A file that is neither named nor removed, because the process was killed in between, is
  swept when the sandbox starts.
- **The pack** for small bodies and for those that no request carries, such as thousands of delivered flow log files. It
  is one file that grows at its end. A replay writes its pieces again, so a store opens with an empty pack. A checkpoint
  that refers to pieces stores a `mark`, and a store opened with that mark has the pack as it was then.

What was written survives the end of the process, however it ends. Like the journal it isn't synced to the disk, so a
power cut may lose the last seconds.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

PACK = "pack"
_DRAFT = ".draft"
_CHUNK = 1 << 20


class Piece(NamedTuple):
    """A reference to a stretch of bytes in a file of a store, or in its pack; offset and size are in bytes."""

    file: str
    begin: int
    size: int


class Draft:
    """A file being written; it becomes part of the store with `FileStore.keep`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._open = True

    def write(self, data: bytes) -> None:
        """Append bytes; raise OSError if the disk is full."""
        _write(self._number, data, self.size)
        self.size += len(data)

    def close(self) -> None:
        """Close the file; it stays a draft."""
        if self._open:
            self._open = False
            os.close(self._number)

    def discard(self) -> None:
        """Remove the draft; a draft that was kept is not affected."""
        self.close()  # `keep` renames the file, so after it there is nothing at this path
        self.path.unlink(missing_ok=True)


class FileStore:
    """Named files that never change, and a pack of small pieces, in a folder for their owner alone.

    Without a folder it uses a temporary one, which is removed with the store. `mark` is what a checkpoint got from
    `mark()`: the pack is cut back to it. Raise ValueError if the pack is shorter than that.
    """

    def __init__(self, folder: Path | None = None, *, mark: int = 0) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="labkit-files-") if folder is None else None
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # mkdir leaves an existing folder's mode as it is
        for draft in self.folder.glob(f"*{_DRAFT}"):
            draft.unlink()
        # Re-entrant: the garbage collector may release an object's piece in the middle of a call that has the lock.
        self._lock = threading.RLock()
        self._pack = os.open(self.folder / PACK, os.O_RDWR | os.O_CREAT, 0o600)
        self._cut(mark)

    def draft(self) -> Draft:
        """Begin a file; give the draft to `keep`, or discard it."""
        return Draft(self.folder / f"{secrets.token_hex(8)}{_DRAFT}")

    def keep(self, draft: Draft) -> str:
        """Turn a draft into a file of the store; return the file's name."""
        draft.close()
        name = draft.path.name.removesuffix(_DRAFT)
        draft.path.rename(self.path(name))
        return name

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return self.folder / name

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading. It can be read to its end even if it is removed meanwhile."""
        return self.path(name).open("rb")

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return self.path(name).stat().st_size

    def remove(self, name: str) -> None:
        """Remove a file that nothing refers to; a file that is already gone is no error."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, named: Iterable[str]) -> None:
        """Remove every file that isn't named, except for the pack and for drafts under way."""
        stay = {*named, PACK}
        for path in self.folder.iterdir():
            if path.name not in stay and path.suffix != _DRAFT:
                path.unlink()

    def clear(self) -> None:
        """Remove every file, and empty the pack."""
        self.sweep(())
        with self._lock:
            self._cut(0)

    def append(self, data: bytes) -> Piece:
        """Write a piece into the pack. Raise OSError if the disk is full; the pack is then as before."""
        with self._lock:
            # At our own end, not the file's: after a write that failed halfway, the next one overwrites the half.
            _write(self._pack, data, self._end)
            piece = Piece(PACK, self._end, len(data))
            self._end += len(data)
            self._held += len(data)
        return piece

    def hold(self, piece: Piece) -> None:
        """Count one more holder of a piece of the pack; each holder calls `release` once."""
        with self._lock:
            # Pieces before the floor belong to a checkpoint, which holds them for as long as it exists.
            if piece.file == PACK and piece.begin >= self._floor:
                self._held += piece.size

    def release(self, piece: Piece) -> None:
        """Release a piece of the pack. The pack shrinks when no piece after the last mark is held any more."""
        with self._lock:
            if piece.file != PACK or piece.begin < self._floor or self._pack < 0:
                return
            self._held -= piece.size
            # Only all at once: a sum of bytes is enough for that, and nothing in the pack ever has to be moved.
            if piece.size and not self._held:
                self._cut(self._floor)

    def mark(self) -> int:
        """Return the offset of the pack's end, for a checkpoint that refers to its pieces.

        A store opened with the mark has everything that was in the pack. From now on nothing before it is released.
        """
        with self._lock:
            self._floor, self._held = self._end, 0
            return self._end

    def read(self, pieces: Sequence[Piece]) -> bytes:
        """Return the bytes of several pieces, joined in their order."""
        return b"".join(self.chunks(pieces))

    def chunks(self, pieces: Sequence[Piece], size: int = _CHUNK) -> Iterator[bytes]:
        """Yield the bytes of several pieces in chunks of at most `size`, with one chunk in memory at a time.

        Raise EOFError if a file is shorter than its piece says.
        """
        for piece in pieces:
            number = self._pack if piece.file == PACK else os.open(self.path(piece.file), os.O_RDONLY)
            try:
                yield from _read(number, piece, size)
            finally:
                if number != self._pack:
                    os.close(number)

    def close(self) -> None:
        """Close the store, and remove its folder if that is a temporary one."""
        with self._lock:
            if self._pack >= 0:
                os.close(self._pack)
                self._pack = -1  # `release` is still called, when the last objects are collected
        if self._temporary is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._temporary.cleanup()

    def _cut(self, end: int) -> None:
        """Shorten the pack to `end` bytes; raise ValueError if it is shorter already."""
        # ftruncate would fill the gap with zeros, and a checkpoint would read them as an object's bytes.
        if (there := os.fstat(self._pack).st_size) < end:
            raise ValueError(f"{self.folder / PACK} has {there} bytes, {end} were marked: some of it was cut off")
        os.ftruncate(self._pack, end)
        self._floor = self._end = end
        self._held = 0


def _write(number: int, data: bytes, place: int) -> None:
    rest = memoryview(data)
    while rest:  # a single system call writes at most 2 GB, and less on a disk that is nearly full
        # pwrite leaves the file's own position alone, which other threads' reads must not depend on.
        written = os.pwrite(number, rest, place)
        rest, place = rest[written:], place + written


def _read(number: int, piece: Piece, size: int) -> Iterator[bytes]:
    begin, left = piece.begin, piece.size
    while left:
        part = os.pread(number, min(size, left), begin)
        if not part:
            raise EOFError(f"{piece.file} ends {left} bytes early")
        yield part
        begin, left = begin + len(part), left - len(part)
