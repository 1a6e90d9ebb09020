"""Virtual time, and the events due in it.

The whole process lives in virtual time: time-machine holds `time.time()` and `datetime.now()` at the clock's reading,
for moto as for our own services. The reading is still while a request or an event runs, so whatever it does carries one
timestamp, and the same requests at the same readings give the same state again. Between requests a ticking clock
follows real time (`time.monotonic`, which time-machine leaves alone).
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import time_machine


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
        self.before_event: Callable[[Event], None] = lambda event: None
        self._events: list[tuple[float, bool, int, Event]] = []
        self._numbers = itertools.count()
        self._reading = round(start.timestamp(), 3)
        self._real_time_of_reading = time.monotonic()
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
        event = Event(max(round(due, 3), self._reading), next(self._numbers), name, action)
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
        moment = round(moment, 3)
        while self._events and self._events[0][0] <= moment:
            *_, event = heapq.heappop(self._events)
            if event.cancelled:
                continue
            self._set(event.due)
            self.before_event(event)
            event.action()
        if moment > self._reading:
            self._set(moment)
        self._real_time_of_reading = time.monotonic()

    def follow_real_time(self) -> None:
        """Moves a ticking clock to where real time has carried it; a frozen one stays."""
        if not self.frozen:
            self.advance_to(self._reading + time.monotonic() - self._real_time_of_reading)

    def _set(self, reading: float) -> None:
        self._reading = reading
        self._coordinates.move_to(reading, tick=False)
