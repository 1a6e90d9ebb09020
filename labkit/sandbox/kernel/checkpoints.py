"""Checkpoints: the state after a change of the journal, in files, so that a start needn't replay what came before it.

A checkpoint is a folder, named after the change that it follows. It is written as a draft, synced to the disk and
renamed, and only then is the previous one removed. So there is a complete one at any moment, however the process ends.

A checkpoint is only a shortcut: the journal keeps everything that it stands for. It is used only if all of these are
true; otherwise the journal is replayed from its beginning, and the log says why:

- its manifest has an authentication code that only the holder of the home's secret key can make, because loading a
  foreign pickle can do harm;
- the digests of its files are those in the manifest;
- the same version of the sandbox, of Python and of the libraries wrote it, for the same endpoint;
- the journal has the entries that it follows: the manifest has a digest of all of them.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from labkit.sandbox.kernel.witness import Place

LOG = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_DRAFT = "draft-"


class UnusableError(Exception):
    """A checkpoint that must not be used; the message says why."""


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint follows (`number`, `digest`), what wrote it (`stamp`), and which files belong to it."""

    stamp: str
    number: int
    digest: str
    mark: int
    """The offset up to which the checkpoint refers to the pack of the file store."""
    seconds: float
    """How much CPU time it took to make."""
    files: dict[str, str]
    """The digests of its files, by name."""

    @property
    def place(self) -> Place:
        """The place in the journal that the checkpoint follows."""
        return Place(self.number, bytes.fromhex(self.digest))


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose manifest and files have been verified."""

    folder: Path
    manifest: Manifest


class Checkpoints:
    """The checkpoints of one home, authenticated with its secret."""

    def __init__(self, folder: Path, secret: str, stamp: str) -> None:
        self._folder = folder
        # A key of its own: a code in a file must tell nothing about the secret that requests are signed with.
        self._key = blake2b(secret.encode(), person=b"checkpoints").digest()
        self._stamp = stamp

    def write(self, place: Place, mark: int, fill: Callable[[Path], float]) -> None:
        """Write a checkpoint and remove those before it.

        `fill` writes its files into the given folder and returns the CPU seconds it took. An exception leaves the
        previous checkpoints as they were.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._remove([path for path in self._folder.iterdir() if path.name.startswith(_DRAFT)])
        draft = self._folder / f"{_DRAFT}{secrets.token_hex(8)}"
        draft.mkdir(mode=0o700)
        try:
            seconds = fill(draft)
            files = {path.name: _digest(path, sync=True) for path in sorted(draft.iterdir())}
            manifest = Manifest(self._stamp, place.number, place.digest.hex(), mark, seconds, files)
            self._write_manifest(draft / MANIFEST, manifest)
            _sync(draft)  # the names in a folder are synced apart from the contents of its files
            before = self._all()  # before the rename, which would put the new one on the list to be removed
            draft.rename(self._folder / f"{place.number:012d}-{draft.name.removeprefix(_DRAFT)}")
            _sync(self._folder)  # the rename must be on the disk before the previous checkpoint is gone
        except BaseException:
            self._remove([draft])
            raise
        self._remove(before)

    def usable(self, digest: Callable[[int], bytes | None]) -> Iterator[Checkpoint]:
        """Yield the usable checkpoints, the latest first; log why each other one isn't.

        `digest` returns the journal's digest of the entries up to a number, or None if it has no such entry.
        """
        for path in self._all():
            try:
                yield Checkpoint(path, self._checked(path, digest))
            except (UnusableError, OSError) as error:
                LOG.warning("the checkpoint %s is not used: %s", path.name, error)

    def keep_only(self, kept: Checkpoint | None) -> None:
        """Remove all checkpoints but one: what the others refer to is gone, or about to go."""
        self._remove([path for path in self._all() if kept is None or path != kept.folder])

    def _all(self) -> list[Path]:
        if not self._folder.exists():
            return []
        found = [path for path in self._folder.iterdir() if not path.name.startswith(_DRAFT)]
        return sorted(found, key=lambda path: (path.name.partition("-")[0], path.stat().st_mtime_ns), reverse=True)

    def _checked(self, path: Path, digest: Callable[[int], bytes | None]) -> Manifest:
        manifest = self._read_manifest(path / MANIFEST)  # first: nothing in it counts until its code is right
        if manifest.stamp != self._stamp:
            raise UnusableError("another version of the sandbox, or of what it stands on, wrote it, or another address")
        # The number alone isn't enough: after a reset a new history may have as many entries.
        if digest(manifest.number) != manifest.place.digest:
            raise UnusableError("it is of another history")
        for name, written in manifest.files.items():
            if not (path / name).is_file() or _digest(path / name) != written:
                raise UnusableError(f"its file {name} is damaged")
        return manifest

    def _write_manifest(self, path: Path, manifest: Manifest) -> None:
        text = json.dumps(asdict(manifest))
        code = hmac.digest(self._key, text.encode(), "sha256").hex()
        path.write_text(f"{code}\n{text}\n")
        _digest(path, sync=True)

    def _read_manifest(self, path: Path) -> Manifest:
        try:
            code, text = path.read_bytes().decode().removesuffix("\n").split("\n")
        except ValueError:
            raise UnusableError("its manifest is damaged") from None
        if not hmac.compare_digest(code, hmac.digest(self._key, text.encode(), "sha256").hex()):
            raise UnusableError("its manifest is damaged, or not made with this home's key")
        return Manifest(**json.loads(text))

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            shutil.rmtree(path, ignore_errors=True)


def _digest(path: Path, *, sync: bool = False) -> str:
    with path.open("rb") as file:
        digest = blake2b(digest_size=32)
        while part := file.read(1 << 20):
            digest.update(part)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
