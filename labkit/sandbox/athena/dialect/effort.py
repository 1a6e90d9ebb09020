"""Bounds the work of compiling one statement, and ends it when its query is stopped."""

from __future__ import annotations

from collections.abc import Callable

from labkit.sandbox.athena.errors import too_large
from labkit.sandbox.kernel.workers import Stopped

MOST_STEPS = 1_000_000
"""Far more expressions than a statement of 262,144 bytes can have; beyond it, the work is exponential in the depth."""
_STEPS_BETWEEN_LOOKS = 64


class Effort:
    """Counts the expressions that are compiled for one statement."""

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self.steps = 0
        self._is_stopped = is_stopped

    def step(self) -> None:
        """Count an expression; raises Stopped if its query was stopped, and an error if there are too many."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise too_large()
        if self.steps % _STEPS_BETWEEN_LOOKS == 0 and self._is_stopped():
            raise Stopped
