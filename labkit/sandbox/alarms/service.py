"""The CloudWatch service: the operations put together, and the regions they work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.sandbox.alarms.alarm_operations import AlarmOperations
from labkit.sandbox.alarms.evaluator import Evaluator
from labkit.sandbox.alarms.metric_operations import MetricOperations
from labkit.sandbox.alarms.region import Region
from labkit.sandbox.alarms.samples import Metric, SampleSet

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox


class CloudWatchService(MetricOperations, AlarmOperations):
    """Metrics, alarms and their evaluation (Amazon CloudWatch); dashboards are moto's."""

    name = "cloudwatch"
    answered_by_moto = frozenset({"DeleteDashboards", "GetDashboard", "ListDashboards", "PutDashboard"})

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._regions: dict[str, Region] = {}
        self._evaluators: dict[str, Evaluator] = {}

    def region(self, name: str) -> Region:
        """Return the metrics and alarms of a region, which is created when it is first asked for."""
        if name not in self._regions:
            self._regions[name] = Region()
        return self._regions[name]

    def evaluator(self, name: str) -> Evaluator:
        """Return the evaluator of a region's alarms."""
        if name not in self._evaluators:
            self._evaluators[name] = Evaluator(self.sandbox, self.region(name), name)
        return self._evaluators[name]

    def put_samples(
        self, region: str, metric: Metric, timestamp: float, samples: SampleSet, unit: str | None, resolution: int
    ) -> None:
        """Add samples to a metric and wake the alarms on it."""
        held, now = self.region(region), self.sandbox.clock.timestamp()
        held.store.put(metric, timestamp, samples, unit=unit, resolution=resolution, now=now)
        for alarm in held.watching(metric):
            self.evaluator(region).wake(alarm)
