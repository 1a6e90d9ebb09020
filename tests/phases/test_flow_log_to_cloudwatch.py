"""The flow log to CloudWatch Logs: the log group's name, the role, and the facts that it shares with that to S3."""

import json

import pytest

from labkit.checks.check import check
from labkit.lab.errors import LabError
from labkit.phases import flow_log_to_cloudwatch, flow_logs
from tests.phases.verdicts import absent, item, make_flow_log, wrong

KEY = "flow log to CloudWatch"
GROUP = "log group VPCFlowLogs"
FLOW_LOG = "flow log of the lab VPC to the log group VPCFlowLogs"
SERVICE = {"Service": "vpc-flow-logs.amazonaws.com"}
WRITES = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogGroups"]
WRITES += ["logs:DescribeLogStreams"]


@pytest.fixture(autouse=True)
def nothing_stays(lab):
    """Each test begins without flow logs and log groups."""
    yield
    if ids := [each["FlowLogId"] for each in flow_logs.find_flow_logs(lab)]:
        lab.client("ec2").delete_flow_logs(FlowLogIds=ids)
    for group in lab.client("logs").describe_log_groups()["logGroups"]:
        lab.client("logs").delete_log_group(logGroupName=group["logGroupName"])


def make(lab, **differing):
    to_the_group = {
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "VPCFlowLogs",
        "DeliverLogsPermissionArn": lab.delivery_role.arn,
    }
    return make_flow_log(lab, **to_the_group | differing)


def make_role(lab, name, actions):
    """A role that VPC Flow Logs may assume, and that may do these actions."""
    iam = lab.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}],
    }
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="write", PolicyDocument=json.dumps(allowed))
    return arn


def test_nothing_is_absent_group_and_flow_log(lab):
    found = check(KEY)
    assert absent(found) == [GROUP, FLOW_LOG]
    assert "called exactly VPCFlowLogs" in item(found, GROUP).hint
    assert lab.vpc.id in item(found, FLOW_LOG).hint


@pytest.mark.parametrize("name", ["vpcflowlogs", "VPCFlowlogs", "VpcFlowLogs"])
def test_a_group_with_other_capitals_is_present_but_wrong(lab, name):
    lab.client("logs").create_log_group(logGroupName=name)
    group = item(check(KEY), GROUP)
    assert (group.seen, group.wanted) == (name, "VPCFlowLogs")
    assert "capital and small letters count" in group.hint


@pytest.mark.parametrize("name", ["VPC-Flow-Logs", "VPCFlowLogs2", "/aws/VPCFlowLogs"])
def test_a_group_of_another_name_is_none(lab, name):
    lab.client("logs").create_log_group(logGroupName=name)
    assert absent(check(KEY)) == [GROUP, FLOW_LOG]


def test_a_flow_log_to_another_group_is_none_to_this_one(lab):
    lab.client("logs").create_log_group(logGroupName="VPCFlowLogs")
    make(lab, LogGroupName="VPCFlowLogs2")
    assert absent(check(KEY)) == [FLOW_LOG]


@pytest.mark.parametrize(
    ("differing", "told"),
    [
        ({"TrafficType": "REJECT"}, {"all traffic": "REJECT"}),
        ({"TrafficType": "ACCEPT"}, {"all traffic": "ACCEPT"}),
        ({"MaxAggregationInterval": 600}, {"aggregated over 1 minute": "600 s"}),
        (
            {"LogFormat": "${srcaddr} ${dstport} ${action}"},
            {"format of the records": "one of its own, with 3 fields"},
        ),
    ],
)
def test_what_is_wrong_with_it_is_named(lab, differing, told):
    flow_logs.create_log_group(lab)
    make(lab, **differing)
    found = check(KEY)
    assert (wrong(found), absent(found)) == (told, [])


def test_how_files_would_lie_in_a_bucket_is_no_matter_here(lab):
    flow_log_to_cloudwatch.solve(lab)
    names = [each.name for each in check(KEY).items]
    assert "files in the bucket" not in names
    assert names[:2] == [GROUP, FLOW_LOG]


def test_a_role_that_may_not_write_is_seen_when_a_delivery_has_failed(lab, let_pass):
    flow_logs.create_log_group(lab)
    arn = make_role(lab, "reads-only", ["logs:DescribeLogGroups", "logs:DescribeLogStreams"])
    make(lab, DeliverLogsPermissionArn=arn)
    let_pass(15)
    found = check(KEY)
    assert wrong(found) == {"delivering": "Access error"}
    assert "logs:PutLogEvents" in item(found, "delivering").hint


def test_a_role_of_the_learners_own_that_may_write_is_as_good_as_the_provided_one(lab, let_pass):
    flow_logs.create_log_group(lab)
    make(lab, DeliverLogsPermissionArn=make_role(lab, "writes", WRITES))
    let_pass(15)
    assert check(KEY).passed


def test_a_role_that_is_given_as_its_arn_is_asked_for_as_itself(lab):
    with pytest.raises(LabError, match=r"role='arn:.*': give the role itself, `role=lab.delivery_role`"):
        flow_logs.publish_to_cloudwatch(lab, role=lab.delivery_role.arn)
    assert flow_logs.find_flow_logs(lab) == []


def test_the_group_that_was_there_keeps_its_retention_and_the_card_says_so(lab):
    logs = lab.client("logs")
    logs.create_log_group(logGroupName="VPCFlowLogs")
    logs.put_retention_policy(logGroupName="VPCFlowLogs", retentionInDays=14)
    card = flow_logs.create_log_group(lab)
    assert (card.outcome, card.details["Retention"]) == ("already there", "14 days")


def test_a_new_group_never_forgets_until_it_is_told_to(lab):
    assert flow_logs.create_log_group(lab).details["Retention"] == "never expires"


def test_a_failed_delivery_is_on_the_card_of_who_publishes_again(lab, let_pass):
    flow_log_to_cloudwatch.solve(lab)
    role = lab.delivery_role.name
    iam = lab.client("iam")
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    let_pass(15)
    card = flow_log_to_cloudwatch.solve(lab)
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    assert card.details["Delivery"] == "FAILED: Access error"
    assert card.outcome == "already there"


def test_cleaning_up_says_what_became_of_both(lab):
    flow_log_to_cloudwatch.solve(lab)
    assert str(flow_log_to_cloudwatch.clean_up(lab)) == (
        "Flow logs to CloudWatch Logs deleted: 1. Log group VPCFlowLogs: deleted."
    )
    assert absent(check(KEY)) == [GROUP, FLOW_LOG]
