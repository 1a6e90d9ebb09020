"""Log groups and log streams: everything about them except their events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.texts import bytes_of

if TYPE_CHECKING:
    from labkit.sandbox.clock import Event
    from labkit.sandbox.logs.metric_filters import MetricFilter
    from labkit.sandbox.logs.subscription_filters import SubscriptionFilter

EVENT_OVERHEAD_BYTES = 26
"""What each event adds to its message's size, in the quota of a batch and in a group's stored bytes."""


@dataclass
class LogStream:
    """A log stream. Times are milliseconds since the epoch."""

    name: str
    created: int
    first_event: int | None = None
    last_event: int | None = None
    last_ingestion: int | None = None

    def count(self, times: NDArray[np.int64], ingestion_time: int) -> None:
        """Takes events at some times into the stream's figures."""
        self.first_event = _least(self.first_event, int(times.min()))
        self.last_event = max(self.last_event or 0, int(times.max()))
        self.last_ingestion = ingestion_time


@dataclass
class LogGroup:
    """A log group, its streams and its filters, all by name."""

    region: str
    account_id: str
    name: str
    created: int
    log_class: str = "STANDARD"
    kms_key: str | None = None
    deletion_protected: bool = False
    retention_days: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    stored_bytes: int = 0
    streams: dict[str, LogStream] = field(default_factory=dict)
    metric_filters: dict[str, MetricFilter] = field(default_factory=dict)
    subscription_filters: dict[str, SubscriptionFilter] = field(default_factory=dict)
    expiry: Event | None = None
    """When events past their retention are next deleted."""

    @property
    def arn(self) -> str:
        """The ARN without the `:*` that IAM policies want after it."""
        return f"arn:aws:logs:{self.region}:{self.account_id}:log-group:{self.name}"

    def stream(self, name: str) -> LogStream:
        """Return a stream by its name; raise AWS's error if it doesn't exist."""
        if name not in self.streams:
            raise ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")
        return self.streams[name]

    def stream_arn(self, stream: LogStream) -> str:
        """The ARN of one of the group's streams."""
        return f"{self.arn}:log-stream:{stream.name}"

    def regex_filters(self) -> Iterable[str]:
        """The names of the filters whose patterns hold regular expressions; a group may have five of them."""
        for filters in (self.metric_filters, self.subscription_filters):
            yield from (name for name, filter_ in filters.items() if filter_.pattern.regexes)


def batch_bytes(messages: pa.StringArray) -> int:
    """The size of a batch of events, as AWS counts it."""
    return bytes_of(messages) + EVENT_OVERHEAD_BYTES * len(messages)


def _least(known: int | None, new: int) -> int:
    return new if known is None else min(known, new)
