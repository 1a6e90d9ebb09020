"""The smallest IAM policy for the lab, scoped by name, tag and region.

A table maps the calls that labkit makes to the permissions that they need. A test compares the table with the calls
recorded while the lab is done, and fails for an uncovered call as well as for an unused row.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from labkit.lab import deployment
from labkit.lab.ledger import TAGS
from labkit.lab.resources import BUCKET_MARK, ROLE_MARK, WEB_SERVER_NAME
from labkit.lab.settings import Settings
from labkit.phases import alarm, athena_table, investigation
from labkit.phases.flow_logs import LOG_GROUP

EC2 = "arn:aws:ec2:{region}:{account}"
GROUP = f"arn:aws:logs:{{region}}:{{account}}:log-group:{LOG_GROUP}"
CASES = f"arn:aws:logs:{{region}}:{{account}}:log-group:{investigation.PREFIX}*"
GROUPS = (GROUP, f"{GROUP}:*", CASES)
TOPIC = f"arn:aws:sns:{{region}}:{{account}}:{alarm.TOPIC_NAME}"
ALARM = f"arn:aws:cloudwatch:{{region}}:{{account}}:alarm:{alarm.ALARM_NAME}"
BUCKET = "arn:aws:s3:::{bucket}"
RECORDS = f"{BUCKET}/AWSLogs/*"
ANSWERS = f"{BUCKET}/{athena_table.RESULTS_PREFIX}*"
CASE_FILES = f"{BUCKET}/{investigation.PREFIX}*"
WORKGROUP = "arn:aws:athena:{region}:{account}:workgroup/primary"
CATALOG = (
    "arn:aws:glue:{region}:{account}:catalog",
    f"arn:aws:glue:{{region}}:{{account}}:database/{athena_table.DATABASE}",
    f"arn:aws:glue:{{region}}:{{account}}:table/{athena_table.DATABASE}/{athena_table.TABLE}",
    f"arn:aws:glue:{{region}}:{{account}}:table/{athena_table.DATABASE}/case_*",
)
ROLE = f"arn:aws:iam::{{account}}:role/*{ROLE_MARK}*"
STACK = f"arn:aws:cloudformation:{{region}}:{{account}}:stack/{deployment.STACK}/*"
REGION_ONLY = {"StringEquals": {"aws:RequestedRegion": "{region}"}}
LAB_TAG = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in TAGS.items()}}


@dataclass(frozen=True)
class Grant:
    """One permission: actions on resources, under a condition."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: dict[str, Any] = field(default_factory=dict)


def _in_region(*actions: str) -> tuple[Grant, ...]:
    """Return a grant for actions that IAM can't scope to a resource, only to a region."""
    return (Grant(actions, ("*",), REGION_ONLY),)


def _on(resource: str | tuple[str, ...], *actions: str, condition: dict[str, Any] | None = None) -> tuple[Grant, ...]:
    return (Grant(actions, (resource,) if isinstance(resource, str) else resource, condition or {}),)


GRANTS: dict[str, tuple[Grant, ...]] = {
    "sts:GetCallerIdentity": (),  # needs no permission
    "ec2:DescribeFlowLogs": _in_region("ec2:DescribeFlowLogs"),
    "ec2:DescribeInstances": _in_region("ec2:DescribeInstances"),
    "ec2:DescribeSecurityGroups": _in_region("ec2:DescribeSecurityGroups"),
    "ec2:DescribeVpcs": _in_region("ec2:DescribeVpcs"),
    "ec2:CreateFlowLogs": (
        *_on((f"{EC2}:vpc-flow-log/*", f"{EC2}:vpc/*"), "ec2:CreateFlowLogs"),
        *_on(
            f"{EC2}:vpc-flow-log/*",
            "ec2:CreateTags",
            condition={"StringEquals": {"ec2:CreateAction": "CreateFlowLogs"}},
        ),
        *_in_region("logs:CreateLogDelivery", "logs:DeleteLogDelivery"),
        *_on(ROLE, "iam:PassRole", condition={"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}),
    ),
    "ec2:DeleteFlowLogs": _on(f"{EC2}:vpc-flow-log/*", "ec2:DeleteFlowLogs", condition=LAB_TAG),
    "ec2:ModifyInstanceAttribute": (
        *_on(
            f"{EC2}:instance/*",
            "ec2:ModifyInstanceAttribute",
            condition={"StringEquals": {"aws:ResourceTag/Name": WEB_SERVER_NAME}},
        ),
        *_on(f"{EC2}:security-group/*", "ec2:ModifyInstanceAttribute"),
    ),
    "ec2:DescribeRegions": _in_region("ec2:DescribeRegions"),
    "iam:ListAccountAliases": _on("*", "iam:ListAccountAliases"),
    "iam:ListRoles": _on("*", "iam:ListRoles"),
    "iam:GetRole": _on("arn:aws:iam::{account}:role/*", "iam:GetRole"),
    "iam:SimulatePrincipalPolicy": _on(
        ("arn:aws:iam::{account}:role/*", "arn:aws:iam::{account}:user/*"), "iam:SimulatePrincipalPolicy"
    ),
    "s3:HeadBucket": _on(BUCKET, "s3:ListBucket"),
    "cloudformation:DescribeStacks": _on(STACK, "cloudformation:DescribeStacks"),
    "s3:ListBuckets": _on("*", "s3:ListAllMyBuckets"),
    "s3:GetBucketLocation": _on(BUCKET, "s3:GetBucketLocation"),
    "s3:GetBucketPolicy": _on(BUCKET, "s3:GetBucketPolicy"),
    "s3:ListObjectsV2": _on(BUCKET, "s3:ListBucket"),
    "s3:GetObject": _on((RECORDS, ANSWERS, CASE_FILES), "s3:GetObject"),
    "s3:HeadObject": _on((RECORDS, ANSWERS, CASE_FILES), "s3:GetObject"),
    "s3:PutObject": _on((RECORDS, CASE_FILES), "s3:PutObject"),
    "s3:DeleteObject": _on((RECORDS, ANSWERS, CASE_FILES), "s3:DeleteObject"),
    "s3:DeleteObjects": _on((RECORDS, ANSWERS, CASE_FILES), "s3:DeleteObject"),
    "logs:ListTagsForResource": _on((GROUP, CASES), "logs:ListTagsForResource"),
    "logs:DescribeLogGroups": _in_region("logs:DescribeLogGroups"),
    "logs:CreateLogGroup": _on(GROUPS, "logs:CreateLogGroup", "logs:TagResource"),
    "logs:DeleteLogGroup": _on(GROUPS, "logs:DeleteLogGroup"),
    "logs:FilterLogEvents": _on((GROUP, f"{GROUP}:*"), "logs:FilterLogEvents"),
    "logs:DescribeMetricFilters": _on((GROUP, f"{GROUP}:*"), "logs:DescribeMetricFilters"),
    "logs:PutMetricFilter": _on((GROUP, f"{GROUP}:*"), "logs:PutMetricFilter"),
    "logs:DeleteMetricFilter": _on((GROUP, f"{GROUP}:*"), "logs:DeleteMetricFilter"),
    "logs:TestMetricFilter": _in_region("logs:TestMetricFilter"),
    "logs:StartQuery": _on(GROUPS, "logs:StartQuery"),
    "logs:CreateLogStream": _on(CASES, "logs:CreateLogStream"),
    "logs:PutLogEvents": _on(CASES, "logs:PutLogEvents"),
    "logs:DescribeLogStreams": _on(GROUPS, "logs:DescribeLogStreams"),
    "logs:DescribeQueries": _in_region("logs:DescribeQueries"),
    "logs:GetQueryResults": _in_region("logs:GetQueryResults"),
    "sns:ListTopics": _in_region("sns:ListTopics"),
    "sns:CreateTopic": _on(TOPIC, "sns:CreateTopic", "sns:TagResource"),
    "sns:ListTagsForResource": _on(TOPIC, "sns:ListTagsForResource"),
    "sns:DeleteTopic": _on(TOPIC, "sns:DeleteTopic"),
    "sns:Subscribe": _on(TOPIC, "sns:Subscribe"),
    "sns:ListSubscriptionsByTopic": _on(TOPIC, "sns:ListSubscriptionsByTopic"),
    "sns:Unsubscribe": _in_region("sns:Unsubscribe"),
    "cloudwatch:PutMetricAlarm": _on(ALARM, "cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"),
    "cloudwatch:DescribeAlarms": _on(ALARM, "cloudwatch:DescribeAlarms"),
    "cloudwatch:DescribeAlarmHistory": _on(ALARM, "cloudwatch:DescribeAlarmHistory"),
    "cloudwatch:ListTagsForResource": _on(ALARM, "cloudwatch:ListTagsForResource"),
    "cloudwatch:DeleteAlarms": _on(ALARM, "cloudwatch:DeleteAlarms"),
    "cloudwatch:ListMetrics": _in_region("cloudwatch:ListMetrics"),
    "cloudwatch:GetMetricStatistics": _in_region("cloudwatch:GetMetricStatistics"),
    "athena:StartQueryExecution": (
        *_on(WORKGROUP, "athena:StartQueryExecution"),
        *_on(
            CATALOG,
            "glue:CreateDatabase",
            "glue:CreateTable",
            "glue:DeleteTable",
            "glue:BatchCreatePartition",
            "glue:CreatePartition",
            "glue:GetPartition",
        ),
        *_on(BUCKET, "s3:ListBucketMultipartUploads"),
        *_on(
            ANSWERS,
            "s3:PutObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ),
    ),
    "athena:GetQueryExecution": _on(WORKGROUP, "athena:GetQueryExecution"),
    "athena:GetQueryResults": _on(WORKGROUP, "athena:GetQueryResults"),
    "athena:BatchGetQueryExecution": _on(WORKGROUP, "athena:BatchGetQueryExecution"),
    "athena:ListQueryExecutions": _on(WORKGROUP, "athena:ListQueryExecutions"),
    "athena:ListDatabases": (
        *_on("arn:aws:athena:{region}:{account}:datacatalog/AwsDataCatalog", "athena:ListDatabases"),
        *_on(CATALOG, "glue:GetDatabases", "glue:GetDatabase"),
    ),
    "glue:GetTables": _on(CATALOG, "glue:GetTables"),
    "glue:GetTable": _on(CATALOG, "glue:GetTable"),
    "glue:GetPartitions": _on(CATALOG, "glue:GetPartitions"),
}
"""The permissions for each call, by service and operation as botocore names them."""


DEPLOYED = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in deployment.STACK_TAG.items()}}
DEPLOYED_BUCKET = f"arn:aws:s3:::{deployment.STACK}-{BUCKET_MARK}-*"
_MADE_BY_THE_STACK = (
    "ec2:AssociateRouteTable",
    "ec2:AttachInternetGateway",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:CreateInternetGateway",
    "ec2:CreateRoute",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateTags",
    "ec2:CreateVpc",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeKeyPairs",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSubnets",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcAttribute",
    "ec2:ImportKeyPair",
    "ec2:ModifySubnetAttribute",
    "ec2:ModifyVpcAttribute",
    "ec2:RunInstances",
)
_DELETED_WITH_THE_STACK = (
    "ec2:DeleteInternetGateway",
    "ec2:DeleteKeyPair",
    "ec2:DeleteRoute",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteVpc",
    "ec2:DetachInternetGateway",
    "ec2:DisassociateRouteTable",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:TerminateInstances",
)
_KINDS_IN_THE_STACK = tuple(
    f"{EC2}:{kind}/*"
    for kind in ("instance", "internet-gateway", "key-pair", "route-table", "security-group", "subnet", "vpc")
)
DEPLOYMENT: dict[str, tuple[Grant, ...]] = {
    "ec2:DescribeInstanceTypeOfferings": _in_region("ec2:DescribeInstanceTypeOfferings"),
    "ec2:DescribeInternetGateways": _in_region("ec2:DescribeInternetGateways"),
    "service-quotas:GetServiceQuota": _in_region("servicequotas:GetServiceQuota"),
    "cloudformation:DescribeStackEvents": _on(STACK, "cloudformation:DescribeStackEvents"),
    "cloudformation:CreateStack": (
        *_on(STACK, "cloudformation:CreateStack", "cloudformation:TagResource"),
        *_on("arn:aws:ssm:{region}::parameter/aws/service/ami-amazon-linux-latest/*", "ssm:GetParameters"),
        *_in_region(*_MADE_BY_THE_STACK),
        *_on(
            DEPLOYED_BUCKET,
            "s3:CreateBucket",
            "s3:GetBucketPolicy",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
        ),
        *_on(ROLE, "iam:CreateRole", "iam:GetRolePolicy", "iam:PutRolePolicy", "iam:TagRole"),
    ),
    "cloudformation:DeleteStack": (
        *_on(STACK, "cloudformation:DeleteStack"),
        *_on(_KINDS_IN_THE_STACK, *_DELETED_WITH_THE_STACK, condition=DEPLOYED),
        *_on(DEPLOYED_BUCKET, "s3:DeleteBucketPolicy"),
        *_on(ROLE, "iam:DeleteRole", "iam:DeleteRolePolicy"),
    ),
    "s3:DeleteBucket": _on(DEPLOYED_BUCKET, "s3:DeleteBucket"),
}
"""Further permissions for deploying the environment: CloudFormation acts with the caller's permissions."""


def policy(settings: Settings, *, deployment: bool = False) -> dict[str, Any]:
    """Return the policy document for these settings; without account or bucket, it allows all that fit the lab's names.

    With `deployment`, it also covers deploying the environment, for learners without a lab platform.
    """
    account = os.environ.get("LABKIT_AWS_ACCOUNT", "").strip() or settings.aws_account or "*"
    places = {"region": settings.region, "account": account, "bucket": settings.bucket or f"*{BUCKET_MARK}*"}
    needed = {**GRANTS, **(DEPLOYMENT if deployment else {})}
    grants = [grant for each in needed.values() for grant in each]
    return {"Version": "2012-10-17", "Statement": [_filled(statement, places) for statement in _merged(grants)]}


def _merged(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Merge grants on the same resources under the same condition into one statement."""
    merged: dict[str, tuple[Grant, set[str]]] = {}
    actions: defaultdict[str, set[str]] = defaultdict(set)
    for grant in grants:
        place = repr((sorted(grant.resources), grant.condition))
        merged.setdefault(place, (grant, actions[place]))
        actions[place].update(grant.actions)
    return [
        {"Effect": "Allow", "Action": sorted(allowed), "Resource": sorted(grant.resources)}
        | ({"Condition": grant.condition} if grant.condition else {})
        for grant, allowed in merged.values()
    ]


def _filled(value: Any, places: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**places)
    if isinstance(value, list):
        return [_filled(each, places) for each in value]
    return {key: _filled(each, places) for key, each in value.items()}
