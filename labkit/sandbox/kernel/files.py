"""The bytes of a sandbox that are too many for its memory and its journal, in files of its own.

Two kinds of bytes lie in a store's folder:

- **Files**: whatever is large, such as the body of a request that puts an object. A file is written as a draft, kept
  under a name, and never changed again. The journal names the files that its entries need; whoever removes one must
  know that nothing refers to it. What is neither named nor removed, because the process was killed in between, is
  swept when the sandbox starts.
- **The pack**: whatever is small or comes of itself, such as thousands of delivered flow log files. It is one file that
  grows at its end. A replay writes its pieces again, so a store opens with an empty pack; a checkpoint that refers to
  pieces takes a `mark` with it, and a store opened with that mark has the pack as it was then.

What was written survives the end of the process, however it ends. It is not synced to the disk, as the journal is not:
a power cut may lose the last seconds.
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
    """A stretch of bytes in a file of a store, or in its pack. It is a reference: small, and worth pickling."""

    file: str
    begin: int
    size: int


class Draft:
    """A file being written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._open = True

    def write(self, data: bytes) -> None:
        """Append bytes; raises OSError if the disk is full."""
        _write(self._number, data, self.size)
        self.size += len(data)

    def close(self) -> None:
        """Close the file; it stays a draft."""
        if self._open:
            self._open = False
            os.close(self._number)

    def discard(self) -> None:
        """Remove the draft; one that was kept stays as it is."""
        self.close()
        self.path.unlink(missing_ok=True)


class FileStore:
    """Named files that never change, and a pack of small pieces, in a folder for their owner alone.

    Without a folder it has a temporary one, which is gone with the store.
    """

    def __init__(self, folder: Path | None = None, *, mark: int = 0) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="labkit-files-") if folder is None else None
        self.folder = folder or Path(self._temporary.name if self._temporary else "")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        for draft in self.folder.glob(f"*{_DRAFT}"):
            draft.unlink()
        self._lock = threading.RLock()  # an object that is collected as garbage releases its piece at any moment
        self._pack = os.open(self.folder / PACK, os.O_RDWR | os.O_CREAT, 0o600)
        self._cut(mark)

    def draft(self) -> Draft:
        """Begin a file."""
        return Draft(self.folder / f"{secrets.token_hex(8)}{_DRAFT}")

    def keep(self, draft: Draft) -> str:
        """Make a draft a file of the store; return its name."""
        draft.close()
        name = draft.path.name.removesuffix(_DRAFT)
        draft.path.rename(self.path(name))
        return name

    def path(self, name: str) -> Path:
        """Where a file lies."""
        return self.folder / name

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading; it can be read to its end even if it is removed meanwhile."""
        return self.path(name).open("rb")

    def size(self, name: str) -> int:
        """The size of a file in bytes."""
        return self.path(name).stat().st_size

    def remove(self, name: str) -> None:
        """Remove a file that nothing refers to; one that is gone already is no error."""
        self.path(name).unlink(missing_ok=True)

    def sweep(self, named: Iterable[str]) -> None:
        """Remove every file that is not among the named ones."""
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
        """Write a piece into the pack; raises OSError if the disk is full, and nothing was written then."""
        with self._lock:
            _write(self._pack, data, self._end)
            piece = Piece(PACK, self._end, len(data))
            self._end += len(data)
            self._held += len(data)
        return piece

    def hold(self, piece: Piece) -> None:
        """Count one more holder of a piece of the pack, which releases it in turn."""
        with self._lock:
            if piece.file == PACK and piece.begin >= self._floor:
                self._held += piece.size

    def release(self, piece: Piece) -> None:
        """Let go of a piece of the pack; the pack shrinks when nobody holds one that came after the last mark."""
        with self._lock:
            if piece.file != PACK or piece.begin < self._floor or self._pack < 0:
                return
            self._held -= piece.size
            if piece.size and not self._held:
                self._cut(self._floor)

    def mark(self) -> int:
        """How far the pack is written, for a checkpoint that refers to its pieces.

        A store opened with the mark has all that was in the pack. Nothing before it is released any more.
        """
        with self._lock:
            self._floor, self._held = self._end, 0
            return self._end

    def read(self, pieces: Sequence[Piece]) -> bytes:
        """Read the bytes of some pieces, one after the other."""
        return b"".join(self.chunks(pieces))

    def chunks(self, pieces: Sequence[Piece], size: int = _CHUNK) -> Iterator[bytes]:
        """Read the bytes of some pieces in chunks, holding no more of them in memory than one."""
        for piece in pieces:
            number = self._pack if piece.file == PACK else os.open(self.path(piece.file), os.O_RDONLY)
            try:
                yield from _read(number, piece, size)
            finally:
                if number != self._pack:
                    os.close(number)

    def close(self) -> None:
        """Close the store; a temporary folder goes with it."""
        with self._lock:
            if self._pack >= 0:
                os.close(self._pack)
                self._pack = -1
        if self._temporary is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self._temporary.cleanup()

    def _cut(self, end: int) -> None:
        """Shorten the pack to where a mark, or nothing, was."""
        if (there := os.fstat(self._pack).st_size) < end:
            raise ValueError(f"{self.folder / PACK} has {there} bytes, {end} were marked: some of it was cut off")
        os.ftruncate(self._pack, end)
        self._floor = self._end = end
        self._held = 0


def _write(number: int, data: bytes, place: int) -> None:
    rest = memoryview(data)
    while rest:  # one call of the system writes 2 GB at most
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
