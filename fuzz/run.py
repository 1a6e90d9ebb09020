"""Fuzzes one target in this process: `python -m fuzz.run FOLDER TARGET [LIBFUZZER OPTION ...]`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import atheris


def written(target: Any, folder: Path) -> list[str]:
    """Writes a target's seeds and words where libFuzzer reads them; the arguments that say so."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.SEEDS):
        (folder / f"seed-{number}").write_bytes(seed)
    words = folder.with_suffix(".dict")
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.WORDS), encoding="ascii")
    return [f"-dict={words}", str(folder)]


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


if __name__ == "__main__":
    folder, name = Path(sys.argv.pop(1)), sys.argv.pop(1)
    with atheris.instrument_imports(include=["labkit.sandbox", "lark"]):
        target = importlib.import_module(f"fuzz.{name}")
    atheris.Setup([*sys.argv, *written(target, folder / name)], target.try_bytes)
    atheris.Fuzz()
