"""Putting log events and reading them back.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html and its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, page_token, token_place
from labkit.sandbox.logs.filter_patterns import compile_pattern
from labkit.sandbox.logs.group_operations import SEQUENCE_TOKEN
from labkit.sandbox.logs.groups import EVENT_OVERHEAD_BYTES, LogGroup, batch_bytes
from labkit.sandbox.logs.store import event_id, event_place, is_place
from labkit.sandbox.service import Call, Result, operation

HOUR = 3_600_000
DAY = 24 * HOUR
MAX_BATCH_BYTES = 1_048_576
MAX_PAGE_EVENTS = 10_000
MAX_PAGE_BYTES = 1_048_576
NEWEST_FIRST_SINCE = 1_704_067_200_000
"""1 January 2024: the earliest startTime that FilterLogEvents takes with startFromHead false."""

Times = npt.NDArray[np.int64]
"""Timestamps of events, in milliseconds since the epoch."""

Event = tuple[int, int, int, str, str]
"""timestamp, ingestion_time, sequence, stream, message"""


class EventOperations(LogsCore):
    """PutLogEvents, GetLogEvents, FilterLogEvents.

    There are no data protection policies, so nothing is masked, and `unmask` changes nothing.
    """

    @operation("PutLogEvents")
    def put_log_events(self, call: Call) -> Result:
        """Store a batch; events that are too old, expired or too new are left out and reported."""
        group = self.group(call.region, call.params["logGroupName"])
        stream = group.stream(call.params["logStreamName"])
        events = call.params["logEvents"]
        times = np.array([event["timestamp"] for event in events], np.int64)
        messages = pa.array([event["message"] for event in events], pa.string())
        _check_batch(times, messages)
        first, last, rejected = _accepted(times, self.now, group.retention_days)
        if first < last and times[last - 1] - times[first] > DAY:
            raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
        self.ingest(group, stream, pa.array(times[first:last]), messages[first:last])
        result: dict[str, Any] = {"nextSequenceToken": SEQUENCE_TOKEN}
        return result | ({"rejectedLogEventsInfo": rejected} if rejected else {})

    @operation("GetLogEvents")
    def get_log_events(self, call: Call) -> Result:
        """One page of one stream's events, and the tokens that lead on from both of its ends."""
        group = self._readable_group(call)
        stream = group.stream(call.params["logStreamName"])
        forward, place = _stream_token(call)
        scan = Scan(self, group)
        scan.keep("stream = ?", stream.name)
        scan.between(call.params.get("startTime"), call.params.get("endTime"), end_included=False)
        scan.after(place, forward=forward)
        events = scan.page(forward=forward, limit=call.params.get("limit", MAX_PAGE_EVENTS))
        if not forward:
            events.reverse()
        first, last = (events[0], events[-1]) if events else (None, None)
        return {
            "events": [{"timestamp": event[0], "ingestionTime": event[1], "message": event[4]} for event in events],
            "nextForwardToken": _end_token("f", last, place),
            "nextBackwardToken": _end_token("b", first, place),
        }

    @operation("FilterLogEvents")
    def filter_log_events(self, call: Call) -> Result:
        """One page of a group's events that match a pattern, of all streams together, in order of time."""
        group = self._readable_group(call)
        pattern = compile_pattern(call.params.get("filterPattern", ""), "Invalid filter pattern")
        forward = _filter_direction(call)
        scan = Scan(self, group)
        scan.keep(pattern.condition)
        self._keep_streams(scan, group, call)
        scan.between(call.params.get("startTime"), call.params.get("endTime"), end_included=True)
        place = token_place(call)
        scan.after(tuple(place[1]) if place else None, forward=forward)
        limit = call.params.get("limit", MAX_PAGE_EVENTS)
        events = scan.page(forward=forward, limit=limit)
        more = {"nextToken": page_token(call, [forward, events[-1][0:3:2]])} if scan.more else {}
        return {"events": [_filtered_event(event) for event in events], "searchedLogStreams": [], **more}

    def _readable_group(self, call: Call) -> LogGroup:
        """The log group of a call; events of another class than Standard are read by Logs Insights alone."""
        group = self.group_of(call)
        if group.log_class != "STANDARD":
            message = (
                f"The log group {group.name} is of log-group-class {group.log_class}."
                f" {call.operation} is not supported for this log class."
            )
            raise ServiceError("InvalidOperationException", message)
        return group

    def _keep_streams(self, scan: Scan, group: LogGroup, call: Call) -> None:
        names, prefix = call.params.get("logStreamNames"), call.params.get("logStreamNamePrefix")
        if names and prefix:
            raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
        if names:
            scan.keep("list_contains(?, stream)", [group.stream(name).name for name in names])
        if prefix:
            scan.keep("starts_with(stream, ?)", prefix)


class Scan:
    """A reading of a group's events: conditions over the store's columns, and a page of what meets them."""

    def __init__(self, logs: LogsCore, group: LogGroup) -> None:
        self._logs = logs
        self._group = group
        self._conditions: list[str] = []
        self._parameters: list[Any] = []
        self.more = False

    def keep(self, condition: str, *parameters: Any) -> None:
        """Keep only events that meet one more condition."""
        self._conditions.append(f"({condition})")
        self._parameters.extend(parameters)

    def between(self, start: int | None, end: int | None, *, end_included: bool) -> None:
        """Keeps events of a time range; GetLogEvents leaves its end out, FilterLogEvents does not."""
        if start is not None:
            self.keep("timestamp >= ?", start)
        if end is not None:
            self.keep("timestamp <= ?" if end_included else "timestamp < ?", end)

    def after(self, place: tuple[int, int] | None, *, forward: bool) -> None:
        """Keeps events that come after a place in the order of reading; by the time alone DuckDB can skip blocks."""
        if place is not None:
            beyond = ">" if forward else "<"
            time, sequence = place
            self.keep(f"timestamp {beyond}= ?", time)
            self.keep(f"timestamp <> ? OR sequence {beyond} ?", time, sequence)

    def page(self, *, forward: bool, limit: int) -> list[Event]:
        """Events in the order of reading, as many as fit into a response of 1 MB; `more` tells whether any are left."""
        order = "" if forward else " DESC"
        table = self._logs.store.relation(self._group.region, self._group.name)
        sql = (
            f"SELECT timestamp, ingestion_time, sequence, stream, message FROM {table}"
            f" WHERE {' AND '.join(self._conditions) or 'TRUE'}"
            f" ORDER BY timestamp{order}, sequence{order} LIMIT {limit + 1}"
        )
        events = self._logs.store.cursor().execute(sql, self._parameters).fetchall()
        fitting = min(_fitting(event[4] for event in events), limit)
        self.more = fitting < len(events)
        return events[:fitting]


def _fitting(messages: Iterable[str]) -> int:
    """Return how many messages fit into a response of 1 MB; at least one."""
    size = 0
    count = 0
    for message in messages:
        size += len(message.encode()) + EVENT_OVERHEAD_BYTES
        if size > MAX_PAGE_BYTES and count:
            break
        count += 1
    return count


def _check_batch(times: Times, messages: pa.Array) -> None:
    if (times[1:] < times[:-1]).any():
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    size = batch_bytes(messages)
    if size > MAX_BATCH_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}")


def _accepted(times: Times, now: int, retention_days: int | None) -> tuple[int, int, dict[str, int]]:
    """Where in a batch the accepted events begin and end, and what is said about the others."""
    too_old = int(np.searchsorted(times, now - 14 * DAY))
    expired = int(np.searchsorted(times, now - retention_days * DAY)) if retention_days else 0
    too_new = int(np.searchsorted(times, now + 2 * HOUR, side="right"))
    rejected = {}
    if too_new < len(times):
        rejected["tooNewLogEventStartIndex"] = too_new
    if too_old:
        rejected["tooOldLogEventEndIndex"] = too_old
    if expired:
        rejected["expiredLogEventEndIndex"] = expired
    return max(too_old, expired), too_new, rejected


def _stream_token(call: Call) -> tuple[bool, tuple[int, int] | None]:
    """The direction of GetLogEvents and the place it goes on from: `f/` and `b/` tokens hold an event's id."""
    token = call.params.get("nextToken")
    if token is None:
        return bool(call.params.get("startFromHead")), None
    direction, _, rest = token.partition("/")
    number = rest.removesuffix("/s")
    if direction not in ("f", "b") or not (number.isascii() and number.isdigit()) or len(number) != 56:
        raise invalid("The specified nextToken is invalid.")
    place = event_place(number)
    if not is_place(*place):
        raise invalid("The specified nextToken is invalid.")
    return direction == "f", place


def _end_token(direction: str, event: Event | None, place: tuple[int, int] | None) -> str:
    """The token of a page's end; an empty page leads on from where it was."""
    at = (event[0], event[2]) if event else place or (0, 0)
    return f"{direction}/{event_id(*at)}/s"


def _filter_direction(call: Call) -> bool:
    """Whether FilterLogEvents gives the earliest events first; a token keeps the direction it was made for."""
    place = token_place(call)
    forward = bool(place[0]) if place else call.params.get("startFromHead", True)
    if not forward and call.params.get("startTime", 0) < NEWEST_FIRST_SINCE:
        raise invalid("startFromHead can be false only with a startTime on or after Jan 1, 2024 00:00:00 UTC.")
    return forward


def _filtered_event(event: Event) -> dict[str, Any]:
    timestamp, ingestion_time, sequence, stream, message = event
    return {
        "logStreamName": stream,
        "timestamp": timestamp,
        "message": message,
        "ingestionTime": ingestion_time,
        "eventId": event_id(timestamp, sequence),
    }
