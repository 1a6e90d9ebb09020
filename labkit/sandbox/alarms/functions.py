"""The values of metric math (numbers, time series, arrays of time series) and the functions on them."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any


class ExpressionError(ValueError):
    """An expression that CloudWatch rejects or the sandbox doesn't support."""


def refused(name: str) -> ExpressionError:
    """Return the error for a function that CloudWatch has and the sandbox doesn't."""
    return ExpressionError(f"{name} is not available in the sandbox (see docs/sandbox.md)")


@dataclass(frozen=True)
class TimeSeries:
    """Values by the second at which their period begins, in ascending order."""

    points: dict[int, float]
    period: int
    label: str | None = None
    stat: Mapping[str, Any] | None = None
    """The MetricStat that was read; None for computed series."""


Value = float | str | TimeSeries | list[TimeSeries]


def one(value: Value) -> TimeSeries:
    """Return the value as one time series; raise ExpressionError if it is anything else."""
    if not isinstance(value, TimeSeries):
        raise ExpressionError("Expected a time series")
    return value


def many(value: Value) -> list[TimeSeries]:
    """Return the value as an array of time series; a single series becomes an array of one."""
    return value if isinstance(value, list) else [one(value)]


def scalar(value: Value) -> float:
    """Return the value as a number; raise ExpressionError if it is anything else."""
    if not isinstance(value, (int, float)):
        raise ExpressionError("Expected a number")
    return float(value)


def with_points(series: TimeSeries, points: dict[int, float]) -> TimeSeries:
    """Return the series with other points; NaN and infinite values are dropped, as CloudWatch shows no datapoint."""
    return replace(series, points={at: value for at, value in points.items() if math.isfinite(value)})


def paired(compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply an operation to two values: for two series at the timestamps of either, with 0 for a missing value."""
    if isinstance(left, list) or isinstance(right, list):
        pairs = _pairs(left, right)
        return [one(paired(compute, a, b)) for a, b in pairs]
    moments = [value.points for value in (left, right) if isinstance(value, TimeSeries)]
    if not moments:
        return _safely(compute, scalar(left), scalar(right))
    points = {at: _safely(compute, _at(left, at), _at(right, at)) for at in sorted(set().union(*moments))}
    return with_points(left if isinstance(left, TimeSeries) else one(right), points)


def _at(value: Value, moment: int, missing: float = 0.0) -> float:
    """Return a value at a timestamp; `missing` if the series has no point there."""
    return value.points.get(moment, missing) if isinstance(value, TimeSeries) else scalar(value)


def _pairs(left: Value, right: Value) -> list[tuple[Value, Value]]:
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            raise ExpressionError("Arrays of time series must have the same length")
        return list(zip(left, right, strict=True))
    if isinstance(left, list):
        return [(series, right) for series in left]
    return [(left, series) for series in right] if isinstance(right, list) else [(left, right)]


def _safely(compute: Callable[[float, float], float], left: float, right: float) -> float:
    """Compute a value; NaN for a division by zero or an overflow, so that the timestamp gets no value."""
    try:
        result = compute(left, right)
    except (ZeroDivisionError, OverflowError):
        return math.nan
    # Python's (-8) ** 0.5 is a complex number, not an error.
    return result if isinstance(result, (int, float)) else math.nan


def mapped(change: Callable[[float], float], value: Value) -> Value:
    """Apply a function to every single value; a value outside its domain (LOG of 0) gives no datapoint."""

    def _changed(number: float) -> float:
        try:
            return float(change(number))
        except ValueError:
            return math.nan

    if isinstance(value, (int, float)):
        return _changed(value)
    results = [with_points(series, {at: _changed(n) for at, n in series.points.items()}) for series in many(value)]
    return results if isinstance(value, list) else results[0]


def of_timestamps(part: Callable[[datetime], float], series: TimeSeries, timestamps: Sequence[int]) -> TimeSeries:
    """Return a series without gaps whose values are a part of its timestamps (in UTC), such as the hour."""
    return with_points(series, {at: float(part(datetime.fromtimestamp(at, UTC))) for at in timestamps})


def constant(value: Value, timestamps: Sequence[int], period: int) -> TimeSeries:
    """Return a series without gaps that has the same value at all timestamps."""
    return with_points(TimeSeries({}, period), dict.fromkeys(timestamps, scalar(value)))


def average(numbers: Sequence[float]) -> float:
    """Return the arithmetic mean."""
    return sum(numbers) / len(numbers)


def deviation(numbers: Sequence[float]) -> float:
    """Return the population standard deviation."""
    return statistics.pstdev(numbers)


def reducer(reduce: Callable[[list[float]], float]) -> Callable[[Value], Value]:
    """Return the function that reduces a series to a number, and an array to a series, timestamp by timestamp."""

    def _reduced(value: Value) -> Value:
        if isinstance(value, TimeSeries):
            numbers = list(value.points.values())
            return float(reduce(numbers)) if numbers else math.nan
        several = many(value)
        at_each: dict[int, list[float]] = {}
        for series in several:
            for at, number in series.points.items():
                at_each.setdefault(at, []).append(number)
        points = {at: float(reduce(at_each[at])) for at in sorted(at_each)}
        return TimeSeries(points, several[0].period if several else 60)

    return _reduced


def mean(value: Value) -> Value:
    """AVG: for an array, a series without a value at a timestamp counts as 0."""
    if isinstance(value, TimeSeries):
        return reducer(average)(value)
    # Not reducer(average), which would divide by the number of series that have a value at the timestamp.
    count = len(many(value))
    return mapped(lambda total: total / count, reducer(sum)(value))


def of_each(function: Callable[[TimeSeries], TimeSeries], value: Value) -> Value:
    """Apply a function to a series, or to every series of an array."""
    return [function(series) for series in value] if isinstance(value, list) else function(one(value))


def _steps(value: Value, step: Callable[[float, float, float], float]) -> Value:
    """Apply a function (seconds between, old value, new value) to every point and the one before it."""

    def _of_series(series: TimeSeries) -> TimeSeries:
        pairs = itertools.pairwise(series.points.items())
        return with_points(series, {at: step(at - before, old, new) for (before, old), (at, new) in pairs})

    return of_each(_of_series, value)


def difference(value: Value) -> Value:
    """DIFF: the difference between each value and the previous one."""
    return _steps(value, lambda seconds, old, new: new - old)


def difference_of_times(value: Value) -> Value:
    """DIFF_TIME: the seconds between each value and the previous one."""
    return _steps(value, lambda seconds, old, new: seconds)


def rate(value: Value) -> Value:
    """RATE: the change per second."""
    return _steps(value, lambda seconds, old, new: (new - old) / seconds)


def running_sum(value: Value) -> Value:
    """RUNNING_SUM: the sum of the values so far."""

    def _of_series(series: TimeSeries) -> TimeSeries:
        sums = itertools.accumulate(series.points.values())
        return with_points(series, dict(zip(series.points, sums, strict=True)))

    return of_each(_of_series, value)


def fill(series: TimeSeries, filler: Value, timestamps: Sequence[int]) -> TimeSeries:
    """FILL: fill a series' gaps with a number, another series, the previous value or linear interpolation."""
    if filler == "REPEAT":
        points = _repeated(series.points, timestamps)
    elif filler == "LINEAR":
        points = _interpolated(series.points, timestamps)
    else:
        points = {at: series.points.get(at, _at(filler, at, math.nan)) for at in timestamps}
    return with_points(series, points)


def _repeated(points: dict[int, float], timestamps: Sequence[int]) -> dict[int, float]:
    filled: dict[int, float] = {}
    last = math.nan
    for at in timestamps:
        last = points.get(at, last)
        filled[at] = last
    return filled


def _interpolated(points: dict[int, float], timestamps: Sequence[int]) -> dict[int, float]:
    filled = dict(points)
    for (start, first), (end, last) in itertools.pairwise(points.items()):
        for at in timestamps:
            if start < at < end:
                filled[at] = first + (last - first) * (at - start) / (end - start)
    return dict(sorted(filled.items()))


def choose(condition: Value, when_true: Value, when_false: Value | None = None) -> Value:
    """IF: choose one value or the other at each timestamp of the condition.

    If the condition is true and `when_true` has no value there, the result is 0; if it is false and `when_false` has no
    value, there is no result ("Using IF expressions").
    """
    if not isinstance(condition, TimeSeries):
        otherwise = with_points(one(when_true), {}) if when_false is None else when_false
        return when_true if scalar(condition) else otherwise
    other = math.nan if when_false is None else when_false
    chosen = {at: _at(when_true, at) if n else _at(other, at, math.nan) for at, n in condition.points.items()}
    return with_points(condition, chosen)


def first(value: Value) -> Value:
    """FIRST: the first series of an array."""
    return _nth(value, 0)


def last(value: Value) -> Value:
    """LAST: the last series of an array."""
    return _nth(value, -1)


def _nth(value: Value, index: int) -> TimeSeries:
    several = many(value)
    if not -len(several) <= index < len(several):
        raise ExpressionError(f"The array has {len(several)} time series, none at {index}")
    return several[index]


def sliced(value: Value, start: Value, end: Value | None = None) -> Value:
    """SLICE: a part of an array from `start` up to, but not including, `end`; the whole rest without `end`."""
    return many(value)[int(scalar(start)) : None if end is None else int(scalar(end))]


def remove_empty(value: Value) -> Value:
    """REMOVE_EMPTY: an array without the series that have no values."""
    return [series for series in many(value) if series.points]


def metric_count(value: Value) -> Value:
    """METRIC_COUNT: the number of series in an array."""
    return float(len(many(value)))


_ORDERS: dict[str, Callable[[list[float]], float]] = {"AVG": average, "MAX": max, "MIN": min, "SUM": sum}


def in_order(value: Value, by: Value, direction: Value, limit: Value | None = None) -> Value:
    """SORT: an array ordered by an aggregate of its series; series without values are dropped."""
    reduce = _ORDERS.get(str(by))
    if reduce is None or direction not in ("ASC", "DESC"):
        raise ExpressionError(f"SORT takes {', '.join(_ORDERS)} and ASC or DESC, not {by} and {direction}")
    filled = [series for series in many(value) if series.points]
    ordered = sorted(filled, key=lambda s: reduce(list(s.points.values())), reverse=direction == "DESC")
    return ordered if limit is None else ordered[: int(scalar(limit))]
