"""The stack that labkit deploys into a real account: found, waited for, removed.

It is that of infra/lab_environment.yaml. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacks.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from labkit.lab import ledger
from labkit.lab.errors import LabError
from labkit.lab.session import Lab
from labkit.lab.settings import home, project_root

STACK = "vpc-flow-logs-lab"
TEMPLATE = project_root() / "infra" / "lab_environment.yaml"
STACK_TAG = {"labkit-deployed": "vpc-flow-logs-lab"}
"""Marks a stack that labkit deployed, to tell it from somebody else's of the same name. CloudFormation copies stack
tags to the resources, so no resource has this tag of its own.
"""
KEY_FILE = "web_server_key"

Event = Mapping[str, Any]


def remove(lab: Lab) -> bool:
    """Delete the stack if labkit deployed it, but not its bucket; return False if there is nothing to delete."""
    stack = find_stack(lab)
    if stack is None or not is_labkits(stack):
        return False
    if stack["StackStatus"] != "DELETE_IN_PROGRESS":
        lab.client("cloudformation").delete_stack(StackName=stack["StackId"])
    wait_for(lab, "DELETE", stack["StackId"])
    lab.forget_found()
    ledger.forget(lab, "stack", STACK)
    (home() / KEY_FILE).unlink(missing_ok=True)
    return True


def is_deployed(lab: Lab) -> bool:
    """Return whether a stack or a bucket that labkit deployed still exists."""
    stack = find_stack(lab)
    return (stack is not None and is_labkits(stack)) or bool(deployed_buckets(lab))


def deployed_buckets(lab: Lab) -> list[str]:
    """Return the buckets that labkit deployed and that still exist, with or without their stack."""
    known = {bucket["Name"] for bucket in lab.client("s3").list_buckets()["Buckets"]}
    for name in ledger.names(lab, "bucket"):
        if name not in known:
            ledger.forget(lab, "bucket", name)
    return [name for name in ledger.names(lab, "bucket") if name in known]


def remove_buckets(lab: Lab) -> str:
    """Delete the empty buckets that labkit deployed, and say what happened to each."""
    outcomes = [f"{name}: {_remove_bucket(lab, name)}" for name in deployed_buckets(lab)]
    return "; ".join(outcomes) or "none deployed by labkit"


def _remove_bucket(lab: Lab, name: str) -> str:
    try:
        lab.client("s3").delete_bucket(Bucket=name)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "BucketNotEmpty":
            raise
        return "stays, it holds objects; records arrive for some minutes after their flow log is deleted"
    ledger.forget(lab, "bucket", name)
    lab.forget_found()
    return "deleted"


def find_stack(lab: Lab) -> Mapping[str, Any] | None:
    """Return the lab's stack as DescribeStacks shows it; None if there is no such stack."""
    return _described(lab, STACK)


def is_labkits(stack: Mapping[str, Any]) -> bool:
    """True for a stack that labkit deployed."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.items() >= STACK_TAG.items()


def first_failure(events: Iterable[Event]) -> str:
    """Return the first failure of a stack, in CloudFormation's words; later failures only follow from it.

    `events` are the latest first, as DescribeStackEvents has them.
    """
    for event in reversed(list(events)):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason.lower():
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or event['ResourceStatus']}"
    return "CloudFormation names no reason"


def wait_for(lab: Lab, verb: str, stack_id: str = STACK) -> None:
    """Wait until the stack is made (`CREATE`) or gone (`DELETE`); the bar counts its resources by their events."""
    lab.wait(
        lambda: _is_settled(_described(lab, stack_id)),
        expect="5 min",
        what=f"the stack {STACK} to be {'made' if verb == 'CREATE' else 'deleted'}",
        steps=partial(_steps, lab, verb, stack_id),
    )
    stack = _described(lab, stack_id)
    status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
    if status != f"{verb}_COMPLETE":
        advice = "Put that right" if verb == "CREATE" else "Delete by hand what is in the way"
        raise LabError(
            f"The stack {STACK} is {status}. The first thing that failed: {first_failure(_events(lab, stack_id))}. "
            f"{advice}, then run the same again."
        )


def _is_settled(stack: Mapping[str, Any] | None) -> bool:
    return stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS")


def _steps(lab: Lab, verb: str, stack_id: str) -> tuple[int, int]:
    done = {
        event["LogicalResourceId"]
        for event in _events(lab, stack_id)
        if event["ResourceStatus"] == f"{verb}_COMPLETE" and event["LogicalResourceId"] != STACK
    }
    resources = re.search(r"^Resources:\n(.*?)^\w", TEMPLATE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return len(done), len(re.findall(r"^  \w+:$", resources[1] if resources else "", re.MULTILINE))


def _events(lab: Lab, stack_id: str) -> list[Event]:
    """The latest first."""
    try:
        pages = lab.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
        return [event for page in pages for event in page["StackEvents"]]
    except ClientError as refusal:
        if _is_missing(refusal):
            return []
        raise


def _described(lab: Lab, name: str) -> Mapping[str, Any] | None:
    try:
        stack: Mapping[str, Any] = lab.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as refusal:
        if _is_missing(refusal):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _is_missing(refusal: ClientError) -> bool:
    """CloudFormation has no code of its own for it."""
    error = refusal.response["Error"]
    return error["Code"] == "ValidationError" and "does not exist" in error["Message"]
