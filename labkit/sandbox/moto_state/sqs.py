"""Amazon SQS queues in moto."""

from __future__ import annotations

from typing import Any

from moto.sqs.exceptions import QueueDoesNotExist

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.account import ACCOUNT_ID


def send_message(queue_arn: str, body: str, attributes: dict[str, Any]) -> bool:
    """Put a message into a queue; return False if there is no such queue."""
    _, _, _, region, _, name = queue_arn.split(":")
    try:
        moto_state.backend("sqs", ACCOUNT_ID, region).send_message(name, body, message_attributes=attributes)
    except QueueDoesNotExist:
        return False
    return True
