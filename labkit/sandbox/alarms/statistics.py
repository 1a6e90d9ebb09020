"""The statistics that CloudWatch computes from samples, by their names: Sum, p95, TM(10%:90%), PR(:300), ...

Source: CloudWatch User Guide, "CloudWatch statistics definitions" (Statistics-definitions.html).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache

from labkit.sandbox.alarms.samples import SampleSet

Statistic = Callable[[SampleSet], "float | None"]
"""Computes a number from samples; None if the samples don't determine it."""
Weights = list[tuple[float, float]]
"""(value, count) pairs in ascending order of the values."""

SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda samples: samples.sample_count,
    "Average": lambda samples: samples.total / samples.sample_count,
    "Sum": lambda samples: samples.total,
    "Minimum": lambda samples: samples.minimum,
    "Maximum": lambda samples: samples.maximum,
}

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_SHORT = re.compile(r"(tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?|100)")
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\((?:({_NUMBER})(%?))?:(?:({_NUMBER})(%?))?\)")


class UnknownStatistic(ValueError):
    """The name of a statistic that CloudWatch doesn't have."""


@cache
def statistic(name: str) -> Statistic:
    """Return the statistic of this name; raise UnknownStatistic if CloudWatch has no such statistic.

    >>> samples = SampleSet()
    >>> for value in range(1, 101): samples.add(value)
    >>> statistic("p90")(samples), statistic("TM(10%:90%)")(samples), statistic("PR(:25)")(samples)
    (90, 50.5, 25.0)
    """
    if name in SIMPLE:
        return SIMPLE[name]
    if name == "IQM":
        # The interquartile mean is by definition TM(25%:75%).
        return _trimmed("TM", 25, 75)
    if match := _PERCENTILE.fullmatch(name):
        percent = float(match[1])
        return _of_values(lambda weights: _percentile(weights, percent))
    if match := _SHORT.fullmatch(name):
        # tm90 is TM(:90%): the short forms have no lower bound.
        return _trimmed(match[1].upper(), 0, float(match[2]))
    if match := _RANGE.fullmatch(name):
        return _ranged(name, match)
    raise UnknownStatistic(name)


def _ranged(name: str, match: re.Match[str]) -> Statistic:
    kind, low, low_percent, high, high_percent = match.groups()
    # TM(10%:50) mixes percentiles with absolute values, which CloudWatch rejects.
    if (low is None and high is None) or (low and high and low_percent != high_percent):
        raise UnknownStatistic(name)
    if low_percent or high_percent:
        if kind == "PR" or not 0 <= float(low or 0) < float(high or 100) <= 100:
            raise UnknownStatistic(name)
        return _trimmed(kind, float(low or 0), float(high or 100))
    bounds = float(low) if low else -math.inf, float(high) if high else math.inf
    return _of_values(lambda weights: _KINDS[kind](weights, *bounds))


def _trimmed(kind: str, low: float, high: float) -> Statistic:
    """Return a statistic whose bounds are the values at two percentiles, in percent."""

    def _between(weights: Weights) -> float | None:
        # _within excludes its lower bound: with the 0th percentile as the bound, the minimum would drop out.
        floor = _percentile(weights, low) if low else -math.inf
        return _KINDS[kind](weights, floor, _percentile(weights, high))

    return _of_values(_between)


def _of_values(compute: Callable[[Weights], float | None]) -> Statistic:
    """Return a statistic that needs every single value.

    CloudWatch has no percentiles for metrics with negative values, nor for statistic sets.
    """

    def _of_samples(samples: SampleSet) -> float | None:
        if samples.values is None or samples.minimum < 0:
            return None
        return compute(sorted(samples.values.items()))

    return _of_samples


def _percentile(weights: Weights, percent: float) -> float:
    """Return the smallest value that at least `percent` of the samples don't exceed."""
    wanted = sum(count for _, count in weights) * percent / 100
    reached = 0.0
    for value, count in weights:
        reached += count
        # Floating point: 3 samples * 33.3333333333 / 100 must not miss the first sample by a rounding error.
        if reached >= wanted - 1e-9:
            return value
    return weights[-1][0]


def _within(weights: Weights, low: float, high: float) -> Weights:
    # Open below, closed above, as CloudWatch defines PR(100:2000): greater than 100, at most 2000.
    return [(value, count) for value, count in weights if low < value <= high]


def _trimmed_count(weights: Weights, low: float, high: float) -> float:
    return sum(count for _, count in _within(weights, low, high))


def _trimmed_sum(weights: Weights, low: float, high: float) -> float:
    return sum(value * count for value, count in _within(weights, low, high))


def _trimmed_mean(weights: Weights, low: float, high: float) -> float | None:
    count = _trimmed_count(weights, low, high)
    return _trimmed_sum(weights, low, high) / count if count else None


def _winsorized_mean(weights: Weights, low: float, high: float) -> float:
    """Return the mean with the values outside the bounds moved onto them."""
    count = sum(count for _, count in weights)
    return sum(min(max(value, low), high) * count for value, count in weights) / count


def _percentile_rank(weights: Weights, low: float, high: float) -> float:
    """Return the share of the samples within the bounds, in percent."""
    return 100 * _trimmed_count(weights, low, high) / sum(count for _, count in weights)


_KINDS: dict[str, Callable[[Weights, float, float], float | None]] = {
    "TM": _trimmed_mean,
    "WM": _winsorized_mean,
    "TC": _trimmed_count,
    "TS": _trimmed_sum,
    "PR": _percentile_rank,
}
