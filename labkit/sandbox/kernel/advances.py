"""Moves time forward in short steps, with the lock released between them.

However far the clock is to go, any other request is answered within two steps, and sees the sandbox at a moment on the
way. An advance can be stopped, and then ends where it is. Each step stores its progress in the journal, so a sandbox
that is killed on the way comes back at that moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.sandbox.clock import Clock
from labkit.sandbox.kernel.fair_lock import FairLock

STEP_SECONDS = 0.1
"""About how much real time a step takes; it ends between two moments of virtual time, so it may take longer."""


@dataclass
class Advance:
    """One advance under way; `start` and `goal` are in seconds since the epoch."""

    start: float
    goal: float
    stopped: bool = False
    """Somebody has asked it to end where it is; it ends before its next step."""


class Advances:
    """The advances of a sandbox, one at a time. A second one waits, and starts where the first one ended."""

    def __init__(self, lock: FairLock, after_step: Callable[[], None]) -> None:
        self.current: Advance | None = None
        self._lock = lock
        self._after_step = after_step
        self._turn = FairLock()

    def run(self, seconds: float, *, begin: Callable[[], Clock], is_given_up: Callable[[], bool]) -> Advance:
        """Move the clock forward by `seconds`, or until the advance is stopped or its client has hung up.

        `begin` is called under the lock before time moves, and returns the clock. Return the finished advance, whose
        `stopped` tells whether it ended early.
        """
        # A second lock for the whole advance: two advances in alternating steps would each pass the other's goal.
        with self._turn:
            with self._lock:
                clock = begin()
                advance = self.current = Advance(clock.timestamp(), clock.goal(seconds))
            try:
                while not self._step(clock, advance):
                    advance.stopped = advance.stopped or is_given_up()
            finally:
                self.current = None
            return advance

    def stop(self) -> None:
        """Ask the advance under way, if any, to end where it is. Doesn't wait for the lock."""
        if (advance := self.current) is not None:
            advance.stopped = True

    def _step(self, clock: Clock, advance: Advance) -> bool:
        """Make one step; return whether the advance is over."""
        with self._lock:
            if advance.stopped:
                return True
            reached = clock.step_towards(advance.goal, STEP_SECONDS)
            self._after_step()
            return reached
