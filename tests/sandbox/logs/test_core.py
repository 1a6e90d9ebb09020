"""What the operations share: pages and their tokens, names and ARNs, Regions."""

from typing import Any

import pytest

from labkit.sandbox.logs.core import page_token
from labkit.sandbox.service import Call
from tests.sandbox.logs.conftest import NOW, Logs

ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:g"
TRANSFORMATION = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
LISTS = [
    ("DescribeLogGroups", {"logGroupNamePrefix": "n"}, "logGroups", "logGroupName", "limit"),
    ("ListLogGroups", {"logGroupNamePattern": "^n0"}, "logGroups", "logGroupName", "limit"),
    ("DescribeLogStreams", {"logGroupName": "g"}, "logStreams", "logStreamName", "limit"),
    ("DescribeMetricFilters", {"logGroupName": "g"}, "metricFilters", "filterName", "limit"),
    ("DescribeQueryDefinitions", {}, "queryDefinitions", "name", "maxResults"),
    ("DescribeLookupTables", {}, "lookupTables", "lookupTableName", "maxResults"),
]
"""Operations that answer in pages: parameters, the list, the name of an item, and the parameter for the page's size."""


@pytest.fixture
def five(logs: Logs) -> Logs:
    """Five of all that is listed, n00 to n04."""
    for number in range(5):
        name = f"n{number:02}"
        logs.call("CreateLogGroup", logGroupName=name)
        logs.call("CreateLogStream", logGroupName="g", logStreamName=name)
        filter_ = {"filterName": name, "filterPattern": "", "metricTransformations": [TRANSFORMATION]}
        logs.call("PutMetricFilter", logGroupName="g", **filter_)
        logs.call("PutQueryDefinition", name=name, queryString="fields a")
        logs.call("CreateLookupTable", lookupTableName=name, tableBody="a\n1\n")
    return logs


@pytest.mark.parametrize(("operation", "params", "items", "name", "size"), LISTS, ids=[case[0] for case in LISTS])
def test_pages_have_each_item_once_in_order_and_the_last_no_token(
    five: Logs, operation: str, params: dict[str, Any], items: str, name: str, size: str
) -> None:
    pages, token = [], {}
    for _ in range(3):
        answer = five.call(operation, **params, **{size: 2}, **token)
        pages.append([item[name] for item in answer[items]])
        token = {"nextToken": answer["nextToken"]} if "nextToken" in answer else {}
    assert pages == [["n00", "n01"], ["n02", "n03"], ["n04"]]
    assert token == {}


@pytest.mark.parametrize(("operation", "params", "items", "name", "size"), LISTS, ids=[case[0] for case in LISTS])
def test_the_size_of_a_page_may_change_and_a_page_of_exactly_the_rest_is_the_last(
    five: Logs, operation: str, params: dict[str, Any], items: str, name: str, size: str
) -> None:
    token = five.call(operation, **params, **{size: 1})["nextToken"]
    rest = five.call(operation, **params, **{size: 4}, nextToken=token)
    assert [item[name] for item in rest[items]] == ["n01", "n02", "n03", "n04"]
    assert "nextToken" not in rest


def test_a_token_is_of_one_operation_and_one_region(five: Logs) -> None:
    token = five.call("DescribeLogStreams", logGroupName="g", limit=1)["nextToken"]
    invalid = ("InvalidParameterException", "The specified nextToken is invalid.")
    assert five.refused("DescribeMetricFilters", logGroupName="g", nextToken=token) == invalid
    five.call("CreateLogGroup", logGroupName="g", region="us-east-1")
    assert five.refused("DescribeLogStreams", logGroupName="g", nextToken=token, region="us-east-1") == invalid
    assert five.refused("DescribeLogStreams", logGroupName="g", descending=True, nextToken=token) == invalid


def test_a_token_goes_on_after_what_was_added_and_taken_away_meanwhile(five: Logs) -> None:
    """A token holds a place in the list, as long as the list does not change before that place."""
    token = five.call("DescribeLogStreams", logGroupName="g", limit=2)["nextToken"]
    five.call("CreateLogStream", logGroupName="g", logStreamName="n99")
    five.call("DeleteLogStream", logGroupName="g", logStreamName="n03")
    names = [
        item["logStreamName"]
        for item in five.call("DescribeLogStreams", logGroupName="g", nextToken=token)["logStreams"]
    ]
    assert names == ["n02", "n04", "n99"]


def test_a_page_without_a_size_is_as_long_as_aws_has_them(logs: Logs) -> None:
    for number in range(51):
        logs.call("CreateLogStream", logGroupName="g", logStreamName=f"s{number:02}")
        logs.call("PutQueryDefinition", name=f"q{number:02}", queryString="fields a")
    assert len(logs.call("DescribeLogStreams", logGroupName="g")["logStreams"]) == 50
    assert len(logs.call("DescribeQueryDefinitions")["queryDefinitions"]) == 51


def test_rows_come_in_pages_of_any_size_and_all_at_once_where_none_is_wanted(logs: Logs) -> None:
    logs.put(*map(str, range(5)))
    query = {"logGroupName": "g", "startTime": NOW // 1000, "endTime": NOW // 1000 + 60}
    answer = logs.call("StartQuery", **query, queryString="fields @message | sort @message asc")
    first = logs.call("GetQueryResults", **answer, maxItems=2)
    rest = logs.call("GetQueryResults", **answer, maxItems=10, nextToken=first["nextToken"])
    shown = [[row[0]["value"] for row in page["results"]] for page in (first, rest)]
    assert shown == [["0", "1"], ["2", "3", "4"]]
    assert len(logs.call("GetQueryResults", **answer, maxItems=0)["results"]) == 5


@pytest.mark.parametrize(
    "identifier",
    [
        ARN.replace("eu-west-1", "us-east-1"),
        ARN.replace("123456789012", "111122223333"),
        ARN.replace(":logs:", ":s3:"),
        ARN.replace(":g", ":G"),
        f"{ARN}:log-stream:s",
    ],
)
def test_an_arn_of_something_else_is_not_found(logs: Logs, identifier: str) -> None:
    assert logs.refused("DescribeLogStreams", logGroupIdentifier=identifier) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DescribeLogStreams", {}),
        ("FilterLogEvents", {}),
        ("GetLogEvents", {"logStreamName": "s"}),
        ("GetLogGroupFields", {}),
    ],
)
def test_a_group_is_named_by_name_or_identifier_and_not_by_both(
    logs: Logs, operation: str, params: dict[str, Any]
) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    for way in ({"logGroupName": "g"}, {"logGroupIdentifier": "g"}, {"logGroupIdentifier": ARN}):
        logs.call(operation, **params, **way)
    both = logs.refused(operation, **params, logGroupName="g", logGroupIdentifier="g")
    assert both == (
        "InvalidParameterException",
        "LogGroupName and LogGroupIdentifier cannot be specified together.",
    )
    neither = logs.refused(operation, **params)
    assert neither == ("InvalidParameterException", "Either LogGroupName or LogGroupIdentifier must be specified.")


def test_regions_have_nothing_of_each_other(logs: Logs) -> None:
    other = {"region": "us-east-1"}
    logs.call("CreateLogGroup", logGroupName="g", tags={"where": "there"}, **other)
    logs.put("here")
    logs.call("PutQueryDefinition", name="q", queryString="fields a")
    logs.call("CreateLookupTable", lookupTableName="t", tableBody="a\n1\n")
    assert logs.call("FilterLogEvents", logGroupName="g", **other)["events"] == []
    assert logs.call("ListTagsLogGroup", logGroupName="g") == {"tags": {}}
    assert logs.call("DescribeQueryDefinitions", **other) == {"queryDefinitions": []}
    assert logs.call("DescribeLookupTables", **other) == {"lookupTables": []}
    logs.call("DeleteLogGroup", logGroupName="g", **other)
    assert len(logs.call("FilterLogEvents", logGroupName="g")["events"]) == 1


@pytest.mark.parametrize("place", [-1, "1", [0]])
def test_a_forged_token_is_refused(logs: Logs, place: object) -> None:
    call = Call("logs", "DescribeLogGroups", "eu-west-1", "123456789012", "", {}, lambda: None)
    token = page_token(call, place)
    answer = ("InvalidParameterException", "The specified nextToken is invalid.")
    assert logs.refused("DescribeLogGroups", nextToken=token) == answer


@pytest.mark.parametrize(
    "parameter", [{"dataSources": [{"name": "a"}]}, {"fieldIndexNames": ["a"]}, {"logGroupTags": [{"key": "a"}]}]
)
def test_groups_are_not_listed_by_what_the_sandbox_does_not_keep(logs: Logs, parameter: dict[str, Any]) -> None:
    code, message = logs.refused("ListLogGroups", **parameter)
    (name,) = parameter
    assert (code, name in message, "docs/sandbox/logs.md" in message) == ("InvalidParameterException", True, True)
