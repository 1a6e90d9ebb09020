import json
from pathlib import Path

import pytest

from labkit.sandbox.alarms.evaluation import COMPARISONS, Datapoint, Rule, evaluate, evaluation_range

TABLES = json.loads(Path(__file__).with_name("missing_data.json").read_text())
VALUES = {"O": 0.0, "X": 2.0, "-": None}


def verdict(points, *, periods=3, to_alarm=3, treat="missing"):
    """What datapoints, oldest first, amount to; X is over 1."""
    newest_first = [Datapoint(60 * index, VALUES[point]) for index, point in enumerate(points)][::-1]
    return evaluate(newest_first, Rule(periods, to_alarm, treat, lambda value: value > 1))


ROWS = [
    (table["evaluation_periods"], table["datapoints_to_alarm"], points, filled, treatment, state)
    for table in TABLES["tables"]
    for points, filled, states in table["rows"]
    for treatment, state in zip(TABLES["treatments"], states, strict=True)
]


@pytest.mark.parametrize(("periods", "to_alarm", "points", "filled", "treat", "state"), ROWS)
def test_a_row_of_aws_tables(periods, to_alarm, points, filled, treat, state):
    found = verdict(points, periods=periods, to_alarm=to_alarm, treat=treat)
    assert (found.state, found.filled) == (state, filled)


@pytest.mark.parametrize("points", ["----X", "---X-"])
def test_few_breaching_datapoints_wait_for_the_next_one(points):
    assert verdict(points).state is None


@pytest.mark.parametrize("points", ["---XO", "--X-O"])
def test_a_good_datapoint_after_them_makes_it_ok(points):
    assert verdict(points).state == "OK"


@pytest.mark.parametrize("points", ["--X--", "--XX-", "--X-X", "-X---", "X----"])
def test_breaching_datapoints_that_are_old_enough_alarm(points):
    assert verdict(points).state == "ALARM"


def test_after_the_last_good_datapoint_has_left_missing_ones_breach():
    assert verdict("O----", treat="breaching").state == "OK"
    assert verdict("-----", treat="breaching").state == "ALARM"


def test_the_newest_real_datapoints_count_from_anywhere_in_the_range():
    found = verdict("XXXO-", periods=3, to_alarm=3)
    assert [point.timestamp for point in found.datapoints] == [180, 120, 60]
    assert (found.state, found.filled) == ("OK", 0)


def test_datapoints_in_use_are_newest_first_with_the_gaps_among_them():
    found = verdict("--X-O", to_alarm=2)
    assert [(point.timestamp, point.value) for point in found.datapoints] == [(240, 0.0), (180, None), (120, 2.0)]


@pytest.mark.parametrize("treat", ["missing", "ignore", "breaching", "notBreaching"])
def test_enough_real_datapoints_make_the_treatment_irrelevant(treat):
    assert verdict("XXX", treat=treat).state == "ALARM"
    assert verdict("XXO", treat=treat).state == "OK"


def test_one_of_one():
    assert verdict("X", periods=1, to_alarm=1).state == "ALARM"
    assert verdict("O", periods=1, to_alarm=1).state == "OK"
    assert verdict("-", periods=1, to_alarm=1).state == "INSUFFICIENT_DATA"
    assert verdict("-", periods=1, to_alarm=1, treat="ignore").state is None
    assert verdict("X---", periods=1, to_alarm=1).state == "ALARM"


def test_breaching_datapoints_need_not_follow_each_other():
    assert verdict("XOOOX", periods=5, to_alarm=2).state == "ALARM"
    assert verdict("XOOOX", periods=5, to_alarm=3).state == "OK"


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("GreaterThanThreshold", False, False, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_the_statistic_is_compared_with_the_threshold(operator, below, equal, above):
    assert [COMPARISONS[operator](value, 10) for value in (9, 10, 11)] == [below, equal, above]


@pytest.mark.parametrize(
    ("period", "periods", "expected"),
    [(300, 3, 6), (60, 1, 12), (60, 3, 14), (120, 1, 7), (3600, 1, 4), (86400, 7, 10), (10, 2, 9), (30, 1, 4)],
)
def test_the_evaluation_range_is_longer_than_the_evaluation_periods(period, periods, expected):
    assert evaluation_range(period, periods) == expected
