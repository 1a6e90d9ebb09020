"""The base of all operations of CloudWatch Logs: log groups, the event store, and how new events come in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.groups import LogGroup, LogStream, batch_bytes
from labkit.sandbox.logs.store import Batch, EventStore, Times
from labkit.sandbox.logs.texts import Texts
from labkit.sandbox.service import Call, Service

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

PAGE_PARAMETERS = ("nextToken", "limit", "maxItems", "maxResults")
"""What may change from one page of an answer to the next."""
NAME_AND_IDENTIFIER = "LogGroupName and LogGroupIdentifier cannot be specified together."


class LogsCore(Service):
    """The state of CloudWatch Logs in every region. Callers hold the sandbox's lock."""

    name = "logs"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.store = EventStore()
        self._groups: dict[tuple[str, str], LogGroup] = {}

    def parts(self) -> dict[str, object]:
        """What a checkpoint holds by itself."""
        return {"events": self.store}

    def close(self) -> None:
        """Drop all log events."""
        self.store.close()

    @property
    def now(self) -> int:
        """The current time in milliseconds since the epoch."""
        return round(self.sandbox.clock.timestamp() * 1000)

    def groups(self, region: str) -> list[LogGroup]:
        """The log groups of a region, by name in ASCII order."""
        return [group for (where, _), group in sorted(self._groups.items()) if where == region]

    def group(self, region: str, name: str) -> LogGroup:
        """Return a log group by its name; raise AWS's error if it doesn't exist."""
        if (region, name) not in self._groups:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._groups[region, name]

    def group_by_identifier(self, region: str, identifier: str) -> LogGroup:
        """A log group by its name or its ARN, with or without `:*` at the end."""
        if not identifier.startswith("arn:"):
            return self.group(region, identifier)
        group = self.group(region, identifier.removesuffix(":*").rpartition(":log-group:")[2])
        if identifier.removesuffix(":*") != group.arn:
            raise ServiceError("ResourceNotFoundException", "The specified log group does not exist.")
        return group

    def group_of(self, call: Call) -> LogGroup:
        """The log group a call names by `logGroupName` or `logGroupIdentifier`, of which it must have one."""
        name, identifier = call.params.get("logGroupName"), call.params.get("logGroupIdentifier")
        if name and identifier:
            raise invalid(NAME_AND_IDENTIFIER)
        if not name and not identifier:
            raise invalid("Either LogGroupName or LogGroupIdentifier must be specified.")
        return self.group_by_identifier(call.region, str(name or identifier))

    def deliver(
        self,
        region: str,
        group: str,
        stream: str,
        timestamps_ms: Times,
        messages: Sequence[str],
        texts: tuple[Texts, NDArray[np.int32]] | None = None,
    ) -> None:
        """Adds events that another AWS service delivers, at any age; creates their stream if it is missing.

        `texts` are what the messages are part of, where they were known before, and their places in it.
        """
        target = self.group(region, group)
        if stream not in target.streams:
            target.streams[stream] = LogStream(stream, self.now)
        self.ingest(target, target.streams[stream], timestamps_ms, messages, texts)

    def ingest(
        self,
        group: LogGroup,
        stream: LogStream,
        timestamps_ms: Times,
        messages: Sequence[str],
        texts: tuple[Texts, NDArray[np.int32]] | None = None,
    ) -> None:
        """Store a batch of events and hand it to the group's filters."""
        if not messages:
            return
        now = self.now
        where = group.region, group.name
        batch = self.store.append(*where, stream.name, timestamps_ms, messages, ingestion_time=now, texts=texts)
        size = batch_bytes(batch.messages)
        stream.count(batch.timestamps, now)
        group.stored_bytes += size
        self._record_incoming(group, len(batch), size)
        self.watch(group, stream, batch)

    def before_deletion(self, group: LogGroup) -> None:
        """What is to be done with events of a group that are about to be deleted."""

    def watch(self, group: LogGroup, stream: LogStream, batch: Batch) -> None:
        """Run the group's filters over a new batch."""

    def _record_incoming(self, group: LogGroup, events: int, size: int) -> None:
        """Counts in the metrics of the log group, and of the whole account, which have no dimension.

        https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html
        """
        now, record = self.sandbox.clock.timestamp(), self.sandbox.wiring.record_metric
        for metric, value, unit in (("IncomingLogEvents", events, "None"), ("IncomingBytes", size, "Bytes")):
            for dimensions in ({"LogGroupName": group.name}, {}):
                record(group.region, "AWS/Logs", metric, dimensions, now, float(value), unit)


def only_standard(group: LogGroup) -> None:
    """Refuses what log groups of the other classes do not have.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
    """
    if group.log_class != "STANDARD":
        raise ServiceError("ValidationException", "This operation is only supported on the Standard log class.")


def invalid(message: str) -> ServiceError:
    """Return CloudWatch Logs' error for an invalid parameter."""
    return ServiceError("InvalidParameterException", message)


def page(
    items: Sequence[Any], call: Call, *, key: str = "limit", most: int = 50
) -> tuple[Sequence[Any], dict[str, str]]:
    """One page of a list, and the `nextToken` of the next one if there is one.

    AWS's models take 0 and less for the size of some pages: those are as long as without a size.
    """
    start = _offset(call)
    size = call.params.get(key, most)
    end = start + (size if size > 0 else most)
    more = {"nextToken": page_token(call, end)} if end < len(items) else {}
    return items[start:end], more


def page_token(call: Call, place: Any) -> str:
    """Return an opaque token for a position in the answer to this request."""
    return base64.urlsafe_b64encode(json.dumps([_request(call), place]).encode()).decode().rstrip("=")


def token_place(call: Call) -> Any:
    """The place in a request's `nextToken`, None where it has none; a token of another request is refused."""
    token = call.params.get("nextToken")
    if token is None:
        return None
    try:
        request, place = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, TypeError):
        raise invalid("The specified nextToken is invalid.") from None
    if request != _request(call):
        raise invalid("The specified nextToken is invalid.")
    return place


def _offset(call: Call) -> int:
    place = token_place(call)
    if place is None:
        return 0
    if not isinstance(place, int) or place < 0:
        raise invalid("The specified nextToken is invalid.")
    return place


def _request(call: Call) -> str:
    """What must not change from page to page: the operation, and its parameters but for the size of a page."""
    members = {name: value for name, value in call.params.items() if name not in PAGE_PARAMETERS}
    digest = json.dumps([call.operation, call.region, members], sort_keys=True, default=str)
    return hashlib.sha256(digest.encode()).hexdigest()[:16]
