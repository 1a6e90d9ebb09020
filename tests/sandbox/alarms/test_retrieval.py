from datetime import timedelta

import pytest

from labkit.sandbox.service import ServiceError
from tests.sandbox.alarms.test_metric_operations import HOUR_AGO, NOW, at, put


def query(name="m1", *, stat="Sum", period=60, metric="Orders", unit=None, **members):
    described = {"Metric": {"Namespace": "Shop", "MetricName": metric}, "Period": period, "Stat": stat}
    return {"Id": name, "MetricStat": described | ({"Unit": unit} if unit else {})} | members


def math(name, expression, **members):
    return {"Id": name, "Expression": expression} | members


def get(cloudwatch, *queries, **params):
    asked = {"StartTime": HOUR_AGO, "EndTime": NOW, "MetricDataQueries": list(queries)} | params
    return cloudwatch.call("GetMetricData", **asked)


def values(answer):
    return [result["Values"] for result in answer["MetricDataResults"]]


def labels(answer):
    return [result["Label"] for result in answer["MetricDataResults"]]


def test_datapoints_come_newest_first(cloudwatch):
    put(cloudwatch, at(0, 1), at(1, 2), at(1, 3))
    (result,) = get(cloudwatch, query())["MetricDataResults"]
    assert result == {
        "Id": "m1",
        "Label": "Orders",
        "Timestamps": [HOUR_AGO + timedelta(minutes=1), HOUR_AGO],
        "Values": [5.0, 1.0],
        "StatusCode": "Complete",
    }
    assert values(get(cloudwatch, query(), ScanBy="TimestampAscending")) == [[1.0, 5.0]]


def test_a_metric_that_does_not_exist_has_no_values(cloudwatch):
    answer = get(cloudwatch, query())
    assert values(answer) == [[]]
    assert answer["Messages"] == []


def test_math_on_metrics_that_are_not_returned(cloudwatch):
    put(cloudwatch, at(0, 10), at(0, 4, MetricName="Returns"))
    answer = get(
        cloudwatch,
        math("share", "100 * r / o", Label="Returned"),
        query("o", ReturnData=False),
        query("r", metric="Returns", ReturnData=False),
    )
    assert [(result["Id"], result["Label"], result["Values"]) for result in answer["MetricDataResults"]] == [
        ("share", "Returned", [40.0])
    ]


def test_an_array_of_series_is_several_results(cloudwatch):
    put(cloudwatch, at(0, 10), at(0, 4, MetricName="Returns"))
    answer = get(cloudwatch, query("o"), query("r", metric="Returns"), math("doubled", "METRICS() * 2"))
    assert values(answer) == [[10.0], [4.0], [20.0], [8.0]]
    assert [result["Id"] for result in answer["MetricDataResults"]] == ["o", "r", "doubled", "doubled"]


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ((("Sum", 60), ("Minimum", 30)), ["Orders Sum 60", "Orders Minimum 30"]),
        ((("Sum", 60), ("Minimum", 60)), ["Orders Sum", "Orders Minimum"]),
        ((("Sum", 60), ("Sum", 30)), ["Orders 60", "Orders 30"]),
        ((("Sum", 60), ("Sum", 60)), ["Orders", "Orders"]),
    ],
)
def test_labels_tell_queries_of_one_metric_apart(cloudwatch, pair, expected):
    queries = [query(f"q{index}", stat=stat, period=period) for index, (stat, period) in enumerate(pair)]
    assert labels(get(cloudwatch, *queries)) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("max ${MAX}, min ${MIN}", "max 5.0, min 1.0"),
        ("${SUM} of ${DATAPOINT_COUNT}, ${AVG}", "6.0 of 2, 3.0"),
        ("${FIRST} to ${LAST}", "1.0 to 5.0"),
        ("${PROP('MetricName')} of ${PROP('Namespace')}: ${PROP('Stat')}", "Orders of Shop: Sum"),
    ],
)
def test_dynamic_labels(cloudwatch, label, expected):
    put(cloudwatch, at(0, 1), at(1, 5))
    assert labels(get(cloudwatch, query(Label=label))) == [expected]


def test_several_units_are_told_and_the_first_is_read(cloudwatch):
    put(cloudwatch, at(0, 7, Unit="Seconds"), at(0, 60000, Unit="Milliseconds"))
    (result,) = get(cloudwatch, query())["MetricDataResults"]
    assert result["Values"] == [60000.0]
    assert result["Messages"] == [
        {"Code": "MultipleUnits", "Value": "Multiple units returned: '[Milliseconds, Seconds]'"}
    ]
    assert values(get(cloudwatch, query(unit="Seconds"))) == [[7.0]]


def test_datapoints_come_in_pages(cloudwatch):
    put(cloudwatch, *(at(minute, minute) for minute in range(10)))
    first = get(cloudwatch, query(), MaxDatapoints=6)
    assert values(first) == [[9, 8, 7, 6, 5, 4]]
    assert first["MetricDataResults"][0]["StatusCode"] == "PartialData"
    rest = get(cloudwatch, query(), MaxDatapoints=6, NextToken=first["NextToken"])
    assert values(rest) == [[3, 2, 1, 0]]
    assert "NextToken" not in rest


@pytest.mark.parametrize(
    ("queries", "params", "message"),
    [
        ([query()], {"StartTime": NOW + timedelta(1)}, "The parameter EndTime must be greater than StartTime."),
        ([query()], {"StartTime": NOW}, "The parameter StartTime must not equal parameter EndTime."),
        ([query(), query()], {}, "The values for parameter id in MetricDataQueries are not unique."),
        ([{"Id": "m1"}], {}, "The parameter MetricDataQueries.member.1.MetricStat is required.\n"),
        ([query("M1")], {}, "The value M1 for parameter MetricDataQueries.member.1.Id is not matching"),
        (
            [query(stat="Most")],
            {},
            "The value Most for parameter MetricDataQueries.member.1.MetricStat.Stat is not supp",
        ),
        ([query(period=45)], {}, "MetricDataQueries.member.1.MetricStat.Period must be"),
        ([math("e1", "m9 + 1")], {}, "Error in expression 'e1': Undefined variable m9"),
        ([math("e1", "1 +")], {}, "Error in expression 'e1': Syntax error at column"),
        ([math("e1", "e2 + 1"), math("e2", "e1 + 1")], {}, "Circular reference: e1 -> e2 -> e1"),
        ([query(), math("e1", "SUM(m1)")], {}, "Expected a time series"),
        ([math("e1", "SEARCH('{Shop}', 'Sum')")], {}, "SEARCH is not available in the sandbox (see docs/sandbox.md)"),
    ],
)
def test_queries_that_are_refused(cloudwatch, queries, params, message):
    with pytest.raises(ServiceError) as caught:
        get(cloudwatch, *queries, **params)
    assert caught.value.code == "ValidationError"
    assert message in caught.value.message


def test_labels_tell_metrics_apart_by_the_dimensions_in_which_they_differ(cloudwatch):
    queries = []
    for number, shop in enumerate(("Cork", "Galway")):
        dimensions = [{"Name": "Country", "Value": "IE"}, {"Name": "Shop", "Value": shop}]
        metric = {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": dimensions}
        queries.append({"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}})
    assert labels(get(cloudwatch, *queries)) == ["Cork Orders", "Galway Orders"]


def test_the_default_label_is_a_part_of_a_dynamic_one(cloudwatch):
    assert labels(get(cloudwatch, query(Label="all ${LABEL}, ${MAX_TIME}"))) == ["all Orders, --"]
