"""Measures, in CPU seconds, how much work a restart would have to repeat."""

from __future__ import annotations

import time
from types import TracebackType


class Meter:
    """Adds up the CPU time of the blocks run with it, on the running thread; the caller holds the sandbox's lock.

    It is re-entrant: a change within a change is counted once.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._begin = 0.0

    def __enter__(self) -> Meter:
        if not self._depth:  # thread_time, because the process's time includes queries on other threads
            self._begin = time.thread_time()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += time.thread_time() - self._begin
