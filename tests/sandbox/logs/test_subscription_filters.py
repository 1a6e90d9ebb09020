"""Subscription filters pass matching events on to the streams that moto holds."""

import base64
import gzip
import json
from typing import Any

import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.subscription_filters import MAX_MESSAGE_EVENTS
from labkit.sandbox.moto_state import s3
from tests.sandbox.calls import refused
from tests.sandbox.logs.conftest import NOW, Logs

ACCOUNT = "123456789012"
STREAM = f"arn:aws:kinesis:eu-west-1:{ACCOUNT}:stream/passed-on"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/logs-to-kinesis"


@pytest.fixture
def kinesis(logs: Logs) -> Any:
    backend = moto_state.backend("kinesis", ACCOUNT, "eu-west-1")
    backend.create_stream("passed-on", 1, None, None)
    return backend


def records(kinesis: Any) -> list[tuple[str, dict[str, Any]]]:
    """Partition keys and messages of what is in the stream."""
    shards = kinesis.describe_stream(STREAM, None).shards.values()
    return [
        (record.partition_key, json.loads(gzip.decompress(base64.b64decode(record.data))))
        for shard in shards
        for record in shard.records.values()
    ]


def put_filter(logs: Logs, *, name: str = "f", **params: Any) -> None:
    chosen = {"filterPattern": "REJECT", "destinationArn": STREAM, "roleArn": ROLE} | params
    logs.call(
        "PutSubscriptionFilter",
        logGroupName="g",
        filterName=name,
        **{key: value for key, value in chosen.items() if value is not None},
    )


def test_matching_events_reach_kinesis_after_a_test_message(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    logs.put("22 REJECT", "22 ACCEPT", "80 REJECT")
    (_, control), (key, data) = records(kinesis)
    assert (control["messageType"], control["owner"]) == ("CONTROL_MESSAGE", "CloudwatchLogs")
    assert len(key) == 32
    events = logs.call("FilterLogEvents", logGroupName="g", filterPattern="REJECT")["events"]
    assert data == {
        "messageType": "DATA_MESSAGE",
        "owner": ACCOUNT,
        "logGroup": "g",
        "logStream": "eni-1",
        "subscriptionFilters": ["f"],
        "logEvents": [
            {"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]} for event in events
        ],
    }


def test_nothing_is_sent_when_nothing_matches(logs: Logs, kinesis: Any) -> None:
    logs.put("REJECT before the filter")
    put_filter(logs)
    logs.put("ACCEPT")
    assert len(records(kinesis)) == 1


def test_events_of_a_stream_go_to_one_shard_unless_chance_is_asked_for(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    put_filter(logs, name="random", distribution="Random")
    for number in range(3):
        logs.put("REJECT", at=NOW + number)
    keys = {name: set() for name in ("f", "random")}
    for key, message in records(kinesis):
        for name in message["subscriptionFilters"]:
            keys[name].add(key)
    assert (len(keys["f"]), len(keys["random"])) == (1, 3)


def test_events_reach_s3_through_firehose(logs: Logs) -> None:
    moto_state.backend("s3", ACCOUNT, "aws").create_bucket("passed-on", "eu-west-1")
    moto_state.backend("firehose", ACCOUNT, "eu-west-1").create_delivery_stream(
        "eu-west-1",
        delivery_stream_name="to-s3",
        delivery_stream_type="DirectPut",
        delivery_stream_encryption_configuration_input={},
        kinesis_stream_source_configuration={},
        s3_destination_configuration={},
        extended_s3_destination_configuration={"BucketARN": "arn:aws:s3:::passed-on", "RoleARN": ROLE},
        redshift_destination_configuration={},
        elasticsearch_destination_configuration={},
        splunk_destination_configuration={},
        http_endpoint_destination_configuration={},
        snowflake_destination_configuration={},
        iceberg_destination_configuration={},
        tags=[],
    )
    put_filter(logs, destinationArn=f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/to-s3")
    logs.put("REJECT this")
    bodies = b"".join(s3.get_object("passed-on", key) for key, *_ in s3.list_objects("passed-on", ""))
    assert b"REJECT this" in gzip.decompress(bodies)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"destinationArn": STREAM + "x"}, "Could not deliver test message to specified Kinesis stream."),
        (
            {"destinationArn": f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/none"},
            "Could not deliver test message to specified Firehose stream.",
        ),
        ({"roleArn": None}, "destinationArn for vendor kinesis cannot be used without roleArn"),
        ({"filterPattern": "{ x"}, "Invalid"),
        ({"destinationArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:f"}, "The sandbox is not able"),
        ({"destinationArn": "nonsense"}, "The sandbox is not able"),
        ({"applyOnTransformedLogs": True}, "The sandbox is not able"),
    ],
)
def test_a_filter_that_cannot_work_is_refused(logs: Logs, kinesis: Any, params: dict[str, Any], message: str) -> None:
    code, said = refused(put_filter, logs, **params)
    assert code == "InvalidParameterException"
    assert said.startswith(message)
    assert logs.call("DescribeSubscriptionFilters", logGroupName="g") == {"subscriptionFilters": []}


def test_a_group_has_at_most_two_subscription_filters(logs: Logs, kinesis: Any) -> None:
    put_filter(logs, name="one")
    put_filter(logs, name="two")
    put_filter(logs, name="two")
    assert refused(put_filter, logs, name="three") == ("LimitExceededException", "Resource limit exceeded.")


def test_filters_are_described_and_deleted(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    (shown,) = logs.call("DescribeSubscriptionFilters", logGroupName="g", filterNamePrefix="f")["subscriptionFilters"]
    assert shown == {
        "filterName": "f",
        "logGroupName": "g",
        "filterPattern": "REJECT",
        "destinationArn": STREAM,
        "roleArn": ROLE,
        "distribution": "ByLogStream",
        "applyOnTransformedLogs": False,
        "creationTime": NOW,
    }
    logs.call("DeleteSubscriptionFilter", logGroupName="g", filterName="f")
    logs.put("REJECT")
    assert len(records(kinesis)) == 1
    with pytest.raises(ServiceError, match="The specified subscription filter does not exist"):
        logs.call("DeleteSubscriptionFilter", logGroupName="g", filterName="f")


def test_a_stream_that_goes_away_stops_no_events_from_coming_in(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    kinesis.delete_stream(STREAM, None)
    logs.put("REJECT")
    assert len(logs.call("FilterLogEvents", logGroupName="g")["events"]) == 1


def test_each_filter_sends_what_it_matches_to_its_own_stream(logs: Logs, kinesis: Any) -> None:
    put_filter(logs, name="rejects")
    put_filter(logs, name="all", filterPattern="")
    logs.put("22 REJECT", "80 ACCEPT")
    sent = {
        message["subscriptionFilters"][0]: [event["message"] for event in message["logEvents"]]
        for _, message in records(kinesis)
        if message["messageType"] == "DATA_MESSAGE"
    }
    assert sent == {"rejects": ["22 REJECT"], "all": ["22 REJECT", "80 ACCEPT"]}


def test_a_filter_of_the_same_name_is_replaced(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    logs.sandbox.clock.advance(60)
    put_filter(logs, filterPattern="ACCEPT", distribution="Random")
    (shown,) = logs.call("DescribeSubscriptionFilters", logGroupName="g")["subscriptionFilters"]
    assert (shown["filterPattern"], shown["distribution"], shown["creationTime"]) == ("ACCEPT", "Random", NOW)
    logs.put("22 REJECT", "80 ACCEPT")
    (message,) = [message for _, message in records(kinesis) if message["messageType"] == "DATA_MESSAGE"]
    assert [event["message"] for event in message["logEvents"]] == ["80 ACCEPT"]


def test_a_batch_of_many_events_is_sent_in_several_messages_in_order(logs: Logs, kinesis: Any) -> None:
    put_filter(logs)
    texts = [f"REJECT {number}" for number in range(MAX_MESSAGE_EVENTS + 1)]
    logs.sandbox.logs.deliver("eu-west-1", "g", "s", [NOW] * len(texts), texts)
    parts = [message["logEvents"] for _, message in records(kinesis) if message["messageType"] == "DATA_MESSAGE"]
    assert [len(part) for part in parts] == [MAX_MESSAGE_EVENTS, 1]
    assert [event["message"] for part in parts for event in part] == texts


def test_metric_and_subscription_filters_share_the_quota_of_regular_expressions(logs: Logs, kinesis: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html"""
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    for number in range(4):
        filter_ = {"filterName": f"m{number}", "filterPattern": "%x%", "metricTransformations": [transformation]}
        logs.call("PutMetricFilter", logGroupName="g", **filter_)
    put_filter(logs, name="fifth", filterPattern="%x%")
    assert refused(put_filter, logs, name="sixth", filterPattern="%x%")[0] == "LimitExceededException"
    put_filter(logs, name="without", filterPattern="x")


def test_filters_are_in_the_order_of_their_names_and_chosen_by_their_start(logs: Logs, kinesis: Any) -> None:
    for name in ("b", "a"):
        put_filter(logs, name=name)
    first = logs.call("DescribeSubscriptionFilters", logGroupName="g", limit=1)
    rest = logs.call("DescribeSubscriptionFilters", logGroupName="g", limit=1, nextToken=first["nextToken"])
    names = [filter_["filterName"] for page in (first, rest) for filter_ in page["subscriptionFilters"]]
    assert (names, "nextToken" in rest) == (["a", "b"], False)
    chosen = logs.call("DescribeSubscriptionFilters", logGroupName="g", filterNamePrefix="b")["subscriptionFilters"]
    assert [filter_["filterName"] for filter_ in chosen] == ["b"]


def test_the_destination_is_tried_with_a_control_message(logs: Logs, kinesis: Any) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/ValidateLogEventFlow.html"""
    put_filter(logs)
    ((_, message),) = records(kinesis)
    assert message == {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 0, "message": "CWL CONTROL MESSAGE: Checking health of destination."}],
    }
