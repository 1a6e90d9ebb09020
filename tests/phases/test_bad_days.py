"""What a learner meets on a bad day of AWS's: made again, waited for, or explained, and never a traceback at first."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from labkit.lab import masking
from labkit.lab.errors import LabError
from labkit.notebook import Lab
from labkit.phases import alarm, athena_table, flow_logs
from labkit.show import cell_errors, explain
from tests.on_aws import aws_lab, open_doors


@pytest.fixture
def aws(server, tmp_path, monkeypatch) -> Iterator[Lab]:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    open_doors(server, monkeypatch, tmp_path)
    yield aws_lab(monkeypatch)
    server.control("POST", "/faults", {"faults": []})
    masking.show_all()


def fault(server, kind, service="*", operation="*", rate=1.0):
    server.control(
        "POST", "/faults", {"faults": [{"kind": kind, "service": service, "operation": operation, "rate": rate}]}
    )


def shown_by(lab, code):
    """What a cell with that code shows when it fails."""
    shell = InteractiveShell.instance()
    try:
        cell_errors.explain_in_cells()
        shell.user_ns.update(lab=lab, flow_logs=flow_logs, alarm=alarm, athena_table=athena_table)
        with capture_output() as shown:
            result = shell.run_cell(code)
        assert result.error_in_exec is not None
        return shown.stdout
    finally:
        InteractiveShell.clear_instance()


BAD_DAYS = [
    ("throttling", "ec2", "flow_logs.find_flow_logs(lab)", "RequestLimitExceeded", "slow down"),
    ("throttling", "sns", "alarm.create_topic(lab)", "Throttling", "slow down"),
    ("expired token", "cloudwatch", "alarm.find_alarm(lab)", "ExpiredToken", "Log in again"),
    ("expired token", "s3", "athena_table.delivered_days(lab)", "ExpiredToken", "Log in again"),
    ("access denied", "logs", "flow_logs.create_log_group(lab)", "AccessDenied", "`labkit policy`"),
    ("access denied", "ec2", "flow_logs.find_flow_logs(lab)", "UnauthorizedOperation", "`labkit policy`"),
    ("expired token", "athena", "athena_table.query(lab, 'SELECT 1')", "ExpiredToken", "Log in again"),
    ("access denied", "athena", "athena_table.query(lab, 'SELECT 1')", "AccessDenied", "`labkit policy`"),
]


@pytest.mark.parametrize(("kind", "service", "code", "said", "advice"), BAD_DAYS, ids=lambda each: str(each)[:24])
def test_a_fault_is_explained_in_the_cell_with_the_next_step(aws, server, kind, service, code, said, advice):
    fault(server, kind, service)
    shown = shown_by(aws, code)
    assert said in shown
    assert advice in shown
    assert "Traceback" not in shown
    assert "123456789012" not in shown


def test_calls_that_are_throttled_now_and_then_succeed_all_the_same(aws, server):
    fault(server, "throttling", rate=0.4)
    assert flow_logs.create_log_group(aws).outcome == "created"
    assert flow_logs.publish_to_cloudwatch(aws).outcome == "created"


def test_credentials_that_expire_in_mid_phase_lose_nothing(aws, server):
    fault(server, "expired token", "cloudwatch", "PutMetricAlarm")
    with pytest.raises(ClientError, match="ExpiredToken"):
        alarm.create_alarm(aws)
    server.control("POST", "/faults", {"faults": []})
    assert alarm.create_topic(aws).outcome == "already there"
    assert alarm.create_alarm(aws).outcome == "created"


def unknown_role(stubber, times):
    for _ in range(times):
        message = "Unable to assume given IAM role: 'arn:aws:iam::123456789012:role/x'"
        stubber.add_client_error("create_flow_logs", "InvalidParameter", message)


def test_a_role_that_is_not_assumable_yet_is_waited_for(aws, capsys):
    _ = aws.vpc, aws.delivery_role
    with Stubber(aws.client("ec2")) as stubber:
        stubber.add_response("describe_flow_logs", {"FlowLogs": []})
        unknown_role(stubber, 2)
        stubber.add_response("create_flow_logs", {"FlowLogIds": ["fl-1"]})
        stubber.add_response("describe_flow_logs", {"FlowLogs": []})
        assert flow_logs.publish_to_cloudwatch(aws).id == "fl-1"
        stubber.assert_no_pending_responses()
    assert "AWS to know of the role and the bucket" in capsys.readouterr().err


def test_a_role_that_stays_unassumable_is_explained(aws):
    _ = aws.vpc, aws.delivery_role
    with Stubber(aws.client("ec2")) as stubber:
        stubber.add_response("describe_flow_logs", {"FlowLogs": []})
        unknown_role(stubber, 40)
        with pytest.raises(ClientError) as refusal:
            flow_logs.publish_to_cloudwatch(aws)
    assert "its trust policy has to name vpc-flow-logs.amazonaws.com" in explain.explanation(refusal.value)[1]


def shut_out(lab):
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{lab.bucket}/*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lab.client("s3").put_bucket_policy(Bucket=lab.bucket, Policy=document)


def test_a_bucket_policy_that_aws_does_not_know_yet_is_waited_for(aws, monkeypatch):
    shut_out(aws)
    pause = type(aws.cloud).wait_until.__globals__["time"].sleep

    def let_in(seconds):
        aws.client("s3").delete_bucket_policy(Bucket=aws.bucket)
        pause(seconds)

    monkeypatch.setattr(type(aws.cloud).wait_until.__globals__["time"], "sleep", let_in)
    assert flow_logs.publish_to_s3(aws, aws.bucket).outcome == "created"


def test_a_bucket_policy_that_shuts_deliveries_out_is_explained(aws):
    shut_out(aws)
    with pytest.raises(LabError) as refusal:
        flow_logs.publish_to_s3(aws, aws.bucket)
    assert "Access Denied for LogDestination" in str(refusal.value)
    assert "explain_bucket_policy(lab) shows it" in str(refusal.value)


def test_an_alarm_that_is_made_and_not_listed_yet_is_looked_for_again(aws, monkeypatch):
    looks = iter([None, None, None])
    find = alarm.find_alarm
    monkeypatch.setattr(alarm, "find_alarm", lambda lab: next(looks, find(lab)))
    assert alarm.create_alarm(aws).outcome == "created"
