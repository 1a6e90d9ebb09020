"""Long polls of Amazon SQS: ReceiveMessage waits for a message without the sandbox's lock.

Sources: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html and
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from labkit.sandbox import moto_state, wire
from labkit.sandbox.kernel.news import News


def is_receiving(service: str, operation: str) -> bool:
    """Tell whether a request may have to wait for a message."""
    return service == "sqs" and operation == "ReceiveMessage"


class LongPoll:
    """One ReceiveMessage, which waits for as long as its request or its queue says."""

    def __init__(self, request: Request, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region
        self._socket = request.environ.get("werkzeug.socket")
        parameters = _parameters(request)
        self._name = str(parameters.get("QueueUrl", "")).rpartition("/")[2]
        self._seconds = parameters.get("WaitTimeSeconds")
        self._begun = time.monotonic()  # time.time() is the sandbox's clock in this process
        self._clock_at_begin: float | None = None

    def traces(self) -> tuple[int, ...] | None:
        """Return counts that differ after an attempt that receives nothing but changes its queue; None without a queue.

        Such an attempt moves messages to the dead-letter queue, for example, and must then be in the journal.
        """
        if (queue := self._queue()) is None:
            return None
        dead = queue.dead_letter_queue
        return len(queue._messages), len(queue.pending_messages), len(dead._messages) if dead is not None else 0

    def wait(self, news: News, number: int, now: float) -> bool:
        """Wait for news after `number`; return whether to try again.

        The wait ends by the sandbox's clock (`now`) or by the machine's, whichever is first: a frozen clock would never
        end it.
        """
        if self._clock_at_begin is None:
            self._clock_at_begin = now
        left = self._wait_seconds() - (time.monotonic() - self._begun)
        if left <= 0 or now - self._clock_at_begin >= self._wait_seconds() or news.closed or self._is_given_up():
            return False
        news.wait(number, left)
        return not self._is_given_up()

    def _wait_seconds(self) -> float:
        queue = self._queue()
        seconds = (
            self._seconds if self._seconds is not None or queue is None else queue.receive_message_wait_time_seconds
        )
        try:
            return float(seconds or 0)
        except ValueError:
            return 0

    def _queue(self) -> Any:
        return moto_state.backend("sqs", self._account_id, self._region).queues.get(self._name)

    def _is_given_up(self) -> bool:
        """Tell whether the client has closed its connection; a message received for it would be lost."""
        if not isinstance(self._socket, socket.socket):
            return False
        try:
            readable, _, _ = select.select([self._socket], [], [], 0)
            # Readable without a byte means closed; peeking leaves a pipelined request where it is.
            return bool(readable) and self._socket.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True


def is_empty(response: Response) -> bool:
    """Tell whether an attempt succeeded but received nothing."""
    body = response.get_data()
    return response.status_code == 200 and b'"Messages"' not in body and b"<Message>" not in body


def _parameters(request: Request) -> Mapping[str, Any]:
    if wire.protocol_of(request) == "query":
        return {"QueueUrl": request.path, **wire.query_parameters(request)}
    try:
        parameters = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):  # the attempt answers it
        return {}
    return parameters if isinstance(parameters, dict) else {}
