"""Reads metrics: a statistic's datapoints in a range of time, and the queries of GetMetricData and of alarms."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from labkit.sandbox.alarms import expression, search
from labkit.sandbox.alarms.evaluation import Datapoint
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries, Value
from labkit.sandbox.alarms.labels import found_label
from labkit.sandbox.alarms.samples import Metric, MetricStore, SampleSet, Series, metric_of, union
from labkit.sandbox.alarms.statistics import UnknownStatistic, statistic

MAX_FOUND = 500
"""The maximum number of time series of a search ("CloudWatch search expression syntax", limits)."""


@dataclass(frozen=True)
class Window:
    """A range of time, in seconds since the epoch, cut into periods that begin at `start`; `end` is excluded."""

    start: int
    end: int
    period: int

    def timestamps(self) -> range:
        """Return the start of each period."""
        return range(self.start, self.end, self.period)


def merged(series: Series, window: Window) -> Iterator[tuple[int, SampleSet]]:
    """Yield (start, samples) of each period that has samples, newest first.

    Read them only: a period with one set yields the series' own set, not a copy.
    """

    def _period(begin: int) -> int:
        # Periods count from the window's start, not from the epoch: an alarm's windows end at any minute.
        return window.start + (begin - window.start) // window.period * window.period

    for at, begins in itertools.groupby(reversed(series.begins(window.start, window.end)), _period):
        sets = [series.at(begin) for begin in begins]
        yield at, sets[0] if len(sets) == 1 else union(reversed(sets))


def datapoints(series: Series, statistic_name: str, window: Window, at_most: int | None = None) -> dict[int, Datapoint]:
    """Return a statistic's datapoints by time, newest first; only the newest `at_most` if it is given."""
    compute = statistic(statistic_name)
    # Generators: an alarm over a week reads only the newest periods that can count.
    computed = ((at, compute(samples), samples.sample_count) for at, samples in merged(series, window))
    points = ((at, Datapoint(at, float(value), count)) for at, value, count in computed if value is not None)
    return dict(itertools.islice(points, at_most))


def series_of(store: MetricStore, metric: Metric, unit: str | None, window: Window) -> tuple[Series | None, list[str]]:
    """Return the series to read, and the units that have samples in the window.

    If the request names no unit and the metric has several, the first by name is read: units are not converted, and
    CloudWatch answers with a MultipleUnits message.
    """
    units = store.units(metric)
    if unit is not None:
        return units.get(unit), [unit]
    within = [name for name, series in units.items() if series.begins(window.start, window.end)]
    return (units[within[0]] if within else None), within


class Queries:
    """The metric data queries of one request; each is computed once, when it is first needed."""

    def __init__(
        self,
        store: MetricStore,
        queries: Sequence[Mapping[str, Any]],
        window: Callable[[int], Window],
        period: int,
        *,
        active_since: float = 0.0,
    ) -> None:
        self._store = store
        self._active_since = active_since
        self._queries = {query["Id"]: query for query in queries}
        self._window = window
        self._period = period
        self._values: dict[str, Value] = {}
        self._computing: list[str] = []
        self.limited = False
        """Whether a search found more metrics than it may return."""
        self.units: dict[str, list[str]] = {}
        self.sample_counts: dict[str, dict[int, float | None]] = {}

    def value(self, name: str) -> Value:
        """Return the value of the query with this id; raise ExpressionError if it is unknown or refers to itself."""
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
        searched = partial(self._search, query.get("Period"))
        scope = expression.Scope(self.value, self.metric_ids(), self._timestamps, period, searched)
        return expression.compute(query["Expression"], scope)

    def _timestamps(self, period: int) -> range:
        return self._window(period).timestamps()

    def _search(self, own_period: int | None, query: str, stat: str, period: int | None) -> list[TimeSeries]:
        """Return the series that SEARCH finds; the query's own period overrides the one in the expression."""
        seconds = _checked_period(stat, own_period or (self._period if period is None else period))
        active = (metric for metric in self._store.metrics() if self._is_active(metric))
        metrics = search.found(query, active)
        self.limited = self.limited or len(metrics) > MAX_FOUND
        stats = [_stat(metric, stat, seconds) for metric in metrics[:MAX_FOUND]]
        return [self._series({"MetricStat": each, "Label": found_label(each, stats)})[0] for each in stats]

    def _is_active(self, metric: Metric) -> bool:
        return (self._store.newest(metric) or 0) >= self._active_since

    def metric_ids(self) -> list[str]:
        """Return the ids of the queries that are a metric, as METRICS() takes them."""
        return [name for name, query in self._queries.items() if "MetricStat" in query]

    def _read(self, query: Mapping[str, Any]) -> TimeSeries:
        series, units, points = self._series(query)
        self.units[query["Id"]] = units
        self.sample_counts[query["Id"]] = {at: point.sample_count for at, point in points.items()}
        return series

    def _series(self, query: Mapping[str, Any]) -> tuple[TimeSeries, list[str], dict[int, Datapoint]]:
        """Return the series of a query on a metric, the units that have samples, and the datapoints."""
        stat = query["MetricStat"]
        window = self._window(int(stat["Period"]))
        held, units = series_of(self._store, metric_of(stat["Metric"]), stat.get("Unit"), window)
        points = datapoints(held, stat["Stat"], window) if held else {}
        # Metric math relies on the order: DIFF, RATE and FILL go from the oldest point to the newest.
        values = {at: point.value for at, point in reversed(points.items()) if point.value is not None}
        return TimeSeries(values, window.period, query.get("Label"), stat), units, points


def _checked_period(stat: str, period: int) -> int:
    """Return the period of a search; raise ExpressionError for a period or statistic that CloudWatch doesn't have."""
    try:
        statistic(stat)
    except UnknownStatistic:
        raise ExpressionError(f"SEARCH knows no statistic {stat}") from None
    if period not in (1, 5, 10, 20, 30) and (period % 60 or period <= 0):
        raise ExpressionError(f"The period of SEARCH is 1, 5, 10, 20, 30, or a multiple of 60, not {period}")
    return period


def _stat(metric: Metric, stat: str, period: int) -> dict[str, Any]:
    """Return the MetricStat that reads a metric."""
    dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
    described = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Metric": described, "Stat": stat, "Period": period}
