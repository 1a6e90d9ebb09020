"""The result of a benchmark: our time or size, that of the alternative, and the ratio's bound."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """One measurement. `ours` and `theirs` are in the same unit; smaller is better in both."""

    name: str
    ours: float
    theirs: float
    unit: str
    at_most: float
    """The bound of `ours / theirs`."""

    @property
    def ratio(self) -> float:
        """How many times theirs ours is."""
        return self.ours / self.theirs

    @property
    def holds(self) -> bool:
        """Whether the ratio is within its bound."""
        return self.ratio <= self.at_most

    def __str__(self) -> str:
        verdict = "ok  " if self.holds else "OUT "
        sizes = f"{self.ours:.3g} against {self.theirs:.3g} {self.unit}"
        return f"{verdict} {self.name:<62} {self.ratio:8.3f} (<= {self.at_most:g})  {sizes}"


def seconds(work: Callable[[], object], *, times: int = 3) -> float:
    """Return the shortest of several runs: the time that the work takes without disturbance."""
    return seconds_in_turn([work], times=times)[0]


def seconds_in_turn(works: Sequence[Callable[[], object]], *, times: int = 3) -> list[float]:
    """Return `seconds` of several pieces of work that take turns, so that other load slows all of them alike."""

    def once(work: Callable[[], object]) -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    runs = [[once(work) for work in works] for _ in range(times)]
    return [min(taken) for taken in zip(*runs, strict=True)]


def megabytes(pid: int) -> float:
    """Resident memory of a process."""
    out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(out.stdout) / 1000
