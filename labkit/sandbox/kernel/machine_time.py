"""The machine's time, and what the sandbox's clock showed at a given moment of it.

The whole process runs in the sandbox's time, so `time.time()` and `datetime.now()` don't return the machine's time.
Clients run in the machine's time and sign their requests by it. Two things follow:

- The age of a request is measured by the machine's clock (`now`), and so is the `Date` header of a response.
- The life of a presigned URL is measured in the sandbox's time. The URL has the moment of the machine's clock at which
  it was signed; `Moments` knows what the sandbox's clock showed then.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import time_machine

LOG = logging.getLogger(__name__)

KEPT_SECONDS = 7 * 24 * 3600
"""The longest life of a presigned URL, by either clock; older notes aren't needed."""
MAX_NOTES = 4096
BIG_JUMP = 3600
"""In seconds: an advance by at least this much ends in a later second of the machine's clock than it began in."""
TOLERANCE = 1.0
"""How many seconds the sandbox's clock may differ from the expected reading before that is noted."""


def now() -> float:
    """Return the machine's time, in seconds since the epoch."""
    try:
        return time_machine.escape_hatch.time.time()
    except ValueError:  # time-machine isn't active: no sandbox is open yet, or none any more
        return time.time()


def http_date(moment: float) -> str:
    """Return a moment in the format of HTTP's `Date` header."""
    return formatdate(moment, usegmt=True)


class Moments:
    """Knows what the sandbox's clock showed at each moment of the machine's clock.

    Between two notes a ticking clock runs as fast as the machine's and a frozen one stands still, so only jumps are
    noted. The notes are kept in a file, one on each line, because a URL may outlive the server that it was signed for.
    A line that can't be read is skipped: at worst, a URL lives as long as it would on AWS.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        frozen: bool = False,
        machine: Callable[[], float] = now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.machine = machine
        self._sleep = sleep
        self._path = path
        self._frozen = frozen
        self._lock = threading.Lock()
        self._notes: list[tuple[float, float]] = []
        if path is not None and path.exists():
            self._read(path)

    def observe(self, reading: float) -> None:
        """Note the reading of the sandbox's clock, unless it is what was expected."""
        moment = self.machine()
        with self._lock:
            # Whole seconds, because that is the precision of the moments in URLs that are compared with them.
            if not self._notes or abs(reading - self._expected(moment)) > TOLERANCE:
                self._note(math.floor(moment), reading + self._run(moment, math.floor(moment)))

    def at(self, moment: float) -> float:
        """Return what the sandbox's clock showed at a moment of the machine's clock, to the second.

        Before the first note, the two clocks are assumed to have run at the same speed.
        """
        with self._lock:
            if not self._notes:
                return moment
            place = bisect_right(self._notes, (moment, math.inf))
            if place == 0:
                noted, reading = self._notes[0]
                return reading - (noted - moment)
            noted, reading = self._notes[place - 1]
            if place == len(self._notes):
                return reading + self._run(noted, moment)
            latest = max(reading, self._notes[place][1])  # the sandbox's clock stands still while no server runs
            return min(reading + self._run(noted, moment), latest)

    @contextmanager
    def watch(self, reading: Callable[[], float]) -> Iterator[None]:
        """Note a jump that the clock makes in the block; make a big jump end in a later second than it began in.

        The moments in URLs are whole seconds. A URL signed before a jump can be told from one signed after it only if
        the two were signed in different seconds. So a big jump takes up to a second longer.
        """
        began, before = self.machine(), reading()
        self.observe(before)
        yield
        ended, after = self.machine(), reading()
        if after - before - self._run(began, ended) < BIG_JUMP:
            self.observe(after)
            return
        boundary = math.floor(began) + 1
        with self._lock:
            self._note(boundary, after + self._run(ended, boundary))
        if (left := boundary - self.machine()) > 0:
            self._sleep(left)

    def restart(self, reading: float) -> None:
        """Forget all notes and begin with this one, because the sandbox was reset."""
        with self._lock:
            self._notes.clear()
            self._write_all()
        self.observe(reading)

    def _run(self, begin: float, end: float) -> float:
        """Return how far the sandbox's clock runs between two moments of the machine's clock, without jumps."""
        return 0.0 if self._frozen else end - begin

    def _expected(self, moment: float) -> float:
        noted, reading = self._notes[-1]
        return reading + self._run(noted, moment)

    def _note(self, moment: float, reading: float) -> None:
        moment = max(moment, self._notes[-1][0]) if self._notes else moment  # the machine's clock may be set back
        if self._notes and self._notes[-1][0] == moment:
            self._notes[-1] = (moment, reading)
        else:
            self._notes.append((moment, reading))
        if len(self._notes) > MAX_NOTES:
            self._prune()
            self._write_all()
        elif self._path is not None:
            self._write(self._path, "a", [(moment, reading)])

    def _prune(self) -> None:
        """Drop the notes that are too old to matter, and the older half if there are too many."""
        oldest = self._notes[-1][0] - KEPT_SECONDS
        # One note before the cut stays: it says where the clock was at the beginning of what is kept.
        del self._notes[: max(bisect_right(self._notes, (oldest, math.inf)) - 1, 0)]
        if len(self._notes) > MAX_NOTES:
            del self._notes[: -MAX_NOTES // 2]

    def _read(self, path: Path) -> None:
        notes: dict[float, float] = {}
        for line in path.read_text(encoding="ascii", errors="replace").splitlines():
            try:
                moment, reading = map(float, line.split())
            except ValueError:
                continue
            if math.isfinite(moment + reading):
                notes[moment] = reading
        self._notes = sorted(notes.items())
        if self._notes:
            self._prune()
            self._write_all()

    def _write_all(self) -> None:
        if self._path is not None:
            self._write(self._path, "w", self._notes)

    @staticmethod
    def _write(path: Path, mode: str, notes: list[tuple[float, float]]) -> None:
        try:
            with path.open(mode, encoding="ascii") as file:
                file.writelines(f"{moment!r} {reading!r}\n" for moment, reading in notes)
        except OSError as error:
            LOG.warning("%s: the jumps of the clock can't be kept: %s", path, error)
