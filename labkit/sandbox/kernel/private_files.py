"""Small files of the sandbox's own, for their owner alone, that are written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path


class DamagedFile(Exception):
    """A file does not hold what was written to it; the message says what to do."""


def write(path: Path, text: str) -> None:
    """Put a file in place in one step: after a crash at any moment there is the old one or the new one."""
    draft = path.with_name(f"{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # a rename may reach the disk before what it renames
    draft.replace(path)


def read_or_make(path: Path, names: Sequence[str], make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """The texts by these names that a file holds; they are made and kept if there is no file."""
    if not path.exists():
        write(path, json.dumps(make()))
    return read(path, names)


def read(path: Path, names: Sequence[str]) -> dict[str, str]:
    """The texts by these names that a file holds; raises DamagedFile if it holds anything else."""
    data = path.read_bytes()
    try:
        kept = json.loads(data)
    except (ValueError, RecursionError):
        kept = None
    if isinstance(kept, dict) and set(kept) == set(names) and all(isinstance(v, str) and v for v in kept.values()):
        return kept
    what = "empty" if not data else "not what the sandbox wrote"
    raise DamagedFile(
        f"{path} is damaged (it is {what}): delete this file, and the next start makes a new one and keeps the "
        "sandbox's history, or begin anew with `labkit sandbox reset`"
    )
