"""The resources that a lab platform (or infra/lab_environment.yaml) provides, found by tag and by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from labkit.lab.errors import LabError

if TYPE_CHECKING:
    from labkit.lab.session import Lab

VPC_NAME = "Lab VPC"
WEB_SERVER_NAME = "Web Server"
BUCKET_MARK = "vpcflowlogsbucket"
ROLE_MARK = "DeliverVPCFlowLogsRole"
Found = TypeVar("Found")
SECURITY_GROUPS = ("HTTPOnly", "HTTPAndSSH")


class NotProvided(LabError):
    """Something that should have been provided does not exist."""


@dataclass(frozen=True)
class Vpc:
    """The provided VPC."""

    id: str
    name: str
    cidr: str


@dataclass(frozen=True)
class WebServer:
    """The provided instance in its current state."""

    id: str
    name: str
    public_ip: str
    private_ip: str
    interface_id: str
    security_groups: tuple[str, ...]
    """The names of the attached groups."""


@dataclass(frozen=True)
class Role:
    """The provided role that lets VPC Flow Logs write to CloudWatch Logs."""

    name: str
    arn: str


@dataclass(frozen=True)
class SecurityGroup:
    """One of the provided security groups."""

    id: str
    name: str


def find_vpc(lab: Lab) -> Vpc:
    """Return the VPC whose Name tag is `Lab VPC`, never the default VPC."""
    filters = [{"Name": "tag:Name", "Values": [VPC_NAME]}]
    found = lab.client("ec2").describe_vpcs(Filters=filters)["Vpcs"]
    vpc = _one(lab, found, f"VPC with the Name tag {VPC_NAME!r}")
    return Vpc(vpc["VpcId"], VPC_NAME, vpc["CidrBlock"])


def find_web_server(lab: Lab) -> WebServer:
    """Return the lab VPC's running instance with the Name tag `Web Server` and a public address."""
    filters = [
        {"Name": "tag:Name", "Values": [WEB_SERVER_NAME]},
        {"Name": "vpc-id", "Values": [lab.vpc.id]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    answer = lab.client("ec2").describe_instances(Filters=filters)
    found = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
    instance = _one(lab, found, f"instance with the Name tag {WEB_SERVER_NAME!r}")
    if instance["State"]["Name"] != "running" or not instance.get("PublicIpAddress"):
        raise LabError(
            f"The {WEB_SERVER_NAME} {instance['InstanceId']} is {instance['State']['Name']} and has "
            f"{'a' if instance.get('PublicIpAddress') else 'no'} public address: start it, with one."
        )
    return WebServer(
        instance["InstanceId"],
        WEB_SERVER_NAME,
        instance["PublicIpAddress"],
        instance["PrivateIpAddress"],
        instance["NetworkInterfaces"][0]["NetworkInterfaceId"],
        tuple(sorted(group["GroupName"] for group in instance["SecurityGroups"])),
    )


def find_bucket(lab: Lab) -> str:
    """Return the bucket of the settings if it exists, else the region's one with `vpcflowlogsbucket` in its name."""
    if lab.settings.bucket:
        return _named_bucket(lab, lab.settings.bucket)
    found = [name for name in list_buckets(lab) if BUCKET_MARK in name]
    return _one(lab, found, f"bucket with {BUCKET_MARK!r} in its name", or_else="choose one in the form of notebook 00")


def list_buckets(lab: Lab) -> tuple[str, ...]:
    """Return the names of the account's buckets in the lab's region, the provided one first."""
    listed = _pages(lab, "s3", "list_buckets", "Buckets", BucketRegion=lab.region)
    return tuple(sorted((str(bucket["Name"]) for bucket in listed), key=lambda name: (BUCKET_MARK not in name, name)))


def find_delivery_role(lab: Lab) -> Role:
    """The role with `DeliverVPCFlowLogsRole` in its name."""
    roles = _pages(lab, "iam", "list_roles", "Roles")
    role = _one(lab, [each for each in roles if ROLE_MARK in each["RoleName"]], f"role with {ROLE_MARK!r} in its name")
    return Role(role["RoleName"], role["Arn"])


def find_security_group(lab: Lab, name: str) -> SecurityGroup:
    """Return the lab VPC's security group of that name, or else the one whose name contains it."""
    filters = [{"Name": "vpc-id", "Values": [lab.vpc.id]}]
    groups = list(_pages(lab, "ec2", "describe_security_groups", "SecurityGroups", Filters=filters))
    exact = [group for group in groups if group["GroupName"] == name]
    found = exact or [group for group in groups if name in group["GroupName"]]
    what = f"security group with {name!r} in its name in the VPC {lab.vpc.id}"
    if name not in SECURITY_GROUPS and len(found) != 1:
        there = ", ".join(sorted(group["GroupName"] for group in groups))
        word = "more than one" if found else "no"
        raise LabError(f"There is {word} {what} in {lab.region}: give the whole name of one of {there}.")
    group = _one(lab, found, what)
    return SecurityGroup(group["GroupId"], group["GroupName"])


def _one(lab: Lab, found: Iterable[Found], what: str, or_else: str = "remove or rename all but one") -> Found:
    candidates = list(found)
    if not candidates:
        raise NotProvided(f"There is no {what} in {lab.region}. {lab.cloud.advice_if_missing}")
    if len(candidates) > 1:
        raise LabError(f"There is more than one {what} in {lab.region}: {or_else}.")
    return candidates[0]


def _named_bucket(lab: Lab, name: str) -> str:
    try:
        region = _bucket_region(lab, name)
    except ClientError as refusal:
        code = refusal.response["Error"]["Code"]
        why = "isn't there" if code in {"NoSuchBucket", "404"} else f"can't be used ({code}): it may be someone else's"
        raise LabError(f"The bucket {name!r} of the settings {why}. Choose another in notebook 00.") from refusal
    if region != lab.region:
        raise LabError(f"The bucket {name!r} is in {region}, the lab in {lab.region}: choose one or the other anew.")
    return name


def _bucket_region(lab: Lab, name: str) -> str:
    """Return the bucket's region: S3 gives no location constraint for us-east-1."""
    return lab.client("s3").get_bucket_location(Bucket=name).get("LocationConstraint") or "us-east-1"


def _pages(lab: Lab, service: str, operation: str, member: str, **params: Any) -> Iterator[Any]:
    for page in lab.client(service).get_paginator(operation).paginate(**params):
        yield from page[member]
