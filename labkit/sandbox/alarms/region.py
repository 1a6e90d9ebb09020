"""The data of CloudWatch in one region: metrics, alarms and their history."""

from __future__ import annotations

from collections.abc import Iterator

from labkit.sandbox.alarms.alarm import Alarm, CompositeAlarm, MetricAlarm
from labkit.sandbox.alarms.samples import Metric, MetricStore
from labkit.sandbox.alarms.state_changes import History


class Region:
    """The metrics and alarms of a region."""

    def __init__(self) -> None:
        self.store = MetricStore()
        self.alarms: dict[str, Alarm] = {}
        self.history = History()
        self._watching: dict[Metric, list[MetricAlarm]] | None = None

    def alarms_changed(self) -> None:
        """Note that alarms were added, removed or given other metrics: drop the index of `watching`."""
        self._watching = None

    def metric_alarms(self) -> Iterator[MetricAlarm]:
        """Return the alarms on metrics."""
        return (alarm for alarm in self.alarms.values() if isinstance(alarm, MetricAlarm))

    def composites(self) -> Iterator[CompositeAlarm]:
        """Return the alarms on other alarms."""
        return (alarm for alarm in self.alarms.values() if isinstance(alarm, CompositeAlarm))

    def parents(self, name_or_arn: str) -> list[CompositeAlarm]:
        """Return the composite alarms that have an alarm in their rule."""
        alarm = self.find(name_or_arn)
        names = {alarm.name, alarm.arn} if alarm else set()
        return [composite for composite in self.composites() if names.intersection(composite.children)]

    def watching(self, metric: Metric) -> list[MetricAlarm]:
        """Return the alarms that read a metric; the index is built at the first question after a change."""
        if self._watching is None:
            self._watching = {}
            for alarm in self.metric_alarms():
                for watched in alarm.inputs:
                    self._watching.setdefault(watched, []).append(alarm)
        return self._watching.get(metric, [])

    def find(self, name_or_arn: str) -> Alarm | None:
        """Return an alarm by its name or its ARN; None if there is no such alarm."""
        name = name_or_arn.partition(":alarm:")[2] if name_or_arn.startswith("arn:") else name_or_arn
        return self.alarms.get(name)
