"""The provided environment in a real account: found where a lab platform made it, else deployed from the template.

The stack is that of infra/lab_environment.yaml. An interrupted deployment is taken up by calling `provide` again.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacks.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from labkit.lab import ledger, prices
from labkit.lab.deployment import KEY_FILE, STACK, STACK_TAG, TEMPLATE, find_stack, is_labkits, remove, wait_for
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided
from labkit.lab.session import Lab
from labkit.lab.settings import home, write_private
from labkit.phases.rejects import provide_sample
from labkit.show.cards import Card

INSTANCE_TYPES = {"t4g.nano": "arm64", "t3a.nano": "x86_64", "t3.nano": "x86_64", "t2.nano": "x86_64"}
"""Suitable instance types, the cheapest first, each with the processor of its image. https://aws.amazon.com/ec2/pricing/on-demand/"""
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{processor}"
"""https://docs.aws.amazon.com/linux/al2023/ug/ec2.html#launch-via-aws-cli"""
WIDEST_PREFIX = 16
"""SSH is for the learner: no wider network may use it."""


def provide(lab: Lab, *, ssh_from: str = "") -> Card:
    """Find the provided environment, or deploys it; a deployment that was interrupted is taken up again.

    `ssh_from` is the address, or the network in CIDR notation, that may try SSH; if none is given, the public address
    that this machine is seen under. A stack that failed is removed and deployed anew. The bucket gets
    four weeks of sample records, in place of weeks of real ones.
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
    wait_for(lab, "CREATE")
    lab.forget_found()
    ledger.note(lab, "stack", STACK)
    ledger.note(lab, "bucket", lab.bucket)
    provide_sample(lab)
    return _card(lab, outcome, mark)


def allowed_cidr(lab: Lab, typed: str = "") -> str:
    """Return the addresses that may use SSH, in CIDR notation: as typed, or else this machine's own address.

    Raises LabError unless it is an IPv4 address or network, and for a network too wide to be a learner's own.
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


def _is_there(lab: Lab) -> bool:
    """Return False if there is no lab VPC; if there is one, raise an error that names whatever else is missing."""
    try:
        _ = lab.vpc
    except NotProvided:
        return False
    _ = lab.bucket, lab.delivery_role, lab.web_server
    return True


def _clear_the_way(lab: Lab, stack: Mapping[str, Any] | None) -> None:
    """Remove a failed stack, or wait for its deletion: a new one needs the name."""
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
    """Return the region's cheapest suitable instance type, and a zone that offers it, as not every zone does."""
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
    """Return the public half of the learner's key, made at the first call; the private half stays in LABKIT_HOME."""
    import asyncssh

    path = home() / KEY_FILE
    if path.exists():
        key = asyncssh.import_private_key(path.read_text())
    else:
        key = asyncssh.generate_private_key("ssh-ed25519", comment="labkit")
        write_private(path, key.export_private_key().decode())
    return key.export_public_key().decode().strip()


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
