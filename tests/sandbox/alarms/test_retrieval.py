from datetime import timedelta

import pytest

from labkit.sandbox.kernel.errors import ServiceError
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
        ([math("e1", "SEARCH('', 'Sum')")], {}, "Error in expression 'e1': SEARCH needs a metric schema"),
        ([math("e1", "SEARCH('{Shop', 'Sum')")], {}, "Syntax error in the query of SEARCH: it ends too early"),
        ([math("e1", "SEARCH('{Shop}', 'Most')")], {}, "SEARCH knows no statistic Most"),
        ([math("e1", "SEARCH('{Shop}', 'Sum', 0)")], {}, "or a multiple of 60, not 0"),
        ([math("e1", "SEARCH('{Shop}', 'Sum', 60)", Period=45)], {}, "or a multiple of 60, not 45"),
        ([math("e1", "SEARCH(m1, 'Sum')"), query()], {}, "SEARCH takes a query and a statistic in single quotes"),
        ([math("e1", "SEARCH('{Shop}')")], {}, "SEARCH takes 2 to 3 arguments, not 1"),
        ([query()], {"LabelOptions": {"Timezone": "CET"}}, "The value CET for parameter LabelOptions.Timezone is inva"),
        ([query()], {"LabelOptions": {"Timezone": "+2500"}}, "The value +2500 for parameter LabelOptions.Timezone"),
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


def put_by_shop(cloudwatch, metric="Orders", **shops):
    """A datapoint of each minute for each shop."""
    for shop, numbers in shops.items():
        dimensions = [{"Name": "Shop", "Value": shop}]
        put(cloudwatch, *(at(m, n, MetricName=metric, Dimensions=dimensions) for m, n in enumerate(numbers)))


SHOPS = "SEARCH('{Shop,Shop} MetricName=\"Orders\"', 'Sum', 60)"


def test_a_search_has_a_result_for_each_metric_that_it_finds(cloudwatch):
    put_by_shop(cloudwatch, Galway=[1, 2], Cork=[5])
    put(cloudwatch, at(0, 100))
    results = get(cloudwatch, math("found", SHOPS))["MetricDataResults"]
    assert [(result["Id"], result["Label"], result["Values"]) for result in results] == [
        ("found", "Cork", [5.0]),
        ("found", "Galway", [2.0, 1.0]),
    ]


def test_labels_of_a_search_tell_its_metrics_apart(cloudwatch):
    put_by_shop(cloudwatch, Galway=[1])
    assert labels(get(cloudwatch, math("found", SHOPS))) == ["Orders"]
    put_by_shop(cloudwatch, "Returns", Galway=[1], Cork=[1])
    everything = math("found", "SEARCH('{Shop,Shop}', 'Sum')")
    assert labels(get(cloudwatch, everything)) == ["Galway Orders", "Cork Returns", "Galway Returns"]


def test_the_label_of_an_expression_comes_before_that_of_each_metric(cloudwatch):
    put_by_shop(cloudwatch, Galway=[1, 3], Cork=[5])
    assert labels(get(cloudwatch, math("found", SHOPS, Label="Shop"))) == ["Shop Cork", "Shop Galway"]
    assert labels(get(cloudwatch, math("found", SHOPS, Label=""))) == ["Cork", "Galway"]
    dynamic = "[max: ${MAX} Orders for Shop ${LABEL}]"
    assert labels(get(cloudwatch, math("found", SHOPS, Label=dynamic))) == [
        "[max: 5.0 Orders for Shop Cork]",
        "[max: 3.0 Orders for Shop Galway]",
    ]
    of_each = "${PROP('Dim.Shop')} ${PROP('Stat')} ${PROP('Dim.shop')}"
    assert labels(get(cloudwatch, math("found", f"FILL({SHOPS}, 0)", Label=of_each))) == [
        "Cork Sum --",
        "Galway Sum --",
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUM(s)", [[12.0, 6.0]]),
        ("AVG(s)", [[4.0, 2.0]]),
        ("MAX(s)", [[9.0, 5.0]]),
        ("MIN(s)", [[1.0, 1.0]]),
        ("METRIC_COUNT(s) * TIME_SERIES(1)", [[3.0] * 60]),
        ("SLICE(SORT(s, MAX, DESC), 0, 2)", [[9.0, 1.0], [1.0, 5.0]]),
        ("SORT(s, SUM, ASC, 1)", [[2.0]]),
        ("FIRST(SORT(s, AVG, DESC))", [[9.0, 1.0]]),
        ("LAST(s)", [[2.0]]),
        ("s * 10", [[10.0, 50.0], [90.0, 10.0], [20.0]]),
        ("s / SUM(s)", [[1 / 12, 5 / 6], [0.75, 1 / 6], [2 / 12, 0.0]]),
        ("SUM(METRICS('m'))", [[100.0]]),
        ("SUM([m1, FIRST(s)])", [[1.0, 105.0]]),
    ],
)
def test_math_on_what_a_search_finds(cloudwatch, expression, expected):
    put_by_shop(cloudwatch, Cork=[5, 1], Galway=[1, 9])
    put(cloudwatch, at(1, 2, Dimensions=[{"Name": "Shop", "Value": "Sligo"}]), at(0, 100))
    answer = get(cloudwatch, math("e1", expression), math("s", SHOPS, ReturnData=False), query(ReturnData=False))
    assert [pytest.approx(numbers) for numbers in values(answer)] == expected


def test_a_search_inside_of_a_function(cloudwatch):
    put_by_shop(cloudwatch, Cork=[5, 1], Galway=[1, 9])
    assert values(get(cloudwatch, math("e1", f"SUM({SHOPS})"))) == [[10.0, 6.0]]
    assert values(get(cloudwatch, math("e1", "SUM(SEARCH('{Shop,Town}', 'Sum'))"))) == [[]]


def test_gaps_of_a_search_are_filled_in_the_period_of_the_search(cloudwatch):
    put_by_shop(cloudwatch, Cork=[5, 1, 7])
    put(cloudwatch, at(6, 2, Dimensions=[{"Name": "Shop", "Value": "Cork"}]))
    start = {"EndTime": HOUR_AGO + timedelta(minutes=8)}
    assert values(get(cloudwatch, math("e1", f"FILL({SHOPS}, 0)"), **start)) == [[0, 2, 0, 0, 0, 7, 1, 5]]
    assert values(get(cloudwatch, math("e1", f"FILL({SHOPS}, REPEAT)"), **start)) == [[2, 2, 7, 7, 7, 7, 1, 5]]


def test_a_search_that_finds_nothing_has_no_result(cloudwatch):
    assert get(cloudwatch, math("found", SHOPS))["MetricDataResults"] == []


def test_metrics_without_a_datapoint_in_the_range_are_found_but_can_be_removed(cloudwatch):
    put_by_shop(cloudwatch, Cork=[5], Galway=[1, 9])
    late = {"StartTime": HOUR_AGO + timedelta(minutes=1)}
    assert values(get(cloudwatch, math("found", SHOPS), **late)) == [[], [9.0]]
    assert values(get(cloudwatch, math("found", f"REMOVE_EMPTY({SHOPS})"), **late)) == [[9.0]]


def test_a_search_finds_metrics_of_the_past_two_weeks(cloudwatch):
    put_by_shop(cloudwatch, Cork=[5])
    month = {"StartTime": HOUR_AGO, "EndTime": HOUR_AGO + timedelta(days=20)}
    cloudwatch.to_minute(13 * 1440)
    assert len(values(get(cloudwatch, math("found", SHOPS, Period=300), **month))) == 1
    cloudwatch.to_minute(14 * 1440)
    assert values(get(cloudwatch, math("found", SHOPS, Period=300), **month)) == []


def test_the_period_of_a_search_is_that_of_the_query_before_that_in_the_expression(cloudwatch):
    put_by_shop(cloudwatch, Cork=[5, 1, 1, 1, 1, 7])
    assert values(get(cloudwatch, math("found", SHOPS, Period=300))) == [[7.0, 9.0]]
    unsaid = "SEARCH('{Shop,Shop}', 'Maximum')"
    assert values(get(cloudwatch, math("found", unsaid))) == [[7.0, 5.0]]
    assert values(get(cloudwatch, math("found", unsaid), query(period=60, ReturnData=False)))[0][:2] == [7.0, 1.0]


def test_more_than_500_time_series_are_cut_and_told(cloudwatch):
    for number in range(501):
        put_by_shop(cloudwatch, **{f"shop{number:03}": [number]})
    answer = get(cloudwatch, math("found", SHOPS))
    assert len(answer["MetricDataResults"]) == 500
    assert answer["Messages"] == [{"Code": "MaxMetricsExceeded", "Value": "Maximum number of allowed metrics exceeded"}]
