"""What CloudWatch holds in one region: metrics, alarms, their history."""

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
        """Alarms were added, removed or given other metrics."""
        self._watching = None

    def metric_alarms(self) -> Iterator[MetricAlarm]:
        """The alarms on metrics."""
        return (alarm for alarm in self.alarms.values() if isinstance(alarm, MetricAlarm))

    def composites(self) -> Iterator[CompositeAlarm]:
        """The alarms on other alarms."""
        return (alarm for alarm in self.alarms.values() if isinstance(alarm, CompositeAlarm))

    def parents(self, name_or_arn: str) -> list[CompositeAlarm]:
        """The alarms that have an alarm in their rule."""
        alarm = self.find(name_or_arn)
        names = {alarm.name, alarm.arn} if alarm else set()
        return [composite for composite in self.composites() if names.intersection(composite.children)]

    def watching(self, metric: Metric) -> list[MetricAlarm]:
        """The alarms that a metric goes into."""
        if self._watching is None:
            self._watching = {}
            for alarm in self.metric_alarms():
                for watched in alarm.inputs:
                    self._watching.setdefault(watched, []).append(alarm)
        return self._watching.get(metric, [])

    def find(self, name_or_arn: str) -> Alarm | None:
        """An alarm by its name or its ARN."""
        name = name_or_arn.partition(":alarm:")[2] if name_or_arn.startswith("arn:") else name_or_arn
        return self.alarms.get(name)
