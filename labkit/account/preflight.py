"""Checks before the first step on AWS: can the lab run here, with these credentials, and what has to be done first?

Nothing is changed. A check that can't be made is reported with AWS's reason, and does not stop the lab.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labkit.account.policy import policy
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided, find_bucket
from labkit.lab.session import Lab
from labkit.phases.flow_logs import find_flow_logs
from labkit.phases.inventory import take_inventory
from labkit.show.explain import next_step
from labkit.show.html import Html, table, tag
from labkit.show.shown import Shown, text_table

FLOW_LOGS_A_VPC = 2
"""The most flow logs of a VPC; AWS does not raise this quota. The lab makes two.

https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
"""
_VPCS, _INTERNET_GATEWAYS = ("vpc", "L-F678F1CE"), ("vpc", "L-A4707A72")
_VCPUS = ("ec2", "L-1216C47A")
"""Service and code of quotas, in Service Quotas; the last counts vCPUs of On-Demand instances: a nano has two."""
_HEAD = ("what", "", "found", "what to do")


class Verdict(Enum):
    """The result of one check."""

    FINE = "✓"
    LOOK = "!"
    STOP = "✗"
    UNKNOWN = "?"


@dataclass(frozen=True)
class Finding:
    """One check: its subject, what was found, and what to do about it."""

    what: str
    verdict: Verdict
    found: str
    to_do: str = ""


@dataclass(frozen=True, repr=False)
class Preflight(Shown):
    """The results of all checks."""

    place: str
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True if nothing stands in the lab's way."""
        return not any(finding.verdict is Verdict.STOP for finding in self.findings)

    def text(self) -> str:
        """A line for each check, and the conclusion."""
        return f"Preflight for {self.place}\n{text_table(_HEAD, self._rows())}\n{self._summary()}"

    def html(self) -> Html:
        """A row for each check, and the conclusion."""
        return tag(
            "div",
            table(_HEAD, self._rows(), caption=f"Preflight for {self.place}"),
            tag("p", tag("strong", self._summary())),
        )

    def _rows(self) -> list[tuple[str, ...]]:
        return [(each.what, each.verdict.value, each.found, each.to_do) for each in self.findings]

    def _summary(self) -> str:
        stops = sum(each.verdict is Verdict.STOP for each in self.findings)
        return f"{stops} in the way: see what to do." if stops else "Nothing is in the way: the lab can be done here."


def preflight(lab: Lab) -> Preflight:
    """Look at credentials, region, permissions, quotas, environment, bucket and leftovers; change nothing."""
    findings = tuple(finding for name, look in _LOOKS.items() for finding in _looked_at(lab, name, look))
    return Preflight(f"{lab.settings.cloud} in {lab.region}", findings)


def principal(lab: Lab) -> str:
    """Return the ARN whose policies can be simulated: for an assumed role's session, its role with the role's path.

    Empty for the root user and for federated users, which SimulatePrincipalPolicy does not accept.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    arn = lab.caller_arn
    session = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if session is None:
        return "" if arn.endswith(":root") or ":federated-user/" in arn else arn
    partition, account, role = session.groups()
    try:
        return str(lab.client("iam").get_role(RoleName=role)["Role"]["Arn"])
    except ClientError:
        return f"arn:{partition}:iam::{account}:role/{role}"


def denied_actions(lab: Lab, source: str) -> list[str]:
    """Return the actions of the lab's policy that SimulatePrincipalPolicy does not allow the principal."""
    settings = replace(lab.settings, aws_account=lab.account_id, bucket=_bucket_or_none(lab))
    simulate = lab.client("iam").get_paginator("simulate_principal_policy")
    return sorted(
        {
            result["EvalActionName"]
            for statement in policy(settings)["Statement"]
            for page in simulate.paginate(PolicySourceArn=source, **_simulation(statement))
            for result in page["EvaluationResults"]
            if result["EvalDecision"] != "allowed"
        }
    )


def _simulation(statement: dict[str, Any]) -> dict[str, Any]:
    context = [
        {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for key, value in statement.get("Condition", {}).get("StringEquals", {}).items()
    ]
    return {"ActionNames": statement["Action"], "ResourceArns": statement["Resource"], "ContextEntries": context}


def _bucket_or_none(lab: Lab) -> str:
    try:
        return lab.bucket
    except LabError:
        return ""


def _looked_at(lab: Lab, name: str, look: Callable[[Lab], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look(lab))
    except NotProvided:
        return [Finding(name, Verdict.UNKNOWN, "comes with the environment", "see environment")]
    except LabError as trouble:
        return [Finding(name, Verdict.UNKNOWN, f"could not be checked, because: {trouble}")]
    except ClientError as refusal:
        error = refusal.response["Error"]
        why = f"could not be checked, because {refusal.operation_name} gave {error['Code']}: {error['Message']}"
        return [Finding(name, Verdict.UNKNOWN, why, next_step(error["Code"], error["Message"]))]
    except BotoCoreError as failure:
        return [
            Finding(name, Verdict.UNKNOWN, f"could not be checked, because {failure}", "See that there is a network.")
        ]


def _credentials(lab: Lab) -> Iterator[Finding]:
    aliases = lab.client("iam").list_account_aliases()["AccountAliases"]
    whose = f"account {lab.account_id}{f' ({aliases[0]})' if aliases else ''}, as {lab.caller_arn}"
    if not lab.cloud.confirms(lab.account_id):
        to_do = "Confirm the account in the form of notebook 00, or set LABKIT_AWS_ACCOUNT to it."
        yield Finding("credentials", Verdict.STOP, f"{whose}: not the account that you confirmed", to_do)
    elif lab.caller_arn.endswith(":root"):
        yield Finding("credentials", Verdict.LOOK, whose, "Use a user or a role: the root user may do everything.")
    else:
        yield Finding("credentials", Verdict.FINE, whose)


def _region(lab: Lab) -> Iterator[Finding]:
    answer = lab.client("ec2").describe_regions(RegionNames=[lab.region], AllRegions=True)["Regions"][0]
    status = answer["OptInStatus"]
    if status == "not-opted-in":
        to_do = "Enable it in the account's settings, or choose another region in notebook 00."
        yield Finding("region", Verdict.STOP, f"{lab.region} is not enabled in this account", to_do)
    else:
        yield Finding("region", Verdict.FINE, f"{lab.region} is enabled")


def _permissions(lab: Lab) -> Iterator[Finding]:
    source = principal(lab)
    if not source:
        yield Finding("permissions", Verdict.UNKNOWN, "can't be simulated for the root user or a federated user")
        return
    denied = denied_actions(lab, source)
    if denied:
        to_do = "`labkit policy` prints what the lab needs: have it attached to your user or role."
        yield Finding("permissions", Verdict.STOP, f"not allowed: {', '.join(denied)}", to_do)
    else:
        yield Finding("permissions", Verdict.FINE, "IAM allows all that the lab calls")


def _dry_runs(lab: Lab) -> Iterator[Finding]:
    """Try calls as dry runs: EC2's answer includes organization policies, which a simulation may not see."""
    ec2, server = lab.client("ec2"), lab.web_server
    bucket = f"arn:aws:s3:::{lab.bucket}"
    yield _dry_run(
        "create a flow log",
        lambda: ec2.create_flow_logs(
            DryRun=True,
            ResourceType="VPC",
            ResourceIds=[lab.vpc.id],
            TrafficType="ALL",
            LogDestinationType="s3",
            LogDestination=bucket,
        ),
    )
    groups = [lab.security_group(name).id for name in server.security_groups]
    yield _dry_run(
        "swap the security group",
        lambda: ec2.modify_instance_attribute(DryRun=True, InstanceId=server.id, Groups=groups),
    )


def _dry_run(what: str, call: Callable[[], Any]) -> Finding:
    name = f"dry run: {what}"
    try:
        call()
    except ClientError as answer:
        error = answer.response["Error"]
        if error["Code"] == "DryRunOperation":
            return Finding(name, Verdict.FINE, "would succeed")
        verdict = Verdict.STOP if error["Code"] == "UnauthorizedOperation" else Verdict.LOOK
        return Finding(
            name, verdict, f"{error['Code']}: {error['Message']}", next_step(error["Code"], error["Message"])
        )
    return Finding(name, Verdict.UNKNOWN, "could not be checked, because the dry run gave no verdict")


def _environment(lab: Lab) -> Iterator[Finding]:
    try:
        yield Finding("environment", Verdict.FINE, f"{lab.vpc.id}, {lab.web_server.id}, {lab.delivery_role.name}")
    except NotProvided as missing:
        yield Finding("environment", Verdict.STOP, str(missing).split(". ")[0], lab.cloud.advice_if_missing)
        yield from _quotas_to_deploy(lab)
    except LabError as trouble:
        yield Finding("environment", Verdict.STOP, str(trouble), "Put it right, or choose another region.")


def _quotas_to_deploy(lab: Lab) -> Iterator[Finding]:
    ec2 = lab.client("ec2")
    looks: dict[str, tuple[tuple[str, str], Callable[[], int], int]] = {
        "quota of VPCs": (_VPCS, lambda: len(ec2.describe_vpcs()["Vpcs"]), 1),
        "quota of gateways": (_INTERNET_GATEWAYS, lambda: len(ec2.describe_internet_gateways()["InternetGateways"]), 1),
        "quota of vCPUs": (_VCPUS, lambda: 0, 2),
    }
    for name, (quota, count, needed) in looks.items():
        yield from _looked_at(lab, name, partial(_quota, name=name, quota=quota, count=count, needed=needed))


def _quota(lab: Lab, *, name: str, quota: tuple[str, str], count: Callable[[], int], needed: int) -> Iterator[Finding]:
    service, code = quota
    most = lab.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
    used = count()
    found = f"{used} of {most:g} used, {needed} needed" if used else f"{most:g}, {needed} needed"
    if used + needed > most:
        to_do = "Remove what you don't need, ask for more in Service Quotas, or choose another region."
        yield Finding(name, Verdict.STOP, found, to_do)
    else:
        yield Finding(name, Verdict.FINE, found)


def _flow_log_quota(lab: Lab) -> Iterator[Finding]:
    made = take_inventory(lab).made
    own = {thing.name for thing in made if thing.kind == "flow log"}
    others = [each for each in find_flow_logs(lab) if each["ResourceId"] == lab.vpc.id and each["FlowLogId"] not in own]
    found = f"{len(others)} of others on the lab VPC; {FLOW_LOGS_A_VPC} can be there, and the lab makes 2"
    if others:
        to_do = "Delete them if they are yours: AWS may refuse the lab's second one."
        yield Finding("quota of flow logs", Verdict.LOOK, found, to_do)
    else:
        yield Finding("quota of flow logs", Verdict.FINE, found)


def _bucket(lab: Lab) -> Iterator[Finding]:
    try:
        name = find_bucket(lab)
    except NotProvided:
        raise
    except LabError as trouble:
        yield Finding("bucket", Verdict.STOP, str(trouble), "Choose another bucket or region in notebook 00.")
        return
    lab.client("s3").head_bucket(Bucket=name)
    yield Finding("bucket", Verdict.FINE, f"{name} is there, in {lab.region}")
    yield _bucket_policy(lab, name)


def _bucket_policy(lab: Lab, name: str) -> Finding:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html"""
    what = "bucket policy"
    try:
        document = json.loads(lab.client("s3").get_bucket_policy(Bucket=name)["Policy"])
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        to_do = "AWS adds one with the first flow log, if you may put bucket policies; else copy that of the template."
        return Finding(what, Verdict.LOOK, "the bucket has none", to_do)
    allowed = [each for each in document["Statement"] if each["Effect"] == "Allow" and "Action" in each]
    writers = [each for each in allowed if "delivery.logs.amazonaws.com" in json.dumps(each.get("Principal"))]
    if any("s3:PutObject" in json.dumps(each["Action"]) for each in writers):
        return Finding(what, Verdict.FINE, "lets VPC Flow Logs deliver")
    to_do = "Add the statements of infra/lab_environment.yaml; AWS does so itself, if you may put bucket policies."
    return Finding(what, Verdict.LOOK, "names no delivery of logs", to_do)


def _leftovers(lab: Lab) -> Iterator[Finding]:
    inventory = take_inventory(lab)
    if inventory.made:
        listed = ", ".join(sorted({thing.kind for thing in inventory.made}))
        to_do = "Go on with that lab, or remove it: `labkit clean`."
        yield Finding("leftovers", Verdict.LOOK, f"{len(inventory.made)} things of an earlier run: {listed}", to_do)
    else:
        yield Finding("leftovers", Verdict.FINE, "nothing of an earlier run")
    if inventory.others:
        listed = ", ".join(f"{thing.kind} {thing.name}" for thing in inventory.others)
        to_do = "They stay as they are. Rename them if the lab should make its own."
        yield Finding("same names", Verdict.LOOK, f"not made by the lab: {listed}", to_do)


_LOOKS: dict[str, Callable[[Lab], Iterator[Finding]]] = {
    "credentials": _credentials,
    "region": _region,
    "permissions": _permissions,
    "dry run": _dry_runs,
    "environment": _environment,
    "quota of flow logs": _flow_log_quota,
    "bucket": _bucket,
    "leftovers": _leftovers,
}
