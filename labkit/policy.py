"""The least that an IAM user needs for the lab: a policy scoped by name, tag and region.

It is a table from the calls that labkit makes to what IAM wants for them. A test holds the table to the calls that are
recorded while the lab is done: a call that isn't covered and a row that no call uses both fail.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from labkit import environment
from labkit.lab import TAGS
from labkit.phases import alarm, athena_table, investigation
from labkit.phases.flow_logs import LOG_GROUP
from labkit.provided import BUCKET_MARK, ROLE_MARK, WEB_SERVER_NAME
from labkit.settings import Settings

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
STACK = f"arn:aws:cloudformation:{{region}}:{{account}}:stack/{environment.STACK}/*"
REGION_ONLY = {"StringEquals": {"aws:RequestedRegion": "{region}"}}
LAB_TAG = {"StringEquals": {f"aws:ResourceTag/{key}": value for key, value in TAGS.items()}}


@dataclass(frozen=True)
class Grant:
    """One thing that IAM has to allow: actions on resources, under a condition."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    condition: dict[str, Any] = field(default_factory=dict)


def _in_region(*actions: str) -> tuple[Grant, ...]:
    """Actions that IAM can't scope to a resource; the region is all that is left to say."""
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
    "iam:ListRoles": _on("*", "iam:ListRoles"),
    "cloudformation:DescribeStacks": _on(STACK, "cloudformation:DescribeStacks"),
    "s3:ListBuckets": _on("*", "s3:ListAllMyBuckets"),
    "s3:GetBucketLocation": _on(BUCKET, "s3:GetBucketLocation"),
    "s3:GetBucketPolicy": _on(BUCKET, "s3:GetBucketPolicy"),
    "s3:ListObjectsV2": _on(BUCKET, "s3:ListBucket"),
    "s3:GetObject": _on((RECORDS, ANSWERS, CASE_FILES), "s3:GetObject"),
    "s3:HeadObject": _on((RECORDS, ANSWERS, CASE_FILES), "s3:GetObject"),
    "s3:PutObject": _on((RECORDS, CASE_FILES), "s3:PutObject"),
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
"""What IAM wants for each call, by service and operation as botocore names them."""


def policy(settings: Settings) -> dict[str, Any]:
    """The policy document for these settings; where they name no account or bucket, any that fits the lab's names."""
    account = os.environ.get("LABKIT_AWS_ACCOUNT", "").strip() or settings.aws_account or "*"
    places = {"region": settings.region, "account": account, "bucket": settings.bucket or f"*{BUCKET_MARK}*"}
    grants = [grant for each in GRANTS.values() for grant in each]
    return {"Version": "2012-10-17", "Statement": [_filled(statement, places) for statement in _merged(grants)]}


def _merged(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Grants on the same resources under the same condition are one statement."""
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
