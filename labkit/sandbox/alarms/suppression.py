"""Suppresses the actions of a composite alarm while another alarm, its suppressor, is in ALARM.

Every change of state waits for the suppressor, whatever the new state is; another change meanwhile starts the wait
again. When the suppression ends, the actions of the state that the alarm is in by then run.
Source: CloudWatch User Guide, "Suppressing composite alarm actions" (Create_Composite_Alarm_Suppression.html).
"""

from __future__ import annotations

from collections.abc import Callable

from labkit.sandbox.alarms.alarm import CompositeAlarm, State
from labkit.sandbox.alarms.evaluation import ALARM
from labkit.sandbox.clock import Clock, Event

BY_ALARM, BY_WAIT, BY_EXTENSION = "Alarm", "WaitPeriod", "ExtensionPeriod"


class Suppression:
    """What suppresses the actions of one composite alarm at the moment, and until when."""

    def __init__(self, alarm: CompositeAlarm, clock: Clock, run_actions: Callable[[State], None]) -> None:
        self._alarm = alarm
        self._clock = clock
        self._run_actions = run_actions
        self._until: Event | None = None
        self._old: State | None = None

    def state_changed(self, old: State, suppressor_state: str | None) -> None:
        """Suppress the actions of a state that the composite alarm has just entered."""
        self._old = old
        if suppressor_state == ALARM:
            self._hold(BY_ALARM)
        else:
            self._hold(BY_WAIT, self._seconds("Wait"))

    def suppressor_changed(self, suppressor_state: str) -> None:
        """Start, prolong or end the suppression after the suppressor has changed its state."""
        # Without an action that waits, the suppressor's state means nothing: there is nothing to hold back.
        if suppressor_state == ALARM and self._alarm.suppressed_by in (BY_WAIT, BY_EXTENSION):
            self._hold(BY_ALARM)
        elif suppressor_state != ALARM and self._alarm.suppressed_by == BY_ALARM:
            self._hold(BY_EXTENSION, self._seconds("Extension"))

    def end(self) -> None:
        """End the suppression without running the actions."""
        self._alarm.suppressed_by = None
        if self._until is not None:
            self._until.cancel()
            self._until = None

    def _hold(self, by: str, seconds: float | None = None) -> None:
        self.end()
        # At once, not through the clock: with periods of 0 an alarm acts as if it had no suppressor.
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
