"""Subscription filters: matching log events are delivered, compressed, as they are put.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html

Streams of Kinesis and Firehose live in moto. Lambda functions would need Docker, and logical destinations another
account: those are refused.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, only_standard, page
from labkit.sandbox.logs.filter_patterns import FilterPattern, compile_pattern
from labkit.sandbox.logs.groups import LogGroup, LogStream
from labkit.sandbox.logs.metric_filters import check_quotas
from labkit.sandbox.logs.store import Batch, event_id
from labkit.sandbox.moto_state import firehose, kinesis
from labkit.sandbox.service import Call, Result, operation

MAX_FILTERS = 2
NO_STREAM = {
    "kinesis": "Could not deliver test message to specified Kinesis stream."
    " Check if the given kinesis stream is in ACTIVE state.",
    "firehose": "Could not deliver test message to specified Firehose stream."
    " Check if the given Firehose stream is in ACTIVE state.",
}
MAX_MESSAGE_EVENTS = 5_000
"""Events in one message, so that it stays well under the megabyte a record may have."""


@dataclass
class SubscriptionFilter:
    """A subscription filter of a log group."""

    name: str
    pattern: FilterPattern
    destination_arn: str
    role_arn: str
    distribution: str
    created: int

    def describe(self, group: LogGroup) -> dict[str, Any]:
        """The filter as DescribeSubscriptionFilters shows it."""
        return {
            "filterName": self.name,
            "logGroupName": group.name,
            "filterPattern": self.pattern.text,
            "destinationArn": self.destination_arn,
            "roleArn": self.role_arn,
            "distribution": self.distribution,
            "applyOnTransformedLogs": False,
            "creationTime": self.created,
        }


class SubscriptionFilterOperations(LogsCore):
    """Put, describe and delete subscription filters; pass on what matches."""

    @operation("PutSubscriptionFilter")
    def put_subscription_filter(self, call: Call) -> None:
        """Create or replace a filter, once its destination has accepted a test message."""
        group = self.group(call.region, call.params["logGroupName"])
        only_standard(group)
        name = call.params["filterName"]
        pattern = compile_pattern(call.params["filterPattern"])
        for parameter in ("applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields"):
            if call.params.get(parameter):
                raise _not_here(f"to transform or centralize logs ({parameter})")
        check_quotas(group, name, pattern, len({*group.subscription_filters, name}) > MAX_FILTERS)
        self._check_destination(group, call.params["destinationArn"], call.params.get("roleArn"))
        old = group.subscription_filters.get(name)
        group.subscription_filters[name] = SubscriptionFilter(
            name,
            pattern,
            call.params["destinationArn"],
            call.params["roleArn"],
            call.params.get("distribution", "ByLogStream"),
            old.created if old else self.now,
        )
        self._send(group, group.subscription_filters[name], _control_message(), "")

    @operation("DeleteSubscriptionFilter")
    def delete_subscription_filter(self, call: Call) -> None:
        """Delete a filter."""
        group = self.group(call.region, call.params["logGroupName"])
        only_standard(group)
        if group.subscription_filters.pop(call.params["filterName"], None) is None:
            raise ServiceError("ResourceNotFoundException", "The specified subscription filter does not exist.")

    @operation("DescribeSubscriptionFilters")
    def describe_subscription_filters(self, call: Call) -> Result:
        """A group's filters, in ASCII order of their names."""
        group = self.group(call.region, call.params["logGroupName"])
        only_standard(group)
        prefix = call.params.get("filterNamePrefix", "")
        filters = [group.subscription_filters[name] for name in sorted(group.subscription_filters)]
        part, more = page([filter_ for filter_ in filters if filter_.name.startswith(prefix)], call)
        return {"subscriptionFilters": [filter_.describe(group) for filter_ in part], **more}

    def watch(self, group: LogGroup, stream: LogStream, batch: Batch) -> None:
        """Deliver the matching events of a new batch."""
        super().watch(group, stream, batch)
        for filter_ in group.subscription_filters.values():
            events = self.store.query_batch(
                batch, f"SELECT timestamp, sequence, message FROM batch WHERE {filter_.pattern.condition}"
            )
            for start in range(0, len(events), MAX_MESSAGE_EVENTS):
                part = events[start : start + MAX_MESSAGE_EVENTS]
                self._send(group, filter_, _data_message(group, stream, filter_, part), stream.name)

    def _check_destination(self, group: LogGroup, arn: str, role_arn: str | None) -> None:
        service, name = _destination(arn)
        if service not in NO_STREAM:
            raise _not_here(f"to pass log events on to {service or arn} (destinationArn)")
        if role_arn is None:
            raise invalid(f"destinationArn for vendor {service} cannot be used without roleArn")
        where = group.account_id, group.region
        found = kinesis.stream_exists(arn, *where) if service == "kinesis" else firehose.stream_exists(name, *where)
        if not found:
            raise invalid(NO_STREAM[service])

    def _send(self, group: LogGroup, filter_: SubscriptionFilter, message: dict[str, Any], stream: str) -> None:
        data = gzip.compress(json.dumps(message, separators=(",", ":")).encode(), mtime=0)
        service, name = _destination(filter_.destination_arn)
        where = group.account_id, group.region
        if service == "firehose" and firehose.stream_exists(name, *where):
            firehose.put_record(name, data, *where)
        elif service == "kinesis" and kinesis.stream_exists(filter_.destination_arn, *where):
            kinesis.put_record(filter_.destination_arn, self._partition_key(group, filter_, stream), data, *where)

    def _partition_key(self, group: LogGroup, filter_: SubscriptionFilter, stream: str) -> str:
        """All of a log stream goes to one shard, unless the filter asks for chance."""
        if filter_.distribution == "Random":
            return f"{self.sandbox.random.getrandbits(128):032x}"
        return hashlib.md5(f"{group.account_id}:{group.name}:{stream}".encode(), usedforsecurity=False).hexdigest()


def _destination(arn: str) -> tuple[str, str]:
    """The service of an ARN, and the name at its end."""
    parts = arn.split(":")
    return (parts[2] if len(parts) > 2 else ""), arn.rpartition("/")[2]


def _not_here(what: str) -> ServiceError:
    return invalid(f"The sandbox is not able {what}. docs/sandbox/logs.md lists what it does.")


def _control_message() -> dict[str, Any]:
    """What a new destination is tried with."""
    return {
        "messageType": "CONTROL_MESSAGE",
        "owner": "CloudwatchLogs",
        "logGroup": "",
        "logStream": "",
        "subscriptionFilters": [],
        "logEvents": [{"id": "", "timestamp": 0, "message": "CWL CONTROL MESSAGE: Checking health of destination."}],
    }


def _data_message(
    group: LogGroup, stream: LogStream, filter_: SubscriptionFilter, events: list[tuple[Any, ...]]
) -> dict[str, Any]:
    return {
        "messageType": "DATA_MESSAGE",
        "owner": group.account_id,
        "logGroup": group.name,
        "logStream": stream.name,
        "subscriptionFilters": [filter_.name],
        "logEvents": [
            {"id": event_id(timestamp, sequence), "timestamp": timestamp, "message": message}
            for timestamp, sequence, message in events
        ],
    }
