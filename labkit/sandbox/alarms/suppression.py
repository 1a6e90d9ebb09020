"""Holds the actions of a composite alarm back while another alarm, its suppressor, is in ALARM.

A change of state waits for the suppressor, whatever the new state is, and another one meanwhile waits anew; once
nothing holds them back any more, the actions of the state that the alarm is in then run.
Source: CloudWatch User Guide, "Suppressing composite alarm actions" (Create_Composite_Alarm_Suppression.html).
"""

from __future__ import annotations

from collections.abc import Callable

from labkit.sandbox.alarms.alarm import CompositeAlarm, State
from labkit.sandbox.alarms.evaluation import ALARM
from labkit.sandbox.clock import Clock, Event

BY_ALARM, BY_WAIT, BY_EXTENSION = "Alarm", "WaitPeriod", "ExtensionPeriod"


class Suppression:
    """What holds the actions of one composite alarm back at the moment, and until when."""

    def __init__(self, alarm: CompositeAlarm, clock: Clock, run_actions: Callable[[State], None]) -> None:
        self._alarm = alarm
        self._clock = clock
        self._run_actions = run_actions
        self._until: Event | None = None
        self._old: State | None = None

    def state_changed(self, old: State, suppressor_state: str | None) -> None:
        """The composite alarm came into another state."""
        self._old = old
        if suppressor_state == ALARM:
            self._hold(BY_ALARM)
        else:
            self._hold(BY_WAIT, self._seconds("Wait"))

    def suppressor_changed(self, suppressor_state: str) -> None:
        """The suppressor came into another state."""
        if suppressor_state == ALARM and self._alarm.suppressed_by in (BY_WAIT, BY_EXTENSION):
            self._hold(BY_ALARM)
        elif suppressor_state != ALARM and self._alarm.suppressed_by == BY_ALARM:
            self._hold(BY_EXTENSION, self._seconds("Extension"))

    def end(self) -> None:
        """Nothing is held back any more, and nothing is run."""
        self._alarm.suppressed_by = None
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _hold(self, by: str, seconds: float | None = None) -> None:
        self.end()
        if seconds == 0:
            self._release()
            return
        self._alarm.suppressed_by = by
        if seconds is not None:
            self._until = self._clock.call_later(seconds, self._release, name=f"{by} of {self._alarm.arn}")

    def _release(self) -> None:
        self.end()
        if self._old is not None:
            self._run_actions(self._old)

    def _seconds(self, which: str) -> int:
        return int(self._alarm.settings.get(f"ActionsSuppressor{which}Period", 0))
