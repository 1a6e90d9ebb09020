"""Reads metrics: the datapoints of a statistic in a range of time, and the queries of GetMetricData and of alarms."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.alarms import expression
from labkit.sandbox.alarms.evaluation import Datapoint
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries, Value
from labkit.sandbox.alarms.samples import Metric, MetricStore, SampleSet, Series, union
from labkit.sandbox.alarms.statistics import statistic


@dataclass(frozen=True)
class Window:
    """A range of time cut into periods, beginning at `start`."""

    start: int
    end: int
    period: int

    def timestamps(self) -> range:
        """When each period begins."""
        return range(self.start, self.end, self.period)


def metric_of(described: Mapping[str, Any]) -> Metric:
    """The metric that members of a request name."""
    dimensions = {item["Name"]: item["Value"] for item in described.get("Dimensions", [])}
    return Metric.of(described["Namespace"], described["MetricName"], dimensions)


def merged(series: Series, window: Window) -> Iterator[tuple[int, SampleSet]]:
    """The samples of each period that has any, newest first; to be read only, they may be the series' own."""

    def _period(begin: int) -> int:
        return window.start + (begin - window.start) // window.period * window.period

    for at, begins in itertools.groupby(reversed(series.begins(window.start, window.end)), _period):
        sets = [series.at(begin) for begin in begins]
        yield at, sets[0] if len(sets) == 1 else union(reversed(sets))


def datapoints(series: Series, statistic_name: str, window: Window, at_most: int | None = None) -> dict[int, Datapoint]:
    """The datapoints of a statistic, by time, newest first: the newest `at_most` if it is given."""
    compute = statistic(statistic_name)
    computed = ((at, compute(samples), samples.sample_count) for at, samples in merged(series, window))
    points = ((at, Datapoint(at, float(value), count)) for at, value, count in computed if value is not None)
    return dict(itertools.islice(points, at_most))


def series_of(store: MetricStore, metric: Metric, unit: str | None, window: Window) -> tuple[Series | None, list[str]]:
    """The series to read, and the units that have samples in the window.

    Where the request names no unit and the metric has several, the first of them by name is read: units are not
    converted, and CloudWatch answers with a MultipleUnits message.
    """
    units = store.units(metric)
    if unit is not None:
        return units.get(unit), [unit]
    within = [name for name, series in units.items() if series.begins(window.start, window.end)]
    return (units[within[0]] if within else None), within


class Queries:
    """The metric data queries of one request, computed as they are asked for."""

    def __init__(
        self, store: MetricStore, queries: Sequence[Mapping[str, Any]], window: Callable[[int], Window], period: int
    ) -> None:
        self._store = store
        self._queries = {query["Id"]: query for query in queries}
        self._window = window
        self._period = period
        self._values: dict[str, Value] = {}
        self._computing: list[str] = []
        self.units: dict[str, list[str]] = {}
        self.sample_counts: dict[str, dict[int, float | None]] = {}

    def value(self, name: str) -> Value:
        """The value of the query with this id."""
        if name not in self._queries:
            raise ExpressionError(f"Undefined metric id {name}")
        if name in self._computing:
            raise ExpressionError(f"Circular reference: {' -> '.join([*self._computing, name])}")
        if name not in self._values:
            self._computing.append(name)
            self._values[name] = self._compute(self._queries[name])
            self._computing.pop()
        return self._values[name]

    def _compute(self, query: Mapping[str, Any]) -> Value:
        if "MetricStat" in query:
            return self._read(query)
        period = int(query.get("Period", self._period))
        scope = expression.Scope(self.value, self.metric_ids(), list(self._window(period).timestamps()), period)
        return expression.compute(query["Expression"], scope)

    def metric_ids(self) -> list[str]:
        """The ids of the queries that are a metric, as METRICS() takes them."""
        return [name for name, query in self._queries.items() if "MetricStat" in query]

    def _read(self, query: Mapping[str, Any]) -> TimeSeries:
        stat = query["MetricStat"]
        window = self._window(int(stat["Period"]))
        series, units = series_of(self._store, metric_of(stat["Metric"]), stat.get("Unit"), window)
        points = datapoints(series, stat["Stat"], window) if series else {}
        self.units[query["Id"]] = units
        self.sample_counts[query["Id"]] = {at: point.sample_count for at, point in points.items()}
        values = {at: point.value for at, point in reversed(points.items()) if point.value is not None}
        return TimeSeries(values, window.period, query.get("Label"))
