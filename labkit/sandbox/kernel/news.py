"""Wait for something to happen in the sandbox, without its lock."""

from __future__ import annotations

import threading

LONGEST_WAIT = 1.0
"""Seconds after which somebody who waits looks again, told or not."""


class News:
    """Tells those who wait that the sandbox has changed, or that its time has moved."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._number = 0
        self.closed = False

    @property
    def number(self) -> int:
        """How often something was told; take it before looking, and wait for what comes after it."""
        return self._number

    def tell(self, *, last: bool = False) -> None:
        """Wake those who wait; the last time when the sandbox closes."""
        with self._condition:
            self._number += 1
            self.closed = self.closed or last
            self._condition.notify_all()

    def wait(self, number: int, seconds: float) -> None:
        """Return when something was told since `number`, or after so many seconds of the machine's time."""
        with self._condition:
            self._condition.wait_for(lambda: self._number != number or self.closed, min(seconds, LONGEST_WAIT))
