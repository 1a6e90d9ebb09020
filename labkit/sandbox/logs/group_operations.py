"""Log groups, their streams, retention and tags: the operations.

Words of errors as AWS answers them; https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
"""

from __future__ import annotations

from functools import partial
from typing import Any

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, page
from labkit.sandbox.logs.groups import LogGroup, LogStream
from labkit.sandbox.service import Call, Result, operation

RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
FOUND_BY_PATTERN = ("arn", "creationTime", "logGroupName")
"""All that DescribeLogGroups tells of groups that it is asked for by a pattern."""
MAX_TAGS = 50
"""A resource; https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html"""
COLD_CLASSES = ("INFREQUENT_ACCESS", "ESSENTIALS")
"""Who asks DescribeLogGroups for one of these gets both."""
SECONDS_PER_DAY = 86_400
NOT_HERE = "The sandbox does not do this with log groups: {}. docs/sandbox/logs.md lists what it does."


class GroupOperations(LogsCore):
    """Log groups, streams, retention, tags."""

    @operation("CreateLogGroup")
    def create_log_group(self, call: Call) -> None:
        """A new group, its table in the store made with it."""
        name = call.params["logGroupName"]
        if name.startswith("aws/"):
            raise invalid("Log groups starting with AWS/ are reserved for AWS.")
        if "kmsKeyId" in call.params:
            raise invalid(NOT_HERE.format("encryption with a key of yours (kmsKeyId)"))
        _refuse_reserved(call.params.get("tags", {}))
        self.create_group(
            call.region,
            name,
            log_class=call.params.get("logGroupClass", "STANDARD"),
            tags=dict(call.params.get("tags", {})),
            deletion_protected=call.params.get("deletionProtectionEnabled", False),
        )

    def create_group(self, region: str, name: str, **settings: Any) -> LogGroup:
        """Create a log group; raise AWS's error if one of that name exists."""
        if (region, name) in self._groups:
            raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
        group = LogGroup(region, self.sandbox.account_id, name, self.now, **settings)
        self._groups[region, name] = group
        self.store.create(region, name)
        return group

    def create_group_of_stack(self, region: str, name: str, retention_days: int | None, tags: dict[str, str]) -> None:
        """A log group that a CloudFormation stack asks for."""
        group = self.create_group(region, name, retention_days=retention_days, tags=tags)
        if retention_days is not None:
            self._schedule_expiry(group)

    def delete_group_of_stack(self, region: str, name: str) -> None:
        """Deletes a log group with its stack, if it is still there."""
        if (region, name) in self._groups:
            self.delete_group(self._groups[region, name])

    @operation("DeleteLogGroup")
    def delete_log_group(self, call: Call) -> None:
        """Delete a group with its events and filters."""
        group = self.group(call.region, call.params["logGroupName"])
        _refuse_protected(group)
        self.delete_group(group)

    def delete_group(self, group: LogGroup) -> None:
        """Remove a group and its events."""
        self._cancel_expiry(group)
        del self._groups[group.region, group.name]
        self.before_deletion(group)
        self.store.drop(group.region, group.name)

    @operation("PutLogGroupDeletionProtection")
    def put_deletion_protection(self, call: Call) -> None:
        """Turns a group's protection from deletion on or off."""
        group = self.group_by_identifier(call.region, call.params["logGroupIdentifier"])
        group.deletion_protected = call.params["deletionProtectionEnabled"]

    @operation("DescribeLogGroups")
    def describe_log_groups(self, call: Call) -> Result:
        """The groups of a region, in ASCII order of their names."""
        groups = self._chosen_groups(call)
        part, more = page(groups, call)
        shown = [describe_group(group) for group in part]
        if "logGroupNamePattern" in call.params:
            shown = [{name: group[name] for name in FOUND_BY_PATTERN} for group in shown]
        return {"logGroups": shown, **more}

    def _chosen_groups(self, call: Call) -> list[LogGroup]:
        prefix, pattern = call.params.get("logGroupNamePrefix"), call.params.get("logGroupNamePattern")
        identifiers = call.params.get("logGroupIdentifiers")
        if prefix is not None and pattern is not None:
            raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
        if identifiers and not {"logGroupNamePrefix", "logGroupNamePattern", "logGroupClass"}.isdisjoint(call.params):
            raise invalid("LogGroupIdentifiers and other filters of log groups are mutually exclusive parameters.")
        if call.params.get("accountIdentifiers", [self.sandbox.account_id]) != [self.sandbox.account_id]:
            return []
        return [
            group
            for group in self.groups(call.region)
            if group.name.startswith(prefix or "")
            and (pattern or "") in group.name
            and (not identifiers or not {group.name, group.arn}.isdisjoint(identifiers))
            and _is_of_class(group, call.params.get("logGroupClass"))
        ]

    @operation("ListLogGroups")
    def list_log_groups(self, call: Call) -> Result:
        """The names and ARNs of a region's groups; the pattern is one or more names' starts or parts."""
        for parameter in ("dataSources", "fieldIndexNames", "logGroupTags"):
            if call.params.get(parameter):
                raise invalid(NOT_HERE.format(f"listing by {parameter}"))
        wanted = call.params.get("logGroupNamePattern", "").split("|")
        groups = [
            group
            for group in self.groups(call.region)
            if any(_named(group.name, choice) for choice in wanted)
            and group.log_class == call.params.get("logGroupClass", group.log_class)
        ]
        part, more = page(groups, call)
        return {
            "logGroups": [
                {"logGroupName": group.name, "logGroupArn": group.arn, "logGroupClass": group.log_class}
                for group in part
            ],
            **more,
        }

    @operation("PutRetentionPolicy")
    def put_retention_policy(self, call: Call) -> None:
        """How many days events are kept. They go within a day of their time, where AWS takes up to three."""
        group = self.group(call.region, call.params["logGroupName"])
        days = call.params["retentionInDays"]
        if days not in RETENTION_DAYS:
            raise invalid(
                f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint:"
                f" Member must satisfy enum value set: {list(RETENTION_DAYS)}"
            )
        group.retention_days = days
        if group.expiry is None:
            self._schedule_expiry(group)

    @operation("DeleteRetentionPolicy")
    def delete_retention_policy(self, call: Call) -> None:
        """Keep events for ever from now on."""
        group = self.group(call.region, call.params["logGroupName"])
        group.retention_days = None
        self._cancel_expiry(group)

    def _cancel_expiry(self, group: LogGroup) -> None:
        if group.expiry is not None:
            group.expiry.cancel()
        group.expiry = None

    def _schedule_expiry(self, group: LogGroup) -> None:
        name = f"retention of {group.arn}"
        group.expiry = self.sandbox.clock.call_later(SECONDS_PER_DAY, partial(self._expire, group), name=name)

    def _expire(self, group: LogGroup) -> None:
        """Delete events past their retention, once a day."""
        before = self.now - (group.retention_days or 0) * SECONDS_PER_DAY * 1000
        self.delete_events(group, "timestamp < ?", [before])
        self._schedule_expiry(group)

    def delete_events(self, group: LogGroup, condition: str, parameters: list[object]) -> None:
        """Deletes events by a condition over the store's columns, and counts the group's bytes anew."""
        where = group.region, group.name
        self.before_deletion(group)
        self.store.delete(*where, condition, parameters)
        counted = f"SELECT coalesce(sum(strlen(message) + 26), 0) FROM {self.store.relation(*where)}"
        group.stored_bytes = int(self.store.cursor().execute(counted).fetchall()[0][0])

    @operation("CreateLogStream")
    def create_log_stream(self, call: Call) -> None:
        """Create an empty stream."""
        group = self.group(call.region, call.params["logGroupName"])
        name = call.params["logStreamName"]
        if name in group.streams:
            raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")
        group.streams[name] = LogStream(name, self.now)

    @operation("DeleteLogStream")
    def delete_log_stream(self, call: Call) -> None:
        """Delete a stream with its events."""
        group = self.group(call.region, call.params["logGroupName"])
        stream = group.stream(call.params["logStreamName"])
        _refuse_protected(group)
        del group.streams[stream.name]
        self.delete_events(group, "stream = ?", [stream.name])

    @operation("DescribeLogStreams")
    def describe_log_streams(self, call: Call) -> Result:
        """A group's streams by name, or by the time of their last event."""
        group = self.group_of(call)
        prefix = call.params.get("logStreamNamePrefix")
        by_time = call.params.get("orderBy") == "LastEventTime"
        if by_time and prefix is not None:
            raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
        streams = [group.streams[name] for name in sorted(group.streams) if name.startswith(prefix or "")]
        if by_time:
            streams.sort(key=lambda stream: stream.last_event or 0)
        if call.params.get("descending"):
            streams.reverse()
        part, more = page(streams, call)
        return {"logStreams": [describe_stream(group, stream) for stream in part], **more}

    @operation("TagLogGroup")
    def tag_log_group(self, call: Call) -> None:
        """The older way to tag a group, by its name."""
        _tag(self.group(call.region, call.params["logGroupName"]), call.params["tags"], "InvalidParameterException")

    @operation("UntagLogGroup")
    def untag_log_group(self, call: Call) -> None:
        """The older way to take tags away."""
        _untag(self.group(call.region, call.params["logGroupName"]), call.params["tags"])

    @operation("ListTagsLogGroup")
    def list_tags_log_group(self, call: Call) -> Result:
        """The older way to read a group's tags."""
        return {"tags": self.group(call.region, call.params["logGroupName"]).tags}

    @operation("TagResource")
    def tag_resource(self, call: Call) -> None:
        """Tags a log group, by its ARN."""
        group = self.group_by_identifier(call.region, call.params["resourceArn"])
        _tag(group, call.params["tags"], "TooManyTagsException")

    @operation("UntagResource")
    def untag_resource(self, call: Call) -> None:
        """Remove tags from a log group."""
        _untag(self.group_by_identifier(call.region, call.params["resourceArn"]), call.params["tagKeys"])

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call) -> Result:
        """A log group's tags."""
        return {"tags": self.group_by_identifier(call.region, call.params["resourceArn"]).tags}


def describe_group(group: LogGroup) -> dict[str, Any]:
    """A log group as DescribeLogGroups shows it."""
    shown: dict[str, Any] = {
        "logGroupName": group.name,
        "creationTime": group.created,
        "metricFilterCount": len(group.metric_filters),
        "arn": f"{group.arn}:*",
        "storedBytes": group.stored_bytes,
        "logGroupClass": group.log_class,
        "logGroupArn": group.arn,
        "deletionProtectionEnabled": group.deletion_protected,
    }
    if group.retention_days is not None:
        shown["retentionInDays"] = group.retention_days
    return shown


def describe_stream(group: LogGroup, stream: LogStream) -> dict[str, Any]:
    """A log stream as DescribeLogStreams shows it; a stream's stored bytes are always 0 since June 2019."""
    shown: dict[str, Any] = {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "arn": group.stream_arn(stream),
        "storedBytes": 0,
    }
    if stream.last_ingestion is not None:
        shown |= {
            "firstEventTimestamp": stream.first_event,
            "lastEventTimestamp": stream.last_event,
            "lastIngestionTime": stream.last_ingestion,
            "uploadSequenceToken": SEQUENCE_TOKEN,
        }
    return shown


SEQUENCE_TOKEN = "49039859657467384398213942387231981230984012983471"
"""Sequence tokens mean nothing any more: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""


def _refuse_protected(group: LogGroup) -> None:
    """Deletion protection blocks all deletion operations."""
    if group.deletion_protected:
        raise ServiceError(
            "ValidationException",
            "The log group has deletion protection enabled. Turn it off with PutLogGroupDeletionProtection first.",
        )


def _is_of_class(group: LogGroup, wanted: str | None) -> bool:
    return wanted is None or group.log_class in (COLD_CLASSES if wanted in COLD_CLASSES else (wanted,))


def _named(name: str, choice: str) -> bool:
    """Whether a name meets one choice of ListLogGroups' pattern: `^start`, or a part anywhere."""
    return name.startswith(choice[1:]) if choice.startswith("^") else choice in name


def _tag(group: LogGroup, tags: dict[str, str], too_many: str) -> None:
    """Adds tags, or puts new values in the place of old ones; all of them or none."""
    _refuse_reserved(tags)
    if len(group.tags | tags) > MAX_TAGS:
        message = f"The log group {group.name} can have no more than {MAX_TAGS} tags."
        raise ServiceError(too_many, message, resourceName=group.arn)
    group.tags.update(tags)


def _refuse_reserved(tags: dict[str, str]) -> None:
    if reserved := sorted(key for key in tags if key.lower().startswith("aws:")):
        raise invalid(f"Tag keys starting with aws: are reserved for AWS, such as {reserved[0]}.")


def _untag(group: LogGroup, keys: list[str]) -> None:
    for key in keys:
        group.tags.pop(key, None)
