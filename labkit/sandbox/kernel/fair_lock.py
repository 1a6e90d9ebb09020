"""A re-entrant lock that is handed to the thread that has waited longest."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class FairLock:
    """A re-entrant lock for long work that is done in short steps.

    `threading.RLock` goes to whichever thread asks at the right moment. A thread that releases it between two steps and
    asks again at once nearly always wins, so the others wait until its last step. This lock is handed to the thread
    that has waited longest.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._owner: int | None = None
        self._depth = 0
        self._taken = False

    def acquire(self, timeout: float = -1) -> bool:
        """Take the lock; return False if that took longer than `timeout` seconds (-1: no limit)."""
        me = threading.get_ident()
        if self._owner == me:  # nobody but this thread sets or clears its own id
            self._depth += 1
            return True
        with self._guard:
            if not self._taken:
                self._taken = True
                self._own(me)
                return True
            # A lock for each waiting thread: releasing it hands the turn to exactly that one.
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        # Outside of the guard, which the releasing thread needs in order to hand the lock over.
        if not turn.acquire(timeout=timeout) and not self._was_handed(turn):
            return False
        self._own(me)
        return True

    def release(self) -> None:
        """Release the lock, to the next thread in the queue if there is one. Raise RuntimeError if it isn't held."""
        if self._owner != threading.get_ident():
            raise RuntimeError("the lock is released by a thread that does not hold it")
        self._depth -= 1
        if self._depth:
            return
        with self._guard:
            self._owner = None
            if self._waiting:
                self._waiting.popleft().release()  # stays taken: it is the next one's from here on
            else:
                self._taken = False

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds the lock."""
        return self._owner == threading.get_ident()

    def __enter__(self) -> FairLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _own(self, me: int) -> None:
        self._owner, self._depth = me, 1

    def _was_handed(self, turn: threading.Lock) -> bool:
        """After a time-out, tell whether the lock was handed over at that very moment; otherwise leave the queue."""
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
            return True
