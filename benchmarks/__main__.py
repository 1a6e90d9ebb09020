"""Runs the benchmarks: `python -m benchmarks [NAME ...]`. Exit code 1: a ratio is out of its bound."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "measured"}


def main(names: list[str]) -> int:
    """Run the benchmarks of these names, or all of them."""
    known = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in HELPERS)
    if unknown := set(names) - set(known):
        print(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    if len(names) == 1:
        return _measure(names[0])
    # Each has a process of its own: memory that one leaves behind would count as the next one's.
    commands = ([sys.executable, "-m", "benchmarks", name] for name in names or known)
    return max(subprocess.run(command, check=False).returncode for command in commands)


def _measure(name: str) -> int:
    print(name, flush=True)
    hold = True
    for measured in importlib.import_module(f"benchmarks.{name}").measure():
        hold &= measured.holds
        print(f"  {measured}", flush=True)
    return 0 if hold else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
