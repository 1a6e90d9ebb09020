"""Time moved on in short steps, with the lock released between them.

However far the clock is to go, whoever asks for something meanwhile is answered within two steps, and sees the sandbox
at a moment on the way. An advance can be stopped, and ends then where it has come to. How far it came is noted in the
journal with each step: a sandbox that is killed on the way comes back there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from labkit.sandbox.clock import Clock
from labkit.sandbox.kernel.fair_lock import FairLock

STEP_SECONDS = 0.1
"""Of real time, about: a step ends between two moments of virtual time."""


@dataclass
class Advance:
    """One advance under way."""

    start: float
    goal: float
    stopped: bool = False
    """Somebody has asked it to end where it is."""


class Advances:
    """The advances of a sandbox: one at a time; another one waits, and goes on from where the one before it ended."""

    def __init__(self, lock: FairLock, after_step: Callable[[], None]) -> None:
        self.current: Advance | None = None
        self._lock = lock
        self._after_step = after_step
        self._turn = FairLock()

    def run(self, seconds: float, *, begin: Callable[[], Clock], is_given_up: Callable[[], bool]) -> Advance:
        """Move the clock on by so many seconds, or until the advance is stopped or its asker gives it up.

        `begin` is called under the lock before time moves, and returns the clock.
        """
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
        """Have the advance that is under way end at the moment it has reached."""
        if (advance := self.current) is not None:
            advance.stopped = True

    def _step(self, clock: Clock, advance: Advance) -> bool:
        """Go one step; whether the advance is over."""
        with self._lock:
            if advance.stopped:
                return True
            reached = clock.step_towards(advance.goal, STEP_SECONDS)
            self._after_step()
            return reached
