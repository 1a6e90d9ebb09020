from datetime import UTC, datetime

import pytest

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.flowlog.s3_keys import S3Layout
from labkit.sandbox.network.flow_logs import parse
from labkit.sandbox.service import ServiceError
from tests.sandbox.network.vpc import interface

ROLE = "arn:aws:iam::123456789012:role/Deliver"
TO_GROUP = {"LogGroupName": "VPCFlowLogs", "DeliverLogsPermissionArn": ROLE}
TO_BUCKET = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::bucket"}
USUAL = {"ResourceType": "VPC", "ResourceIds": ["vpc-1"], "TrafficType": "ALL"}


def parsed(params):
    created = datetime(2026, 11, 2, 9, tzinfo=UTC)
    return parse({**USUAL, **params}, region="eu-west-1", account_id="123456789012", created=created)


def test_cloudwatch_logs_every_ten_minutes_is_the_default():
    flow_log = parsed(TO_GROUP)
    assert (flow_log.destination_type, flow_log.group, flow_log.bucket) == ("cloud-watch-logs", "VPCFlowLogs", None)
    assert (flow_log.interval, flow_log.log_format, flow_log.role_arn) == (600, DEFAULT_FORMAT, ROLE)


@pytest.mark.parametrize("end", ["", ":*"])
def test_a_log_group_may_be_given_by_its_arn(end):
    arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:my/group{end}"
    flow_log = parsed({"LogDestination": arn, "DeliverLogsPermissionArn": ROLE})
    assert (flow_log.group, flow_log.destination) == ("my/group", arn)


@pytest.mark.parametrize(
    ("destination", "bucket", "prefix"),
    [
        ("arn:aws:s3:::my-bucket", "my-bucket", ""),
        ("arn:aws:s3:::my-bucket/", "my-bucket", ""),
        ("arn:aws:s3:::my-bucket/my-logs/", "my-bucket", "my-logs"),
        ("arn:aws:s3:::my.bucket/a/b", "my.bucket", "a/b"),
    ],
)
def test_a_bucket_may_come_with_a_folder(destination, bucket, prefix):
    flow_log = parsed({**TO_BUCKET, "LogDestination": destination})
    assert (flow_log.bucket, flow_log.layout) == (bucket, S3Layout(prefix))


def test_destination_options_lay_out_the_files():
    options = {"FileFormat": "parquet", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    assert parsed({**TO_BUCKET, "DestinationOptions": options}).layout == S3Layout("", "parquet", True, True)
    assert parsed({**TO_BUCKET, "DestinationOptions": {"PerHourPartition": True}}).layout == S3Layout(per_hour=True)


REFUSED = [
    ({**TO_GROUP, "MaxAggregationInterval": 30}, "InvalidParameter: Invalid Flow Log Max Aggregation Interval"),
    (
        {"LogGroupName": "a group!", "DeliverLogsPermissionArn": ROLE},
        "InvalidParameterValue: 1 validation error detected: Value 'a group!' at 'logGroupName' has an invalid format",
    ),
    ({}, "InvalidParameter: LogDestination can't be empty if LogGroupName is not provided."),
    ({"LogDestinationType": "s3"}, "InvalidParameter: LogDestination can't be empty if LogGroupName is not provided."),
    (
        {"LogGroupName": "g"},
        "InvalidParameter: DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs.",
    ),
    (
        {"LogDestinationType": "s3", "LogGroupName": "g"},
        "InvalidParameter: LogDestination type must be cloud-watch-logs if LogGroupName is provided.",
    ),
    (
        {**TO_BUCKET, "DeliverLogsPermissionArn": ROLE},
        "InvalidParameter: DeliverLogsPermissionArn is not applicable for s3 delivery",
    ),
    (
        {**TO_GROUP, "LogDestination": "arn:aws:logs:eu-west-1:123456789012:log-group:g"},
        "InvalidParameter: Please only provide LogGroupName or only provide LogDestination.",
    ),
    (
        {"LogDestination": "arn:aws:logs:us-east-1:123456789012:log-group:g", "DeliverLogsPermissionArn": ROLE},
        "is not the ARN of a log group in eu-west-1",
    ),
    ({**TO_BUCKET, "LogDestination": "my-bucket"}, "my-bucket is not the ARN of an S3 bucket"),
    ({**TO_BUCKET, "LogDestination": "arn:aws:s3:::bucket/AWSLogs/"}, "AWSLogs is a reserved term"),
    ({**TO_GROUP, "DestinationOptions": {"FileFormat": "parquet"}}, "DestinationOptions is only applicable for s3"),
    ({**TO_GROUP, "LogFormat": "${srcaddr}, ${dstaddr}"}, "at 'logFormat' has an invalid format"),
    ({**TO_GROUP, "LogFormat": "${source}"}, "Unknown fields provided in LogFormat: source"),
    (
        {**TO_GROUP, "ResourceType": "TransitGateway"},
        "has no flow logs with ResourceType TransitGateway.*docs/sandbox.md",
    ),
    ({"LogDestinationType": "kinesis-data-firehose"}, "has no flow logs with LogDestinationType kinesis-data-firehose"),
    (
        {**TO_GROUP, "LogFormat": "${srcaddr} ${instance-tag}"},
        "InvalidParameter: The TagFieldSpecifications parameter must be set when including tag fields in the log forma",
    ),
    (
        {
            **TO_GROUP,
            "LogFormat": "${interface-tag-2}",
            "TagFieldSpecifications": [{"ResourceType": "network-interface", "TagKeys": ["Name"]}],
        },
        "InvalidParameter: TagFieldSpecifications names no tag key for the field interface-tag-2 of the log format",
    ),
    (
        {
            **TO_GROUP,
            "LogFormat": "${instance-tag}",
            "TagFieldSpecifications": [{"ResourceType": "instance", "TagKeys": ["a", "b", "c"]}],
        },
        "InvalidParameter: TagFieldSpecifications names 3 tag keys for instance-tag, which takes one or two",
    ),
    ({**TO_GROUP, "DeliverCrossAccountRole": ROLE}, "does not implement DeliverCrossAccountRole"),
    (
        {**TO_GROUP, "TagSpecifications": [{"ResourceType": "vpc", "Tags": []}]},
        "InvalidParameterValue: 'vpc' is not a valid taggable resource type for this operation.",
    ),
]


@pytest.mark.parametrize(("params", "message"), REFUSED)
def test_what_aws_or_the_sandbox_refuses_is_said_so(params, message):
    with pytest.raises(ServiceError, match=message):
        parsed(params)


def test_the_traffic_type_must_be_given():
    params = {"ResourceType": "VPC", "ResourceIds": ["vpc-1"], **TO_GROUP}
    with pytest.raises(ServiceError, match="MissingParameter: The request must contain the parameter TrafficType"):
        parse(params, region="eu-west-1", account_id="123456789012", created=datetime(2026, 11, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("instance_type", "interval"),
    [("t3.nano", 60), ("m5.large", 60), ("t2.micro", 600), ("i3.large", 600), ("i3.metal", 60), (None, 600)],
)
def test_on_nitro_the_aggregation_takes_a_minute_at_most(instance_type, interval):
    flow_log = parsed(TO_GROUP)
    assert flow_log.interval_of(interface(instance_type=instance_type)) == interval
