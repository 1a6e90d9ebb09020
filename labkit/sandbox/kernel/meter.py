"""What a restart would have to do again, in CPU seconds."""

from __future__ import annotations

import time
from types import TracebackType


class Meter:
    """Counts the CPU time of what is done within it, on the thread that does it; the caller holds the lock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._begin = 0.0

    def __enter__(self) -> Meter:
        if not self._depth:
            self._begin = time.thread_time()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += time.thread_time() - self._begin
