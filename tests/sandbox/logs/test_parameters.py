"""What an operation's parameters may be: the ranges, lengths, patterns and required members of the API reference.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

import json
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox import validation
from labkit.sandbox.kernel.errors import ServiceError

CASES = json.loads(Path(__file__).with_name("parameters.json").read_text(encoding="utf-8"))
GROUP = {"logGroupName": "g"}
STREAM = {**GROUP, "logStreamName": "s"}


def fault(operation: str, **params: Any) -> str | None:
    """The code and message that AWS has for parameters, None for sound ones."""
    try:
        validation.check("logs", operation, params)
    except ServiceError as error:
        return f"{error.code}: {error.message}"
    return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['operation']}: {case['name']}")
def test_a_parameter_is_taken_or_refused_with_its_rule(case: dict[str, Any]) -> None:
    said = fault(case["operation"], **case["parameters"])
    if "rule" not in case:
        assert said is None
        return
    assert said is not None
    assert said.startswith("InvalidParameterException: 1 validation error detected: Value ")
    assert said.endswith(f" at '{case['at']}' failed to satisfy constraint: {case['rule']}")


LENGTHS = [
    ("CreateLogGroup", {}, "logGroupName", 512),
    ("CreateLogStream", GROUP, "logStreamName", 512),
    ("FilterLogEvents", GROUP, "filterPattern", 1024),
    ("TestMetricFilter", {"logEventMessages": ["x"]}, "filterPattern", 1024),
    ("StartQuery", {**GROUP, "startTime": 0, "endTime": 1}, "queryString", 10_000),
    ("PutQueryDefinition", {"queryString": "fields a"}, "name", 255),
    ("PutQueryDefinition", {"name": "n"}, "queryString", 10_000),
    ("CreateLookupTable", {"tableBody": "a"}, "lookupTableName", 256),
    ("CreateLookupTable", {"tableBody": "a", "lookupTableName": "t"}, "description", 1024),
]


@pytest.mark.parametrize(("operation", "params", "member", "most"), LENGTHS)
def test_a_text_has_at_most_so_many_characters(operation: str, params: dict[str, Any], member: str, most: int) -> None:
    assert fault(operation, **params, **{member: "x" * most}) is None
    said = fault(operation, **params, **{member: "x" * (most + 1)})
    assert said is not None
    assert said.endswith(
        f"at '{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
    )


@pytest.mark.parametrize(
    ("operation", "params", "member", "item", "most"),
    [
        ("PutLogEvents", STREAM, "logEvents", {"timestamp": 0, "message": "x"}, 10_000),
        ("TestMetricFilter", {"filterPattern": ""}, "logEventMessages", "x", 50),
        ("FilterLogEvents", GROUP, "logStreamNames", "s", 100),
        ("DescribeLogGroups", {}, "logGroupIdentifiers", "g", 50),
        ("DescribeLogGroups", {}, "accountIdentifiers", "123456789012", 20),
        ("UntagResource", {"resourceArn": "arn"}, "tagKeys", "k", 50),
    ],
)
def test_a_list_has_at_most_so_many_items(
    operation: str, params: dict[str, Any], member: str, item: Any, most: int
) -> None:
    assert fault(operation, **params, **{member: [item] * most}) is None
    said = fault(operation, **params, **{member: [item] * (most + 1)})
    assert said is not None
    assert said.endswith(
        f"at '{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
    )


def test_a_map_of_tags_has_at_most_fifty_and_names_what_its_keys_must_be() -> None:
    tags = {f"k{number}": "v" for number in range(50)}
    assert fault("CreateLogGroup", **GROUP, tags=tags) is None
    too_many = fault("CreateLogGroup", **GROUP, tags={**tags, "one": "more"})
    assert too_many is not None
    assert too_many.endswith("at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50")


@pytest.mark.parametrize("value", ["a*", "a\n", "x" * 257], ids=["asterisk", "line end", "257 characters"])
def test_a_tags_value_is_refused_with_all_rules_of_values(value: str) -> None:
    pattern = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"
    assert fault("CreateLogGroup", **GROUP, tags={"key": value}) == (
        f"InvalidParameterException: 1 validation error detected: Value '{{key={value}}}' at 'tags'"
        " failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal"
        f" to 256, Member must satisfy regular expression pattern: {pattern}]"
    )


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = fault("PutLogEvents", logEvents=[{"timestamp": -1, "message": ""}])
    assert said is not None
    assert said.startswith("InvalidParameterException: 4 validation errors detected: ")
    places = ["'logGroupName'", "'logStreamName'", "'logEvents.1.member.timestamp'", "'logEvents.1.member.message'"]
    assert all(f"at {place} failed to satisfy" in said for place in places)
