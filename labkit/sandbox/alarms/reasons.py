"""The reason of an alarm's state change: StateReason in CloudWatch's words, and StateReasonData as its JSON.

The wording follows AWS's own examples (alarm-actions.html, cloudwatch-and-eventbridge.html) and responses that users
have published.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from labkit.sandbox.alarms.alarm import MetricAlarm
from labkit.sandbox.alarms.evaluation import ALARM, BREACHING, INSUFFICIENT_DATA, NOT_BREACHING, Datapoint, Verdict

_COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {BREACHING: "Breaching", NOT_BREACHING: "NonBreaching"}


def number(value: float) -> str:
    """Write a number as AWS does (Java's Double.toString).

    >>> number(1), number(0.004), number(12500000), number(0.00025)
    ('1.0', '0.004', '1.25E7', '2.5E-4')
    """
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    # The bounds between which Java writes no exponent; Python's repr has others.
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits = Decimal(repr(value)).normalize()
    exponent = digits.adjusted()
    return f"{float(digits.scaleb(-exponent))!r}E{exponent}"


def timestamp(moment: datetime) -> str:
    """Write a time as CloudWatch does in JSON, with milliseconds.

    >>> timestamp(datetime(2026, 11, 2, 9, 0, 0, 250000, tzinfo=UTC))
    '2026-11-02T09:00:00.250+0000'
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"


def _count(number_of: int, noun: str, verb: tuple[str, str] | None = None) -> str:
    one = number_of == 1
    words = f"{number_of} {noun}{'' if one else 's'}"
    return words if verb is None else f"{words} {verb[0] if one else verb[1]}"


_WAS = ("was", "were")


def reason(alarm: MetricAlarm, verdict: Verdict, state: str) -> str:
    """Return the sentence of StateReason."""
    real = [point for point in verdict.datapoints if point.value is not None]
    periods = alarm.rule.evaluation_periods
    filled = verdict.filled
    if state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_count(filled, 'datapoint', _WAS)} unknown."
    treated = _TREATED.get(alarm.treat_missing_data)
    missing = f"{_count(filled, 'missing datapoint', _WAS)} treated as [{treated}]" if filled and treated else ""
    if not real:
        return f"Threshold Crossed: no datapoints were received for {_count(periods, 'period')} and {missing}."
    crossed = _crossed(alarm, real, state)
    return f"Threshold Crossed: {crossed}{' and ' + missing if missing else ''}{_minimum(alarm, state)}."


def _crossed(alarm: MetricAlarm, real: Sequence[Datapoint], state: str) -> str:
    # An alarm in OK lists the datapoints that don't breach; if missing data alone decided, there are none such.
    telling = [point for point in real if alarm.rule.breaches(_value(point)) == (state == ALARM)] or list(real)
    verb = "was" if len(telling) == 1 else "were"
    values = ", ".join(_with_time(point) for point in telling)
    counted = _count(len(telling), "datapoint")
    if "DatapointsToAlarm" in alarm.settings:
        counted = f"{len(telling)} out of the last {alarm.rule.evaluation_periods} datapoints"
    negated = "" if alarm.rule.breaches(_value(telling[0])) else "not "
    compared = _COMPARED[alarm.settings["ComparisonOperator"]]
    return f"{counted} [{values}] {verb} {negated}{compared} the threshold ({number(alarm.threshold)})"


def _value(point: Datapoint) -> float:
    assert point.value is not None
    return point.value


def _with_time(point: Datapoint) -> str:
    return f"{number(_value(point))} ({datetime.fromtimestamp(point.timestamp, UTC):%d/%m/%y %H:%M:%S})"


def _minimum(alarm: MetricAlarm, state: str) -> str:
    """Return the "(minimum ...)" part, which AWS writes only if DatapointsToAlarm was given."""
    if "DatapointsToAlarm" not in alarm.settings:
        return ""
    to_alarm = alarm.rule.datapoints_to_alarm
    if state == ALARM:
        return f" (minimum {_count(to_alarm, 'datapoint')} for OK -> ALARM transition)"
    # M of N: as soon as N - M + 1 datapoints are good, no M of them can breach.
    return f" (minimum {_count(alarm.rule.evaluation_periods - to_alarm + 1, 'datapoint')} for ALARM -> OK transition)"


def reason_data(alarm: MetricAlarm, verdict: Verdict, now: datetime) -> str:
    """Return the JSON of StateReasonData."""
    real = [point for point in verdict.datapoints if point.value is not None]
    start = datetime.fromtimestamp(real[-1].timestamp, UTC) if real else None
    data = {
        "version": "1.0",
        "queryDate": timestamp(now),
        "startDate": timestamp(start) if start else None,
        "unit": alarm.settings.get("Unit"),
        "statistic": alarm.statistic,
        "period": alarm.period,
        "recentDatapoints": [point.value for point in reversed(real)],
        "threshold": alarm.threshold,
        "evaluatedDatapoints": [_evaluated(point) for point in verdict.datapoints],
    }
    return compact({name: value for name, value in data.items() if value is not None})


def _evaluated(point: Datapoint) -> dict[str, Any]:
    shown: dict[str, Any] = {"timestamp": timestamp(datetime.fromtimestamp(point.timestamp, UTC))}
    if point.sample_count is not None:
        shown["sampleCount"] = point.sample_count
    if point.value is not None:
        shown["value"] = point.value
    return shown


def compact(data: Any) -> str:
    """Return JSON as CloudWatch writes it, without spaces."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)
