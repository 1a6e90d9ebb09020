import math

import pytest

from labkit.sandbox.alarms.expression import REFUSED, Scope, compute, functions_in, metrics_in
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries

TIMES = [0, 60, 120, 180]
SERIES = {
    "m1": TimeSeries({0: 1.0, 60: 2.0, 180: 4.0}, 60),
    "m2": TimeSeries({0: 10.0, 60: 0.0, 120: 5.0}, 60),
    "none": TimeSeries({}, 60),
}


def value(expression):
    """The value of an expression; of a series its values by minute."""
    found = compute(expression, Scope(SERIES.__getitem__, list(SERIES), lambda period: TIMES, 60))
    if isinstance(found, TimeSeries):
        return {at // 60: number for at, number in found.points.items()}
    if isinstance(found, list):
        return [{at // 60: number for at, number in series.points.items()} for series in found]
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("2 ^ 3 ^ 2", 512),
        ("-2 ^ 2", -4),
        ("1.5e2 / 3", 50),
        ("m1 + m2", {0: 11, 1: 2, 2: 5, 3: 4}),
        ("m1 * 100", {0: 100, 1: 200, 3: 400}),
        ("100 - m1", {0: 99, 1: 98, 3: 96}),
        ("m1 / m2", {0: 0.1, 2: 0}),
        ("m1 > 1", {0: 0, 1: 1, 3: 1}),
        ("m1 == 2 || m2 == 10", {0: 1, 1: 1, 2: 0, 3: 0}),
        ("m1 >= 2 AND m2 < 1", {0: 0, 1: 1, 2: 0, 3: 0}),
        ("[m1, m2] * 2", [{0: 2, 1: 4, 3: 8}, {0: 20, 1: 0, 2: 10}]),
        ("METRICS() + 1", [{0: 2, 1: 3, 3: 5}, {0: 11, 1: 1, 2: 6}, {}]),
    ],
)
def test_arithmetic(expression, expected):
    assert (
        value(expression) == pytest.approx(expected)
        if not isinstance(expected, list)
        else value(expression) == expected
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ABS(0 - m1)", {0: 1, 1: 2, 3: 4}),
        ("CEIL(m1 / 3)", {0: 1, 1: 1, 3: 2}),
        ("FLOOR(m1 / 3)", {0: 0, 1: 0, 3: 1}),
        ("LOG10(m2)", {0: 1, 2: math.log10(5)}),
        ("SUM(m1)", 7),
        ("AVG(m2)", 5),
        ("MIN(m1)", 1),
        ("MAX(m1)", 4),
        ("STDDEV(m2)", math.sqrt(50 / 3)),
        ("DATAPOINT_COUNT(m1)", 3),
        ("SUM([m1, m2])", {0: 11, 1: 2, 2: 5, 3: 4}),
        ("MAX(METRICS())", {0: 10, 1: 2, 2: 5, 3: 4}),
        ('AVG(METRICS("m"))', {0: 5.5, 1: 1, 2: 2.5, 3: 2}),
        ("DIFF(m1)", {1: 1, 3: 2}),
        ("DIFF_TIME(m1)", {1: 60, 3: 120}),
        ("RATE(m1)", {1: 1 / 60, 3: 2 / 120}),
        ("RUNNING_SUM(m1)", {0: 1, 1: 3, 3: 7}),
        ("FILL(m1, 0)", {0: 1, 1: 2, 2: 0, 3: 4}),
        ("FILL(m1, m2)", {0: 1, 1: 2, 2: 5, 3: 4}),
        ("FILL(m1, REPEAT)", {0: 1, 1: 2, 2: 2, 3: 4}),
        ("FILL(m1, LINEAR)", {0: 1, 1: 2, 2: 3, 3: 4}),
        ("FILL(none, 7)", {0: 7, 1: 7, 2: 7, 3: 7}),
        ('FILL(METRICS("no"), 1)', [{0: 1, 1: 1, 2: 1, 3: 1}]),
        ("IF(m1 > 1, m2, 99)", {0: 99, 1: 0, 3: 0}),
        ("IF(m1 > 1, 1)", {1: 1, 3: 1}),
        ("IF(2 > 1, m1, m2)", {0: 1, 1: 2, 3: 4}),
        ("METRIC_COUNT(METRICS())", 3),
        ("PERIOD(m1)", 60),
        ("TIME_SERIES(5)", {0: 5, 1: 5, 2: 5, 3: 5}),
        ("FIRST(METRICS())", {0: 1, 1: 2, 3: 4}),
        ("LAST([m1, m2])", {0: 10, 1: 0, 2: 5}),
        ("SLICE(METRICS(), 1)", [{0: 10, 1: 0, 2: 5}, {}]),
        ("SLICE(METRICS(), 0, 1)", [{0: 1, 1: 2, 3: 4}]),
        ("SORT(METRICS(), SUM, DESC)", [{0: 10, 1: 0, 2: 5}, {0: 1, 1: 2, 3: 4}]),
        ("SORT(METRICS(), MAX, ASC, 1)", [{0: 1, 1: 2, 3: 4}]),
        ("REMOVE_EMPTY([none, m1])", [{0: 1, 1: 2, 3: 4}]),
        ("MINUTE(m1)", {0: 0, 1: 1, 2: 2, 3: 3}),
        ("HOUR(m1)", {0: 0, 1: 0, 2: 0, 3: 0}),
        ("DAY(m1)", {0: 4, 1: 4, 2: 4, 3: 4}),
        ("YEAR(none)", {0: 1970, 1: 1970, 2: 1970, 3: 1970}),
        ("EPOCH(m1)", {0: 0, 1: 60, 2: 120, 3: 180}),
    ],
)
def test_functions(expression, expected):
    found = value(expression)
    assert found == expected if isinstance(expected, list) else found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("m1 +", "Syntax error at column 4"),
        ("SUM(m1", "Syntax error"),
        ("", "Syntax error"),
        ("m1 ? m2", "Syntax error at column 4"),
        ("FOO(m1)", "Unknown function FOO"),
        ("SUM()", "SUM takes 1 to 1 arguments, not 0"),
        ("FILL(m1)", "FILL takes 2 to 2 arguments, not 1"),
        ("RATE(5)", "Expected a time series"),
        ("TIME_SERIES(m1)", "Expected a number"),
        ("PERIOD(m1 + m2)", "PERIOD takes a metric, not the result of an expression"),
        ("SORT(METRICS(), STDDEV(m1), ASC)", "SORT takes"),
        ("[m1, m2] + [m1]", "same length"),
        ("SELECT AVG(x) FROM y", "SELECT is not available in the sandbox"),
        *((f"{name}(m1)", f"{name} is not available in the sandbox (see docs/sandbox.md)") for name in sorted(REFUSED)),
    ],
)
def test_what_is_wrong_is_said(expression, complaint):
    with pytest.raises(ExpressionError) as caught:
        value(expression)
    assert complaint in str(caught.value)


def test_the_metrics_of_an_expression():
    assert metrics_in("100 * m2 / SUM([m1, m2])") == ["m2", "m1"]
    assert functions_in("SUM(METRICS())") == ["SUM", "METRICS"]
    assert functions_in("m1 + 1") == []
