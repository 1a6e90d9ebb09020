"""Takes the whole state of a sandbox for a checkpoint, and restores it.

Everything is included unless it is named as a part, so nothing is forgotten when a service learns something new. If an
object can't be pickled, that is an error and there is no checkpoint. All objects are pickled at once, under the lock,
so that references between them survive. Log events, which may be millions, are written afterwards, as they were then.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Any

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel import pickling
from labkit.sandbox.logs.export import Export
from labkit.sandbox.moto import state as moto_state

PICKLE = "state.pickle"
_LIBRARIES = ("moto", "botocore", "boto3", "werkzeug", "duckdb", "pyarrow", "numpy", "sqlglot", "lark")


class Taken:
    """The state of a sandbox at one moment, not yet written."""

    def __init__(self, state: bytes, export: Export, mark: int) -> None:
        self.mark = mark
        """The offset up to which it refers to the pack of the file store."""
        self._state = state
        self._export = export

    def write(self, folder: Path) -> None:
        """Write the state to files in a folder. Any thread may call this, without the lock."""
        (folder / PICKLE).write_bytes(self._state)
        self._export.write(folder)

    def close(self) -> None:
        """Release the snapshot of the log events."""
        self._export.close()


def take(sandbox: AssembledSandbox, more: dict[str, Any]) -> Taken:
    """Return the state of a sandbox, with what its host adds; the caller holds the lock."""
    parts = sandbox.parts()
    kept = {name: part.to_keep() for name, part in parts.items() if hasattr(part, "to_keep")}
    state = {"parts": kept, "moto": moto_state.keep(), "random": sandbox.random.getstate(), "more": more}
    # One pickle for everything: an object that two services share must come back as one object.
    pickled = pickling.dumped(state, {**parts, **moto_state.parts()})
    return Taken(pickled, sandbox.logs.store.export(), sandbox.files.mark())


def put_back(sandbox: AssembledSandbox, folder: Path) -> dict[str, Any]:
    """Restore the state in a folder into a new sandbox; return what its host had added."""
    parts = sandbox.parts()
    data = (folder / PICKLE).read_bytes()
    state = pickling.loaded(data, _Parts(parts))
    for name, kept in state["parts"].items():
        take_back: Callable[[Any], None] = parts[name].take_back  # type: ignore[attr-defined]
        take_back(kept)
    sandbox.logs.store.load(folder)
    moto_state.take_back(state["moto"])
    sandbox.random.setstate(state["random"])
    more: dict[str, Any] = state["more"]
    return more


class _Parts(dict[str, object]):
    """The parts of a sandbox, and moto's tables of backends, which are created on first use."""

    def __missing__(self, name: str) -> object:
        return moto_state.part(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or moto_state.is_part(name)


def stamp(endpoint: str) -> str:
    """Return what a checkpoint must have in common with the process that reads it, as one text.

    It covers the sandbox's source, Python, the libraries, hash randomization and the endpoint.
    """
    # The source itself, not a version number: a pickle of yesterday's classes fails in ways that no test foresees.
    digest = blake2b(digest_size=16)
    root = Path(__file__).parent
    for folder in (root, root.parent / "flowlog"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".sql", ".lark", ".json", ".yaml"):
                digest.update(f"{path.relative_to(root.parent)}\n".encode() + path.read_bytes())
    versions = " ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    seeded = sys.flags.hash_randomization
    return f"{digest.hexdigest()} {platform.python_version()} {versions} {seeded} {endpoint}"
