from datetime import UTC, datetime, timedelta

import pytest

from labkit.sandbox.kernel.errors import ServiceError

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR_AGO = NOW - timedelta(hours=1)


def put(cloudwatch, *data, namespace="Shop"):
    cloudwatch.call("PutMetricData", Namespace=namespace, MetricData=list(data))


def at(minute, value, **members):
    return {"MetricName": "Orders", "Timestamp": HOUR_AGO + timedelta(minutes=minute), "Value": float(value)} | members


def statistics(cloudwatch, **params):
    asked = {
        "Namespace": "Shop",
        "MetricName": "Orders",
        "StartTime": HOUR_AGO,
        "EndTime": NOW,
        "Period": 3600,
        "Statistics": ["Sum"],
    }
    return cloudwatch.call("GetMetricStatistics", **asked | params)


def test_values_become_statistics(cloudwatch):
    put(cloudwatch, *(at(minute, minute) for minute in range(10)))
    (datapoint,) = statistics(cloudwatch, Statistics=["Average", "Maximum", "Minimum", "SampleCount", "Sum"])[
        "Datapoints"
    ]
    assert datapoint == {
        "Timestamp": HOUR_AGO,
        "Unit": "None",
        "Average": 4.5,
        "Maximum": 9.0,
        "Minimum": 0.0,
        "SampleCount": 10.0,
        "Sum": 45.0,
    }


def test_values_with_counts(cloudwatch):
    members = {"Values": [1.0, 10.0], "Counts": [2.0, 4.0], "Unit": "Count"}
    put(cloudwatch, {"MetricName": "Orders", "Timestamp": HOUR_AGO, **members})
    answer = statistics(cloudwatch, Statistics=["Sum", "SampleCount", "Maximum"])
    assert answer["Label"] == "Orders"
    assert answer["Datapoints"] == [
        {"Timestamp": HOUR_AGO, "Unit": "Count", "Sum": 42.0, "SampleCount": 6.0, "Maximum": 10.0}
    ]


def test_a_statistic_set(cloudwatch):
    values = {"SampleCount": 4.0, "Sum": 20.0, "Minimum": 2.0, "Maximum": 9.0}
    put(cloudwatch, {"MetricName": "Orders", "Timestamp": HOUR_AGO, "StatisticValues": values})
    answer = statistics(cloudwatch, Statistics=["Average", "Maximum"])
    assert answer["Datapoints"] == [{"Timestamp": HOUR_AGO, "Unit": "None", "Average": 5.0, "Maximum": 9.0}]
    assert statistics(cloudwatch, Statistics=[], ExtendedStatistics=["p50"])["Datapoints"] == []


def test_percentiles(cloudwatch):
    put(cloudwatch, *(at(0, value) for value in range(1, 101)))
    (datapoint,) = statistics(cloudwatch, Statistics=[], ExtendedStatistics=["p90", "tm50"])["Datapoints"]
    assert datapoint["ExtendedStatistics"] == {"p90": 90.0, "tm50": 25.5}


def test_units_are_separate_datapoints(cloudwatch):
    put(cloudwatch, at(0, 1, Unit="Seconds"), at(0, 5, Unit="Count"), at(0, 10))
    found = {point["Unit"]: point["Sum"] for point in statistics(cloudwatch)["Datapoints"]}
    assert found == {"Seconds": 1.0, "Count": 5.0, "None": 10.0}
    assert [point["Sum"] for point in statistics(cloudwatch, Unit="Count")["Datapoints"]] == [5.0]


def test_a_metric_without_dimensions_is_another_one(cloudwatch):
    shop = [{"Name": "Shop", "Value": "Bonn"}]
    put(cloudwatch, at(0, 1), at(0, 5, Dimensions=shop))
    assert statistics(cloudwatch)["Datapoints"][0]["Sum"] == 1.0
    assert statistics(cloudwatch, Dimensions=shop)["Datapoints"][0]["Sum"] == 5.0


def test_periods_without_samples_have_no_datapoint(cloudwatch):
    put(cloudwatch, at(1, 1), at(7, 2), at(7, 3))
    found = statistics(cloudwatch, Period=300)["Datapoints"]
    assert [(point["Timestamp"], point["Sum"]) for point in found] == [
        (HOUR_AGO, 1.0),
        (HOUR_AGO + timedelta(minutes=5), 5.0),
    ]


def test_a_start_within_a_minute_is_rounded_down(cloudwatch):
    put(cloudwatch, at(1, 4))
    start = HOUR_AGO + timedelta(seconds=30)
    assert statistics(cloudwatch, StartTime=start, Period=60)["Datapoints"][0]["Timestamp"] == at(1, 4)["Timestamp"]


def test_a_region_has_its_own_metrics(cloudwatch):
    cloudwatch.call("PutMetricData", region="us-east-1", Namespace="Shop", MetricData=[at(0, 1)])
    assert statistics(cloudwatch)["Datapoints"] == []
    assert statistics(cloudwatch, region="us-east-1")["Datapoints"] != []


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"Statistics": []}, "InvalidParameterCombination", "At least one of the parameters Statistics"),
        (
            {"StartTime": NOW},
            "InvalidParameterValue",
            "The parameter StartTime must be less than the parameter EndTime.",
        ),
        (
            {"ExtendedStatistics": ["p90"]},
            "InvalidParameterCombination",
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        ),
        (
            {"Statistics": [], "ExtendedStatistics": ["p101"]},
            "InvalidParameterValue",
            "The value p101 for parameter ExtendedStatistics",
        ),
        (
            {"StartTime": NOW - timedelta(days=5), "Period": 60},
            "InvalidParameterCombination",
            "You have requested up to 7,200 datapoints, which exceeds the limit of 1,440. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        ),
        ({"Period": 90}, "InvalidParameterValue", "multiple of 60"),
    ],
)
def test_statistics_that_are_refused(cloudwatch, params, code, message):
    with pytest.raises(ServiceError) as caught:
        statistics(cloudwatch, **params)
    assert caught.value.code == code
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        (
            at(0, 1, Values=[1.0]),
            "InvalidParameterCombination",
            "MetricData.member.1.Value and MetricData.member.1.Values",
        ),
        ({"MetricName": "m"}, "MissingParameter", "At least one of the parameters MetricData.member.1.Value"),
        (
            {"MetricName": "m", "Values": [1.0, 2.0], "Counts": [1.0]},
            "InvalidParameterValue",
            "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size.",
        ),
        (
            at(0, float("nan")),
            "InvalidParameterValue",
            "The value NaN for parameter MetricData.member.1.Value is invalid.",
        ),
        (at(-60 * 24 * 15, 1), "InvalidParameterValue", "no more than two weeks in the past"),
        (at(60 * 4, 1), "InvalidParameterValue", "no more than two hours in the future"),
    ],
)
def test_samples_that_are_refused(cloudwatch, datum, code, message):
    with pytest.raises(ServiceError) as caught:
        put(cloudwatch, datum)
    assert caught.value.code == code
    assert message in caught.value.message
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


def test_one_bad_sample_refuses_all(cloudwatch):
    with pytest.raises(ServiceError, match=r"member\.2"):
        put(cloudwatch, at(0, 1), {"MetricName": "m"})
    assert statistics(cloudwatch)["Datapoints"] == []


def test_namespaces_of_aws_are_not_for_users(cloudwatch):
    with pytest.raises(ServiceError, match="The value AWS/EC2 for parameter Namespace is invalid"):
        put(cloudwatch, at(0, 1), namespace="AWS/EC2")


def test_metrics_are_listed_by_what_is_asked(cloudwatch):
    bonn, ulm = ([{"Name": "Shop", "Value": town}] for town in ("Bonn", "Ulm"))
    put(cloudwatch, at(0, 1), at(0, 1, Dimensions=bonn), at(0, 1, Dimensions=ulm), at(0, 1, MetricName="Returns"))
    put(cloudwatch, at(0, 1), namespace="Other")
    everything = cloudwatch.call("ListMetrics")["Metrics"]
    assert len(everything) == 5
    assert everything[0] == {"Namespace": "Other", "MetricName": "Orders", "Dimensions": []}
    names = cloudwatch.call("ListMetrics", Namespace="Shop", MetricName="Returns")["Metrics"]
    assert [metric["MetricName"] for metric in names] == ["Returns"]
    assert len(cloudwatch.call("ListMetrics", Dimensions=[{"Name": "Shop"}])["Metrics"]) == 2
    assert cloudwatch.call("ListMetrics", Dimensions=ulm)["Metrics"][0]["Dimensions"] == ulm


def test_metrics_without_samples_for_two_weeks_are_not_listed(cloudwatch):
    put(cloudwatch, at(0, 1))
    cloudwatch.sandbox.clock.advance(13 * 86400)
    assert len(cloudwatch.call("ListMetrics")["Metrics"]) == 1
    cloudwatch.sandbox.clock.advance(86400)
    assert cloudwatch.call("ListMetrics")["Metrics"] == []


def test_many_metrics_come_in_pages(cloudwatch):
    for first in range(0, 600, 100):
        put(cloudwatch, *(at(0, 1, MetricName=f"m{number:03}") for number in range(first, first + 100)))
    page = cloudwatch.call("ListMetrics")
    assert len(page["Metrics"]) == 500
    rest = cloudwatch.call("ListMetrics", NextToken=page["NextToken"])
    assert [metric["MetricName"] for metric in rest["Metrics"]] == [f"m{number}" for number in range(500, 600)]
    assert "NextToken" not in rest


def test_a_token_that_is_none(cloudwatch):
    with pytest.raises(ServiceError, match="InvalidNextToken"):
        cloudwatch.call("ListMetrics", NextToken="nonsense")


@pytest.mark.parametrize(
    ("age", "period", "expected"),
    [
        (timedelta(hours=4), 10, 0),
        (timedelta(hours=4), 60, 1),
        (timedelta(days=16), 60, 0),
        (timedelta(days=16), 300, 1),
        (timedelta(days=64), 300, 0),
        (timedelta(days=64), 3600, 1),
        (timedelta(days=456), 3600, 0),
    ],
)
def test_old_datapoints_are_there_at_the_resolution_of_their_age(cloudwatch, age, period, expected):
    put(cloudwatch, {"MetricName": "Orders", "Timestamp": NOW, "Value": 1.0})
    cloudwatch.sandbox.clock.advance(age.total_seconds())
    found = statistics(cloudwatch, StartTime=NOW, EndTime=NOW + timedelta(hours=1), Period=period)["Datapoints"]
    assert len(found) == expected


def test_a_thousand_metrics_at_once_and_no_more(cloudwatch):
    put(cloudwatch, *[at(0, 1)] * 1000)
    with pytest.raises(ServiceError, match="The collection MetricData must not have a size greater than 1000"):
        put(cloudwatch, *[at(0, 1)] * 1001)
    assert statistics(cloudwatch)["Datapoints"][0]["Sum"] == 1000
