"""The IAM policy, by a linter, by its scope, and against IAM's own list of actions."""

import json
import re

import parliament
import pytest

from labkit.policy import _MADE_BY_THE_STACK, DEPLOYMENT, GRANTS, policy
from labkit.settings import Settings

SETTINGS = Settings(region="eu-west-1", bucket="my-vpcflowlogsbucket", aws_account="123456789012")
READ_BY_NAME_ALONE = {"iam:ListRoles", "iam:ListAccountAliases", "s3:ListAllMyBuckets"}
"""Actions that take neither a resource nor a region: they are global."""


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    monkeypatch.delenv("LABKIT_AWS_ACCOUNT", raising=False)


REGION_IS_ALL = {"logs:GetQueryResults", *_MADE_BY_THE_STACK}
"""A query id stands in no ARN; and what a stack is going to make has no name yet."""
LINTER_IS_WRONG = {
    "ec2:ModifyInstanceAttribute": "the instance is in a statement of its own, with its tag",
    "ssm:GetParameters": "public parameters belong to no account",
}


def is_excused(finding):
    if finding.issue == "RESOURCE_STAR":
        return set(finding.detail) <= REGION_IS_ALL
    if finding.issue == "RESOURCE_MISMATCH":
        return {each["action"] for each in finding.detail} <= set(LINTER_IS_WRONG)
    # Whoever deploys a bucket with a policy can let himself in: that bucket is his own, by its name.
    return finding.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION" and "vpc-flow-logs-lab-vpcflowlogs" in finding.detail


@pytest.mark.parametrize("deployment", [False, True])
def test_parliament_finds_nothing_that_has_no_reason(deployment):
    findings = parliament.analyze_policy_string(json.dumps(policy(SETTINGS, deployment=deployment))).findings
    assert [(each.issue, each.detail) for each in findings if not is_excused(each)] == []


@pytest.mark.parametrize("deployment", [False, True])
def test_no_statement_allows_every_action_and_every_resource_is_scoped(deployment):
    for statement in policy(SETTINGS, deployment=deployment)["Statement"]:
        assert all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in statement["Action"])
        if statement["Resource"] == ["*"]:
            by_region = statement.get("Condition") == {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
            assert by_region or set(statement["Action"]) <= READ_BY_NAME_ALONE


def test_names_tags_and_region_are_in_it():
    text = json.dumps(policy(SETTINGS))
    for scope in (
        "log-group:VPCFlowLogs",
        "alarm:SSH Rejects",
        "arn:aws:sns:eu-west-1:123456789012:Default_CloudWatch_Alarms_Topic",
        "arn:aws:s3:::my-vpcflowlogsbucket/AWSLogs/*",
        '"aws:ResourceTag/labkit": "vpc-flow-logs-lab"',
        '"iam:PassedToService": "vpc-flow-logs.amazonaws.com"',
    ):
        assert scope in text


def test_what_deploys_is_only_in_the_policy_that_is_asked_for():
    plain, whole = json.dumps(policy(SETTINGS)), json.dumps(policy(SETTINGS, deployment=True))
    for action in ("ec2:RunInstances", "iam:CreateRole", "s3:CreateBucket", "ec2:DeleteVpc"):
        assert action not in plain
        assert action in whole
    assert not set(GRANTS) & set(DEPLOYMENT)


def test_what_is_deleted_of_ec2_was_made_by_the_lab():
    deleting = re.compile("ec2:(Delete(?!Tags)|Terminate)")
    for statement in policy(SETTINGS, deployment=True)["Statement"]:
        if any(deleting.match(action) for action in statement["Action"]):
            assert any(key.startswith("aws:ResourceTag/labkit") for key in statement["Condition"]["StringEquals"])


def test_a_managed_policy_has_room_for_it():
    """6,144 characters without white space, by IAM's quotas."""
    assert len(re.sub(r"\s", "", json.dumps(policy(SETTINGS)))) <= 6144
