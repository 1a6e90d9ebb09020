"""Stores the samples of metrics: one small set of statistics for every minute (or second) of every metric."""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86400
NO_UNIT = "None"

RETENTION = ((3 * HOUR, 1), (15 * DAY, MINUTE), (63 * DAY, 5 * MINUTE), (455 * DAY, HOUR))
"""(maximum age, resolution) in seconds: "Metrics retention" in the CloudWatch User Guide (cloudwatch_concepts.html).
Minutes are rolled up to hours as they age, so a year of samples stays small."""

# Every put would be quadratic over a year of minutes; the answers don't depend on when it is done.
ROLLED_UP_EVERY = 6 * HOUR


class Metric(NamedTuple):
    """One metric: a namespace, a name, and the exact set of its dimensions, in the order of their names.

    A metric without dimensions differs from the same name with dimensions; CloudWatch never aggregates across them.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None) -> Metric:
        """Return the metric with these dimensions, given in any order."""
        return cls(namespace, name, tuple(sorted((dimensions or {}).items())))


def metric_of(described: Mapping[str, Any]) -> Metric:
    """Return the metric that the members Namespace, MetricName and Dimensions of a request name."""
    dimensions = {item["Name"]: item["Value"] for item in described.get("Dimensions", [])}
    return Metric.of(described["Namespace"], described["MetricName"], dimensions)


@dataclass(slots=True)
class SampleSet:
    """The samples of one minute or second: their statistic set, and each value's count for the percentiles.

    Once a published statistic set is merged in, the single values aren't known any more, and there are no percentiles
    (PutMetricData, "Publishing statistic sets").
    """

    sample_count: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    known: bool = True
    """Whether the value of every sample is known."""
    _counts: dict[float, float] | None = None
    """Count by value; None while all samples have one value, as most sets do: saves a dict each."""

    @property
    def values(self) -> dict[float, float] | None:
        """Return how often each value occurs; None if that isn't known."""
        if not self.known:
            return None
        if self._counts is None:
            return {self.minimum: self.sample_count} if self.sample_count else {}
        return self._counts

    def add(self, value: float, count: float = 1.0) -> None:
        """Add `value`, `count` times."""
        self.merge(SampleSet(count, value * count, value, value))

    def merge(self, other: SampleSet) -> None:
        """Add all samples of `other`."""
        # First: the values are derived from minimum and sample_count, which the next lines change.
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
    """Return all samples of several sets as a new set; the sets themselves stay as they are."""
    together = SampleSet()
    for samples in sets:
        together.merge(samples)
    return together


def statistic_set(sample_count: float, total: float, minimum: float, maximum: float) -> SampleSet:
    """Return the samples of a published statistic set; their values are known only if all are equal.

    They are equal if minimum and maximum agree and the sum is the minimum times the count (PutMetricData).
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
        """Add samples to their minute, or to their second at a resolution of 1.

        The series owns `samples` from then on: don't change them afterwards. `timestamp` and `now` are in seconds.
        """
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
        """Return the starts of the sets from `start` up to, but not including, `end`."""
        return self._times[bisect_left(self._times, start) : bisect_left(self._times, end)]

    def at(self, begin: int) -> SampleSet:
        """Return the set that begins at this second."""
        return self._sets[begin]

    def newest(self) -> int:
        """Return the start of the newest set."""
        return self._times[-1]

    def _roll_up(self, now: float) -> None:
        """Merge sets into coarser ones as they age, and drop those older than the last age."""
        since, self._rolled_up_at = self._rolled_up_at, now
        for (age, _), (_, coarser) in itertools.pairwise(RETENTION):
            # Only what has passed this age since the last roll-up; everything older is coarse already.
            for begin in self.begins(since - age, now - age):
                # A set that begins on the coarser boundary stays where it is, the others are merged into it.
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
        """How often samples were added: readers that cache compare it."""

    def put(
        self, metric: Metric, timestamp: float, samples: SampleSet, *, unit: str | None, resolution: int, now: float
    ) -> None:
        """Add samples to a metric; see `Series.put`."""
        self.puts += 1
        units = self._units.setdefault(metric, {})
        name = unit or NO_UNIT
        if name not in units:
            units[name] = Series()
            # Sorted here, once per new unit, so that readers that name no unit always get the first by name.
            self._units[metric] = dict(sorted(units.items()))
        self._units[metric][name].put(timestamp, samples, resolution, now)

    def metrics(self) -> Iterable[Metric]:
        """Return every metric that has ever had a sample."""
        return self._units

    def units(self, metric: Metric) -> Mapping[str, Series]:
        """Return the series of a metric by unit, in the order of the units' names."""
        return self._units.get(metric, {})

    def newest(self, metric: Metric) -> int | None:
        """Return the start of the newest sample set of a metric; None if it has no samples."""
        return max(map(Series.newest, self._units.get(metric, {}).values()), default=None)
