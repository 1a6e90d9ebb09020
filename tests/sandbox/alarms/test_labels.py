from datetime import UTC, datetime, timedelta, timezone

import pytest

from labkit.sandbox.alarms.functions import TimeSeries
from labkit.sandbox.alarms.labels import Viewer, duration, filled, found_label, time_zone
from labkit.sandbox.kernel.errors import ServiceError

NINE = int(datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp())
VIEWER = Viewer(datetime(2026, 1, 5, 12, tzinfo=UTC), UTC, "123456789012", "eu-west-1")
POINTS = {NINE: 4.0, NINE + 60: 7.0, NINE + 120: 2.0, NINE + 300: 7.0, NINE + 360: 2.0, NINE + 420: 5.0}


def stat(name="Rejects", statistic="Sum", period=60, **dimensions):
    described = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": "Lab/VPC", "MetricName": name, "Dimensions": described}
    return {"Metric": metric, "Stat": statistic, "Period": period}


def label(text, points=None, viewer=VIEWER, read=None):
    return filled(text, TimeSeries(POINTS if points is None else points, 60, stat=read), "Rejects", viewer)


@pytest.mark.parametrize(
    ("part", "shown"),
    {
        "AVG": "4.5",
        "DATAPOINT_COUNT": "6",
        "FIRST": "4.0",
        "FIRST_LAST_RANGE": "1.0",
        "FIRST_LAST_TIME_RANGE": "7m",
        "FIRST_TIME": "2026-01-05 09:00:00",
        "FIRST_TIME_RELATIVE": "3h",
        "LABEL": "Rejects",
        "LAST": "5.0",
        "LAST_TIME": "2026-01-05 09:07:00",
        "LAST_TIME_RELATIVE": "2h 53m",
        "MAX": "7.0",
        "MAX_TIME": "2026-01-05 09:01:00",
        "MAX_TIME_RELATIVE": "2h 59m",
        "MIN": "2.0",
        "MIN_MAX_RANGE": "5.0",
        "MIN_MAX_TIME_RANGE": "1m",
        "MIN_TIME": "2026-01-05 09:02:00",
        "MIN_TIME_RELATIVE": "2h 58m",
        "PROP('AccountId')": "123456789012",
        "PROP('Dim.Eni')": "eni-0a",
        "PROP('MetricName')": "Rejects",
        "PROP('Namespace')": "Lab/VPC",
        "PROP('Period')": "60",
        "PROP('Region')": "eu-west-1",
        "PROP('Stat')": "Sum",
        "SUM": "27.0",
    }.items(),
)
def test_every_dynamic_part_of_the_guide(part, shown):
    assert label(f"<${{{part}}}>", read=stat(Eni="eni-0a")) == f"<{shown}>"


@pytest.mark.parametrize("part", ["MAX", "MAX_TIME", "DATAPOINT_COUNT", "FIRST_LAST_TIME_RANGE", "MIN_TIME_RELATIVE"])
def test_what_has_no_datapoints_has_no_values_and_no_times(part):
    assert label(f"${{{part}}} of ${{LABEL}}", points={}) == "-- of Rejects"


def test_one_datapoint_is_the_first_and_the_last():
    shown = label("${FIRST_TIME} ${LAST_TIME} ${FIRST_LAST_TIME_RANGE} ${MIN_MAX_RANGE}", points={NINE: 1.0})
    assert shown == "2026-01-05 09:00:00 2026-01-05 09:00:00 0s 0.0"


def test_names_that_are_not_in_the_guide_are_shown_as_nothing():
    assert label("${MEDIAN} ${PROP('Dim.Eni')} ${max} ${}", read=stat()) == "-- -- -- --"
    assert label("100 $ {MAX} $MAX") == "100 $ {MAX} $MAX"


def test_an_expression_has_no_metric_of_its_own():
    assert label("${PROP('MetricName')} in ${PROP('Region')}") == "-- in eu-west-1"


@pytest.mark.parametrize(
    ("offset", "shown"),
    [
        ("+0000", "2026-01-05 09:07:00"),
        ("+0130", "2026-01-05 10:37:00"),
        ("-0930", "2026-01-04 23:37:00"),
        ("+1400", "2026-01-05 23:07:00"),
    ],
)
def test_times_are_shown_in_the_time_zone_of_the_request(offset, shown):
    assert label("${LAST_TIME}", viewer=Viewer(VIEWER.now, time_zone(offset), "", "")) == shown


@pytest.mark.parametrize("offset", ["", "0130", "+130", "+01:30", "UTC", "+2400", "+0060", "+01300"])
def test_a_time_zone_is_a_sign_and_four_digits(offset):
    with pytest.raises(ServiceError, match=r"for parameter LabelOptions\.Timezone is invalid"):
        time_zone(offset)


def test_the_sign_is_of_hours_and_minutes():
    assert time_zone("-0330") == timezone(-timedelta(hours=3, minutes=30))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (59.9, "59s"), (60, "1m"), (3600, "1h"), (3661, "1h 1m"), (86400 + 61, "1d 1m"), (400 * 86400, "400d")],
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown


def test_the_label_of_a_found_metric_is_what_the_others_have_not():
    mine, other = stat(Eni="eni-0a", Vpc="vpc-1"), stat(Eni="eni-0b", Vpc="vpc-1")
    assert found_label(mine, [mine]) == "Rejects"
    assert found_label(mine, [mine, other]) == "eni-0a"
    assert found_label(mine, [mine, stat("Accepts", Eni="eni-0a", Vpc="vpc-1")]) == "Rejects"
    assert found_label(mine, [mine, stat("Accepts", Eni="eni-0a", Vpc="vpc-2")]) == "vpc-1 Rejects"
