import math

import pytest

from labkit.sandbox.alarms import functions
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries

M1 = TimeSeries({0: 4.0, 60: 0.0, 120: -9.0}, 60)
EMPTY = TimeSeries({}, 60)


def points(value):
    """The points of a series; of an array those of each."""
    return [series.points for series in value] if isinstance(value, list) else value.points


def divided(left, right):
    return functions.paired(lambda a, b: a / b, left, right)


def test_a_division_by_zero_has_no_value_at_its_timestamp():
    assert points(divided(8.0, M1)) == {0: 2.0, 120: -8 / 9}
    assert points(divided(M1, M1)) == {0: 1.0, 120: 1.0}
    assert math.isnan(divided(1.0, 0.0))


def test_what_one_of_two_series_lacks_counts_as_zero():
    other = TimeSeries({60: 1.0, 120: 1.0, 180: 1.0}, 60)
    assert points(divided(M1, other)) == {60: 0.0, 120: -9.0, 180: 0.0}
    assert points(divided(M1, EMPTY)) == {}
    assert points(divided(EMPTY, M1)) == {0: 0.0, 120: 0.0}


def test_what_is_not_a_real_number_has_no_value():
    assert points(functions.mapped(math.log, M1)) == {0: math.log(4)}
    assert points(functions.paired(lambda a, b: a**b, M1, 0.5)) == {0: 2.0, 60: 0.0}
    assert points(functions.paired(lambda a, b: a**b, M1, 10_000.0)) == {60: 0.0}


def test_arrays_pair_with_one_value_or_with_as_many():
    assert points(divided([M1, EMPTY], 2.0)) == [{0: 2.0, 60: 0.0, 120: -4.5}, {}]
    assert points(divided(18.0, [M1])) == [{0: 4.5, 120: -2.0}]
    assert points(divided([M1, M1], [M1, EMPTY])) == [{0: 1.0, 120: 1.0}, {}]
    with pytest.raises(ExpressionError, match="same length"):
        divided([M1, M1], [M1])


def test_the_period_and_the_label_stay_with_a_series():
    labelled = TimeSeries({0: 1.0}, 300, "orders")
    doubled = functions.paired(lambda a, b: a * b, labelled, 2.0)
    assert (doubled.period, doubled.label) == (300, "orders")


@pytest.mark.parametrize(
    ("reduce", "of_series", "of_array"),
    [
        (sum, -5.0, {0: 5.0, 60: 0.0, 120: -9.0}),
        (max, 4.0, {0: 4.0, 60: 0.0, 120: -9.0}),
        (min, -9.0, {0: 1.0, 60: 0.0, 120: -9.0}),
        (functions.average, -5 / 3, {0: 2.5, 60: 0.0, 120: -9.0}),
        (len, 3.0, {0: 2.0, 60: 1.0, 120: 1.0}),
    ],
)
def test_a_reduction_is_a_number_of_a_series_and_a_series_of_an_array(reduce, of_series, of_array):
    reduced = functions.reducer(reduce)
    assert reduced(M1) == pytest.approx(of_series)
    assert points(reduced([M1, TimeSeries({0: 1.0}, 60), EMPTY])) == of_array


def test_a_reduction_of_nothing():
    assert math.isnan(functions.reducer(sum)(EMPTY))
    assert points(functions.reducer(sum)([])) == {}


def test_steps_of_a_single_point_are_none():
    single = TimeSeries({0: 1.0}, 60)
    for step in (functions.difference, functions.rate, functions.difference_of_times):
        assert points(step(single)) == {}
        assert points(step(EMPTY)) == {}


def test_gaps_before_the_first_point_are_not_repeated_into():
    series = TimeSeries({60: 5.0}, 60)
    assert points(functions.fill(series, "REPEAT", [0, 60, 120])) == {60: 5.0, 120: 5.0}
    assert points(functions.fill(series, "LINEAR", [0, 60, 120])) == {60: 5.0}
    assert points(functions.fill(EMPTY, "REPEAT", [0, 60])) == {}


def test_a_gap_is_filled_from_another_series_where_that_has_a_value():
    series = TimeSeries({60: 5.0}, 60)
    assert points(functions.fill(series, TimeSeries({0: 1.0, 60: 9.0}, 60), [0, 60, 120])) == {0: 1.0, 60: 5.0}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(1.0, M1), (0.0, EMPTY)],
)
def test_a_condition_that_is_a_number_chooses_all(condition, expected):
    assert functions.choose(condition, M1, EMPTY) == expected


def test_a_condition_chooses_at_each_timestamp():
    condition = TimeSeries({0: 1.0, 60: 0.0, 180: 1.0}, 60)
    assert points(functions.choose(condition, M1, 7.0)) == {0: 4.0, 60: 7.0, 180: 0.0}
    assert points(functions.choose(condition, 1.0)) == {0: 1.0, 180: 1.0}


def test_only_one_series_will_do():
    for value in ([M1], 5.0, "LINEAR"):
        with pytest.raises(ExpressionError, match="Expected a time series"):
            functions.one(value)


def test_series_without_values_are_not_sorted():
    low, high = TimeSeries({0: 1.0}, 60, "low"), TimeSeries({0: 2.0}, 60, "high")
    found = functions.in_order([low, EMPTY, high], "MAX", "DESC")
    assert [series.label for series in found] == ["high", "low"]
    for by, direction in (("MEDIAN", "ASC"), ("MAX", "UP")):
        with pytest.raises(ExpressionError, match=f"not {by} and {direction}"):
            functions.in_order([low], by, direction)
