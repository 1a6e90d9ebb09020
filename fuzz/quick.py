"""Runs each target for a moment, on inputs drawn at random: `python -m fuzz.quick [SECONDS] [TARGET ...]`.

It finds little that `make fuzz` would not. What it is for: a target that can't be imported, or fails on what it begins
with, is noticed with the next `make check`, and libFuzzer need not be installed.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any

from fuzz.__main__ import targets

MAX_LENGTH = 2000
MAX_CHANGES = 6


def inputs(target: Any) -> Iterator[bytes]:
    """Yield a target's seeds, then changes of them without end, the same ones in the same order each time."""
    yield from target.SEEDS
    random = Random(0)
    words = [word.encode() for word in target.WORDS]
    while True:
        data = random.choice(target.SEEDS)
        for _ in range(random.randint(1, MAX_CHANGES)):
            data = _changed(data, words, random)
        yield data[:MAX_LENGTH]


def _changed(data: bytes, words: list[bytes], random: Random) -> bytes:
    begin, end = sorted(random.randint(0, len(data)) for _ in range(2))
    what = random.randrange(4)
    if what == 0:  # a word more
        return data[:begin] + random.choice(words) + data[begin:]
    if what == 1:  # a word for a few bytes
        return data[:begin] + random.choice(words) + data[min(end, begin + 8) :]
    if what == 2:  # a part less
        return data[:begin] + data[end:]
    return data[:begin] + bytes([random.randrange(256)]) + data[begin + 1 :]


def run(name: str, seconds: float) -> int:
    """Run a target for so long, its seeds in any case; return how many inputs it was given."""
    target = importlib.import_module(f"fuzz.{name}")
    tried, end = 0, time.monotonic() + seconds
    for data in inputs(target):
        if tried >= len(target.SEEDS) and time.monotonic() > end:
            break
        try:
            target.try_bytes(data)
        except Exception:
            print(f"{name} fails on {data!r}", file=sys.stderr)
            raise
        tried += 1
    return tried


def main(arguments: list[str]) -> int:
    """Run the targets named, or all."""
    seconds = float(arguments.pop(0)) if arguments and arguments[0].replace(".", "").isdigit() else 1.0
    for name in arguments or targets():
        print(f"{name}: {run(name, seconds)} inputs", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
