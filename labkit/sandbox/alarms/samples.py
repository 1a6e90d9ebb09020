"""The samples of metrics: one small set of statistics for every minute (or second) of every metric."""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60, 3600, 86400
NO_UNIT = "None"

RETENTION = ((3 * HOUR, 1), (15 * DAY, MINUTE), (63 * DAY, 5 * MINUTE), (455 * DAY, HOUR))
"""(age up to which, resolution in which) samples are kept: "Metrics retention" in the CloudWatch User Guide
(cloudwatch_concepts.html). Minutes are rolled up to hours as they age, so a year of samples stays small."""


@dataclass(frozen=True, order=True)
class Metric:
    """One metric: a namespace, a name, and the exact set of its dimensions, in the order of their names.

    A metric without dimensions is another one than the same name with dimensions; CloudWatch never adds them up.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> Metric:
        """The metric with these dimensions, in whatever order they come."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())))


@dataclass(slots=True)
class SampleSet:
    """What is kept of the samples of one moment: the statistic set, and each value's count for the percentiles.

    `values` is None once a statistic set was put among them: percentiles of a set can't be told any more, unless all
    its values are the same (PutMetricData, "Publishing statistic sets").
    """

    sample_count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    values: dict[float, float] | None = field(default_factory=dict)

    def add(self, value: float, count: float = 1.0) -> None:
        """Counts `value` in, `count` times."""
        self.sample_count += count
        self.total += value * count
        self.minimum = min(self.minimum, value)
        self.maximum = max(self.maximum, value)
        if self.values is not None:
            self.values[value] = self.values.get(value, 0.0) + count

    def merge(self, other: SampleSet) -> None:
        """Counts all samples of `other` in."""
        self.sample_count += other.sample_count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        if self.values is None or other.values is None:
            self.values = None
            return
        for value, count in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + count


def statistic_set(sample_count: float, total: float, minimum: float, maximum: float) -> SampleSet:
    """Samples of which only a statistic set was published."""
    known = {minimum: sample_count} if minimum == maximum or sample_count == 1 else None
    return SampleSet(sample_count, total, minimum, maximum, known)


class Series:
    """The sample sets of one metric in one unit, by the second at which each begins."""

    def __init__(self) -> None:
        self._sets: dict[int, SampleSet] = {}
        self._times: list[int] = []
        self._rolled_up_at = 0.0

    def put(self, timestamp: float, samples: SampleSet, resolution: int, now: float) -> None:
        """Adds `samples` to the set of their minute, or of their second at a resolution of 1."""
        self._put(int(timestamp // resolution * resolution), samples)
        if now - self._rolled_up_at >= HOUR:
            self._roll_up(now)

    def _put(self, begin: int, samples: SampleSet) -> None:
        held = self._sets.get(begin)
        if held is None:
            held = self._sets[begin] = SampleSet()
            insort(self._times, begin)
        held.merge(samples)

    def between(self, start: float, end: float) -> Iterator[tuple[int, SampleSet]]:
        """The sets that begin from `start` up to, but not at, `end`."""
        for index in range(bisect_left(self._times, start), len(self._times)):
            if (begin := self._times[index]) >= end:
                return
            yield begin, self._sets[begin]

    def newest(self) -> int:
        """When the newest set begins."""
        return self._times[-1]

    def _roll_up(self, now: float) -> None:
        """Merges sets into coarser ones as they age, and forgets those past the last age."""
        since, self._rolled_up_at = self._rolled_up_at, now
        for (age, _), (_, coarser) in itertools.pairwise(RETENTION):
            for begin, samples in list(self.between(since - age, now - age)):
                if begin % coarser:
                    self._remove(begin)
                    self._put(begin // coarser * coarser, samples)
        for begin, _ in list(self.between(0, now - RETENTION[-1][0])):
            self._remove(begin)

    def _remove(self, begin: int) -> None:
        del self._sets[begin]
        del self._times[bisect_left(self._times, begin)]


class MetricStore:
    """The metrics of one region."""

    def __init__(self) -> None:
        self._units: dict[Metric, dict[str, Series]] = {}

    def put(
        self, metric: Metric, timestamp: float, samples: SampleSet, *, unit: str | None, resolution: int, now: float
    ) -> None:
        """Adds samples to a metric."""
        units = self._units.setdefault(metric, {})
        name = unit or NO_UNIT
        if name not in units:
            units[name] = Series()
            self._units[metric] = dict(sorted(units.items()))
        self._units[metric][name].put(timestamp, samples, resolution, now)

    def metrics(self) -> Iterable[Metric]:
        """Every metric that has ever had a sample."""
        return self._units

    def units(self, metric: Metric) -> Mapping[str, Series]:
        """The series of a metric, by unit, in the order of the units' names."""
        return self._units.get(metric, {})

    def newest(self, metric: Metric) -> int | None:
        """When the newest sample set of a metric begins; None where there is none."""
        return max((series.newest() for series in self._units.get(metric, {}).values()), default=None)
