"""The samples of metrics: one small set of statistics for every minute (or second) of every metric."""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400
NO_UNIT = "None"

RETENTION = ((3 * HOUR, 1), (15 * DAY, MINUTE), (63 * DAY, 5 * MINUTE), (455 * DAY, HOUR))
"""(age up to which, resolution in which) samples are kept: "Metrics retention" in the CloudWatch User Guide
(cloudwatch_concepts.html). Minutes are rolled up to hours as they age, so a year of samples stays small."""

ROLLED_UP_EVERY = 6 * HOUR


class Metric(NamedTuple):
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


def metric_of(described: Mapping[str, Any]) -> Metric:
    """The metric that members of a request name."""
    dimensions = {item["Name"]: item["Value"] for item in described.get("Dimensions", [])}
    return Metric.of(described["Namespace"], described["MetricName"], dimensions)


@dataclass(slots=True)
class SampleSet:
    """What is kept of the samples of one moment: the statistic set, and each value's count for the percentiles.

    Once a statistic set was put among them, the values of the samples are not known any more, and percentiles can't be
    told (PutMetricData, "Publishing statistic sets").
    """

    sample_count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    known: bool = True
    """Whether each sample's value is known."""
    _counts: dict[float, float] | None = None
    """By value; None while there is one value only, as there is of most."""

    @property
    def values(self) -> dict[float, float] | None:
        """How often each value occurs; None where that is not known."""
        if not self.known:
            return None
        if self._counts is None:
            return {self.minimum: self.sample_count} if self.sample_count else {}
        return self._counts

    def add(self, value: float, count: float = 1.0) -> None:
        """Counts `value` in, `count` times."""
        self.merge(SampleSet(count, value * count, value, value))

    def merge(self, other: SampleSet) -> None:
        """Counts all samples of `other` in."""
        self._count_values(other)
        self.sample_count += other.sample_count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)

    def _count_values(self, other: SampleSet) -> None:
        mine, theirs = self.values, other.values
        self.known = mine is not None and theirs is not None
        if mine is None or theirs is None:
            self._counts = None
        elif self._counts is not None or len(mine.keys() | theirs.keys()) > 1:
            self._counts = mine
            for value, count in theirs.items():
                mine[value] = mine.get(value, 0.0) + count


def union(sets: Iterable[SampleSet]) -> SampleSet:
    """All samples of several sets in a new one."""
    together = SampleSet()
    for samples in sets:
        together.merge(samples)
    return together


def statistic_set(sample_count: float, total: float, minimum: float, maximum: float) -> SampleSet:
    """Samples of which only a statistic set was published: their values are known if all are the same.

    The sum has to bear that out: it is the minimum times the count then (PutMetricData).
    """
    same = minimum == maximum and total == minimum * sample_count
    return SampleSet(sample_count, total, minimum, maximum, known=same)


class Series:
    """The sample sets of one metric in one unit, by the second at which each begins."""

    def __init__(self) -> None:
        self._sets: dict[int, SampleSet] = {}
        self._times: list[int] = []
        self._rolled_up_at = 0.0

    def put(self, timestamp: float, samples: SampleSet, resolution: int, now: float) -> None:
        """Adds `samples`, which are the series' own from now on, to their minute, or second at a resolution of 1."""
        self._put(int(timestamp // resolution * resolution), samples)
        if now - self._rolled_up_at >= ROLLED_UP_EVERY:
            self._roll_up(now)

    def _put(self, begin: int, samples: SampleSet) -> None:
        held = self._sets.get(begin)
        if held is None:
            self._sets[begin] = samples
            insort(self._times, begin)
        else:
            held.merge(samples)

    def begins(self, start: float, end: float) -> list[int]:
        """When the sets begin that begin from `start` up to, but not at, `end`."""
        return self._times[bisect_left(self._times, start) : bisect_left(self._times, end)]

    def at(self, begin: int) -> SampleSet:
        """The set that begins there."""
        return self._sets[begin]

    def newest(self) -> int:
        """When the newest set begins."""
        return self._times[-1]

    def _roll_up(self, now: float) -> None:
        """Merges sets into coarser ones as they age, and forgets those past the last age."""
        since, self._rolled_up_at = self._rolled_up_at, now
        for (age, _), (_, coarser) in itertools.pairwise(RETENTION):
            for begin in self.begins(since - age, now - age):
                if begin % coarser:
                    self._put(begin // coarser * coarser, self._remove(begin))
        for begin in self.begins(0, now - RETENTION[-1][0]):
            self._remove(begin)

    def _remove(self, begin: int) -> SampleSet:
        del self._times[bisect_left(self._times, begin)]
        return self._sets.pop(begin)


class MetricStore:
    """The metrics of one region."""

    def __init__(self) -> None:
        self._units: dict[Metric, dict[str, Series]] = {}
        self.puts = 0
        """How often samples were added."""

    def put(
        self, metric: Metric, timestamp: float, samples: SampleSet, *, unit: str | None, resolution: int, now: float
    ) -> None:
        """Adds samples to a metric."""
        self.puts += 1
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
        return max(map(Series.newest, self._units.get(metric, {}).values()), default=None)
