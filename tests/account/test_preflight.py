"""The look before the first step: what it finds, what it can't find out, and what it says to do."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from botocore.stub import Stubber

from labkit import cli
from labkit.account.preflight import Verdict, denied_actions, preflight, principal
from labkit.lab import masking, settings
from labkit.lab.errors import LabError
from labkit.lab.settings import Settings
from labkit.notebook import Lab
from labkit.phases import flow_logs
from tests.on_aws import aws_lab, open_doors


@pytest.fixture
def aws(server, tmp_path, monkeypatch) -> Iterator[Lab]:
    open_doors(server, monkeypatch, tmp_path)
    yield aws_lab(monkeypatch)
    server.control("POST", "/faults", {"faults": []})
    masking.show_all()


def finding(lab, what):
    return next(each for each in preflight(lab).findings if each.what == what)


def test_where_all_is_well_nothing_is_in_the_way_and_nothing_is_changed(aws, server):
    mark = aws.calls.mark()
    found = preflight(aws)
    verdicts = {each.what: each.verdict for each in found.findings}
    assert verdicts.pop("permissions") is Verdict.UNKNOWN
    assert set(verdicts.values()) == {Verdict.FINE}
    assert found.passed
    changing = [call for call in aws.calls.calls[mark:] if not call.reads]
    assert {call.params.get("DryRun") for call in changing} == {True}
    assert flow_logs.find_flow_logs(aws) == []


def test_what_cannot_be_checked_says_why(aws):
    unknown = finding(aws, "permissions")
    assert unknown.found.startswith("could not be checked, because SimulatePrincipalPolicy gave NotImplemented")


def test_outputs_hold_nothing_of_the_learners(aws):
    shown = str(preflight(aws)) + preflight(aws)._repr_html_()
    assert "123456789012" not in shown
    assert "account ACCOUNT" in shown


def test_an_account_that_was_not_confirmed_stops(aws, monkeypatch):
    monkeypatch.setenv("LABKIT_AWS_ACCOUNT", "")
    found = finding(aws_lab(), "credentials")
    assert found.verdict is Verdict.STOP
    assert "not the account that you confirmed" in found.found


def simulated(lab, decide):
    """Has IAM's simulation answered by a function of the action."""

    def answer(params, **_):
        actions = [value for name, value in params["body"].items() if name.startswith("ActionNames.")]
        results = [{"EvalActionName": action, "EvalDecision": decide(action)} for action in actions]
        return SimpleNamespace(status_code=200), {"EvaluationResults": results, "IsTruncated": False}

    lab.client("iam").meta.events.register("before-call.iam.SimulatePrincipalPolicy", answer)


def test_permissions_that_are_missing_are_named(aws):
    simulated(aws, lambda action: "implicitDeny" if action.startswith("sns:Create") else "allowed")
    assert denied_actions(aws, "arn:aws:iam::123456789012:user/me") == ["sns:CreateTopic"]
    found = finding(aws, "permissions")
    assert (found.verdict, found.found) == (Verdict.STOP, "not allowed: sns:CreateTopic")
    assert "`labkit policy`" in found.to_do


def test_permissions_that_are_there_are_fine(aws):
    simulated(aws, lambda action: "allowed")
    assert finding(aws, "permissions").verdict is Verdict.FINE


SOURCES = [
    ("arn:aws:iam::123456789012:user/path/me", "arn:aws:iam::123456789012:user/path/me"),
    ("arn:aws:sts::123456789012:assumed-role/Learner/me", "arn:aws:iam::123456789012:role/team/Learner"),
    ("arn:aws:sts::123456789012:assumed-role/Unknown/me", "arn:aws:iam::123456789012:role/Unknown"),
    ("arn:aws-us-gov:sts::123456789012:assumed-role/Unknown/me", "arn:aws-us-gov:iam::123456789012:role/Unknown"),
    ("arn:aws:iam::123456789012:root", ""),
    ("arn:aws:sts::123456789012:federated-user/me", ""),
]


@pytest.mark.parametrize(("caller", "source"), SOURCES)
def test_a_session_is_mapped_to_its_role_with_the_roles_path(aws, caller, source, monkeypatch):
    trust = '{"Version": "2012-10-17", "Statement": []}'
    aws.client("iam").create_role(RoleName="Learner", Path="/team/", AssumeRolePolicyDocument=trust)
    monkeypatch.setattr(Lab, "caller_arn", caller)
    assert principal(aws) == source


def fault(server, kind, service, operation):
    rule = {"kind": kind, "service": service, "operation": operation}
    server.control("POST", "/faults", {"faults": [rule]})


def test_a_dry_run_that_is_not_allowed_stops(aws, server):
    fault(server, "access denied", "ec2", "CreateFlowLogs")
    found = finding(aws, "dry run: create a flow log")
    assert found.verdict is Verdict.STOP
    assert "UnauthorizedOperation" in found.found
    assert "labkit policy" in found.to_do


def test_a_region_that_is_not_enabled_stops(aws):
    answer = {"Regions": [{"RegionName": "eu-west-1", "OptInStatus": "not-opted-in"}]}
    from labkit.account.preflight import _region

    with Stubber(aws.client("ec2")) as stubber:
        stubber.add_response("describe_regions", answer)
        (found,) = _region(aws)
    assert (found.verdict, "Enable it" in found.to_do) == (Verdict.STOP, True)


def test_a_missing_environment_stops_and_its_quotas_are_looked_at(aws):
    aws.client("ec2").delete_tags(Resources=[aws.vpc.id], Tags=[{"Key": "Name"}])
    del aws.vpc
    found = {each.what: each for each in preflight(aws).findings}
    assert found["environment"].verdict is Verdict.STOP
    assert "`labkit provide`" in found["environment"].to_do
    assert found["quota of VPCs"].found == "2 of 5 used, 1 needed"
    assert found["quota of VPCs"].verdict is Verdict.FINE


def test_a_quota_that_is_used_up_stops(aws):
    ec2 = aws.client("ec2")
    for _ in range(3):
        ec2.create_vpc(CidrBlock="10.9.0.0/16")
    ec2.delete_tags(Resources=[aws.vpc.id], Tags=[{"Key": "Name"}])
    del aws.vpc
    found = finding(aws, "quota of VPCs")
    assert (found.verdict, found.found) == (Verdict.STOP, "5 of 5 used, 1 needed")


def test_a_bucket_of_another_region_stops(aws, monkeypatch):
    there = aws.session.client("s3", region_name="eu-central-1")
    there.create_bucket(Bucket="my-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    elsewhere = aws_lab(bucket="my-bucket")
    found = finding(elsewhere, "bucket")
    assert found.verdict is Verdict.STOP
    assert "is in eu-central-1, the lab in eu-west-1" in found.found


def test_a_bucket_that_is_not_there_stops(aws):
    found = finding(aws_lab(bucket="no-such-bucket-of-mine"), "bucket")
    assert found.verdict is Verdict.STOP
    assert "isn't there" in found.found


def test_a_bucket_without_a_policy_or_with_another_is_to_be_looked_at(aws):
    s3 = aws.client("s3")
    s3.delete_bucket_policy(Bucket=aws.bucket)
    assert finding(aws, "bucket policy").found == "the bucket has none"
    s3.put_bucket_policy(Bucket=aws.bucket, Policy='{"Version": "2012-10-17", "Statement": []}')
    assert finding(aws, "bucket policy").found == "names no delivery of logs"


def test_leftovers_and_same_names_are_told_apart(aws):
    flow_logs.create_log_group(aws)
    aws.client("sns").create_topic(Name="Default_CloudWatch_Alarms_Topic")
    found = {each.what: each for each in preflight(aws).findings}
    assert "1 things of an earlier run: log group" in found["leftovers"].found
    assert "`labkit clean`" in found["leftovers"].to_do
    assert "SNS topic Default_CloudWatch_Alarms_Topic" in found["same names"].found


def test_flow_logs_of_others_take_up_the_quota(aws):
    aws.client("ec2").create_flow_logs(
        ResourceType="VPC",
        ResourceIds=[aws.vpc.id],
        TrafficType="REJECT",
        LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::{aws.bucket}",
    )
    found = finding(aws, "quota of flow logs")
    assert found.verdict is Verdict.LOOK
    assert found.found.startswith("1 of others on the lab VPC; 2 can be there")


def test_the_command_says_whether_anything_is_in_the_way(aws, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    settings.save(Settings(email="me@mycompany.io"))
    assert cli.main(["preflight"]) == 0
    assert "Nothing is in the way" in capsys.readouterr().out
    aws.client("ec2").delete_tags(Resources=[aws.vpc.id], Tags=[{"Key": "Name"}])
    assert cli.main(["preflight"]) == 1
    assert "1 in the way: see what to do." in capsys.readouterr().out


def test_expired_credentials_are_met_before_anything_else(aws, server, monkeypatch, capsys):
    monkeypatch.setenv("LABKIT_CLOUD", "aws")
    settings.save(Settings(email="me@mycompany.io"))
    fault(server, "expired token", "sts", "GetCallerIdentity")
    with pytest.raises(LabError, match="AWS can't be used"):
        Lab.open()
