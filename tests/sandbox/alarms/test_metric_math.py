"""What metric math comes to: the examples of the User Guide and what its text promises, as pairs in metric_math.json.

Values are those of one minute after the other; `-` is a minute without a value.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labkit.sandbox.alarms.expression import Scope, compute
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries

CASES = json.loads(Path(__file__).with_name("metric_math.json").read_text())


def series(text, period=60, start=0):
    """A series of its values, one a period."""
    values = enumerate(text.split())
    return TimeSeries({start + period * index: float(value) for index, value in values if value != "-"}, period)


def value(expression, metrics, period=60, start=0):
    """What an expression comes to on metrics that are given as texts."""
    length = max(len(text.split()) for text in metrics.values())
    held = {name: series(text, period, start) for name, text in metrics.items()}
    timestamps = range(start, start + period * length, period)
    scope = Scope(held.__getitem__, list(metrics), lambda step: timestamps, period)
    return compute(expression, scope), timestamps


def points(found, timestamps):
    return [found.points.get(at) for at in timestamps]


def expected(text):
    return [None if number == "-" else pytest.approx(float(number)) for number in text.split()]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_expression_of_the_guide(case):
    found, timestamps = value(case["expression"], case["metrics"])
    if isinstance(case["values"], str):
        assert points(found, timestamps) == expected(case["values"])
    else:
        assert [points(one, timestamps) for one in found] == [expected(text) for text in case["values"]]


SUNDAY = int(datetime(2026, 3, 1, 22, 30, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("function", "numbers"),
    [
        ("MINUTE", [30, 30, 30, 30]),
        ("HOUR", [22, 23, 0, 1]),
        ("DAY", [7, 7, 1, 1]),
        ("DATE", [1, 1, 2, 2]),
        ("MONTH", [3, 3, 3, 3]),
        ("YEAR", [2026, 2026, 2026, 2026]),
        ("EPOCH", [SUNDAY, SUNDAY + 3600, SUNDAY + 7200, SUNDAY + 10800]),
    ],
)
def test_parts_of_the_time_are_in_utc_and_have_no_gaps(function, numbers):
    found, timestamps = value(f"{function}(m1)", {"m1": "1 - - 4"}, period=3600, start=SUNDAY)
    assert points(found, timestamps) == numbers


def test_weekdays_are_from_monday_the_first_to_sunday_the_seventh():
    found, timestamps = value("IF(DAY(m1) < 6, m1)", {"m1": "1 2 3 4 5 6 7 8"}, period=86400, start=SUNDAY)
    assert points(found, timestamps) == [None, 2, 3, 4, 5, 6, None, None]


def test_the_data_of_one_month():
    days = " ".join(str(day) for day in range(1, 41))
    found, timestamps = value("IF(MONTH(m1) == 4, m1)", {"m1": days}, period=86400, start=SUNDAY)
    assert [number for number in points(found, timestamps) if number is not None] == list(range(32, 41))


@pytest.mark.parametrize(
    "expression",
    ["sum(m1)", "Sum(m1)", "m1 AND", "AVG m1", "m1 == == 2", "[m1", "m1)", "IF(m1)", "IF(m1, 1, 2, 3)", "Metric1 + 1"],
)
def test_what_is_no_expression_is_refused(expression):
    """Functions are in upper-case letters, ids begin with a lower-case one."""
    with pytest.raises(ExpressionError):
        value(expression, {"m1": "1 2"})


@pytest.mark.parametrize(
    "expression", ["RATE(5)", "DIFF(1)", "HOUR([m1, m1])", "PERIOD([m1])", "FIRST(3)", "SLICE(1, 2)"]
)
def test_a_function_takes_what_the_guide_lists(expression):
    with pytest.raises(ExpressionError):
        value(expression, {"m1": "1 2"})


def test_the_period_of_a_metric_is_in_seconds():
    assert value("PERIOD(m1)", {"m1": "1 2"}, period=300)[0] == 300


def test_a_condition_on_an_array_is_refused():
    with pytest.raises(ExpressionError, match="Expected a number"):
        value("IF(METRICS() > 1, 1, 0)", {"m1": "1 2", "m2": "3 4"})


def test_arrays_of_different_lengths_do_not_pair():
    with pytest.raises(ExpressionError, match="same length"):
        value("[m1, m2] + [m1]", {"m1": "1 2", "m2": "3 4"})
