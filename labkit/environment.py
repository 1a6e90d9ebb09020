"""The provided environment in a real account: found where a lab platform made it, else deployed from the template.

The stack is that of infra/lab_environment.yaml. An interrupted deployment is taken up by calling `provide` again.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacks.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from labkit import made, prices
from labkit.errors import LabError
from labkit.lab import Lab
from labkit.phases.rejects import provide_sample
from labkit.provided import NotProvided
from labkit.settings import home, project_root, write_private
from labkit.show.cards import Card

STACK = "vpc-flow-logs-lab"
TEMPLATE = project_root() / "infra" / "lab_environment.yaml"
STACK_TAG = {"labkit-deployed": "vpc-flow-logs-lab"}
"""How a stack that labkit deployed is told from one of that name by somebody else. Stack tags go on to its resources,
so it is no tag that a resource has of its own.
"""
INSTANCE_TYPES = {"t4g.nano": "arm64", "t3a.nano": "x86_64", "t3.nano": "x86_64", "t2.nano": "x86_64"}
"""What suits, the cheapest first, and the processor that its image is for. https://aws.amazon.com/ec2/pricing/on-demand/"""
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{processor}"
"""https://docs.aws.amazon.com/linux/al2023/ug/ec2.html#launch-via-aws-cli"""
KEY_FILE = "web_server_key"
WIDEST_PREFIX = 16
"""SSH is for the learner: no network wider than this is let in."""

Event = Mapping[str, Any]


def provide(lab: Lab, *, ssh_from: str = "") -> Card:
    """Finds the provided environment, or deploys it; a deployment that was interrupted is taken up again.

    `ssh_from` is the address, or the network in CIDR notation, that may try SSH; if none is given, the public address
    that this machine is seen under. A stack that failed is removed and deployed anew. Into the bucket go four weeks of
    sample records, where weeks of real ones would lie.
    """
    mark = lab.calls.mark()
    stack = find_stack(lab)
    if (stack is None or not is_labkits(stack)) and _is_there(lab):
        return _card(lab, "already there", mark)
    if stack is not None and not is_labkits(stack):
        raise LabError(
            f"There is a stack {STACK} in {lab.region} that labkit did not deploy, and no Lab VPC. Delete the stack, "
            "or choose another region."
        )
    outcome = "already there" if stack is not None and stack["StackStatus"] == "CREATE_COMPLETE" else "deployed"
    _clear_the_way(lab, stack)
    if find_stack(lab) is None:
        _create(lab, ssh_from)
    _wait_for(lab, "CREATE")
    forget_found(lab)
    made.note(lab, "stack", STACK)
    made.note(lab, "bucket", lab.bucket)
    provide_sample(lab)
    return _card(lab, outcome, mark)


def remove(lab: Lab) -> bool:
    """Deletes the stack, if labkit deployed it; the bucket outlives it. False if there is nothing to delete."""
    stack = find_stack(lab)
    if stack is None or not is_labkits(stack):
        return False
    if stack["StackStatus"] != "DELETE_IN_PROGRESS":
        lab.client("cloudformation").delete_stack(StackName=stack["StackId"])
    _wait_for(lab, "DELETE", stack["StackId"])
    forget_found(lab)
    made.forget(lab, "stack", STACK)
    (home() / KEY_FILE).unlink(missing_ok=True)
    return True


def is_deployed(lab: Lab) -> bool:
    """True if there is a stack or a bucket that labkit deployed."""
    stack = find_stack(lab)
    return (stack is not None and is_labkits(stack)) or bool(deployed_buckets(lab))


def deployed_buckets(lab: Lab) -> list[str]:
    """The buckets that labkit deployed and that are still there, whether or not their stack is."""
    known = {bucket["Name"] for bucket in lab.client("s3").list_buckets()["Buckets"]}
    for name in made.names(lab, "bucket"):
        if name not in known:
            made.forget(lab, "bucket", name)
    return [name for name in made.names(lab, "bucket") if name in known]


def remove_buckets(lab: Lab) -> str:
    """Deletes the buckets that labkit deployed and that are empty; says what became of them."""
    outcomes = [f"{name}: {_remove_bucket(lab, name)}" for name in deployed_buckets(lab)]
    return "; ".join(outcomes) or "none deployed by labkit"


def _remove_bucket(lab: Lab, name: str) -> str:
    try:
        lab.client("s3").delete_bucket(Bucket=name)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "BucketNotEmpty":
            raise
        return "stays, it holds objects; records arrive for some minutes after their flow log is deleted"
    made.forget(lab, "bucket", name)
    forget_found(lab)
    return "deleted"


def find_stack(lab: Lab) -> Mapping[str, Any] | None:
    """The lab's stack as DescribeStacks has it; None where there is none."""
    return _described(lab, STACK)


def is_labkits(stack: Mapping[str, Any]) -> bool:
    """True for a stack that labkit deployed."""
    return {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.items() >= STACK_TAG.items()


def allowed_cidr(lab: Lab, typed: str = "") -> str:
    """The addresses that SSH is let in from, in CIDR notation: as typed, or else this machine's own address.

    Raises LabError for what is no IPv4 address or network, and for a network so wide that it is nobody's own.
    """
    text = typed.strip() or lab.cloud.own_address()
    example = "`labkit provide --ssh-from 203.0.113.7`"
    if not text:
        raise LabError(f"Your own address could not be found out. Look it up and type it: {example}.")
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as reason:
        raise LabError(f"{text!r} is no IPv4 address or network ({reason}); type one as in {example}.") from None
    if network.prefixlen < WIDEST_PREFIX:
        raise LabError(
            f"{text} would let {network.num_addresses:,} addresses try SSH; type your own alone, as in {example}."
        )
    return str(network)


def first_failure(events: Iterable[Event]) -> str:
    """What went wrong first in a stack, in CloudFormation's words; later failures only follow from it.

    `events` are the latest first, as DescribeStackEvents has them.
    """
    for event in reversed(list(events)):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in reason.lower():
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or event['ResourceStatus']}"
    return "CloudFormation names no reason"


def forget_found(lab: Lab) -> None:
    """What was found, or not found, before has to be looked up anew."""
    for name in ("vpc", "bucket", "delivery_role"):
        vars(lab).pop(name, None)


def _is_there(lab: Lab) -> bool:
    """False if there is no lab VPC; with one, whatever else is missing is an error that names it."""
    try:
        _ = lab.vpc
    except NotProvided:
        return False
    _ = lab.bucket, lab.delivery_role, lab.web_server
    return True


def _clear_the_way(lab: Lab, stack: Mapping[str, Any] | None) -> None:
    """A stack that failed or is being deleted has to go before there can be another."""
    status = stack["StackStatus"] if stack else ""
    if re.fullmatch("CREATE_FAILED|ROLLBACK_.*|DELETE_.*", status):
        remove(lab)


def _create(lab: Lab, ssh_from: str) -> None:
    instance_type, zone = _cheapest_offer(lab)
    parameters = {
        "InstanceType": instance_type,
        "LatestAmiId": IMAGE.format(processor=INSTANCE_TYPES[instance_type]),
        "Zone": zone,
        "LearnerCidr": allowed_cidr(lab, ssh_from),
        "LearnerPublicKey": _public_key(),
    }
    lab.client("cloudformation").create_stack(
        StackName=STACK,
        TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in STACK_TAG.items()],
    )


def _cheapest_offer(lab: Lab) -> tuple[str, str]:
    """The cheapest suitable instance type that the region has, and a zone that has it: not every zone has each."""
    answer = lab.client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": list(INSTANCE_TYPES)}]
    )
    zones: dict[str, list[str]] = {}
    for offer in answer["InstanceTypeOfferings"]:
        zones.setdefault(offer["InstanceType"], []).append(offer["Location"])
    for instance_type in INSTANCE_TYPES:
        if instance_type in zones:
            return instance_type, min(zones[instance_type])
    raise LabError(f"{lab.region} has none of the instance types {', '.join(INSTANCE_TYPES)}; choose another region.")


def _public_key() -> str:
    """The public half of the learner's key, made when it is first asked for; the private half stays in LABKIT_HOME."""
    import asyncssh

    path = home() / KEY_FILE
    if path.exists():
        key = asyncssh.import_private_key(path.read_text())
    else:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="labkit")
        write_private(path, key.export_private_key().decode())
    return key.export_public_key().decode().strip()


def _wait_for(lab: Lab, verb: str, stack_id: str = STACK) -> None:
    """Waits until the stack is made (`CREATE`) or gone (`DELETE`); the bar counts its resources by their events."""
    lab.wait_until(
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


def _card(lab: Lab, outcome: str, mark: int) -> Card:
    server = lab.web_server
    cost = prices.standing_cost("provided environment", lab.region)
    details = {
        "VPC": lab.vpc.id,
        "Web Server": f"{server.id}, {server.public_ip}",
        "Bucket": lab.bucket,
        "Role": lab.delivery_role.name,
        "Costs on AWS": f"{prices.in_words(cost)} a day, until `labkit clean` removes it",
    }
    if (home() / KEY_FILE).exists():
        details["SSH"] = f"ssh -i {home().name}/{KEY_FILE} ec2-user@{server.public_ip}"
    return Card("Provided environment", lab.region, outcome, details=details, calls=lab.calls.lines_since(mark))
