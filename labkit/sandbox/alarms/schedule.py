"""Keeps the next evaluation time of each alarm of a region."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from labkit.sandbox.alarms.alarm import MetricAlarm
from labkit.sandbox.clock import Clock


class Schedule:
    """The next evaluation of each alarm; alarms that are due at the same moment share one event of the clock.

    Evaluations run before anything else that is due at that moment, so that an alarm that was asleep and one that was
    evaluated every minute see the same datapoints.
    """

    def __init__(self, clock: Clock, evaluate: Callable[[MetricAlarm], None], name: str) -> None:
        self._clock = clock
        self._evaluate = evaluate
        self._name = name
        self._alarms: dict[float, list[MetricAlarm]] = {}

    def add(self, alarm: MetricAlarm, due: float) -> None:
        """Schedule an alarm for `due`, unless it is due earlier already."""
        if alarm.due is not None and alarm.due <= due:
            return
        alarm.due = due
        if due not in self._alarms:
            self._alarms[due] = []
            self._clock.call_at(due, partial(self._run, due), name=self._name, first=True)
        self._alarms[due].append(alarm)

    def drop(self, alarm: MetricAlarm) -> None:
        """Take an alarm off the schedule."""
        alarm.due = None

    def _run(self, due: float) -> None:
        for alarm in self._alarms.pop(due):
            if alarm.due == due:
                alarm.due = None
                self._evaluate(alarm)
