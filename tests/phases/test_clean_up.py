"""Cleaning up: what the lab made goes, in order and after a failure too; what others made stays, whatever its name."""

import pytest
from botocore.exceptions import ClientError

from labkit import cli
from labkit.lab import ledger
from labkit.lab.cloud import SandboxCloud
from labkit.lab.ledger import TAGS
from labkit.lab.settings import Settings, home
from labkit.notebook import Lab
from labkit.phases import alarm, clean_up, flow_logs, investigation, metric_filter
from labkit.phases.athena_table import connect, results_location
from labkit.phases.inventory import take_inventory
from tests.conftest import lend

FILTER = {
    "logGroupName": "VPCFlowLogs",
    "filterName": metric_filter.FILTER_NAME,
    "filterPattern": metric_filter.PATTERN,
    "metricTransformations": [{"metricNamespace": "x", "metricName": "y", "metricValue": "1"}],
}


@pytest.fixture
def lab(server, tmp_path, monkeypatch):
    """Each test has an account of its own."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    return Lab(Settings(), SandboxCloud(server))


def make_by_hand(lab):
    """What somebody else has under the lab's very names: alarm and topic, log group and filter, flow log, answers."""
    topic = lab.client("sns").create_topic(Name=alarm.TOPIC_NAME)["TopicArn"]
    lab.client("cloudwatch").put_metric_alarm(AlarmName=alarm.ALARM_NAME, AlarmActions=[topic], **alarm.WANTED)
    lab.client("logs").create_log_group(logGroupName="VPCFlowLogs")
    lab.client("logs").put_metric_filter(**FILTER)
    lab.client("ec2").create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[lab.vpc.id],
        TrafficType="ALL",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{lab.bucket}",
    )
    lab.client("s3").put_object(Bucket=lab.bucket, Key="athena-results/theirs.csv", Body=b"x")
    return topic


def test_same_named_things_of_somebody_else_stay_and_are_told_apart(lab):
    make_by_hand(lab)
    before = take_inventory(lab)
    assert before.made == ()
    kinds = ["alarm", "SNS topic", "metric filter", "flow log", "log group", "query results"]
    assert [thing.kind for thing in before.others] == kinds
    assert "Of the lab's names, but not made by it, stays" in str(before)
    clean_up.remove_everything(lab)
    assert take_inventory(lab) == before
    assert clean_up.check(lab).passed


def test_the_labs_own_subscription_goes_from_somebody_elses_topic(lab):
    topic = make_by_hand(lab)
    lab.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="they@mycompany.io")
    alarm.subscribe_email(lab)
    alarm.confirm_subscription(lab)
    assert [thing.name for thing in take_inventory(lab).made] == [f"email {lab.email}"]
    alarm.clean_up(lab)
    assert [each["Endpoint"] for each in alarm.subscriptions(lab, topic)] == ["they@mycompany.io"]


def test_things_made_by_hand_go_when_asked_for(lab):
    make_by_hand(lab)
    clean_up.remove_everything(lab, made_by_hand=True)
    after = take_inventory(lab)
    assert (after.made, after.others) == ((), ())
    assert lab.claims_by_name is False


def test_what_is_tagged_is_the_labs_without_a_record(lab):
    flow_logs.create_log_group(lab)
    flow_logs.publish_to_s3(lab, lab.bucket)
    alarm.create_alarm(lab)
    (home() / "made.json").unlink()
    kinds = [thing.kind for thing in take_inventory(lab).made]
    assert kinds == ["alarm", "SNS topic", "flow log", "log group"]
    clean_up.remove_everything(lab)
    assert take_inventory(lab).made == ()


def test_a_name_that_the_lab_has_given_up_is_not_the_labs_any_more(lab):
    alarm.create_alarm(lab)
    alarm.clean_up(lab)
    topic = make_by_hand(lab)
    assert "stays, the lab did not make it" in str(alarm.clean_up(lab))
    assert alarm.find_topic(lab) == topic


def test_cases_of_others_stay(lab):
    investigation.open_case(lab, 3)
    lab.client("s3").put_object(Bucket=lab.bucket, Key="investigation/case-9/theirs.txt", Body=b"x")
    assert "Cases removed: 1" in str(investigation.clean_up(lab))
    listed = lab.client("s3").list_objects_v2(Bucket=lab.bucket, Prefix="investigation/")["Contents"]
    assert [each["Key"] for each in listed] == ["investigation/case-9/theirs.txt"]
    assert investigation._log_groups(lab) == []


def test_the_folder_of_answers_is_the_labs_if_it_was_empty(lab):
    connect(lab)
    assert ledger.names(lab, "folder") == (results_location(lab),)


@pytest.fixture
def faults(server):
    yield lambda *rules: server.control("POST", "/faults", {"faults": list(rules)})
    server.control("POST", "/faults", {"faults": []})


def test_a_step_that_fails_keeps_no_other_from_being_done_and_is_done_the_next_time(lab, faults):
    alarm.create_alarm(lab)
    flow_logs.create_log_group(lab)
    faults({"kind": "access denied", "service": "sns", "operation": "DeleteTopic"})
    rows = dict(clean_up.remove_everything(lab).rows)
    assert rows["05 alarm"].startswith("FAILED, run the clean-up again: AWS refused DeleteTopic")
    assert "Log group VPCFlowLogs: deleted" in rows["02 flow log to CloudWatch"]
    assert [thing.kind for thing in take_inventory(lab).made] == ["SNS topic"]
    faults()
    clean_up.remove_everything(lab)
    assert take_inventory(lab).made == ()


def test_credentials_that_expire_end_it_with_what_to_do(lab, faults):
    alarm.create_alarm(lab)
    faults({"kind": "expired token", "service": "cloudwatch"})
    with pytest.raises(ClientError, match="ExpiredToken"):
        clean_up.remove_everything(lab)
    assert lab.claims_by_name is False


@pytest.fixture
def at_home(server, lab, tmp_path):
    lend(server, tmp_path / "home")
    return lab


def test_the_command_keeps_delivered_logs_unless_asked(at_home, capsys):
    flow_log = flow_logs.publish_to_s3(at_home, at_home.bucket)
    folder = f"AWSLogs/{at_home.account_id}/vpcflowlogs/eu-west-1/2026/11/02"
    name = f"{at_home.account_id}_vpcflowlogs_eu-west-1_{flow_log.id}_20261102T0900Z_12345678.log.gz"
    at_home.client("s3").put_object(Bucket=at_home.bucket, Key=f"{folder}/{name}", Body=b"")
    assert cli.main(["clean"]) == 0
    assert "Kept, since you did not ask for --delivered-logs: delivered logs." in capsys.readouterr().out
    assert cli.main(["clean", "--delivered-logs"]) == 0
    assert "0 left" in capsys.readouterr().out


def test_the_command_explains_an_error_of_awss_without_a_traceback(at_home, faults, capsys):
    faults({"kind": "expired token", "service": "cloudwatch"})
    assert cli.main(["clean"]) == 1
    said = capsys.readouterr().err
    assert "labkit: AWS refused DescribeAlarms: ExpiredToken" in said
    assert "Log in again" in said
    assert "Traceback" not in said


def test_the_tags_are_the_same_everywhere(lab):
    flow_logs.create_log_group(lab)
    arn = flow_logs.find_log_group(lab, "VPCFlowLogs")["arn"].removesuffix(":*")
    assert lab.client("logs").list_tags_for_resource(resourceArn=arn)["tags"] == TAGS
