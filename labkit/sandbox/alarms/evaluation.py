"""What state the datapoints of an alarm amount to.

Source: CloudWatch User Guide, "Alarm evaluation" (alarm-evaluation.html) and "Configuring how CloudWatch alarms treat
missing data" (alarms-and-missing-data.html), whose two tables are tests of this module, row by row.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT_DATA = "OK", "ALARM", "INSUFFICIENT_DATA"

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
"""The statistic is the first operand, the threshold the second."""

MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"

LOOK_BACK = 900
"""Seconds before the evaluation periods in which late datapoints are looked for; 2 periods at least.

AWS documents that the evaluation range is longer than the evaluation periods, but not by how much; its tables show 5
datapoints for 3 periods of 5 minutes. Those are 5 that have arrived: as the newest period's datapoint is usually still
on its way, the range here has one more. A quarter of an hour keeps the datapoints of one-minute alarms that are some
minutes late (as those of metric filters on flow logs always are), as such alarms in AWS are seen to do."""


@dataclass(frozen=True, slots=True)
class Datapoint:
    """The metric's value in one period; None where it has none."""

    timestamp: int
    value: float | None = None
    sample_count: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alarm is in ALARM: `datapoints_to_alarm` of `evaluation_periods` datapoints breach."""

    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str
    breaches: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that the datapoints amount to (None: it stays as it is), and what it rests on."""

    state: str | None
    datapoints: tuple[Datapoint, ...]
    """The datapoints that were used, newest first; without a value those that were filled in."""
    filled: int


def evaluation_range(period: int, evaluation_periods: int) -> int:
    """How many periods an evaluation looks at.

    >>> evaluation_range(300, 3), evaluation_range(60, 1), evaluation_range(3600, 1)
    (6, 16, 3)
    """
    late = LOOK_BACK if period >= 60 else 60
    return evaluation_periods + max(2, math.ceil(late / period))


def evaluate(datapoints: Sequence[Datapoint], rule: Rule) -> Verdict:
    """Judges the datapoints of the evaluation range, given newest first.

    Real datapoints go first: the newest `evaluation_periods` of them count, from anywhere in the range, and the
    treatment of missing data matters only for as many as are lacking then.
    """
    periods = rule.evaluation_periods
    real = tuple(point for point in datapoints if point.value is not None)[:periods]
    filled = periods - len(real)
    if not real:
        return Verdict(_NOTHING[rule.treat_missing_data], tuple(datapoints[:periods]), periods)
    breaching = sum(rule.breaches(point.value) for point in real if point.value is not None)
    state = _judge(datapoints, rule, breaching=breaching, real=len(real), filled=filled)
    gaps = tuple(point for point in datapoints if point.value is None)[:filled]
    used = sorted(real + gaps, key=lambda point: -point.timestamp)
    return Verdict(state, tuple(used), filled)


_NOTHING = {MISSING: INSUFFICIENT_DATA, IGNORE: None, BREACHING: ALARM, NOT_BREACHING: OK}
"""The state when the whole range is empty."""


def _judge(datapoints: Sequence[Datapoint], rule: Rule, *, breaching: int, real: int, filled: int) -> str | None:
    if rule.treat_missing_data == BREACHING:
        breaching += filled
        real += filled
    if breaching >= rule.datapoints_to_alarm:
        return ALARM
    if not filled or rule.treat_missing_data == NOT_BREACHING or breaching < real:
        return OK
    return _judge_few_breaching(datapoints, rule)


def _judge_few_breaching(datapoints: Sequence[Datapoint], rule: Rule) -> str | None:
    """Fewer datapoints than it takes, and all of them breach.

    The alarm waits, as the next datapoint may be good, but not once the oldest of them is as old as
    `datapoints_to_alarm` ("Avoiding premature transitions to alarm state").
    """
    oldest = max(age for age, point in enumerate(datapoints, start=1) if point.value is not None)
    if rule.treat_missing_data == MISSING and oldest >= rule.datapoints_to_alarm:
        return ALARM
    return None
