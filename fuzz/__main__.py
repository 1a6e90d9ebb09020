"""Fuzzes one target after the other: `python -m fuzz [SECONDS] [TARGET ...]`. Exit code 1 says that one was broken.

A target is a module of this folder with `try_bytes`, which raises where an input goes wrong; `SEEDS`, the inputs to
begin with; and `WORDS`, what to put together new ones from. Inputs that led further lie in build/fuzz/TARGET, one that
broke it beside that folder.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "quick", "run"}
FOLDER = Path(__file__).parent
BUILD = FOLDER.parent / "build" / "fuzz"


def targets() -> list[str]:
    """The names of all targets: modules of this package with SEEDS, WORDS and `try_bytes`."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in HELPERS)


def main(arguments: list[str]) -> int:
    """Gives each target its seconds, in a process of its own: libFuzzer ends the process that it runs in."""
    known = targets()
    seconds = int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 600
    if unknown := set(arguments) - set(known):
        print(f"no target is called {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    held = True
    for target in arguments or known:
        print(f"{target}, {seconds} s", flush=True)
        options = [f"-max_total_time={seconds}", f"-artifact_prefix={BUILD / target}-", "-timeout=30"]
        command = [sys.executable, "-m", "fuzz.run", str(BUILD), target, "-max_len=2000", *options]
        held &= subprocess.run(command, check=False).returncode == 0
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
