"""The calls that the services of a sandbox make to each other, by name. No service imports another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[..., Any]


class Wiring:
    """The calls from one service to another, filled in by `assembly.py`.

    Each stands for a method of the service that answers it; its parameters are documented there.
    """

    record_metric: Ask
    """CloudWatch: `record(region, namespace, metric_name, dimensions, timestamp, value, unit, count=1)`."""
    publish: Ask
    """SNS: `publish(region, topic_arn, message, subject, message_structure=None)`; raises ServiceError."""
    deliver_events: Ask
    """CloudWatch Logs: `deliver(region, group, stream, timestamps_ms, messages, texts)`."""
    find_log_group: Ask
    """CloudWatch Logs: `group(region, name)`; raises ServiceError for a group that is not there."""
    create_log_group: Ask
    """CloudWatch Logs: `create_group(region, name)`."""
    log_format: Ask
    """EC2: `log_format(region, group)`, the format of the flow log records in a log group, or None."""
