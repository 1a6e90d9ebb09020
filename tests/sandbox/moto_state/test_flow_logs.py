import json

import pytest

from labkit.sandbox import moto_state
from labkit.sandbox.moto_state.flow_logs import parameters
from tests.sandbox.network.vpc import BUCKET


def template(vpc, **changes):
    properties = {
        "ResourceType": "VPC",
        "ResourceId": vpc.id,
        "TrafficType": "REJECT",
        "LogDestinationType": "s3",
        "LogDestination": f"arn:aws:s3:::{BUCKET}",
        "MaxAggregationInterval": "60",
        "DestinationOptions": {"FileFormat": "parquet", "HiveCompatiblePartitions": "true", "PerHourPartition": False},
        "Tags": [{"Key": "Name", "Value": "from a template"}],
        **changes,
    }
    return json.dumps({"Resources": {"Log": {"Type": "AWS::EC2::FlowLog", "Properties": properties}}})


@pytest.fixture
def cloudformation(sandbox, vpc):
    """What makes stacks; the bucket that their flow logs go to is there."""
    vpc.make_bucket()
    return moto_state.backend("cloudformation", sandbox.account_id, "eu-west-1")


def test_a_stack_makes_a_flow_log_and_takes_it_with_it(cloudformation, vpc):
    stack = cloudformation.create_stack("logs", template(vpc), {})
    (made,) = vpc.call("DescribeFlowLogs")["FlowLogs"]
    assert stack.resource_map["Log"].physical_resource_id == made["FlowLogId"]
    assert (made["TrafficType"], made["MaxAggregationInterval"]) == ("REJECT", 60)
    tags = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
    assert (tags["Name"], tags["aws:cloudformation:stack-name"]) == ("from a template", "logs")
    assert made["DestinationOptions"] == {
        "FileFormat": "parquet",
        "HiveCompatiblePartitions": True,
        "PerHourPartition": False,
    }
    cloudformation.delete_stack("logs")
    assert vpc.call("DescribeFlowLogs")["FlowLogs"] == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MaxAggregationInterval": 61}, "Invalid Flow Log Max Aggregation Interval"),
        ({"LogDestination": "arn:aws:s3:::nowhere"}, "LogDestination: nowhere does not exist"),
        ({"ResourceId": "vpc-0"}, "The vpc ID 'vpc-0' does not exist"),
    ],
)
def test_what_create_flow_logs_refuses_fails_the_stack(cloudformation, vpc, changes, message):
    stack = cloudformation.create_stack("logs", template(vpc, **changes), {})
    assert stack.status == "ROLLBACK_COMPLETE"
    assert any(message in (each.resource_status_reason or "") for each in stack.events)


def test_properties_become_parameters():
    assert parameters({"ResourceId": "vpc-1", "TrafficType": "ALL"}) == {"ResourceIds": ["vpc-1"], "TrafficType": "ALL"}
