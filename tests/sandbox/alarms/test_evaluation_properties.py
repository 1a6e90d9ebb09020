"""What holds for every pattern of five datapoints, whatever M and N are."""

from itertools import product

import pytest

from tests.sandbox.alarms.test_evaluation import verdict

PATTERNS = ["".join(points) for points in product("OX-", repeat=5)]
RULES = [(periods, to_alarm) for periods in range(1, 6) for to_alarm in range(1, periods + 1)]
EVERY_RULE = pytest.mark.parametrize(("periods", "to_alarm"), RULES)


def states(points, periods, to_alarm):
    """The state that each treatment of missing data comes to."""
    return {
        treat: verdict(points, periods=periods, to_alarm=to_alarm, treat=treat).state
        for treat in ("missing", "ignore", "breaching", "notBreaching")
    }


def real(points):
    return len(points) - points.count("-")


@EVERY_RULE
def test_enough_datapoints_leave_nothing_to_the_treatment(periods, to_alarm):
    for points in PATTERNS:
        if real(points) >= periods:
            newest = points.replace("-", "")[-periods:]
            expected = "ALARM" if newest.count("X") >= to_alarm else "OK"
            assert set(states(points, periods, to_alarm).values()) == {expected}, points


@EVERY_RULE
def test_missing_data_that_breach_count_as_if_they_had_been_seen(periods, to_alarm):
    for points in PATTERNS:
        seen = points.replace("-", "")[-periods:]
        for treat, as_if in (("breaching", "X"), ("notBreaching", "O")):
            filled = seen + as_if * (periods - len(seen))
            expected = "ALARM" if filled.count("X") >= to_alarm else "OK"
            assert states(points, periods, to_alarm)[treat] == expected, points


@EVERY_RULE
def test_only_an_empty_range_is_insufficient_data(periods, to_alarm):
    for points in PATTERNS:
        found = states(points, periods, to_alarm)
        assert (found["missing"] == "INSUFFICIENT_DATA") == (real(points) == 0), points
        assert "INSUFFICIENT_DATA" not in {found[treat] for treat in ("ignore", "breaching", "notBreaching")}


@EVERY_RULE
def test_missing_and_ignored_data_part_only_where_few_datapoints_all_breach(periods, to_alarm):
    for points in PATTERNS:
        found = states(points, periods, to_alarm)
        if found["missing"] != found["ignore"]:
            assert "O" not in points.replace("-", "")[-periods:], points
            assert found["ignore"] is None, points


@EVERY_RULE
def test_one_more_breach_never_ends_an_alarm(periods, to_alarm):
    for points in PATTERNS:
        before = states(points, periods, to_alarm)
        for index in (index for index, point in enumerate(points) if point == "O"):
            worse = points[:index] + "X" + points[index + 1 :]
            for treat, state in states(worse, periods, to_alarm).items():
                assert before[treat] != "ALARM" or state == "ALARM", (points, worse, treat)


@EVERY_RULE
def test_as_few_as_possible_are_filled_in(periods, to_alarm):
    for points in PATTERNS:
        found = verdict(points, periods=periods, to_alarm=to_alarm)
        assert found.filled == max(0, periods - real(points)), points
        used = [point.value for point in found.datapoints if point.value is not None]
        assert len(used) == min(periods, real(points)), points
        assert [point.timestamp for point in found.datapoints] == sorted(
            (point.timestamp for point in found.datapoints), reverse=True
        )
