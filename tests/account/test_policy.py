"""The IAM policy, by a linter, by its scope, and against IAM's own list of actions."""

import json
import re
from importlib import resources

import pytest

from labkit.account.policy import _MADE_BY_THE_STACK, DEPLOYMENT, GRANTS, policy
from labkit.lab.settings import Settings

SETTINGS = Settings(region="eu-west-1", bucket="my-vpcflowlogsbucket", aws_account="123456789012")
READ_BY_NAME_ALONE = {"iam:ListRoles", "iam:ListAccountAliases", "s3:ListAllMyBuckets"}
"""Actions that take neither a resource nor a region: they are global."""


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    monkeypatch.delenv("LABKIT_AWS_ACCOUNT", raising=False)


UNSCOPED = {
    "cloudwatch:ListMetrics": "metrics that nobody made have no ARN",
    "logs:GetQueryResults": "a query id stands in no ARN",
    "servicequotas:GetServiceQuota": "it only reads, and only in the region",
    "sns:Unsubscribe": "a subscription has an id of its own, unknown before it is made",
    "ec2:DescribeInstanceAttribute": "it only reads, and only in the region",
    "ec2:DescribeVpcAttribute": "it only reads, and only in the region",
    **dict.fromkeys(_MADE_BY_THE_STACK, "what a stack is going to make has no id yet"),
}
"""Actions that could name a resource and don't, each with the reason."""
IAM = json.loads(resources.files("cfnlint").joinpath("data", "AdditionalSpecs", "Policies.json").read_text())
"""IAM's actions by service, each with the types of resource that it takes, as AWS publishes them for cfn-lint."""


def arns_of(action):
    """What the ARNs of an action's resources look like; empty for an action that takes no resource."""
    service, _, name = action.partition(":")
    kinds = IAM[service]["Actions"][name.lower()].get("Resources", [])
    formats = [text for kind in kinds for text in IAM[service]["Resources"][kind]["ARNFormats"]]
    return [re.compile(re.sub(r"\$\{\w+\}", "[^:]*", text)) for text in formats]


def statements(deployment):
    return policy(SETTINGS, deployment=deployment)["Statement"]


@pytest.mark.parametrize("deployment", [False, True])
def test_iam_knows_every_action(deployment):
    for action in (action for statement in statements(deployment) for action in statement["Action"]):
        service, _, name = action.partition(":")
        assert name.lower() in IAM[service]["Actions"], f"IAM has no action {action}"


@pytest.mark.parametrize("deployment", [False, True])
def test_every_action_stands_beside_a_resource_that_it_takes(deployment):
    """IAM accepts an action beside a resource of another type without a word: it then allows nothing."""
    useless = [
        (action, statement["Resource"])
        for statement in statements(deployment)
        for action in statement["Action"]
        if "*" not in statement["Resource"]
        and not any(arn.fullmatch(each) for arn in arns_of(action) for each in statement["Resource"])
    ]
    assert useless == []


@pytest.mark.parametrize("deployment", [False, True])
def test_every_action_that_takes_a_resource_names_one_or_has_a_reason(deployment):
    unscoped = {
        action
        for statement in statements(deployment)
        if "*" in statement["Resource"]
        for action in statement["Action"]
        if arns_of(action)
    }
    assert unscoped - set(UNSCOPED) == set()


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
