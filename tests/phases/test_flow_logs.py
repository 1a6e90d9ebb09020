"""Both flow logs, from nothing to clean again; and the wrong ones that a learner could make."""

import re

import pytest

from labkit.checks.check import check
from labkit.checks.items import Verdict
from labkit.lab import ledger
from labkit.lab.errors import LabError
from labkit.lab.ledger import TAGS
from labkit.phases import alarm, flow_log_to_cloudwatch, flow_log_to_s3, flow_logs, metric_filter, traffic
from tests.phases.verdicts import make_flow_log, verdicts


def raw_flow_logs(lab):
    return lab.client("ec2").describe_flow_logs()["FlowLogs"]


@pytest.fixture
def gone_afterwards(lab):
    """Whatever flow logs a test makes are deleted after it."""
    before = {each["FlowLogId"] for each in raw_flow_logs(lab)}
    yield
    if added := [each["FlowLogId"] for each in raw_flow_logs(lab) if each["FlowLogId"] not in before]:
        lab.client("ec2").delete_flow_logs(FlowLogIds=added)


def test_at_first_there_is_none(lab):
    found = check("flow log to S3")
    assert verdicts(found) == [Verdict.ABSENT]
    assert lab.vpc.id in found.items[0].hint


@pytest.mark.usefixtures("gone_afterwards")
def test_a_flow_log_of_another_vpc_is_present_but_wrong(lab):
    other = lab.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    make_flow_log(lab, ResourceIds=[other])
    (item,) = check("flow log to S3").items
    assert item.verdict is Verdict.WRONG
    assert item.seen.endswith(other)
    assert item.wanted == lab.vpc.id


@pytest.mark.usefixtures("gone_afterwards")
def test_a_flow_log_made_in_the_console_passes_and_is_left_as_it_is(lab):
    flow_log_id = make_flow_log(lab, LogDestination=f"arn:aws:s3:::{lab.bucket}/")
    assert check("flow log to S3").passed
    card = flow_logs.publish_to_s3(lab, lab.bucket)
    assert (card.id, card.outcome) == (flow_log_id, "already there")


def test_publishing_to_s3(lab):
    card = flow_logs.publish_to_s3(lab, bucket=lab.bucket)
    assert (card.outcome, card.status) == ("created", "ACTIVE")
    (flow_log,) = raw_flow_logs(lab)
    assert flow_log["FlowLogId"] == card.id
    assert (flow_log["ResourceId"], flow_log["TrafficType"]) == (lab.vpc.id, "ALL")
    assert (flow_log["MaxAggregationInterval"], flow_log["LogDestinationType"]) == (60, "s3")
    assert {tag["Key"]: tag["Value"] for tag in flow_log["Tags"]} == TAGS
    assert ledger.flow_log_ids(lab) == (card.id,)


def test_publishing_twice_is_publishing_once(lab):
    card = flow_logs.publish_to_s3(lab, bucket=lab.bucket)
    assert card.outcome == "already there"
    assert [each["FlowLogId"] for each in raw_flow_logs(lab)] == [card.id]
    assert check("flow log to S3").passed


def test_the_card_shows_what_aws_was_asked(lab):
    flow_log_to_s3.clean_up(lab)
    card = flow_logs.publish_to_s3(lab, bucket=lab.bucket)
    asked = next(line for line in card.calls if "create-flow-logs" in line)
    assert asked.startswith(f"aws ec2 create-flow-logs --resource-type VPC --resource-ids {lab.vpc.id} ")
    assert f"--log-destination arn:aws:s3:::{lab.bucket}" in asked
    assert asked in str(card)
    assert card.console.endswith(lab.vpc.id)
    assert not re.search(r"127\.0\.0\.1|LKIASANDBOX", f"{card}{card.html()}")


def test_a_bucket_that_is_not_there_is_said_in_awss_words(lab):
    with pytest.raises((LabError, lab.client("ec2").exceptions.ClientError), match=r"(?i)bucket|destination"):
        flow_logs.publish_to_s3(lab, bucket="no-such-bucket-in-the-lab")
    assert len(raw_flow_logs(lab)) == 1


def test_the_bucket_policy_in_words(lab):
    table = flow_logs.explain_bucket_policy(lab)
    write = next(row for row in table.rows if row[2] == "s3:PutObject")
    assert write[1] == "delivery.logs.amazonaws.com"
    assert write[3] == f"{lab.bucket}/AWSLogs/{lab.account_id}/*"
    assert f"aws:SourceAccount is {lab.account_id}" in write[4]
    assert "s3:GetBucketAcl" in str(table)


def test_the_log_group_comes_before_the_flow_log(lab):
    assert verdicts(check("flow log to CloudWatch")) == [Verdict.ABSENT, Verdict.ABSENT]
    assert flow_logs.create_log_group(lab).outcome == "created"
    assert flow_logs.create_log_group(lab, "VPCFlowLogs").outcome == "already there"
    assert verdicts(check("flow log to CloudWatch")) == [Verdict.RIGHT, Verdict.ABSENT]


def test_a_log_group_with_capitals_mixed_up_is_another_one(lab):
    logs = lab.client("logs")
    logs.create_log_group(logGroupName="VPCFLowLogs")
    assert flow_logs.find_log_group(lab, "VPCFlowLogs")["logGroupName"] == "VPCFlowLogs"
    logs.delete_log_group(logGroupName="VPCFLowLogs")


def test_publishing_to_cloudwatch(lab):
    card = flow_logs.publish_to_cloudwatch(lab)
    assert (card.outcome, card.status) == ("created", "ACTIVE")
    flow_log = next(each for each in raw_flow_logs(lab) if each["FlowLogId"] == card.id)
    assert flow_log["LogGroupName"] == "VPCFlowLogs"
    assert flow_log["DeliverLogsPermissionArn"] == lab.delivery_role.arn
    assert flow_logs.publish_to_cloudwatch(lab, role=lab.delivery_role).outcome == "already there"
    assert check(2).passed


def test_each_flow_log_is_cleaned_up_alone(lab):
    assert "deleted: 1" in str(flow_log_to_cloudwatch.clean_up(lab))
    assert verdicts(check(2)) == [Verdict.ABSENT, Verdict.ABSENT]
    assert check(1).passed
    assert "deleted: 1" in str(flow_log_to_s3.clean_up(lab))
    assert raw_flow_logs(lab) == []


def test_cleaning_up_twice_is_fine(lab):
    assert "already gone" in str(flow_log_to_cloudwatch.clean_up(lab))
    assert "deleted: 0" in str(flow_log_to_s3.clean_up(lab))


def test_solving_does_both(lab):
    flow_log_to_s3.set_up(lab)
    flow_log_to_s3.solve(lab)
    flow_log_to_cloudwatch.solve(lab)
    assert check(1).passed
    assert check(2).passed


@pytest.mark.parametrize("wait", [traffic.wait_for_log_events, traffic.wait_for_delivered_objects])
def test_without_a_flow_log_there_is_nothing_to_wait_for(lab, wait):
    flow_log_to_s3.clean_up(lab)
    flow_log_to_cloudwatch.clean_up(lab)
    start = lab.now()
    with pytest.raises(
        LabError, match=r'No flow log of Lab VPC delivers to the .*: run lab.catch_up\(before="traffic"\)'
    ):
        wait(lab)
    assert lab.now() == start


def test_a_filter_without_its_log_group_says_what_to_do(lab):
    with pytest.raises(LabError, match="There is no log group VPCFlowLogs yet"):
        metric_filter.create_metric_filter(lab)


def test_an_alarm_that_is_not_there_is_not_watched(lab):
    with pytest.raises(LabError, match=r"There is no alarm SSH Rejects yet: run create_alarm\(lab\) first"):
        alarm.watch_alarm(lab)
