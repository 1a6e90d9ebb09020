"""Decides which state an alarm's datapoints give.

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

# AWS's spelling, camel case included: these are the values of TreatMissingData.
MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"

LATE, LATE_PERIODS = 600, 2
"""How far back an evaluation looks beyond the evaluation periods: in seconds, and at least in periods.

AWS documents that the evaluation range is longer than the evaluation periods, but not by how much; its tables show 5
datapoints for 3 periods of 5 minutes: 10 minutes more, or 2 periods. An alarm on days has been seen to need 3 or 4
empty days, one on half hours to reach 2 periods further back, and one-minute alarms on metrics that are silent when all
is well to stay in ALARM for 5 to 9 minutes."""
LATE_HIGH_RESOLUTION = 60
"""The seconds for periods under a minute: high-resolution samples arrive within seconds, not minutes."""


@dataclass(frozen=True, slots=True)
class Datapoint:
    """The metric's value in one period; `value` is None if the period has no samples."""

    timestamp: int
    value: float | None = None
    sample_count: float | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """Tells whether a value breaches a threshold."""

    compare: Callable[[float, float], bool]
    threshold: float

    def __call__(self, value: float) -> bool:
        """Compare a value with the threshold."""
        return self.compare(value, self.threshold)


@dataclass(frozen=True, slots=True)
class Rule:
    """An alarm's condition: ALARM if `datapoints_to_alarm` of `evaluation_periods` datapoints breach."""

    evaluation_periods: int
    datapoints_to_alarm: int
    treat_missing_data: str
    breaches: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that the datapoints give (None: the state stays as it is), and the datapoints it rests on."""

    state: str | None
    datapoints: tuple[Datapoint, ...]
    """The datapoints that were used, newest first; those without a value were missing and filled in."""
    filled: int


def evaluation_range(period: int, evaluation_periods: int) -> int:
    """Return how many periods an evaluation looks at: more than EvaluationPeriods, so that late data is found.

    One of them is the newest period, whose datapoint has usually not arrived yet.

    >>> evaluation_range(300, 3), evaluation_range(60, 1), evaluation_range(3600, 1)
    (6, 12, 4)
    """
    late = LATE if period >= 60 else LATE_HIGH_RESOLUTION
    # The + 1 is the newest period, usually still empty: it must not shorten the reach into the past.
    return evaluation_periods + max(LATE_PERIODS, math.ceil(late / period)) + 1


def evaluate(datapoints: Sequence[Datapoint], rule: Rule) -> Verdict:
    """Evaluate the datapoints of the evaluation range, given newest first.

    The newest `evaluation_periods` datapoints with a value count, from anywhere in the range. TreatMissingData fills
    in only what is still lacking after that.
    """
    periods = rule.evaluation_periods
    aged = [(age, point.value) for age, point in enumerate(datapoints, start=1) if point.value is not None]
    real = tuple(point for point in datapoints if point.value is not None)[:periods]
    # Gaps between real datapoints don't count as missing: AWS fills in only if the whole range has too few.
    filled = periods - len(real)
    if not real:
        return Verdict(state_of(aged, rule), tuple(datapoints[:periods]), periods)
    # The newest empty periods stand for the filled-in datapoints: StateReasonData lists them with their times.
    gaps = tuple(point for point in datapoints if point.value is None)[:filled]
    used = sorted(real + gaps, key=lambda point: -point.timestamp)
    return Verdict(state_of(aged, rule), tuple(used), filled)


def state_of(aged: Sequence[tuple[int, float]], rule: Rule) -> str | None:
    """Return the state that the real datapoints give, as (age, value), newest first; the newest period has age 1.

    None means that the alarm keeps its state.
    """
    if not aged:
        return _NOTHING[rule.treat_missing_data]
    real = min(len(aged), rule.evaluation_periods)
    filled = rule.evaluation_periods - real
    breaching = sum(rule.breaches(value) for _, value in aged[:real])
    # "notBreaching" fills in good datapoints, which can't raise the count: the last condition but one reads it.
    if rule.treat_missing_data == BREACHING:
        breaching += filled
        real += filled
    if breaching >= rule.datapoints_to_alarm:
        return ALARM
    # One good datapoint is enough for OK, however many are missing.
    if not filled or rule.treat_missing_data == NOT_BREACHING or breaching < real:
        return OK
    return _few_breaching(aged[-1][0], rule)


_NOTHING = {MISSING: INSUFFICIENT_DATA, IGNORE: None, BREACHING: ALARM, NOT_BREACHING: OK}
"""The state when the whole range is empty."""


def _few_breaching(oldest: int, rule: Rule) -> str | None:
    """Return the state if there are fewer datapoints than DatapointsToAlarm, and all of them breach.

    The alarm waits, because the next datapoint may be good, until the oldest breaching datapoint is at least
    `datapoints_to_alarm` periods old ("Avoiding premature transitions to alarm state").
    """
    return ALARM if rule.treat_missing_data == MISSING and oldest >= rule.datapoints_to_alarm else None
