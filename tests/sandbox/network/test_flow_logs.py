import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.flowlog.s3_keys import S3Layout
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.network.flow_logs import check_ids, check_size, check_tags, parse
from tests.sandbox.network.vpc import interface

DOCUMENTED = json.loads((Path(__file__).parent / "create_flow_logs.json").read_text())
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
    (
        {**TO_GROUP, "ResourceType": "TransitGateway"},
        "has no flow logs with ResourceType TransitGateway.*docs/sandbox.md",
    ),
    ({"LogDestinationType": "kinesis-data-firehose"}, "has no flow logs with LogDestinationType kinesis-data-firehose"),
    (
        {
            **TO_GROUP,
            "LogFormat": "${instance-tag}",
            "TagFieldSpecifications": [{"ResourceType": "instance", "TagKeys": ["a", "b", "c"]}],
        },
        "InvalidParameter: TagFieldSpecifications names 3 tag keys for instance-tag, which takes one or two",
    ),
    ({**TO_GROUP, "DeliverCrossAccountRole": ROLE}, "does not implement DeliverCrossAccountRole"),
]


@pytest.mark.parametrize(("params", "message"), REFUSED)
def test_what_the_sandbox_lacks_is_said_so(params, message):
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


def spelled_out(value):
    """What a documented case means by so many letters."""
    text = re.sub("<(\\d+) letters>", lambda match: "g" * int(match[1]), json.dumps(value))
    spelled = json.loads(text)
    if isinstance(spelled, dict) and isinstance(spelled.get("LogFormat"), list):
        spelled["LogFormat"] = " ".join(f"${{{name}}}" for name in spelled["LogFormat"])
    return spelled


@pytest.mark.parametrize("case", DOCUMENTED["made"], ids=lambda case: case["name"])
def test_create_flow_logs_takes_what_its_reference_and_the_guide_s_examples_say(case):
    flow_log = parsed(spelled_out(case["params"]))
    layout = vars(flow_log.layout)
    shown = {
        "names": list(flow_log.log_format.names),
        "version": flow_log.log_format.version,
        **layout,
        **vars(flow_log),
    }
    expected = spelled_out(case["flow_log"])
    assert {name: shown[name] for name in expected} == expected


@pytest.mark.parametrize("case", DOCUMENTED["refused"], ids=lambda case: case["name"])
def test_create_flow_logs_refuses_what_does_not_go_together(case):
    params = spelled_out(case["params"])
    with pytest.raises(ServiceError) as refusal:
        parsed(params)
    message = spelled_out(case["message"]).replace("{LogDestination}", params.get("LogDestination", ""))
    assert (refusal.value.code, refusal.value.message) == (case["code"], message)


TAGS = [
    ([{"Key": "aws:name", "Value": "x"}], "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved"),
    ([{"Key": "AWS:name", "Value": "x"}], "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved"),
    ([{"Key": "", "Value": "x"}], "InvalidParameterValue", "Tag key cannot be empty."),
    ([{"Key": "k" * 129}], "InvalidParameterValue", "Tag key exceeds the maximum length of 128 characters"),
    ([{"Key": "k", "Value": "v" * 257}], "InvalidParameterValue", "Tag value exceeds the maximum length of 256"),
    ([{"Key": "k", "Value": "a"}, {"Key": "k", "Value": "b"}], "InvalidParameterValue", "Duplicate tag key 'k'"),
    ([{"Key": f"k{number}"} for number in range(51)], "TagLimitExceeded", "The maximum number of Tags for a resource"),
]


@pytest.mark.parametrize(("tags", "code", "message"), TAGS, ids=[message for _, _, message in TAGS])
def test_tags_keep_within_the_limits_of_every_resource(tags, code, message):
    with pytest.raises(ServiceError) as refusal:
        check_tags({"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": tags}]})
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)


def test_as_many_and_as_long_tags_as_a_resource_may_have():
    tags = [{"Key": "k" * 128, "Value": "v" * 256}, *({"Key": f"k{number}", "Value": ""} for number in range(49))]
    check_tags({"TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": tags}]})
    assert len(parsed({**TO_GROUP, "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": tags}]}).tags) == 50


def test_a_request_names_300_resources_and_1000_flow_logs_at_most():
    check_size({"ResourceIds": ["vpc-1"] * 300})
    with pytest.raises(ServiceError, match="The request names 301 resources; the most is 300"):
        check_size({"ResourceIds": ["vpc-1"] * 301})
    check_ids(["fl-01234567"] * 1000)
    with pytest.raises(ServiceError, match="The request names 1001 flow logs; the most is 1000"):
        check_ids(["fl-01234567"] * 1001)


@pytest.mark.parametrize("flow_log_id", ["fl-01234567", "fl-0123456789abcdef0"])
def test_an_id_has_8_or_17_digits(flow_log_id):
    check_ids([flow_log_id])


def test_two_flow_logs_are_alike_whatever_their_interval_tags_and_names():
    one = parsed({**TO_BUCKET, "MaxAggregationInterval": 60})
    tags = [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "Name", "Value": "lab"}]}]
    assert one.configuration() == parsed({**TO_BUCKET, "TagSpecifications": tags}).configuration()


DIFFERENCES = [
    {"TrafficType": "REJECT"},
    {"LogDestination": "arn:aws:s3:::bucket/folder"},
    {"LogDestination": "arn:aws:s3:::other"},
    {"LogFormat": "${srcaddr}"},
    {"DestinationOptions": {"PerHourPartition": True}},
]


@pytest.mark.parametrize("difference", DIFFERENCES, ids=[str(each) for each in DIFFERENCES])
def test_what_makes_another_flow_log(difference):
    assert parsed(TO_BUCKET).configuration() != parsed({**TO_BUCKET, **difference}).configuration()
