"""When the alarms of a region are evaluated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from labkit.sandbox.alarms.alarm import MetricAlarm
from labkit.sandbox.clock import Clock


class Schedule:
    """The next evaluation of each alarm. Alarms that are due at the same moment share one event of the clock.

    Evaluations come before whatever else is due at that moment: an alarm that was asleep and one that was evaluated
    all the time see the same datapoints.
    """

    def __init__(self, clock: Clock, evaluate: Callable[[MetricAlarm], None], name: str) -> None:
        self._clock = clock
        self._evaluate = evaluate
        self._name = name
        self._alarms: dict[float, list[MetricAlarm]] = {}

    def add(self, alarm: MetricAlarm, due: float) -> None:
        """Has an alarm evaluated at `due`, unless it is evaluated before that anyway."""
        if alarm.due is not None and alarm.due <= due:
            return
        alarm.due = due
        if due not in self._alarms:
            self._alarms[due] = []
            self._clock.call_at(due, partial(self._run, due), name=self._name, first=True)
        self._alarms[due].append(alarm)

    def drop(self, alarm: MetricAlarm) -> None:
        """Has an alarm not evaluated any more."""
        alarm.due = None

    def _run(self, due: float) -> None:
        for alarm in self._alarms.pop(due):
            if alarm.due == due:
                alarm.due = None
                self._evaluate(alarm)
