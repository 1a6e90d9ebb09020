"""Log groups, streams, retention and tags, and what CloudFormation does with groups."""

import pytest

from labkit.sandbox.moto_state import cloudformation
from tests.sandbox.logs.conftest import NOW, Logs

ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:g"
DAY = 86_400_000
RETENTION_DAYS = "1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653"
"""https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


def test_a_new_group_is_described_as_aws_does(logs: Logs) -> None:
    (group,) = logs.call("DescribeLogGroups")["logGroups"]
    assert group == {
        "logGroupName": "g",
        "creationTime": NOW,
        "metricFilterCount": 0,
        "arn": f"{ARN}:*",
        "storedBytes": 0,
        "logGroupClass": "STANDARD",
        "logGroupArn": ARN,
        "deletionProtectionEnabled": False,
    }


def test_a_group_is_there_once_in_a_region(logs: Logs) -> None:
    assert logs.refused("CreateLogGroup", logGroupName="g") == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    logs.call("CreateLogGroup", logGroupName="g", region="us-east-1")
    assert len(logs.call("DescribeLogGroups", region="us-east-1")["logGroups"]) == 1


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DeleteLogGroup", {"logGroupName": "none"}),
        ("DescribeLogStreams", {"logGroupName": "none"}),
        ("DescribeLogStreams", {"logGroupIdentifier": ARN.replace("123456789012", "210987654321")}),
        ("CreateLogStream", {"logGroupName": "none", "logStreamName": "s"}),
        ("PutRetentionPolicy", {"logGroupName": "none", "retentionInDays": 1}),
        ("ListTagsForResource", {"resourceArn": ARN + "x"}),
        ("GetLogEvents", {"logGroupName": "none", "logStreamName": "s"}),
        ("FilterLogEvents", {"logGroupName": "none"}),
    ],
)
def test_a_missing_group_is_an_error(logs: Logs, operation: str, params: dict[str, object]) -> None:
    assert logs.refused(operation, **params) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


@pytest.mark.parametrize("identifier", ["g", ARN, f"{ARN}:*"])
def test_a_group_is_named_by_name_or_arn(logs: Logs, identifier: str) -> None:
    assert logs.call("DescribeLogStreams", logGroupIdentifier=identifier) == {"logStreams": []}


def test_a_group_is_named_one_way_only(logs: Logs) -> None:
    assert logs.refused("DescribeLogStreams", logGroupName="g", logGroupIdentifier="g")[0] == (
        "InvalidParameterException"
    )
    assert logs.refused("DescribeLogStreams")[0] == "InvalidParameterException"


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["VPCFlowLogs", "app/web", "app/worker", "g"]),
        ({"logGroupNamePrefix": "app/"}, ["app/web", "app/worker"]),
        ({"logGroupNamePattern": "Flow"}, ["VPCFlowLogs"]),
        ({"logGroupNamePattern": "FLOW"}, []),
        ({"logGroupNamePattern": "w"}, ["VPCFlowLogs", "app/web", "app/worker"]),
        ({"logGroupIdentifiers": ["g", "app/web"]}, ["app/web", "g"]),
        ({"logGroupIdentifiers": [ARN, "none"]}, ["g"]),
        ({"logGroupIdentifiers": [ARN.replace("eu-west-1", "us-east-1")]}, []),
        ({"logGroupClass": "INFREQUENT_ACCESS"}, ["app/worker"]),
        ({"logGroupClass": "ESSENTIALS"}, ["app/worker"]),
        ({"logGroupClass": "DELIVERY"}, []),
        ({"accountIdentifiers": ["210987654321"]}, []),
    ],
)
def test_groups_are_chosen_and_ordered(logs: Logs, params: dict[str, object], names: list[str]) -> None:
    for name in ("app/web", "VPCFlowLogs"):
        logs.call("CreateLogGroup", logGroupName=name)
    logs.call("CreateLogGroup", logGroupName="app/worker", logGroupClass="INFREQUENT_ACCESS")
    assert [group["logGroupName"] for group in logs.call("DescribeLogGroups", **params)["logGroups"]] == names


@pytest.mark.parametrize(
    "params",
    [
        {"logGroupNamePrefix": "a", "logGroupNamePattern": "a"},
        {"logGroupIdentifiers": ["g"], "logGroupNamePrefix": "a"},
        {"logGroupIdentifiers": ["g"], "logGroupClass": "STANDARD"},
    ],
)
def test_ways_to_choose_groups_exclude_each_other(logs: Logs, params: dict[str, object]) -> None:
    assert logs.refused("DescribeLogGroups", **params)[0] == "InvalidParameterException"


def test_of_groups_found_by_a_pattern_little_is_told(logs: Logs) -> None:
    (group,) = logs.call("DescribeLogGroups", logGroupNamePattern="g")["logGroups"]
    assert group == {"logGroupName": "g", "creationTime": NOW, "arn": f"{ARN}:*"}


def test_groups_come_in_pages(logs: Logs) -> None:
    for number in range(60):
        logs.call("CreateLogGroup", logGroupName=f"n{number:02}")
    first = logs.call("DescribeLogGroups")
    second = logs.call("DescribeLogGroups", nextToken=first["nextToken"])
    assert len(first["logGroups"]) == 50
    assert [group["logGroupName"] for group in second["logGroups"]] == [f"n{number}" for number in range(49, 60)]
    assert "nextToken" not in second


@pytest.mark.parametrize("token", ["x", "", "AAAA", "bm90IGpzb24", "[]"])
def test_a_made_up_token_is_refused(logs: Logs, token: str) -> None:
    assert logs.refused("DescribeLogGroups", nextToken=token) == (
        "InvalidParameterException",
        "The specified nextToken is invalid.",
    )


def test_a_token_of_another_request_is_refused(logs: Logs) -> None:
    logs.call("CreateLogGroup", logGroupName="h")
    token = logs.call("DescribeLogGroups", limit=1)["nextToken"]
    assert logs.refused("DescribeLogGroups", logGroupNamePrefix="h", nextToken=token)[1] == (
        "The specified nextToken is invalid."
    )


def test_groups_are_listed_by_parts_of_names(logs: Logs) -> None:
    logs.call("CreateLogGroup", logGroupName="app/web")
    listed = logs.call("ListLogGroups", logGroupNamePattern="^app|x")["logGroups"]
    assert listed == [
        {
            "logGroupName": "app/web",
            "logGroupArn": "arn:aws:logs:eu-west-1:123456789012:log-group:app/web",
            "logGroupClass": "STANDARD",
        }
    ]


def test_what_cannot_be_had_is_refused_with_the_page_that_says_so(logs: Logs) -> None:
    code, message = logs.refused("CreateLogGroup", logGroupName="k", kmsKeyId="arn:aws:kms:eu-west-1:1:key/x")
    assert code == "InvalidParameterException"
    assert "docs/sandbox/logs.md" in message


def test_a_protected_group_and_its_streams_stay_until_protection_is_off(logs: Logs) -> None:
    logs.put("kept")
    logs.call("PutLogGroupDeletionProtection", logGroupIdentifier=ARN, deletionProtectionEnabled=True)
    assert logs.refused("DeleteLogGroup", logGroupName="g")[0] == "ValidationException"
    assert logs.refused("DeleteLogStream", logGroupName="g", logStreamName="eni-1")[0] == "ValidationException"
    assert len(logs.call("FilterLogEvents", logGroupName="g")["events"]) == 1
    logs.call("PutLogGroupDeletionProtection", logGroupIdentifier="g", deletionProtectionEnabled=False)
    logs.call("DeleteLogGroup", logGroupName="g")
    assert logs.call("DescribeLogGroups")["logGroups"] == []


def test_a_group_made_again_has_nothing_of_the_old_one(logs: Logs) -> None:
    logs.put("old")
    logs.call("DeleteLogGroup", logGroupName="g")
    logs.call("CreateLogGroup", logGroupName="g", tags={"a": "b"})
    assert logs.call("FilterLogEvents", logGroupName="g")["events"] == []
    assert logs.call("ListTagsLogGroup", logGroupName="g") == {"tags": {"a": "b"}}


def test_stored_bytes_count_messages_and_26_bytes_an_event(logs: Logs) -> None:
    logs.put("four", "snö")
    (group,) = logs.call("DescribeLogGroups")["logGroups"]
    assert group["storedBytes"] == 4 + 26 + 4 + 26
    logs.call("DeleteLogStream", logGroupName="g", logStreamName="eni-1")
    assert logs.call("DescribeLogGroups")["logGroups"][0]["storedBytes"] == 0


def test_events_go_when_their_retention_is_over(logs: Logs) -> None:
    logs.put("old", at=NOW - 2 * DAY)
    logs.put("new")
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    assert logs.call("DescribeLogGroups")["logGroups"][0]["retentionInDays"] == 1
    logs.sandbox.clock.advance(86_400)
    assert [event["message"] for event in logs.call("FilterLogEvents", logGroupName="g")["events"]] == ["new"]
    logs.sandbox.clock.advance(86_401)
    assert logs.call("FilterLogEvents", logGroupName="g")["events"] == []


def test_without_a_policy_events_stay(logs: Logs) -> None:
    logs.put("kept")
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    logs.call("DeleteRetentionPolicy", logGroupName="g")
    logs.sandbox.clock.advance(5 * 86_400)
    assert len(logs.call("FilterLogEvents", logGroupName="g")["events"]) == 1
    assert "retentionInDays" not in logs.call("DescribeLogGroups")["logGroups"][0]


def test_a_stream_tells_its_first_and_last_event_and_last_ingestion(logs: Logs) -> None:
    logs.put("b", at=NOW - 5)
    logs.sandbox.clock.advance(1)
    logs.put("a", at=NOW - 10)
    (stream,) = logs.call("DescribeLogStreams", logGroupName="g")["logStreams"]
    assert stream.pop("uploadSequenceToken").isdigit()
    assert stream == {
        "logStreamName": "eni-1",
        "creationTime": NOW,
        "arn": f"{ARN}:log-stream:eni-1",
        "storedBytes": 0,
        "firstEventTimestamp": NOW - 10,
        "lastEventTimestamp": NOW - 5,
        "lastIngestionTime": NOW + 1000,
    }


def test_an_empty_stream_has_no_times(logs: Logs) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="s")
    (stream,) = logs.call("DescribeLogStreams", logGroupName="g")["logStreams"]
    assert set(stream) == {"logStreamName", "creationTime", "arn", "storedBytes"}


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["a", "b", "c"]),
        ({"descending": True}, ["c", "b", "a"]),
        ({"logStreamNamePrefix": "b"}, ["b"]),
        ({"orderBy": "LastEventTime", "descending": True}, ["b", "c", "a"]),
        ({"orderBy": "LastEventTime"}, ["a", "c", "b"]),
        ({"limit": 2}, ["a", "b"]),
    ],
)
def test_streams_are_ordered_and_chosen(logs: Logs, params: dict[str, object], names: list[str]) -> None:
    logs.call("CreateLogStream", logGroupName="g", logStreamName="a")
    logs.put("x", at=NOW + 1, stream="b")
    logs.put("x", at=NOW, stream="c")
    streams = logs.call("DescribeLogStreams", logGroupName="g", **params)["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == names


def test_streams_by_time_have_no_prefix(logs: Logs) -> None:
    assert logs.refused("DescribeLogStreams", logGroupName="g", orderBy="LastEventTime", logStreamNamePrefix="a") == (
        "InvalidParameterException",
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    )


def test_a_stream_is_there_once_and_can_be_deleted(logs: Logs) -> None:
    logs.put("x")
    assert logs.refused("CreateLogStream", logGroupName="g", logStreamName="eni-1")[0] == (
        "ResourceAlreadyExistsException"
    )
    logs.call("DeleteLogStream", logGroupName="g", logStreamName="eni-1")
    assert logs.call("FilterLogEvents", logGroupName="g")["events"] == []
    assert logs.refused("DeleteLogStream", logGroupName="g", logStreamName="eni-1") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )


def test_tags_are_the_same_by_both_generations_of_operations(logs: Logs) -> None:
    logs.call("TagLogGroup", logGroupName="g", tags={"a": "1", "b": "2"})
    logs.call("TagResource", resourceArn=ARN, tags={"c": "3", "b": "4"})
    assert logs.call("ListTagsLogGroup", logGroupName="g") == {"tags": {"a": "1", "b": "4", "c": "3"}}
    logs.call("UntagResource", resourceArn=ARN, tagKeys=["a", "none"])
    logs.call("UntagLogGroup", logGroupName="g", tags=["b"])
    assert logs.call("ListTagsForResource", resourceArn=ARN) == {"tags": {"c": "3"}}


def test_a_group_of_a_stack_takes_events_and_goes_with_it(logs: Logs) -> None:
    template = """
    Resources:
      Group:
        Type: AWS::Logs::LogGroup
        Properties: {LogGroupName: stacked, RetentionInDays: 7, Tags: [{Key: a, Value: b}]}
    """
    account = logs.sandbox.account_id
    cloudformation.create_stack(account, "eu-west-1", "stack", template)
    logs.sandbox.logs.deliver("eu-west-1", "stacked", "s", [NOW], ["hello"])
    stacked = logs.call("DescribeLogGroups", logGroupNamePrefix="stacked")["logGroups"][0]
    assert (stacked["retentionInDays"], stacked["storedBytes"]) == (7, 31)
    assert logs.call("ListTagsLogGroup", logGroupName="stacked") == {"tags": {"a": "b"}}
    from labkit.sandbox import moto_state

    moto_state.backend("cloudformation", account, "eu-west-1").delete_stack("stack")
    assert [group["logGroupName"] for group in logs.call("DescribeLogGroups")["logGroups"]] == ["g"]


@pytest.mark.parametrize("log_class", ["INFREQUENT_ACCESS", "DELIVERY"])
def test_groups_of_other_classes_are_not_read_event_by_event_and_have_no_filters(logs: Logs, log_class: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html"""
    rare = {"logGroupName": "rare"}
    logs.call("CreateLogGroup", logGroupName="rare", logGroupClass=log_class)
    logs.call("CreateLogStream", logGroupName="rare", logStreamName="s")
    for operation, params in (("FilterLogEvents", {}), ("GetLogEvents", {"logStreamName": "s"})):
        message = (
            f"The log group rare is of log-group-class {log_class}. {operation} is not supported for this log class."
        )
        assert logs.refused(operation, **rare, **params) == ("InvalidOperationException", message)
    only = ("ValidationException", "This operation is only supported on the Standard log class.")
    pattern = {"filterName": "f", "filterPattern": ""}
    transformations = [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]
    assert logs.refused("PutMetricFilter", **rare, **pattern, metricTransformations=transformations) == only
    assert logs.refused("DescribeMetricFilters", **rare) == only
    assert logs.refused("PutSubscriptionFilter", **rare, **pattern, destinationArn="arn:aws:kinesis:::stream/s") == only
    assert logs.refused("DescribeSubscriptionFilters", **rare) == only


def test_a_group_has_fifty_tags_and_no_more_and_takes_all_of_a_call_or_none(logs: Logs) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html"""
    tags = {f"k{number:02}": "v" for number in range(50)}
    logs.call("TagResource", resourceArn=ARN, tags=tags)
    assert logs.refused("TagResource", resourceArn=ARN, tags={"k00": "new", "one": "more"})[0] == "TooManyTagsException"
    older = logs.refused("TagLogGroup", logGroupName="g", tags={"one": "more"})
    assert older == ("InvalidParameterException", "The log group g can have no more than 50 tags.")
    assert logs.call("ListTagsForResource", resourceArn=ARN) == {"tags": tags}
    logs.call("TagResource", resourceArn=ARN, tags={"k00": "new"})
    assert logs.call("ListTagsForResource", resourceArn=ARN)["tags"]["k00"] == "new"


@pytest.mark.parametrize("key", ["aws:name", "AWS:name"])
def test_keys_of_tags_that_begin_with_aws_are_reserved(logs: Logs, key: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"""
    expected = ("InvalidParameterException", f"Tag keys starting with aws: are reserved for AWS, such as {key}.")
    assert logs.refused("TagResource", resourceArn=ARN, tags={"a": "b", key: "c"}) == expected
    assert logs.refused("CreateLogGroup", logGroupName="h", tags={key: "c"}) == expected
    assert logs.call("ListTagsForResource", resourceArn=ARN) == {"tags": {}}


def test_each_documented_number_of_days_is_a_retention_and_no_other_is(logs: Logs) -> None:
    for days in map(int, RETENTION_DAYS.split()):
        logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=days)
        assert logs.call("DescribeLogGroups")["logGroups"][0]["retentionInDays"] == days
    for days in (0, -1, 2, 31, 366, 3654):
        code, message = logs.refused("PutRetentionPolicy", logGroupName="g", retentionInDays=days)
        assert code == "InvalidParameterException"
        assert f"Value '{days}' at 'retentionInDays' failed to satisfy constraint" in message
    assert logs.call("DescribeLogGroups")["logGroups"][0]["retentionInDays"] == 3653


def test_a_protected_group_from_the_start_still_loses_events_by_retention(logs: Logs) -> None:
    logs.call("CreateLogGroup", logGroupName="p", deletionProtectionEnabled=True)
    assert logs.call("DescribeLogGroups", logGroupNamePrefix="p")["logGroups"][0]["deletionProtectionEnabled"] is True
    logs.sandbox.logs.deliver("eu-west-1", "p", "s", [NOW], ["x"])
    logs.call("PutRetentionPolicy", logGroupName="p", retentionInDays=1)
    logs.sandbox.clock.advance(2 * 86_400)
    assert logs.call("FilterLogEvents", logGroupName="p")["events"] == []
    assert logs.refused("DeleteLogGroup", logGroupName="p")[0] == "ValidationException"


def test_a_longer_retention_keeps_what_a_shorter_would_have_deleted(logs: Logs) -> None:
    logs.put("x")
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=1)
    logs.call("PutRetentionPolicy", logGroupName="g", retentionInDays=5)
    logs.sandbox.clock.advance(3 * 86_400)
    assert len(logs.call("FilterLogEvents", logGroupName="g")["events"]) == 1
    logs.sandbox.clock.advance(3 * 86_400)
    assert logs.call("FilterLogEvents", logGroupName="g")["events"] == []


def test_names_that_begin_as_awss_own_groups_do_are_reserved_without_the_slash_before(logs: Logs) -> None:
    assert logs.refused("CreateLogGroup", logGroupName="aws/mine") == (
        "InvalidParameterException",
        "Log groups starting with AWS/ are reserved for AWS.",
    )
    logs.call("CreateLogGroup", logGroupName="/aws/vpc/flowlogs")
