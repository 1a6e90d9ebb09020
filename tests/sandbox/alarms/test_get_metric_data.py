"""GetMetricData as its API reference describes it: what comes back, in which order, in how many pages."""

from datetime import timedelta

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.alarms.test_metric_operations import HOUR_AGO, NOW, at, put
from tests.sandbox.alarms.test_retrieval import get, labels, math, query, values


@pytest.fixture
def shop(cloudwatch):
    """Orders 0, 1, 2 ... and returns 10, 20, 30 ... in the first six minutes; no returns in the fourth."""
    put(cloudwatch, *(at(minute, minute) for minute in range(6)))
    put(cloudwatch, *(at(m, 10 * (m + 1), MetricName="Returns") for m in range(6) if m != 3))
    return cloudwatch


ORDERS, RETURNS = query("orders"), query("returns", metric="Returns")
ASCENDING = {"ScanBy": "TimestampAscending"}


def minutes(result):
    return [(moment - HOUR_AGO) / timedelta(minutes=1) for moment in result["Timestamps"]]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [5, 4, 3, 2, 1, 0]),
        ({"ScanBy": "TimestampDescending"}, [5, 4, 3, 2, 1, 0]),
        (ASCENDING, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_timestamps_and_values_go_together_newest_first_unless_asked_otherwise(shop, params, expected):
    (result,) = get(shop, ORDERS, **params)["MetricDataResults"]
    assert minutes(result) == result["Values"] == expected


def test_results_are_in_the_order_of_the_queries(shop):
    asked = [math("later", "orders * 2"), RETURNS, ORDERS, math("first", "returns + 0")]
    results = get(shop, *asked)["MetricDataResults"]
    assert [result["Id"] for result in results] == ["later", "returns", "orders", "first"]


def test_the_start_is_included_and_the_end_is_not(shop):
    part = {"StartTime": HOUR_AGO + timedelta(minutes=1), "EndTime": HOUR_AGO + timedelta(minutes=4)}
    assert values(get(shop, ORDERS, **part, **ASCENDING)) == [[1, 2, 3]]


def test_a_longer_period_gathers_the_samples_of_its_minutes(shop):
    for stat, expected in {"Sum": [3, 12], "Average": [1, 4], "Maximum": [2, 5], "SampleCount": [3, 3]}.items():
        assert values(get(shop, query(period=180, stat=stat), **ASCENDING)) == [expected]


def test_what_is_not_to_be_returned_is_not(shop):
    assert get(shop, ORDERS | {"ReturnData": False}, RETURNS | {"ReturnData": False})["MetricDataResults"] == []


def test_an_expression_may_come_before_what_it_refers_to(shop):
    found = get(shop, math("e2", "e1 * 10", ReturnData=True), math("e1", "orders + 1", ReturnData=False), ORDERS)
    assert values(found)[0] == [60, 50, 40, 30, 20, 10]


def test_the_sum_of_two_metrics_has_the_minutes_of_both(shop):
    assert values(get(shop, math("both", "orders + returns"), ORDERS, RETURNS, **ASCENDING))[0] == [
        10,
        21,
        32,
        3,
        54,
        65,
    ]


def test_a_share_leaves_out_the_minutes_that_would_be_divided_by_nothing(shop):
    (share, *_) = get(shop, math("share", "returns / orders"), ORDERS, RETURNS, **ASCENDING)["MetricDataResults"]
    assert list(zip(minutes(share), share["Values"], strict=True)) == [(1, 20), (2, 15), (3, 0), (4, 12.5), (5, 12)]


def test_differences_have_the_time_of_the_later_value(shop):
    (result, _) = get(shop, math("steps", "DIFF(returns)"), RETURNS, **ASCENDING)["MetricDataResults"]
    assert list(zip(minutes(result), result["Values"], strict=True)) == [(1, 10), (2, 10), (4, 20), (5, 10)]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("5", "Expected a time series"),
        ("SUM(orders)", "Expected a time series"),
        ("PERIOD(orders)", "Expected a time series"),
        ("'text'", "Expected a time series"),
        ("e1 + 1", "Circular reference: e1 -> e1"),
        ("other + 1", "Undefined variable other"),
        ("orders +", "Syntax error at column"),
        ("SUM(orders", "Syntax error at column"),
    ],
)
def test_an_expression_has_to_come_to_time_series(shop, expression, complaint):
    with pytest.raises(ServiceError) as caught:
        get(shop, math("e1", expression), ORDERS)
    assert caught.value.code == "ValidationError"
    assert caught.value.message.startswith("Error in expression 'e1': ")
    assert complaint in caught.value.message


def test_expressions_that_refer_to_each_other_are_refused(shop):
    with pytest.raises(ServiceError, match="Circular reference: a -> b -> a"):
        get(shop, math("a", "b + 1"), math("b", "a + 1"))


def test_a_label_is_given_or_made(shop):
    asked = [ORDERS, query("named", Label="My orders"), math("e1", "orders * 2"), math("e2", "orders", Label="Same")]
    assert labels(get(shop, *asked)) == ["Orders", "My orders", "e1", "Same"]


def test_the_order_of_dimensions_does_not_matter(cloudwatch):
    town, street = {"Name": "Town", "Value": "Cork"}, {"Name": "Street", "Value": "Main"}
    put(cloudwatch, at(0, 7, Dimensions=[town, street]))
    for dimensions, expected in (([street, town], [7]), ([town], []), ([], [])):
        metric = {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": dimensions}
        asked = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        assert values(get(cloudwatch, asked)) == [expected]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 11, 100])
def test_pages_have_every_datapoint_once_and_in_order(shop, most, newest_first):
    params = {"MaxDatapoints": most} | ({} if newest_first else ASCENDING)
    found, token = {"orders": [], "returns": []}, {}
    while True:
        page = get(shop, ORDERS, RETURNS, **params, **token)
        assert sum(map(len, values(page))) <= most
        for result in page["MetricDataResults"]:
            found[result["Id"]] += minutes(result)
            assert result["StatusCode"] in ("Complete", "PartialData")
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == {
        "orders": sorted(range(6), reverse=newest_first),
        "returns": sorted({0, 1, 2, 4, 5}, reverse=newest_first),
    }


def test_the_last_page_is_complete(shop):
    first = get(shop, ORDERS, MaxDatapoints=4)
    last = get(shop, ORDERS, MaxDatapoints=4, NextToken=first["NextToken"])
    statuses = [page["MetricDataResults"][0]["StatusCode"] for page in (first, last)]
    assert statuses == ["PartialData", "Complete"]


def test_a_page_past_the_end_is_empty(shop):
    token = get(shop, ORDERS, MaxDatapoints=4)["NextToken"]
    for asked in ([RETURNS | {"ReturnData": False}], [query("none", metric="None")]):
        assert sum(map(len, values(get(shop, *asked, NextToken=token)))) == 0


@pytest.mark.parametrize("most", [0, -1])
def test_a_page_has_one_datapoint_at_least(shop, most):
    assert values(get(shop, ORDERS, MaxDatapoints=most)) == [[5]]


def test_a_token_that_is_none_is_refused(shop):
    with pytest.raises(ServiceError) as caught:
        get(shop, ORDERS, NextToken="nonsense")
    assert caught.value.code == "InvalidNextToken"


def test_up_to_500_queries(shop):
    assert len(values(get(shop, *(query(f"m{number}") for number in range(500))))) == 500
    with pytest.raises(ServiceError, match="MetricDataQueries must not have a size greater than 500"):
        get(shop, *(query(f"m{number}") for number in range(501)))


@pytest.mark.parametrize("period", [1, 5, 10, 20, 30, 60, 300])
def test_seconds_are_there_for_three_hours(cloudwatch, period):
    put(cloudwatch, {"MetricName": "Orders", "Value": 1.0, "Timestamp": NOW, "StorageResolution": 1})
    for hours, there in ((2.9, True), (3.1, period % 60 == 0)):
        cloudwatch.to_minute(60 * hours)
        found = get(cloudwatch, query(period=period), StartTime=NOW, EndTime=NOW + timedelta(minutes=10))
        assert values(found) == ([[1]] if there else [[]])


@pytest.mark.parametrize("unit", [None, "Count", "Bytes"])
def test_a_unit_that_does_not_match_has_no_values_and_none_is_converted(cloudwatch, unit):
    put(cloudwatch, at(0, 1024, Unit="Bytes"))
    assert values(get(cloudwatch, query(unit=unit))) == [[] if unit == "Count" else [1024]]
    assert values(get(cloudwatch, query(unit="Kilobytes"))) == [[]]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("SORT(METRICS(), SUM, ASC)", ["Orders", "Returns"]),
        ("SORT(METRICS(), MAX, DESC)", ["Returns", "Orders"]),
        ("SORT(METRICS(), AVG, DESC, 1)", ["Returns"]),
        ("SLICE(SORT(METRICS(), SUM, DESC), 1)", ["Orders"]),
        ("SLICE(SORT(METRICS(), SUM, DESC), 5)", []),
    ],
)
def test_sorted_metrics_come_in_their_order(shop, sort, expected):
    hidden = [
        asked | {"ReturnData": False, "Label": name} for asked, name in ((ORDERS, "Orders"), (RETURNS, "Returns"))
    ]
    assert labels(get(shop, math("e1", sort, Label=""), *hidden)) == expected
