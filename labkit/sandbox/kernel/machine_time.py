"""The machine's time, and what the sandbox's clock showed at a moment of it.

The whole process lives in the sandbox's time, so `time.time()` and `datetime.now()` don't tell the machine's. Clients
live in the machine's, and sign their requests by it. Two things follow:

- How old a request is counts by the machine's clock (`now`), and so does the `Date` header of a response.
- How long a presigned URL lives counts in the sandbox's time. The URL names the moment of the machine's clock at which
  it was signed; `Moments` tells what the sandbox's clock showed then.
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
"""No presigned URL lives longer, by either clock."""
MAX_NOTES = 4096
BIG_JUMP = 3600
"""Seconds; an advance of as many ends in a later second of the machine's clock than it began in."""
TOLERANCE = 1.0
"""Seconds by which the two clocks may drift apart before it is noted."""


def now() -> float:
    """Return the machine's time, in seconds since the epoch."""
    try:
        return time_machine.escape_hatch.time.time()
    except ValueError:  # nobody travels: no sandbox is open yet, or none any more
        return time.time()


def http_date(moment: float) -> str:
    """Return a moment as HTTP's `Date` header has it."""
    return formatdate(moment, usegmt=True)


class Moments:
    """What the sandbox's clock showed at which moment of the machine's.

    Between two notes a ticking clock goes as fast as the machine's and a frozen one stands still, so only jumps are
    noted. They are kept in a file, one a line, because a URL may outlive the server that it was signed for. A line that
    can't be read is skipped: at worst, a URL lives as long as it would on AWS.
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
        """Take a look at the sandbox's clock, and note its reading unless it is where it was expected."""
        moment = self.machine()
        with self._lock:
            if not self._notes or abs(reading - self._expected(moment)) > TOLERANCE:
                self._note(math.floor(moment), reading + self._run(moment, math.floor(moment)))

    def at(self, moment: float) -> float:
        """Return what the sandbox's clock showed at a moment of the machine's, to the second.

        Before the first note, the two clocks are taken to have gone alike.
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
            latest = max(reading, self._notes[place][1])  # it stands still while no server runs
            return min(reading + self._run(noted, moment), latest)

    @contextmanager
    def watch(self, reading: Callable[[], float]) -> Iterator[None]:
        """Note a jump that the clock makes meanwhile; a big one ends in a later second than it began in.

        A URL names whole seconds. One that was signed before a jump can be told from one that was signed after it only
        if the two are signed in different seconds. So whoever asks for a big jump has the answer within a second more.
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
        """Forget all notes, and begin with this one: the sandbox starts anew."""
        with self._lock:
            self._notes.clear()
            self._write_all()
        self.observe(reading)

    def _run(self, begin: float, end: float) -> float:
        """Return how far the sandbox's clock goes between two moments of the machine's if it doesn't jump."""
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
        """Drop what is too old to matter, and the older half of too many; the last reading before a cut is needed."""
        oldest = self._notes[-1][0] - KEPT_SECONDS
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
