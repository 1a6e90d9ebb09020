"""Virtual time, and the events due in it.

The whole process lives in virtual time: time-machine holds `time.time()` and `datetime.now()` at the clock's reading,
for moto as for our own services. The reading is still while a request or an event runs, so whatever it does carries one
timestamp, and the same requests at the same readings give the same state again. Between requests a ticking clock
follows real time (`time.monotonic`, which time-machine leaves alone).
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import time_machine

from labkit.sandbox.kernel.meter import Meter


@dataclass(slots=True)
class Event:
    """Something due at a moment of virtual time.

    Events due at the same moment run in the order they were made, those that are to come `first` before the others.
    """

    due: float
    number: int
    name: str
    action: Callable[[], None] = field(repr=False)
    cancelled: bool = False

    def cancel(self) -> None:
        """The event will not run."""
        self.cancelled = True


class Clock:
    """The sandbox's clock. All times are seconds since the epoch, UTC; readings are whole milliseconds."""

    def __init__(self, start: datetime, *, frozen: bool) -> None:
        if start.tzinfo is None:
            raise ValueError(f"the start of the clock needs a time zone: {start.isoformat()}")
        self.frozen = frozen
        self.meter = Meter()
        """Of what events, and the changes between them, have cost."""
        self.before_event: Callable[[Event], None] = lambda event: None
        self._events: list[tuple[float, bool, int, Event]] = []
        self._next_number = 0
        self._reading = round(start.timestamp(), 3)
        self._ahead = self._reading - time.monotonic()
        self.steps = 0
        """How often time has been moved on: requests come between two steps."""
        self.towards = self._reading
        """Where time is on its way to, in the step under way."""
        self._travel = time_machine.travel(self._reading, tick=False)
        self._coordinates = self._travel.start()

    def stop(self) -> None:
        """Gives the process its real time back."""
        self._travel.stop()

    def now(self) -> datetime:
        """The reading, as an aware datetime in UTC."""
        return datetime.fromtimestamp(self._reading, UTC)

    def timestamp(self) -> float:
        """The reading, in seconds since the epoch."""
        return self._reading

    def call_at(self, due: float, action: Callable[[], None], *, name: str, first: bool = False) -> Event:
        """Has `action` run when the clock reaches `due`; a moment that has passed counts as now."""
        event = Event(max(round(due, 3), self._reading), self._next_number, name, action)
        self._next_number += 1
        heapq.heappush(self._events, (event.due, not first, event.number, event))
        return event

    def call_later(self, seconds: float, action: Callable[[], None], *, name: str) -> Event:
        """Has `action` run `seconds` from now."""
        return self.call_at(self._reading + seconds, action, name=name)

    def advance(self, seconds: float) -> None:
        """Moves time forward, running what falls due on the way, in order, each at its own moment."""
        self.advance_to(self._reading + seconds)

    def advance_to(self, moment: float) -> None:
        """Moves time forward to `moment`; a moment that has passed changes nothing."""
        self.step_towards(moment, math.inf)

    def step_towards(self, moment: float, seconds: float) -> bool:
        """Move time towards `moment` for about so many seconds of real time; return whether it is reached.

        A step ends between two moments of virtual time, never between two events that are due at the same one, and
        does one moment at least.
        """
        reached = self._step(round(moment, 3), time.monotonic() + seconds)
        self._ahead = self._reading - time.monotonic()
        return reached

    def goal(self, seconds: float) -> float:
        """The moment `seconds` from now; a clock that is behind real time is first to catch up with it."""
        return self._real_reading() + seconds

    def follow_real_time(self, seconds: float = math.inf) -> bool:
        """Move a ticking clock to where real time has carried it, or a step on the way; return whether it is there.

        After a sleep of the machine there is much to catch up with: see `step_towards`. A frozen clock stays.
        """
        return self.frozen or self._step(self._real_reading(), time.monotonic() + seconds)

    def _real_reading(self) -> float:
        if self.frozen:
            return self._reading
        return max(self._reading, round(time.monotonic() + self._ahead, 3))

    def _step(self, moment: float, end: float) -> bool:
        with self.meter:
            return self._run_until(moment, end)

    def _run_until(self, moment: float, end: float) -> bool:
        begin = self._reading
        self.steps += 1
        self.towards = moment
        while self._events and self._events[0][0] <= moment:
            due = self._events[0][0]
            if begin < self._reading < due and time.monotonic() >= end:
                return False
            *_, event = heapq.heappop(self._events)
            if event.cancelled:
                continue
            self._set(event.due)
            self.before_event(event)
            event.action()
        if moment > self._reading:
            self._set(moment)
        return True

    def to_keep(self) -> dict[str, Any]:
        """Return the reading, and what is due."""
        return {"reading": self._reading, "events": self._events, "next_number": self._next_number}

    def take_back(self, kept: dict[str, Any]) -> None:
        """Go on from what `to_keep` returned."""
        self._events, self._next_number = kept["events"], kept["next_number"]
        self._set(kept["reading"])
        self._ahead = self._reading - time.monotonic()

    def _set(self, reading: float) -> None:
        self._reading = reading
        self._coordinates.move_to(reading, tick=False)
