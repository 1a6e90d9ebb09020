"""Metric filters: what they publish from new events, their quotas, and TestMetricFilter."""

from typing import Any

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.store import SMALL_BATCH
from tests.sandbox.calls import refused
from tests.sandbox.logs.conftest import NOW, Logs

SSH_REJECTS = (
    '[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, windowstart,'
    ' windowend, action="REJECT", flowlogstatus]'
)
RECORDS = [
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 172.31.83.158 39611 22 6 1 40 1563108188 1563108227 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 198.51.100.8 172.31.83.158 42227 22 6 3 44 1563109030 1563109067 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 192.0.2.181 172.31.83.158 52417 22 6 24 4065 1563191069 1563191121 ACCEPT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 172.31.83.158 39611 80 6 1 40 1563108188 1563108227 REJECT OK",
]


def put_filter(logs: Logs, pattern: str, *, name: str = "f", group: str = "g", **transformation: Any) -> None:
    made = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"} | transformation
    logs.call(
        "PutMetricFilter", logGroupName=group, filterName=name, filterPattern=pattern, metricTransformations=[made]
    )


def test_the_labs_filter_counts_rejected_ssh_in_the_events_own_minutes(logs: Logs) -> None:
    put_filter(logs, SSH_REJECTS, metricName="ssh-rejects", metricNamespace="VPC Flow Logs")
    logs.put(*RECORDS, at=NOW - 60_000)
    assert logs.metric("VPC Flow Logs") == [
        ("ssh-rejects", {}, -60.0, 1.0, None),
        ("ssh-rejects", {}, -60.0, 1.0, None),
    ]


def test_only_events_put_after_the_filter_count(logs: Logs) -> None:
    logs.put("x")
    put_filter(logs, "x")
    assert logs.metric("n") == []
    logs.put("x")
    assert len(logs.metric("n")) == 1


def test_delivered_events_count_as_well_however_many(logs: Logs) -> None:
    put_filter(logs, SSH_REJECTS)
    count = SMALL_BATCH + 2
    logs.sandbox.logs.deliver("eu-west-1", "g", "s", [NOW] * count, (RECORDS * count)[:count])
    expected = sum(1 for number in range(count) if number % 4 < 2)
    assert len(logs.metric("n")) == expected


def test_events_refused_by_their_age_do_not_count(logs: Logs) -> None:
    put_filter(logs, "x")
    logs.put("x", at=NOW - 20 * 86_400_000)
    assert logs.metric("n") == []


@pytest.mark.parametrize(
    ("pattern", "value", "messages", "values"),
    [
        ("x", "2.5", ["x"], [2.5]),
        ("x", "-1e3", ["x"], [-1000.0]),
        ("[ip, id, user, size]", "$size", ["a b c 287", "a b c 3", "a b c -"], [287.0, 3.0]),
        ("[a, n>10, ...]", "$n", ["x 11 y", "x 9 y", "x 12.5"], [11.0, 12.5]),
        ("[..., n]", "$2", ["a 7 c", "1"], [7.0]),
        ("[..., n]", "$n", ["a b 5"], [5.0]),
        ("[a, b]", "$none", ["1 2"], []),
        ("[a, b]", "$99999999999999999999", ["1 2"], []),
        ("[a, b]", "$²", ["1 2"], []),
        ("[a]", "$a", ["nan", "inf", "1e999", "0x10", "1_0", "-.5"], [-0.5]),
        ("{ $.latency = * }", "$.latency", ['{"latency": 50}', '{"latency": "7"}', '{"latency": "x"}'], [50.0, 7.0]),
        ("{ $.a.b[1] > 0 }", "$.a.b[1]", ['{"a": {"b": [0, 4]}}'], [4.0]),
        ("{ $.a = 1 }", "$.other", ['{"a": 1, "other": true}', '{"a": 1}'], []),
        ("{ $.['x.y'] = * }", "$.['x.y']", ['{"x.y": 3}'], [3.0]),
    ],
)
def test_the_value_is_a_number_or_taken_from_the_event(
    logs: Logs, pattern: str, value: str, messages: list[str], values: list[float]
) -> None:
    put_filter(logs, pattern, metricValue=value, unit="Bytes")
    logs.put(*messages)
    assert [(sample[3], sample[4]) for sample in logs.metric("n")] == [(value, "Bytes") for value in values]


def test_dimensions_come_from_fields_and_all_must_be_there(logs: Logs) -> None:
    put_filter(logs, '{ $.type = "*" }', dimensions={"Type": "$.type", "Code": "$.code"})
    logs.put('{"type": "a", "code": 1}', '{"type": "b"}', '{"type": "c", "code": "x"}')
    assert [sample[1] for sample in logs.metric("n")] == [{"Type": "a", "Code": "1"}, {"Type": "c", "Code": "x"}]


def test_system_fields_can_be_dimensions(logs: Logs) -> None:
    logs.call(
        "PutMetricFilter",
        logGroupName="g",
        filterName="f",
        filterPattern="x",
        metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        emitSystemFieldDimensions=["@aws.account", "@aws.region"],
    )
    logs.put("x")
    assert logs.metric("n")[0][1] == {"@aws.account": "123456789012", "@aws.region": "eu-west-1"}


def test_a_default_value_counts_once_for_a_minute_that_had_events_but_no_match(logs: Logs) -> None:
    put_filter(logs, "x", defaultValue=0)
    logs.put("a", "b", at=NOW)
    logs.put("c", at=NOW + 30_000)
    logs.put("x", "d", at=NOW + 60_000)
    logs.put("e", at=NOW + 90_000)
    logs.put("f", at=NOW + 180_000)
    logs.sandbox.clock.advance(60)
    assert [(sample[2], sample[3]) for sample in logs.metric("n")] == [(60.0, 1.0), (0.0, 0.0), (180.0, 0.0)]


def test_a_default_value_gives_way_to_a_match_later_in_the_minute(logs: Logs) -> None:
    put_filter(logs, "x", defaultValue=7)
    logs.put("a")
    logs.sandbox.clock.advance(59)
    logs.put("x", at=NOW + 59_000)
    logs.sandbox.clock.advance(600)
    assert [(sample[2], sample[3]) for sample in logs.metric("n")] == [(59.0, 1.0)]


def test_a_minute_without_events_has_no_default_value(logs: Logs) -> None:
    put_filter(logs, "x", defaultValue=7)
    logs.sandbox.clock.advance(120)
    logs.put("a", at=NOW + 120_000)
    logs.sandbox.clock.advance(600)
    logs.put("b", at=NOW + 720_000)
    logs.sandbox.clock.advance(600)
    assert [(sample[2], sample[3]) for sample in logs.metric("n")] == [(120.0, 7.0), (720.0, 7.0)]


@pytest.mark.parametrize(("operation", "names"), [("DeleteMetricFilter", {"filterName": "f"}), ("DeleteLogGroup", {})])
def test_no_default_value_comes_of_a_filter_that_is_gone(logs: Logs, operation: str, names: dict[str, str]) -> None:
    put_filter(logs, "x", defaultValue=7)
    logs.put("a")
    logs.call(operation, logGroupName="g", **names)
    logs.sandbox.clock.advance(600)
    assert logs.metric("n") == []


def test_several_filters_publish_side_by_side(logs: Logs) -> None:
    put_filter(logs, "x", name="one")
    put_filter(logs, "y", name="two", metricName="m2", metricValue="3")
    logs.put("x y")
    assert [(sample[0], sample[3]) for sample in logs.metric("n")] == [("m", 1.0), ("m2", 3.0)]


def test_a_filter_is_replaced_and_keeps_the_time_it_was_made(logs: Logs) -> None:
    put_filter(logs, "x")
    logs.sandbox.clock.advance(60)
    put_filter(logs, "y")
    (shown,) = logs.call("DescribeMetricFilters", logGroupName="g")["metricFilters"]
    assert shown == {
        "filterName": "f",
        "filterPattern": "y",
        "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
        "creationTime": NOW,
        "logGroupName": "g",
        "applyOnTransformedLogs": False,
    }
    logs.put("x", "y", "y")
    assert len(logs.metric("n")) == 2


def test_a_deleted_filter_publishes_no_more(logs: Logs) -> None:
    put_filter(logs, "x")
    assert logs.call("DescribeLogGroups")["logGroups"][0]["metricFilterCount"] == 1
    logs.call("DeleteMetricFilter", logGroupName="g", filterName="f")
    logs.put("x")
    assert logs.metric("n") == []
    with pytest.raises(ServiceError, match="The specified metric filter does not exist"):
        logs.call("DeleteMetricFilter", logGroupName="g", filterName="f")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, [("a", "g"), ("b", "g"), ("b", "h")]),
        ({"logGroupName": "g"}, [("a", "g"), ("b", "g")]),
        ({"logGroupName": "g", "filterNamePrefix": "b"}, [("b", "g")]),
        ({"filterNamePrefix": "a"}, [("a", "g"), ("b", "g"), ("b", "h")]),
        ({"metricName": "m2", "metricNamespace": "n"}, [("b", "h")]),
        ({"metricName": "m2", "metricNamespace": "other"}, []),
    ],
)
def test_filters_are_described(logs: Logs, params: dict[str, str], found: list[tuple[str, str]]) -> None:
    logs.call("CreateLogGroup", logGroupName="h")
    put_filter(logs, "x", name="b")
    put_filter(logs, "x", name="a")
    put_filter(logs, "x", name="b", group="h", metricName="m2")
    shown = logs.call("DescribeMetricFilters", **params)["metricFilters"]
    assert [(filter_["filterName"], filter_["logGroupName"]) for filter_ in shown] == found


@pytest.mark.parametrize(
    "params", [{"metricName": "m"}, {"logGroupName": "g", "metricName": "m", "metricNamespace": "n"}]
)
def test_a_metric_is_named_with_its_namespace_and_without_a_group(logs: Logs, params: dict[str, str]) -> None:
    with pytest.raises(ServiceError, match="must contain either logGroupName or metricName and metricNamespace"):
        logs.call("DescribeMetricFilters", **params)


def test_other_system_fields_are_refused(logs: Logs) -> None:
    with pytest.raises(ServiceError, match=r"@aws\.vpc: there are @aws\.account and @aws\.region"):
        logs.call(
            "PutMetricFilter",
            logGroupName="g",
            filterName="f",
            filterPattern="x",
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
            emitSystemFieldDimensions=["@aws.region", "@aws.vpc"],
        )
    assert logs.call("DescribeMetricFilters")["metricFilters"] == []


INVALID = "InvalidParameterException"


@pytest.mark.parametrize(
    ("pattern", "transformation", "message"),
    [
        ("[a", {}, "Invalid metric filter pattern"),
        ("x", {"metricValue": "one"}, "Invalid metric transformation: metric value must be a valid number"),
        ("x", {"metricValue": "1e999"}, "Invalid metric transformation: metric value must be a valid number"),
        ("x", {"metricValue": "$size"}, "Invalid metric transformation: the filter pattern has no fields"),
        ("x", {"dimensions": {"A": "$a"}}, "The specified filter pattern does not support dimensions"),
        (
            "[a]",
            {"dimensions": {"A": "$a"}, "defaultValue": 0},
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties",
        ),
        (
            "[a, b, c, d]",
            {"dimensions": {"A": "$a", "B": "$b", "C": "$c", "D": "$d"}},
            "Number of dimensions exceeds the maximum number of dimensions supported per metric filter",
        ),
        ("[a]", {"dimensions": {"A": "a"}}, "Invalid metric transformation: dimension value must be valid selector"),
    ],
)
def test_what_a_filter_cannot_be_is_said(
    logs: Logs, pattern: str, transformation: dict[str, Any], message: str
) -> None:
    code, said = refused(put_filter, logs, pattern, **transformation)
    assert code == INVALID
    assert said.startswith(message)
    assert logs.call("DescribeMetricFilters")["metricFilters"] == []


def test_logs_are_not_transformed_here(logs: Logs) -> None:
    with pytest.raises(ServiceError, match=r"docs/sandbox/logs\.md"):
        logs.call(
            "PutMetricFilter",
            logGroupName="g",
            filterName="f",
            filterPattern="x",
            metricTransformations=[{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}],
            applyOnTransformedLogs=True,
        )


def test_a_group_has_at_most_a_hundred_filters(logs: Logs) -> None:
    for number in range(100):
        put_filter(logs, "x", name=f"f{number}")
    put_filter(logs, "y", name="f0")
    assert refused(put_filter, logs, "x", name="one too many") == ("LimitExceededException", "Resource limit exceeded.")


def test_five_filters_of_a_group_may_have_regular_expressions(logs: Logs) -> None:
    for number in range(5):
        put_filter(logs, "%x%", name=f"f{number}")
    put_filter(logs, "%y%", name="f0")
    put_filter(logs, "x", name="no regular expression")
    assert refused(put_filter, logs, "%x%", name="sixth")[0] == "LimitExceededException"


def test_the_labs_pattern_is_tested_on_pasted_records(logs: Logs) -> None:
    answer = logs.call("TestMetricFilter", filterPattern=SSH_REJECTS, logEventMessages=RECORDS)
    assert [match["eventNumber"] for match in answer["matches"]] == [0, 1]
    first = answer["matches"][0]
    assert first["eventMessage"] == RECORDS[0]
    assert first["extractedValues"]["$source"] == "203.0.113.128"
    assert list(first["extractedValues"].values()) == RECORDS[0].split(" ")


def test_terms_and_json_extract_nothing(logs: Logs) -> None:
    for pattern, message in (("a", "a"), ('{ $.a = "b" }', '{"a": "b"}')):
        answer = logs.call("TestMetricFilter", filterPattern=pattern, logEventMessages=[message, "none"])
        assert answer == {"matches": [{"eventNumber": 0, "eventMessage": message, "extractedValues": {}}]}


def test_the_documented_dimensions_of_json_events(logs: Logs) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html"""
    put_filter(
        logs,
        '{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }',
        dimensions={"eventType": "$.eventType", "sourceIPAddress": "$.sourceIPAddress"},
    )
    logs.put(
        '{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "errorCode": "AccessDenied"}',
        '{"eventType": "UpdateTrail", "sourceIPAddress": "123.123.1.1"}',
        '{"eventType": "DeleteTrail"}',
    )
    assert [sample[1] for sample in logs.metric("n")] == [
        {"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111"}
    ]


def test_the_documented_dimensions_of_space_delimited_events(logs: Logs) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html"""
    put_filter(
        logs,
        "[ip, server, username, timestamp, request, status_code, bytes > 1000]",
        metricValue="$bytes",
        dimensions={"IP": "$ip", "Server": "$server", "Request": "$request"},
    )
    logs.put(
        '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
        '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1000',
    )
    dimensions = {"IP": "127.0.0.1", "Server": "Prod", "Request": "GET /index.html HTTP/1.0"}
    assert [(sample[1], sample[3]) for sample in logs.metric("n")] == [(dimensions, 1534.0)]


def test_each_combination_of_dimensions_is_a_metric_of_its_own(logs: Logs) -> None:
    put_filter(logs, "[source, port, action=REJECT]", dimensions={"Port": "$port"})
    logs.put("a 22 REJECT", "b 80 REJECT", "c 22 REJECT", "d 22 ACCEPT")
    ports = sorted(sample[1]["Port"] for sample in logs.metric("n"))
    assert ports == ["22", "22", "80"]


def test_three_dimensions_are_taken_and_system_fields_count_among_them(logs: Logs) -> None:
    three = {"A": "$a", "B": "$b", "C": "$c"}
    put_filter(logs, "[a, b, c]", dimensions=three)
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1", "dimensions": three}
    with pytest.raises(ServiceError, match="Number of dimensions exceeds the maximum"):
        logs.call(
            "PutMetricFilter",
            logGroupName="g",
            filterName="four",
            filterPattern="[a, b, c]",
            metricTransformations=[transformation],
            emitSystemFieldDimensions=["@aws.region"],
        )


@pytest.mark.parametrize("value", ["٣", "0x10", "1_000", "nan", ""])
def test_a_value_that_is_no_decimal_number_is_refused(logs: Logs, value: str) -> None:
    assert refused(put_filter, logs, "x", metricValue=value) == (
        INVALID,
        "Invalid metric transformation: metric value must be a valid number",
    )
