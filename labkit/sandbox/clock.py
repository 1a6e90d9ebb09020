"""Virtual time, and the events that are due in it.

The whole process lives in virtual time: time-machine sets `time.time()` and `datetime.now()` to the clock's reading,
for moto as for our own services. The reading doesn't move while a request or an event runs, so everything that it does
has one timestamp, and the same requests at the same readings lead to the same state. Between requests a ticking clock
follows real time (`time.monotonic`, which time-machine doesn't change).
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
    """An action that is due at a moment of virtual time.

    Events due at the same moment run in the order in which they were scheduled, those marked `first` before the others.
    """

    due: float
    number: int
    name: str
    action: Callable[[], None] = field(repr=False)
    cancelled: bool = False

    def cancel(self) -> None:
        """Mark the event so that it won't run. It stays in the queue until it is due."""
        self.cancelled = True


class Clock:
    """The sandbox's clock. All times are seconds since the epoch, UTC; readings are rounded to milliseconds."""

    def __init__(self, start: datetime, *, frozen: bool) -> None:
        if start.tzinfo is None:
            raise ValueError(f"the start of the clock needs a time zone: {start.isoformat()}")
        self.frozen = frozen
        self.meter = Meter()
        """Counts the CPU time of the events and of the changes between them."""
        self.before_event: Callable[[Event], None] = lambda event: None
        self._events: list[tuple[float, bool, int, Event]] = []
        self._next_number = 0
        self._reading = round(start.timestamp(), 3)
        self._ahead = self._reading - time.monotonic()
        self.steps = 0
        """How many steps the clock has made; requests are answered between two steps."""
        self.towards = self._reading
        """The moment that the step under way is heading for."""
        self._travel = time_machine.travel(self._reading, tick=False)
        self._coordinates = self._travel.start()

    def stop(self) -> None:
        """Give the process its real time back."""
        self._travel.stop()

    def now(self) -> datetime:
        """Return the reading as an aware datetime in UTC."""
        return datetime.fromtimestamp(self._reading, UTC)

    def timestamp(self) -> float:
        """Return the reading in seconds since the epoch."""
        return self._reading

    def call_at(self, due: float, action: Callable[[], None], *, name: str, first: bool = False) -> Event:
        """Schedule `action` for the moment `due`; a moment in the past counts as now."""
        event = Event(max(round(due, 3), self._reading), self._next_number, name, action)
        self._next_number += 1
        heapq.heappush(self._events, (event.due, not first, event.number, event))
        return event

    def call_later(self, seconds: float, action: Callable[[], None], *, name: str) -> Event:
        """Schedule `action` for `seconds` from now."""
        return self.call_at(self._reading + seconds, action, name=name)

    def advance(self, seconds: float) -> None:
        """Move time forward by `seconds` and run every event that becomes due, in order, at its own moment."""
        self.advance_to(self._reading + seconds)

    def advance_to(self, moment: float) -> None:
        """Move time forward to `moment`; a moment in the past changes nothing."""
        self.step_towards(moment, math.inf)

    def step_towards(self, moment: float, seconds: float) -> bool:
        """Move time towards `moment` for about `seconds` of real time; return whether it was reached.

        A step ends between two moments of virtual time, never between two events of the same moment, and covers at
        least one moment.
        """
        reached = self._step(round(moment, 3), time.monotonic() + seconds)
        # The advance itself took real time, which must not be added to virtual time afterwards.
        self._ahead = self._reading - time.monotonic()
        return reached

    def goal(self, seconds: float) -> float:
        """Return the moment `seconds` after now; for a clock that is behind real time, now is where it should be."""
        return self._real_reading() + seconds

    def follow_real_time(self, seconds: float = math.inf) -> bool:
        """Move a ticking clock to where it should be by real time, or a step towards it; return whether it is there.

        After the machine has slept there is much to catch up with, so `seconds` bounds the real time of the step, as in
        `step_towards`. A frozen clock doesn't move.
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
            # `begin < reading`: a step covers at least one moment, so that time moves however slow the machine is.
            # `reading < due`: a request between two events of one moment would see half of that moment.
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
        """Return the reading and the queue of events, for a checkpoint."""
        return {"reading": self._reading, "events": self._events, "next_number": self._next_number}

    def take_back(self, kept: dict[str, Any]) -> None:
        """Continue from what `to_keep` returned."""
        self._events, self._next_number = kept["events"], kept["next_number"]
        self._set(kept["reading"])
        self._ahead = self._reading - time.monotonic()

    def _set(self, reading: float) -> None:
        self._reading = reading
        self._coordinates.move_to(reading, tick=False)
