"""GetMetricData: several metrics and expressions at once, with labels, messages and pages."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from labkit.sandbox.alarms import expression
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries, many
from labkit.sandbox.alarms.labels import Viewer, filled, is_dynamic, telling_dimensions
from labkit.sandbox.alarms.queries import Queries, Window
from labkit.sandbox.alarms.samples import DAY, HOUR, MINUTE, RETENTION, MetricStore
from labkit.sandbox.alarms.statistics import UnknownStatistic, statistic
from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.paging import position, token

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
ACTIVE = timedelta(days=14)
"""How long after its last sample a metric is still listed and found by a search."""


def aligned(start: datetime, end: datetime, period: int, now: datetime) -> Window:
    """Return the window of a request; older starts are rounded down further (GetMetricData, StartTime)."""
    age = (now - start).total_seconds()
    step = MINUTE if age < 15 * DAY else 5 * MINUTE if age < 63 * DAY else HOUR
    # High-resolution data is kept for 3 hours; older starts are rounded to the minute whatever the period.
    if period < MINUTE and age < 3 * HOUR:
        step = period
    begin = int(start.timestamp()) // step * step
    return Window(begin, int(end.timestamp()), period)


def kept(window: Window, now: datetime) -> Window:
    """Return the part of a window for which datapoints of its period are still stored.

    Periods of seconds reach back 3 hours, of minutes 15 days, of 5 minutes 63 days (GetMetricStatistics, Period).
    """
    oldest = now.timestamp() - next(age for age, resolution in reversed(RETENTION) if window.period % resolution == 0)
    # By whole periods: the ones that are left keep their boundaries.
    late = math.ceil(max(0.0, oldest - window.start) / window.period) * window.period
    return Window(min(window.start + late, window.end), window.end, window.period)


@dataclass(frozen=True)
class _Result:
    query: Mapping[str, Any]
    series: TimeSeries
    label: str
    messages: tuple[dict[str, str], ...] = ()


class Retrieval:
    """One request of GetMetricData."""

    def __init__(self, store: MetricStore, params: Mapping[str, Any], viewer: Viewer) -> None:
        self._params = params
        self._viewer = viewer
        self._now = viewer.now
        self._asked: list[Mapping[str, Any]] = params["MetricDataQueries"]
        self._check()
        active_since = (self._now - ACTIVE).timestamp()
        self._queries = Queries(store, self._asked, self._window, self._default_period(), active_since=active_since)

    def _default_period(self) -> int:
        """Return the period of an expression without one: the shortest of the request's metrics, else 300."""
        return min((int(query["MetricStat"]["Period"]) for query in self._asked if "MetricStat" in query), default=300)

    def _window(self, period: int) -> Window:
        return kept(aligned(self._params["StartTime"], self._params["EndTime"], period, self._now), self._now)

    def answer(self) -> dict[str, Any]:
        """Compute the response, or its next page."""
        results = [result for query in self._asked if query.get("ReturnData", True) for result in self._compute(query)]
        newest_first = self._params.get("ScanBy", "TimestampDescending") != "TimestampAscending"
        points = [sorted(result.series.points.items(), reverse=newest_first) for result in results]
        # Every page computes all datapoints anew: the token is a position, so the server keeps nothing between pages.
        begin = position(self._params.get("NextToken"), invalid_token)
        end = begin + max(1, int(self._params.get("MaxDatapoints", MAX_DATAPOINTS)))
        parts = _parts([len(each) for each in points], begin, end)
        shown = [_shown(*each) for each in zip(results, points, parts, strict=True)]
        answer: dict[str, Any] = {"MetricDataResults": shown, "Messages": self._messages()}
        if end < sum(map(len, points)):
            answer["NextToken"] = token(end)
        return answer

    def _messages(self) -> list[dict[str, str]]:
        limited = {"Code": "MaxMetricsExceeded", "Value": "Maximum number of allowed metrics exceeded"}
        return [limited] if self._queries.limited else []

    def _compute(self, query: Mapping[str, Any]) -> list[_Result]:
        try:
            value = self._queries.value(query["Id"])
            series = many(value)
        except ExpressionError as error:
            raise ServiceError("ValidationError", f"Error in expression '{query['Id']}': {error}") from None
        if isinstance(value, list):
            return [_Result(query, one, self._label_of_one(query, one, len(value))) for one in series]
        return [self._result(query, one) for one in series]

    def _label_of_one(self, query: Mapping[str, Any], series: TimeSeries, count: int) -> str:
        """Return the label of a series in an array: the expression's label and its own, or a dynamic label alone."""
        own, label = series.label or query["Id"], query.get("Label", "")
        if is_dynamic(label) or (label and count == 1):
            return filled(label, series, own, self._viewer)
        return f"{label} {own}".strip()

    def _result(self, query: Mapping[str, Any], series: TimeSeries) -> _Result:
        default = self._default_label(query)
        label = filled(query.get("Label") or default, series, default, self._viewer)
        units = self._queries.units.get(query["Id"], [])
        message = {"Code": "MultipleUnits", "Value": f"Multiple units returned: '[{', '.join(units)}]'"}
        return _Result(query, series, label, (message,) if len(units) > 1 else ())

    def _default_label(self, query: Mapping[str, Any]) -> str:
        """Return the metric's name with what distinguishes it from the request's other metrics of that name."""
        if "MetricStat" not in query:
            return str(query["Id"])
        stats = [other["MetricStat"] for other in self._asked if "MetricStat" in other]
        own = query["MetricStat"]
        same = [stat for stat in stats if stat["Metric"]["MetricName"] == own["Metric"]["MetricName"]]
        parts = [*telling_dimensions(own, same), own["Metric"]["MetricName"]]
        parts += [str(own[part]) for part in ("Stat", "Period") if len({stat[part] for stat in same}) > 1]
        return " ".join(parts)

    def _check(self) -> None:
        start, end = self._params["StartTime"], self._params["EndTime"]
        if start > end:
            raise ServiceError("ValidationError", "The parameter EndTime must be greater than StartTime.")
        if start == end:
            raise ServiceError("ValidationError", "The parameter StartTime must not equal parameter EndTime.")
        if len(self._asked) > MAX_QUERIES:
            raise ServiceError(
                "ValidationError", f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
            )
        check_queries(self._asked, "MetricDataQueries", self._viewer.account_id)


def invalid_token(given: str) -> ServiceError:
    """Return CloudWatch's error for a token that it didn't issue."""
    return ServiceError("InvalidNextToken", f"Invalid nextToken: {given}")


def _parts(lengths: Sequence[int], begin: int, end: int) -> list[slice]:
    """Return each series' slice on the page from `begin` to `end` of all datapoints.

    Datapoints are counted across the series: the first of each series, then the second of each, and so on.

    >>> _parts([3, 1], 0, 3), _parts([3, 1], 3, 6)
    ([slice(0, 2, None), slice(0, 1, None)], [slice(2, 3, None), slice(1, 1, None)])
    """
    total = sum(lengths)
    if begin == 0 and end >= total:
        return [slice(0, length) for length in lengths]
    order = [index for rank in range(max(lengths, default=0)) for index, length in enumerate(lengths) if rank < length]
    before, within = Counter(order[:begin]), Counter(order[begin:end])
    return [slice(before[index], before[index] + within[index]) for index in range(len(lengths))]


def _shown(result: _Result, points: Sequence[tuple[int, float]], part: slice) -> dict[str, Any]:
    shown = {
        "Id": result.query["Id"],
        "Label": result.label,
        "Timestamps": [datetime.fromtimestamp(at, UTC) for at, _ in points[part]],
        "Values": [value for _, value in points[part]],
        "StatusCode": "PartialData" if len(points) > part.stop else "Complete",
    }
    return shown | ({"Messages": list(result.messages)} if result.messages else {})


def check_queries(queries: Sequence[Mapping[str, Any]], parameter: str, account_id: str) -> None:
    """Raise an error for queries that can't be computed, as GetMetricData and PutMetricAlarm do."""
    ids = [query["Id"] for query in queries]
    if elsewhere := [query["AccountId"] for query in queries if query.get("AccountId", account_id) != account_id]:
        raise not_here(f"metrics of other accounts ({elsewhere[0]})")
    if len(set(ids)) < len(ids):
        raise ServiceError("ValidationError", f"The values for parameter id in {parameter} are not unique.")
    for index, query in enumerate(queries, start=1):
        _check_query(query, f"{parameter}.member.{index}", ids)


def _check_query(query: Mapping[str, Any], where: str, ids: Sequence[str]) -> None:
    if not re.fullmatch(r"[a-z]\w*", query["Id"]):
        raise ServiceError(
            "ValidationError",
            f"The value {query['Id']} for parameter {where}.Id is not matching "
            "the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
        )
    if "MetricStat" not in query and "Expression" not in query:
        raise ServiceError("ValidationError", f"The parameter {where}.MetricStat is required.\n")
    if "MetricStat" in query and "Expression" in query:
        raise ServiceError(
            "ValidationError",
            "The parameters MetricDataQuery Expression and MetricStat are mutually exclusive "
            "and you have specified both.",
        )
    if "MetricStat" in query:
        _check_stat(query["MetricStat"], f"{where}.MetricStat")
    else:
        _check_expression(query, ids)


def _check_stat(stat: Mapping[str, Any], where: str) -> None:
    for name in ("Namespace", "MetricName"):
        if name not in stat["Metric"]:
            raise ServiceError("ValidationError", f"The parameter {where}.Metric.{name} is required.")
    check_dimensions(stat["Metric"], f"{where}.Metric.Dimensions")
    try:
        statistic(stat["Stat"])
    except UnknownStatistic:
        raise ServiceError(
            "ValidationError", f"The value {stat['Stat']} for parameter {where}.Stat is not supported."
        ) from None
    if stat["Period"] not in (1, 5, 10, 20, 30) and stat["Period"] % 60:
        raise ServiceError(
            "ValidationError", f"The parameter {where}.Period must be 1, 5, 10, 20, 30, or a multiple of 60."
        )


def check_dimensions(metric: Mapping[str, Any], where: str) -> None:
    """Raise an error for repeated dimensions, and for names and values that CloudWatch rejects (API_Dimension.html)."""
    dimensions = metric.get("Dimensions", [])
    names = [item["Name"] for item in dimensions]
    for number, item in enumerate(dimensions, start=1):
        if names.count(item["Name"]) > 1:
            raise ServiceError(
                "InvalidParameterValue", f"The parameter {where} has more than one value for {item['Name']}."
            )
        for member, text in (("Name", item["Name"]), ("Value", item["Value"])):
            if not is_plain(text) or not text.strip() or (member == "Name" and text.startswith(":")):
                raise ServiceError(
                    "InvalidParameterValue",
                    f"The value {text} for parameter {where}.member.{number}.{member} is invalid: it has ASCII "
                    "characters, not only spaces, no control characters, and a name does not begin with a colon.",
                )


def is_plain(text: str) -> bool:
    """Tell whether a text has only printable ASCII characters."""
    return text.isascii() and text.isprintable()


def _check_expression(query: Mapping[str, Any], ids: Sequence[str]) -> None:
    try:
        unknown = [name for name in expression.metrics_in(query["Expression"]) if name not in ids]
    except ExpressionError as error:
        raise ServiceError("ValidationError", f"Error in expression '{query['Id']}': {error}") from None
    if unknown:
        raise ServiceError("ValidationError", f"Error in expression '{query['Id']}': Undefined variable {unknown[0]}")
