"""From samples to datapoints and back: what PutMetricData, GetMetricStatistics and ListMetrics promise together."""

from datetime import datetime, timedelta

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.alarms.test_metric_operations import HOUR_AGO, NOW, at, put, statistics

ALL = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"]


def a_set(count, total, minimum, maximum, minute=0):
    values = {"SampleCount": count, "Sum": total, "Minimum": minimum, "Maximum": maximum}
    given = {name: float(value) for name, value in values.items()}
    return {"MetricName": "Orders", "Timestamp": HOUR_AGO + timedelta(minutes=minute), "StatisticValues": given}


def values_and_counts(values, counts=None, **members):
    datum = {"MetricName": "Orders", "Timestamp": HOUR_AGO, "Values": [float(value) for value in values]} | members
    return datum if counts is None else datum | {"Counts": [float(count) for count in counts]}


def one(cloudwatch, **params):
    (datapoint,) = statistics(cloudwatch, **params)["Datapoints"]
    return datapoint


def numbers(cloudwatch, **params):
    """The statistics of the only datapoint, in the order of ALL."""
    datapoint = one(cloudwatch, Statistics=ALL, **params)
    return [datapoint[name] for name in ALL]


def minutes(answer, name="Sum"):
    """(minutes after HOUR_AGO, value) of datapoints, oldest first."""
    found = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [((point["Timestamp"] - HOUR_AGO) / timedelta(minutes=1), point[name]) for point in found]


def test_values_sets_and_counts_of_one_period_add_up(cloudwatch):
    put(cloudwatch, at(0, 1), values_and_counts([2, 10], [3, 1]), a_set(2, 7, 3, 4))
    assert numbers(cloudwatch) == [7, pytest.approx(24 / 7), 24, 1, 10]


def test_values_without_counts_occurred_once_each(cloudwatch):
    put(cloudwatch, values_and_counts([5, 7, 7]))
    assert numbers(cloudwatch) == [3, pytest.approx(19 / 3), 19, 5, 7]


def test_counts_may_be_fractions(cloudwatch):
    put(cloudwatch, values_and_counts([10, 20], [0.5, 1.5]))
    assert numbers(cloudwatch) == [2, 17.5, 35, 10, 20]


def test_percentiles_weigh_values_by_their_counts(cloudwatch):
    put(cloudwatch, values_and_counts([1, 2, 3], [90, 9, 1]))
    datapoint = one(cloudwatch, Statistics=[], ExtendedStatistics=["p90", "p95", "p99", "p100"])
    assert datapoint["ExtendedStatistics"] == {"p90": 1, "p95": 2, "p99": 2, "p100": 3}


@pytest.mark.parametrize(
    ("given", "percentile"),
    [
        pytest.param((4, 20, 5, 5), 5, id="minimum and maximum are equal, and the sum is the minimum times the count"),
        pytest.param((1, 5, 5, 5), 5, id="one sample"),
        pytest.param((4, 20, 2, 9), None, id="the values differ"),
        pytest.param((1, 5, 2, 9), None, id="one sample of several values is none"),
        pytest.param((4, 21, 5, 5), None, id="the sum does not bear it out"),
    ],
)
def test_when_a_statistic_set_tells_percentiles(cloudwatch, given, percentile):
    """PutMetricData, "Publishing statistic sets"."""
    put(cloudwatch, a_set(*given))
    found = statistics(cloudwatch, Statistics=[], ExtendedStatistics=["p50"])["Datapoints"]
    assert [point["ExtendedStatistics"]["p50"] for point in found] == ([] if percentile is None else [percentile])
    assert one(cloudwatch)["Sum"] == given[1]


def test_one_set_that_hides_its_values_hides_those_of_its_period_alone(cloudwatch):
    put(cloudwatch, at(0, 4), a_set(2, 10, 4, 6), at(1, 4))
    asked = {"Statistics": [], "ExtendedStatistics": ["p50"], "Period": 60}
    assert one(cloudwatch, **asked)["Timestamp"] == HOUR_AGO + timedelta(minutes=1)
    assert statistics(cloudwatch, **asked | {"Period": 300})["Datapoints"] == []


def test_a_negative_value_leaves_percentiles_out_and_all_else_in(cloudwatch):
    put(cloudwatch, at(0, -3), at(0, 5))
    assert statistics(cloudwatch, Statistics=[], ExtendedStatistics=["p50", "tm90"])["Datapoints"] == []
    assert numbers(cloudwatch) == [2, 1, 2, -3, 5]


def test_a_sample_without_a_time_is_one_of_now(cloudwatch):
    cloudwatch.to_minute(90)
    put(cloudwatch, {"MetricName": "Orders", "Value": 1.0})
    found = statistics(cloudwatch, StartTime=NOW, EndTime=NOW + timedelta(hours=2), Period=60)
    assert [point["Timestamp"] for point in found["Datapoints"]] == [NOW + timedelta(minutes=90)]


def test_entities_do_not_keep_metrics_from_being_stored(cloudwatch):
    entity = {"Entity": {"KeyAttributes": {"Type": "Service", "Name": "shop"}}, "MetricData": [at(0, 3)]}
    cloudwatch.call("PutMetricData", Namespace="Shop", MetricData=[at(0, 1)], EntityMetricData=[entity])
    assert one(cloudwatch)["Sum"] == 4


def test_metrics_with_and_without_entities_are_a_thousand_together(cloudwatch):
    entity = {"MetricData": [at(0, 1)] * 501}
    with pytest.raises(ServiceError, match="MetricData must not have a size greater than 1000"):
        cloudwatch.call("PutMetricData", Namespace="Shop", MetricData=[at(0, 1)] * 500, EntityMetricData=[entity])
    assert statistics(cloudwatch)["Datapoints"] == []


@pytest.mark.parametrize(
    ("datum", "complaint"),
    [
        (values_and_counts([1, 2], [1, 0]), "The value 0.0 for parameter MetricData.member.1.Counts is invalid."),
        (values_and_counts([1, 2], [1, -1]), "The value -1.0 for parameter MetricData.member.1.Counts is invalid."),
        (values_and_counts([1, float("inf")]), "The value Infinity for parameter MetricData.member.1.Values is"),
        (values_and_counts(range(151)), "MetricData.member.1.Values must not have a size greater than 150."),
        (at(0, 2.0**361), "for parameter MetricData.member.1.Value is invalid."),
        (at(0, -(2.0**361)), "for parameter MetricData.member.1.Value is invalid."),
        (at(0, float("-inf")), "The value -Infinity for parameter MetricData.member.1.Value is invalid."),
        (
            at(0, 1, StorageResolution=30),
            "The value 30 for parameter MetricData.member.1.StorageResolution is invalid.",
        ),
        (a_set(0, 0, 0, 0), "The value 0.0 for parameter MetricData.member.1.StatisticValues.SampleCount is invalid."),
        (a_set(2, 10, 9, 1), "StatisticValues.Minimum must be less than or equal to"),
        (a_set(1, float("nan"), 0, 0), "The value NaN for parameter MetricData.member.1.StatisticValues.Sum"),
        (a_set(1, 1, 1, 1) | {"Value": 1.0}, "MetricData.member.1.Value and MetricData.member.1.StatisticValues"),
        (
            a_set(1, 1, 1, 1) | {"Values": [1.0]},
            "The parameters MetricData.member.1.Values and MetricData.member.1.StatisticValues are mutually exclusive",
        ),
    ],
)
def test_a_sample_that_is_refused_leaves_nothing_behind(cloudwatch, datum, complaint):
    with pytest.raises(ServiceError) as caught:
        put(cloudwatch, datum)
    assert complaint in caught.value.message
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


def test_the_start_is_in_the_range_and_the_end_is_not(cloudwatch):
    put(cloudwatch, *(at(minute, 10 + minute) for minute in range(4)))
    ends = {"StartTime": HOUR_AGO + timedelta(minutes=1), "EndTime": HOUR_AGO + timedelta(minutes=3), "Period": 60}
    assert minutes(statistics(cloudwatch, **ends)) == [(1, 11), (2, 12)]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (0, [(0, 10), (5, 35), (10, 60)]),
        (2, [(2, 20), (7, 45), (12, 39)]),
        (2.9, [(2, 20), (7, 45), (12, 39)]),
    ],
)
def test_periods_are_counted_from_the_start(cloudwatch, start, expected):
    put(cloudwatch, *(at(minute, minute) for minute in range(15)))
    asked = {"StartTime": HOUR_AGO + timedelta(minutes=start), "Period": 300}
    assert minutes(statistics(cloudwatch, **asked)) == expected


@pytest.mark.parametrize(
    ("age", "rounded"),
    [
        (timedelta(hours=1), 32),
        (timedelta(days=14), 32),
        (timedelta(days=16), 30),
        (timedelta(days=62), 30),
        (timedelta(days=64), 0),
        (timedelta(days=400), 0),
    ],
)
def test_a_start_is_rounded_down_the_more_the_older_it_is(cloudwatch, age, rounded):
    """12:32:34 comes to 12:32, 12:30 or 12:00 (GetMetricStatistics, StartTime)."""
    begin = datetime(2026, 11, 2, 12, tzinfo=NOW.tzinfo)
    cloudwatch.sandbox.clock.advance_to(begin.timestamp() + 3600)
    put(
        cloudwatch,
        *({"MetricName": "Orders", "Value": 1.0, "Timestamp": begin + timedelta(minutes=m)} for m in range(60)),
    )
    cloudwatch.sandbox.clock.advance_to((begin + timedelta(minutes=32, seconds=34) + age).timestamp())
    asked = {"StartTime": begin + timedelta(minutes=32, seconds=34), "EndTime": begin + timedelta(hours=1)}
    (datapoint,) = statistics(cloudwatch, **asked, Period=3600)["Datapoints"]
    assert datapoint["Timestamp"] == begin + timedelta(minutes=rounded)
    assert datapoint["Sum"] == 60 - rounded


@pytest.mark.parametrize(
    ("period", "start", "begins"), [(5, 17, 15), (10, 23, 20), (20, 39, 20), (30, 59, 30), (1, 17, 17)]
)
def test_a_start_is_rounded_down_to_the_seconds_of_a_short_period(cloudwatch, period, start, begins):
    """A query at 15:07:17 with a period of 5 seconds gets data from :15 on (GetMetricStatistics, StartTime)."""
    samples = ({"MetricName": "Orders", "Value": 1.0, "Timestamp": HOUR_AGO + timedelta(seconds=s)} for s in range(90))
    put(cloudwatch, *(sample | {"StorageResolution": 1} for sample in samples))
    asked = {"StartTime": HOUR_AGO + timedelta(seconds=start), "EndTime": HOUR_AGO + timedelta(seconds=90)}
    found = minutes(statistics(cloudwatch, **asked, Period=period))
    assert found[0] == (pytest.approx(begins / 60), period)


def test_samples_of_standard_resolution_have_the_time_of_their_minute(cloudwatch):
    put(cloudwatch, at(0.5, 2), at(0.9, 3))
    assert minutes(statistics(cloudwatch, Period=1, EndTime=HOUR_AGO + timedelta(minutes=2))) == [(0, 5)]


@pytest.mark.parametrize(
    ("days", "period", "expected"),
    [
        (14, 60, [(0, 1), (1, 2), (7, 4)]),
        (16, 300, [(0, 3), (5, 4)]),
        (64, 3600, [(0, 7)]),
        (454, 3600, [(0, 7)]),
    ],
)
def test_older_data_are_kept_whole_in_coarser_datapoints(cloudwatch, days, period, expected):
    put(cloudwatch, at(0, 1), at(1, 2), at(7, 4))
    cloudwatch.sandbox.clock.advance(days * 86400)
    asked = {"Period": period, "Statistics": ALL}
    found = statistics(cloudwatch, **asked)
    assert minutes(found) == expected
    assert max(point["Maximum"] for point in found["Datapoints"]) == 4


def test_metrics_are_listed_in_order_with_each_combination_of_dimensions(cloudwatch):
    ireland, cork = {"Name": "Country", "Value": "IE"}, {"Name": "Town", "Value": "Cork"}
    put(cloudwatch, at(0, 1, Dimensions=[cork, ireland]), at(0, 1, Dimensions=[ireland]), at(0, 1, MetricName="Alpha"))
    found = [(metric["MetricName"], metric["Dimensions"]) for metric in cloudwatch.call("ListMetrics")["Metrics"]]
    assert found == [("Alpha", []), ("Orders", [ireland]), ("Orders", [ireland, cork])]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"Dimensions": [{"Name": "Country"}]}, 2),
        ({"Dimensions": [{"Name": "Country", "Value": "IE"}]}, 2),
        ({"Dimensions": [{"Name": "Country", "Value": "IE"}, {"Name": "Town"}]}, 1),
        ({"Dimensions": [{"Name": "Country", "Value": "DE"}]}, 0),
        ({"Dimensions": [{"Name": "country"}]}, 0),
        ({"Namespace": "Shop"}, 3),
        ({"Namespace": "Sho"}, 0),
        ({"MetricName": "Orders", "Namespace": "Other"}, 0),
        ({"MetricName": "orders"}, 0),
    ],
)
def test_filters_of_lists_match_exactly_and_dimensions_in_part(cloudwatch, asked, count):
    """A metric with the dimension and others is listed too (ListMetrics, Dimensions)."""
    ireland, cork = {"Name": "Country", "Value": "IE"}, {"Name": "Town", "Value": "Cork"}
    put(cloudwatch, at(0, 1), at(0, 1, Dimensions=[ireland]), at(0, 1, Dimensions=[cork, ireland]))
    assert len(cloudwatch.call("ListMetrics", **asked)["Metrics"]) == count


def test_recently_active_metrics_have_a_sample_of_the_past_three_hours(cloudwatch):
    put(cloudwatch, at(0, 1), at(59, 1, MetricName="Returns"))
    cloudwatch.to_minute(150)
    found = cloudwatch.call("ListMetrics", RecentlyActive="PT3H")["Metrics"]
    assert [metric["MetricName"] for metric in found] == ["Returns"]


def test_what_is_not_listed_any_more_can_still_be_got(cloudwatch):
    put(cloudwatch, at(0, 1))
    cloudwatch.sandbox.clock.advance(20 * 86400)
    assert cloudwatch.call("ListMetrics")["Metrics"] == []
    assert one(cloudwatch)["Sum"] == 1


def test_a_unit_is_none_where_none_was_given(cloudwatch):
    put(cloudwatch, at(0, 1), at(0, 2, Unit="Count"))
    assert [point["Sum"] for point in statistics(cloudwatch, Unit="None")["Datapoints"]] == [1]
    assert statistics(cloudwatch, Unit="Bytes")["Datapoints"] == []
