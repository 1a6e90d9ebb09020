from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from labkit.lab.calls import Call, Recorder, is_reading

AS_CLI = [
    (Call("ec2", "DescribeVpcs", {}), "aws ec2 describe-vpcs"),
    (
        Call("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a b/"}),
        "aws s3api list-objects-v2 --bucket b --prefix 'a b/'",
    ),
    (
        Call("ec2", "DescribeVpcs", {"Filters": [{"Name": "tag:Name", "Values": ["Lab VPC"]}]}),
        "aws ec2 describe-vpcs --filters 'Name=tag:Name,Values=Lab VPC'",
    ),
    (
        Call(
            "ec2",
            "DescribeInstances",
            {"Filters": [{"Name": "x", "Values": ["a", "b"]}, {"Name": "y", "Values": ["c"]}]},
        ),
        "aws ec2 describe-instances --filters 'Name=x,Values=[a,b]' Name=y,Values=c",
    ),
    (
        Call(
            "ec2",
            "CreateFlowLogs",
            {
                "ResourceIds": ["vpc-1", "vpc-2"],
                "MaxAggregationInterval": 60,
                "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": [{"Key": "a", "Value": "b"}]}],
            },
        ),
        "aws ec2 create-flow-logs --resource-ids vpc-1 vpc-2 --max-aggregation-interval 60 "
        "--tag-specifications 'ResourceType=vpc-flow-log,Tags=[{Key=a,Value=b}]'",
    ),
    (Call("ec2", "DescribeVpcs", {"DryRun": True}), "aws ec2 describe-vpcs --dry-run"),
    (Call("ec2", "DescribeVpcs", {"DryRun": False}), "aws ec2 describe-vpcs --no-dry-run"),
    (Call("sns", "Subscribe", {"TopicArn": "arn:x"}), "aws sns subscribe --topic-arn arn:x"),
    (
        Call("logs", "PutMetricFilter", {"filterPattern": '[a, b="22"]'}),
        "aws logs put-metric-filter --filter-pattern '[a, b=\"22\"]'",
    ),
    (Call("logs", "CreateLogGroup", {"tags": {"k": "v"}}), "aws logs create-log-group --tags k=v"),
    (
        Call("x", "PutThing", {"Thing": {"Text": 'commas, "quotes"', "Deep": {"A": [1, 2]}}}),
        """aws x put-thing --thing '{"Text": "commas, \\"quotes\\"", "Deep": {"A": [1, 2]}}'""",
    ),
    (
        Call("x", "PutThing", {"Thing": {"Flag": True, "Deep": {"A": "b"}}}),
        "aws x put-thing --thing 'Flag=true,Deep={A=b}'",
    ),
    (Call("x", "PutThing", {"Thing": {"Empty": ""}}), """aws x put-thing --thing '{"Empty": ""}'"""),
    (
        Call("cloudwatch", "GetMetricStatistics", {"StartTime": datetime(2026, 11, 2, 9, tzinfo=UTC)}),
        "aws cloudwatch get-metric-statistics --start-time 2026-11-02T09:00:00+00:00",
    ),
    (Call("x", "PutBlob", {"Body": b"text"}), "aws x put-blob --body text"),
    (Call("x", "PutName", {"Name": "it's; rm -rf $HOME"}), """aws x put-name --name 'it'"'"'s; rm -rf $HOME'"""),
]
READING = [
    "BatchGetQueryExecution",
    "DescribeVpcs",
    "GetObject",
    "ListRoles",
    "HeadBucket",
    "FilterLogEvents",
    "TestMetricFilter",
    "StartQuery",
]
CHANGING = [
    "CreateFlowLogs",
    "PutMetricAlarm",
    "DeleteTopic",
    "StartQueryExecution",
    "ModifyInstanceAttribute",
    "Publish",
]


@pytest.mark.parametrize(("call", "line"), AS_CLI, ids=lambda each: getattr(each, "operation", None))
def test_a_call_is_written_as_the_cli_would_take_it(call, line):
    assert call.as_cli() == line


def test_reading_and_changing_calls_are_told_apart():
    assert [name for name in READING if not is_reading(name)] == []
    assert [name for name in CHANGING if is_reading(name)] == []
    assert Call("ec2", "DescribeVpcs", {}).reads


@pytest.fixture
def recorded():
    """A recorder, and a client whose calls it hears without a network."""
    session = boto3.Session("key", "secret", region_name="eu-west-1")
    recorder = Recorder()
    recorder.listen(session.events)
    client = session.client("ec2")
    with Stubber(client) as stubber:
        for _ in range(3):
            stubber.add_response("describe_vpcs", {"Vpcs": []})
        stubber.add_client_error("create_vpc", "VpcLimitExceeded")
        yield recorder, client


def test_calls_are_written_down_in_order_with_their_parameters(recorded):
    recorder, client = recorded
    client.describe_vpcs(VpcIds=["vpc-1"])
    assert recorder.calls == [Call("ec2", "DescribeVpcs", {"VpcIds": ["vpc-1"]})]


def test_a_call_that_failed_was_made_too(recorded):
    recorder, client = recorded
    for _ in range(3):
        client.describe_vpcs()
    with pytest.raises(client.exceptions.ClientError):
        client.create_vpc(CidrBlock="10.0.0.0/16")
    assert recorder.calls[-1] == Call("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"})


def test_lines_since_a_mark_show_a_repeated_call_once(recorded):
    recorder, client = recorded
    client.describe_vpcs()
    mark = recorder.mark()
    assert recorder.lines_since(mark) == ()
    client.describe_vpcs(VpcIds=["vpc-1"])
    client.describe_vpcs(VpcIds=["vpc-1"])
    assert recorder.lines_since(mark) == ("aws ec2 describe-vpcs --vpc-ids vpc-1",)
    assert len(recorder.calls) == 3


def test_what_is_called_later_with_the_same_dict_does_not_change_the_record(recorded):
    recorder, client = recorded
    params = {"VpcIds": ["vpc-1"]}
    client.describe_vpcs(**params)
    params["VpcIds"] = ["other"]
    assert recorder.calls[0].params == {"VpcIds": ["vpc-1"]}
