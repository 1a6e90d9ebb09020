"""Flow logs: what CreateFlowLogs made, what it refuses, and which traffic each one takes.

Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat, LogFormatError
from labkit.flowlog.s3_keys import S3Layout
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.network.topology import Interface

DestinationType = Literal["cloud-watch-logs", "s3"]
TrafficType = Literal["ALL", "ACCEPT", "REJECT"]

INTERVALS = (60, 600)
DEFAULT_INTERVAL = 600
MOST_TAG_KEYS = 2
"""Of one kind of resource in a record."""
_TAG_FIELDS = {"instance": "instance-tag", "network-interface": "interface-tag", "auto-scaling-group": "asg-tag"}
RESOURCE_TYPES = ("VPC", "Subnet", "NetworkInterface")
MOST_RESOURCES, MOST_FLOW_LOG_IDS = 300, 1000
"""Of one request."""
MOST_TAGS = 50
"""Of one resource. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions"""

_ID = re.compile(r"fl-([0-9a-f]{8}|[0-9a-f]{17})")
_BUCKET_ARN = re.compile(
    r"arn:aws[a-z-]*:s3:::(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9])(/(?P<prefix>.*))?"
)
"""The names of old buckets in us-east-1 are freer than those of new ones."""
_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_GROUP_ARN = re.compile(r"arn:aws[a-z-]*:logs:(?P<region>[^:]+):(?P<account>\d{12}):log-group:(?P<group>[^:*]+)(:\*)?")


@dataclass
class FlowLog:
    """One flow log. Its configuration never changes; its delivery status does."""

    id: str
    region: str
    account_id: str
    resource_type: str
    resource_id: str
    traffic_type: TrafficType
    interval: int
    log_format: LogFormat
    destination_type: DestinationType
    destination: str | None
    group: str | None
    bucket: str | None
    layout: S3Layout
    role_arn: str | None
    created: datetime
    tags: dict[str, str] = field(default_factory=dict)
    tag_field_specifications: list[dict[str, Any]] | None = None
    error: str | None = None
    """Why the last delivery failed, in AWS's words; None while deliveries succeed."""

    @property
    def arn(self) -> str:
        """Its ARN, which the role's and the log group's policies may name."""
        return f"arn:aws:ec2:{self.region}:{self.account_id}:vpc-flow-log/{self.id}"

    @property
    def stream_suffix(self) -> str:
        """What the names of its log streams end with."""
        return self.traffic_type.lower()

    def covers(self, interface: Interface) -> bool:
        """Whether it logs an interface, by itself or by its subnet or VPC."""
        covered = {"VPC": interface.vpc_id, "Subnet": interface.subnet_id, "NetworkInterface": interface.id}
        return interface.region == self.region and covered[self.resource_type] == self.resource_id

    def interval_of(self, interface: Interface) -> int:
        """How long it aggregates an interface's traffic; a minute at most on an instance built on Nitro."""
        return min(self.interval, 60) if interface.nitro else self.interval

    def configuration(self) -> tuple[object, ...]:
        """What no two flow logs have in common."""
        return (self.resource_id, self.traffic_type, self.bucket or self.group, self.layout, self.log_format)

    def describe(self) -> dict[str, Any]:
        """It as DescribeFlowLogs shows it."""
        shown: dict[str, Any] = {
            "CreationTime": self.created,
            "DeliverLogsErrorMessage": self.error,
            "DeliverLogsPermissionArn": self.role_arn,
            "DeliverLogsStatus": "FAILED" if self.error else "SUCCESS",
            "FlowLogId": self.id,
            "FlowLogStatus": "ACTIVE",
            "LogGroupName": self.group,
            "ResourceId": self.resource_id,
            "TrafficType": self.traffic_type,
            "LogDestinationType": self.destination_type,
            "LogDestination": self.destination,
            "LogFormat": str(self.log_format),
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "MaxAggregationInterval": self.interval,
            "DestinationOptions": self._destination_options(),
            "TagFieldSpecifications": self.tag_field_specifications,
        }
        return {member: value for member, value in shown.items() if value is not None}

    def _destination_options(self) -> dict[str, Any] | None:
        if self.destination_type != "s3":
            return None
        return {
            "FileFormat": self.layout.file_format,
            "HiveCompatiblePartitions": self.layout.hive_compatible,
            "PerHourPartition": self.layout.per_hour,
        }


def check_size(params: Mapping[str, Any]) -> None:
    """Refuses more resources than one request may name."""
    count = len(params["ResourceIds"])
    if count > MOST_RESOURCES:
        message = f"The request names {count} resources; the most is {MOST_RESOURCES}. Make several requests of it."
        raise ServiceError("InvalidParameterValue", message)


def check_tags(params: Mapping[str, Any]) -> None:
    """Refuses tags that a user may not give a flow log; those of CloudFormation begin with aws: and are its own."""
    tags = [tag for each in params.get("TagSpecifications", []) for tag in each.get("Tags", [])]
    keys = [tag.get("Key", "") for tag in tags]
    if repeated := [key for key in keys if keys.count(key) > 1]:
        raise ServiceError("InvalidParameterValue", f"Duplicate tag key '{repeated[0]}' specified.")
    if len(tags) > MOST_TAGS:
        raise ServiceError("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not key:
            raise ServiceError("InvalidParameterValue", "Tag key cannot be empty.")
        if key.lower().startswith("aws:"):
            message = "Tag keys starting with 'aws:' are reserved for internal use"
            raise ServiceError("InvalidParameterValue", message)
        if len(key) > 128:
            message = f"Tag key exceeds the maximum length of 128 characters: '{key}'"
            raise ServiceError("InvalidParameterValue", message)
        if len(value) > 256:
            message = f"Tag value exceeds the maximum length of 256 characters: '{value}'"
            raise ServiceError("InvalidParameterValue", message)


def parse(params: Mapping[str, Any], *, region: str, account_id: str, created: datetime) -> FlowLog:
    """A flow log from the parameters of CreateFlowLogs, yet without an id and a resource; raises AWS's errors."""
    _refuse_what_the_sandbox_lacks(params)
    if "TrafficType" not in params:
        raise ServiceError("MissingParameter", "The request must contain the parameter TrafficType")
    interval = params.get("MaxAggregationInterval", DEFAULT_INTERVAL)
    if interval not in INTERVALS:
        raise ServiceError("InvalidParameter", "Invalid Flow Log Max Aggregation Interval")
    kind = params.get("LogDestinationType", "cloud-watch-logs")
    options = params.get("DestinationOptions", {})
    bucket, prefix, group = _s3_destination(params) if kind == "s3" else _group_destination(params, region, account_id)
    return FlowLog(
        id="",
        region=region,
        account_id=account_id,
        resource_type=params["ResourceType"],
        resource_id="",
        traffic_type=params["TrafficType"],
        interval=interval,
        log_format=_log_format(params),
        destination_type=kind,
        destination=params.get("LogDestination"),
        group=group,
        bucket=bucket,
        layout=S3Layout(
            prefix,
            options.get("FileFormat", "plain-text"),
            options.get("HiveCompatiblePartitions", False),
            options.get("PerHourPartition", False),
        ),
        role_arn=params.get("DeliverLogsPermissionArn"),
        created=created,
        tags=_tags(params),
        tag_field_specifications=params.get("TagFieldSpecifications"),
    )


def _refuse_what_the_sandbox_lacks(params: Mapping[str, Any]) -> None:
    lacking = {
        "ResourceType": (params["ResourceType"], RESOURCE_TYPES),
        "LogDestinationType": (params.get("LogDestinationType", "s3"), ("s3", "cloud-watch-logs")),
    }
    for member, (value, known) in lacking.items():
        if value not in known:
            message = (
                f"The sandbox has no flow logs with {member} {value}, only {', '.join(known)}. See docs/sandbox.md."
            )
            raise ServiceError("UnsupportedOperation", message)
    if params.get("DeliverCrossAccountRole"):
        message = "The sandbox does not implement DeliverCrossAccountRole. See docs/sandbox.md."
        raise ServiceError("UnsupportedOperation", message)


def _log_format(params: Mapping[str, Any]) -> LogFormat:
    if not params.get("LogFormat"):
        return DEFAULT_FORMAT
    try:
        log_format = LogFormat.parse(params["LogFormat"])
    except LogFormatError as error:
        raise ServiceError("InvalidParameter", str(error)) from error
    return replace(log_format, tag_keys=_tag_keys(params, log_format))


def _tag_keys(params: Mapping[str, Any], log_format: LogFormat) -> tuple[tuple[str, str], ...]:
    """The keys of the tags that the format's tag fields show."""
    shown = [name for name in log_format.names if name.removesuffix("-2") in _TAG_FIELDS.values()]
    if shown and not params.get("TagFieldSpecifications"):
        message = "The TagFieldSpecifications parameter must be set when including tag fields in the log format"
        raise ServiceError("InvalidParameter", message)
    given: dict[str, str] = {}
    for specification in params.get("TagFieldSpecifications", []):
        name, keys = _TAG_FIELDS[specification.get("ResourceType", "instance")], specification.get("TagKeys", [])
        if not 1 <= len(keys) <= MOST_TAG_KEYS:
            message = f"TagFieldSpecifications names {len(keys)} tag keys for {name}, which takes one or two"
            raise ServiceError("InvalidParameter", message)
        given |= dict(zip((name, f"{name}-2"), keys, strict=False))
    if missing := [name for name in shown if name not in given]:
        message = f"TagFieldSpecifications names no tag key for the field {missing[0]} of the log format"
        raise ServiceError("InvalidParameter", message)
    return tuple(given.items())


def check_ids(ids: Collection[str]) -> None:
    """Refuses what can be no flow log's id, and more ids than one request may name."""
    if len(ids) > MOST_FLOW_LOG_IDS:
        message = f"The request names {len(ids)} flow logs; the most is {MOST_FLOW_LOG_IDS}."
        raise ServiceError("InvalidParameterValue", message)
    for flow_log_id in ids:
        if not _ID.fullmatch(flow_log_id):
            raise _invalid_format("flowLogId", flow_log_id)


def _invalid_format(member: str, value: str) -> ServiceError:
    message = f"1 validation error detected: Value '{value}' at '{member}' has an invalid format"
    return ServiceError("InvalidParameterValue", message)


def _s3_destination(params: Mapping[str, Any]) -> tuple[str, str, None]:
    if params.get("LogGroupName"):
        message = "LogDestination type must be cloud-watch-logs if LogGroupName is provided."
        raise ServiceError("InvalidParameter", message)
    if params.get("DeliverLogsPermissionArn"):
        raise ServiceError("InvalidParameter", "DeliverLogsPermissionArn is not applicable for s3 delivery")
    if not params.get("LogDestination"):
        raise ServiceError("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.")
    match = _BUCKET_ARN.fullmatch(params["LogDestination"])
    if match is None:
        message = (
            f"LogDestination {params['LogDestination']} is not the ARN of an S3 bucket, arn:aws:s3:::bucket/folder/"
        )
        raise ServiceError("InvalidParameter", message)
    prefix = (match["prefix"] or "").strip("/")
    if "AWSLogs" in prefix.split("/"):
        message = f"LogDestination {params['LogDestination']}: AWSLogs is a reserved term and can't name a folder."
        raise ServiceError("InvalidParameter", message)
    return match["bucket"], prefix, None


def _group_destination(params: Mapping[str, Any], region: str, account_id: str) -> tuple[None, str, str]:
    name, destination = params.get("LogGroupName"), params.get("LogDestination")
    if not name and not destination:
        raise ServiceError("InvalidParameter", "LogDestination can't be empty if LogGroupName is not provided.")
    if name and destination:
        raise ServiceError("InvalidParameter", "Please only provide LogGroupName or only provide LogDestination.")
    if params.get("DestinationOptions"):
        raise ServiceError("InvalidParameter", "DestinationOptions is only applicable for s3 delivery")
    if not params.get("DeliverLogsPermissionArn"):
        message = "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
        raise ServiceError("InvalidParameter", message)
    if name:
        if not _GROUP_NAME.fullmatch(name):
            raise _invalid_format("logGroupName", name)
        return None, "", name
    match = _GROUP_ARN.fullmatch(destination or "")
    if match is None or (match["region"], match["account"]) != (region, account_id):
        raise ServiceError(
            "InvalidParameter", f"LogDestination {destination} is not the ARN of a log group in {region}"
        )
    return None, "", match["group"]


def _tags(params: Mapping[str, Any]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for specification in params.get("TagSpecifications", []):
        kind = specification.get("ResourceType")
        if kind != "vpc-flow-log":
            message = f"'{kind}' is not a valid taggable resource type for this operation."
            raise ServiceError("InvalidParameterValue", message)
        tags |= {tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags", [])}
    return tags
