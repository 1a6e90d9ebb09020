"""Amazon SQS without waiting: moto would sleep in ReceiveMessage, with the sandbox's lock held, until time moves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sqs.models import SQSBackend

_receive_message = SQSBackend.receive_message


def receive_message(
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    visibility_timeout: int,
    message_attribute_names: list[str] | None = None,
) -> Any:
    """Return the messages that are there now; `LongPoll` does the waiting, without the lock."""
    return _receive_message(backend, queue_name, count, 0, visibility_timeout, message_attribute_names)


class Condition:
    """Replaces a queue's `threading.Condition`, which isn't needed because the sandbox's lock is held.

    Unlike the original it can be pickled into a checkpoint.
    """

    def __enter__(self) -> Condition:
        return self

    def __exit__(self, *_: object) -> None:
        """Release nothing."""

    def notify_all(self) -> None:
        """Wake nobody: nobody waits here."""

    def wait_for(self, predicate: Callable[[], Any], timeout: float | None = None) -> Any:
        """Return the predicate's value at once, true or not."""
        return predicate()
