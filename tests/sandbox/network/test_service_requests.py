"""Requests about flow logs as Amazon EC2's reference describes them: tokens, dry runs, resources, pages."""

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.network.vpc import TO_BUCKET, Vpc


def test_a_client_token_is_for_the_same_request_alone(vpc):
    """https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html"""
    vpc.log_to_s3(ClientToken="once")
    with pytest.raises(ServiceError, match="IdempotentParameterMismatch: Arguments on this idempotent request are"):
        vpc.log_to_s3(ClientToken="once", TrafficType="REJECT")
    assert vpc.log_to_s3(ClientToken="twice", TrafficType="REJECT")
    assert len(vpc.call("DescribeFlowLogs")["FlowLogs"]) == 2


def test_a_client_token_is_kept_by_region_and_told_in_the_answer(sandbox, vpc):
    there = Vpc(sandbox, cidr="10.9.0.0/16", region="us-east-1")
    assert vpc.log_to_s3(ClientToken="once") != there.log_to_s3(ClientToken="once")
    params = {**TO_BUCKET, "TrafficType": "ACCEPT", "ClientToken": "accepted"}
    answer = vpc.create_flow_logs(**params)
    assert answer["ClientToken"] == "accepted"
    assert vpc.create_flow_logs(**params) == answer


def test_a_client_token_of_a_request_that_failed_may_be_used_again(vpc):
    with pytest.raises(ServiceError, match="InvalidParameter"):
        vpc.log_to_s3(ClientToken="once", MaxAggregationInterval=61)
    assert vpc.log_to_s3(ClientToken="once")


def test_a_client_token_is_64_characters_at_most(vpc):
    assert vpc.log_to_s3(ClientToken="x" * 64)
    with pytest.raises(ServiceError, match="ClientToken has 65 characters; the most is 64"):
        vpc.log_to_s3(ClientToken="x" * 65)


def test_a_dry_run_says_what_would_be_wrong_first(vpc):
    with pytest.raises(ServiceError, match="Invalid Flow Log Max Aggregation Interval"):
        vpc.log_to_s3(DryRun=True, MaxAggregationInterval=61)
    for operation, params in (("DescribeFlowLogs", {}), ("DeleteFlowLogs", {"FlowLogIds": ["fl-01234567"]})):
        with pytest.raises(ServiceError, match="DryRunOperation: Request would have succeeded, but DryRun flag is set"):
            vpc.call(operation, DryRun=True, **params)


def test_one_request_makes_a_flow_log_for_each_of_its_resources_once(vpc):
    other = vpc.add_subnet("10.0.2.0/24")
    params = {"ResourceType": "Subnet", "ResourceIds": [vpc.subnet.id, other.id, vpc.subnet.id]}
    vpc.log_to_s3(**params)
    shown = vpc.call("DescribeFlowLogs")["FlowLogs"]
    assert [each["ResourceId"] for each in shown] == [vpc.subnet.id, other.id]
    assert len({each["FlowLogId"] for each in shown}) == 2


@pytest.mark.parametrize(
    ("kind", "id", "code", "message"),
    [
        ("VPC", "vpc-0", "InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist"),
        ("Subnet", "subnet-0", "InvalidSubnetID.NotFound", "The subnet ID 'subnet-0' does not exist"),
        (
            "NetworkInterface",
            "eni-0",
            "InvalidNetworkInterfaceID.NotFound",
            "The networkInterface ID 'eni-0' does not exist",
        ),
    ],
)
def test_a_resource_that_there_is_none_of_is_named_by_its_kind(vpc, kind, id, code, message):
    with pytest.raises(ServiceError) as refusal:
        vpc.log_to_s3(ResourceType=kind, ResourceIds=[id])
    assert (refusal.value.code, refusal.value.message) == (code, message)


def test_a_resource_of_another_region_is_none_of_this_one(sandbox, vpc):
    there = Vpc(sandbox, cidr="10.9.0.0/16", region="us-east-1")
    with pytest.raises(ServiceError, match=r"InvalidVpcID\.NotFound"):
        vpc.log_to_s3(ResourceIds=[there.id])
    flow_log = there.log_to_s3()
    assert vpc.call("DescribeFlowLogs")["FlowLogs"] == []
    with pytest.raises(ServiceError, match=r"InvalidFlowLogId\.NotFound"):
        vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])


def test_describe_pages_through_all_flow_logs_and_keeps_to_its_filter(vpc):
    made = [vpc.log_to_s3(TrafficType=traffic) for traffic in ("ALL", "ACCEPT", "REJECT")]
    first = vpc.call("DescribeFlowLogs", MaxResults=2)
    rest = vpc.call("DescribeFlowLogs", MaxResults=2, NextToken=first["NextToken"])
    assert [each["FlowLogId"] for page in (first, rest) for each in page["FlowLogs"]] == made
    assert rest["NextToken"] is None
    filters = [{"Name": "traffic-type", "Values": ["ACCEPT", "REJECT"]}]
    assert [each["FlowLogId"] for each in vpc.call("DescribeFlowLogs", Filter=filters)["FlowLogs"]] == made[1:]
    assert vpc.call("DescribeFlowLogs", FlowLogIds=made[:1], Filter=filters)["FlowLogs"] == []


def test_what_a_deleted_flow_log_has_delivered_stays(sandbox, vpc):
    flow_log = vpc.log_to_group()
    vpc.connect(22)
    sandbox.clock.advance(300)
    vpc.call("DeleteFlowLogs", FlowLogIds=[flow_log])
    assert len(vpc.messages()) == 2
    with pytest.raises(ServiceError, match=r"InvalidFlowLogId\.NotFound"):
        vpc.call("DescribeFlowLogs", FlowLogIds=[flow_log])


def test_a_flow_log_is_made_again_with_a_new_id(vpc):
    first = vpc.log_to_s3()
    vpc.call("DeleteFlowLogs", FlowLogIds=[first])
    assert vpc.log_to_s3() != first
