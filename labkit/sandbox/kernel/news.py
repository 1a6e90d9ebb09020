"""Lets threads wait for the sandbox to change, without holding its lock."""

from __future__ import annotations

import threading

LONGEST_WAIT = 1.0
"""Seconds after which a waiting thread looks again, whether it was woken or not."""


class News:
    """Wakes waiting threads when the sandbox has changed or its time has moved."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._number = 0
        self.closed = False

    @property
    def number(self) -> int:
        """How many times `tell` was called. Read it before you look at the sandbox, then wait for a later number."""
        return self._number

    def tell(self, *, last: bool = False) -> None:
        """Wake all waiting threads; pass `last` when the sandbox closes, and nobody waits from then on."""
        with self._condition:
            self._number += 1
            self.closed = self.closed or last
            self._condition.notify_all()

    def wait(self, number: int, seconds: float) -> None:
        """Return once `tell` was called after `number` was read, or after `seconds` of the machine's time."""
        with self._condition:
            self._condition.wait_for(lambda: self._number != number or self.closed, min(seconds, LONGEST_WAIT))
