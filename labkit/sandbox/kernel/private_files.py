"""Reads and writes the sandbox's own small files: readable by their owner alone, and written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path


class DamagedFile(Exception):
    """A file doesn't contain what was written to it; the message says what to do."""


def write(path: Path, text: str) -> None:
    """Write a file in one step: after a crash at any moment, either the old file or the new one is there."""
    draft = path.with_name(f"{path.name}.draft")
    # The mode is given at creation: with a chmod afterwards there would be a moment when others could read a secret.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())  # a rename may reach the disk before the contents of the renamed file
    draft.replace(path)


def read_or_make(path: Path, names: Sequence[str], make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return the texts in a file by their names; if there is no file, make the texts and write it first."""
    if not path.exists():
        write(path, json.dumps(make()))
    return read(path, names)


def read(path: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the texts in a file, which must have exactly these names; raise DamagedFile otherwise."""
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
