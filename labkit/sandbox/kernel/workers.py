"""Work beside the requests: each piece on a thread of its own, so many at a time, the others in a queue.

Athena and Logs Insights run their queries here. A subclass says what the work is, and what becomes of work that takes
too long or goes wrong; what the work comes to is a change, made under the sandbox's lock (see `changes`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, TypeVar

import duckdb

from labkit.sandbox.kernel.fair_lock import FairLock

LOG = logging.getLogger(__name__)

SHORT = 0.5
"""Work that is not older than so many seconds is waited for by those who ask after it: most is over by then."""
LAST_WORDS = 5.0
"""How many seconds are waited for workers at the end; DuckDB can't be interrupted while it plans."""
_STACK = 64 * 1024**2
"""A worker's stack: DuckDB plans nested expressions by recursion, and a thread has half a megabyte on some systems."""


class Stopped(Exception):
    """Work was stopped while it was done: nobody wants its outcome."""


@dataclass(eq=False)
class Task:
    """A piece of work that is under way, and for how many minutes of the machine's time it may be."""

    id: str
    minutes: float
    stopped: threading.Event = field(default_factory=threading.Event, kw_only=True)
    """Nobody wants its outcome any more."""
    over: threading.Event = field(default_factory=threading.Event, kw_only=True)
    begun: float = field(default_factory=time.monotonic, kw_only=True)
    cursor: duckdb.DuckDBPyConnection | None = field(default=None, kw_only=True)

    def stop(self) -> None:
        """Have its worker end as soon as it looks."""
        self.stopped.set()
        self.over.set()
        if cursor := self.cursor:
            with suppress(duckdb.ConnectionException):  # its worker has just closed it
                cursor.interrupt()

    def check(self) -> None:
        """Raise Stopped if it was stopped."""
        if self.stopped.is_set():
            raise Stopped


SomeTask = TypeVar("SomeTask", bound=Task)


class Gate:
    """The sandbox's lock as a worker takes it: whoever closes the sandbox holds it and waits for the worker."""

    def __init__(self, lock: FairLock, closing: threading.Event) -> None:
        self._lock = lock
        self._closing = closing

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=0.1):
            if self._closing.is_set():
                raise Stopped
        if self._closing.is_set():
            self._lock.release()
            raise Stopped

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()


class Workers(Generic[SomeTask]):
    """The work of one kind that is under way, `most` pieces at a time."""

    def __init__(self, lock: FairLock, name: str, most: int) -> None:
        self._closing = threading.Event()
        self.gate = Gate(lock, self._closing)
        self._guard = threading.RLock()
        self._name = name
        self._most = most
        self._tasks: dict[str, SomeTask] = {}
        self._waiting: deque[SomeTask] = deque()
        self._working: set[SomeTask] = set()
        self._threads: set[threading.Thread] = set()

    def close(self) -> bool:
        """Stop all work, and return whether it has stopped; whoever calls holds the sandbox's lock."""
        with self._guard:
            self._closing.set()
            self._waiting.clear()
            tasks, threads = list(self._tasks.values()), list(self._threads)
        for task in tasks:
            task.stop()
        deadline = time.monotonic() + LAST_WORDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    # --- under the sandbox's lock

    def put(self, task: SomeTask) -> None:
        """Have a piece of work done, as soon as a worker is free."""
        with self._guard:
            self._tasks[task.id] = task
            self._waiting.append(task)
            self._start_waiting()

    def drop(self, identity: str) -> None:
        """Have a piece of work stop that nobody wants; its worker is told, and not waited for."""
        with self._guard:
            task = self._tasks.get(identity)
        if task:
            self._let_go(task)

    # --- on any thread

    def wait(self, *identities: str) -> None:
        """Wait for work that was just begun, without the sandbox's lock."""
        with self._guard:
            tasks = [self._tasks[identity] for identity in identities if identity in self._tasks]
        for task in tasks:
            task.over.wait(max(0.0, task.begun + SHORT - time.monotonic()))

    def wait_for_all(self) -> None:
        """Wait for all work that was just begun, without the sandbox's lock."""
        with self._guard:
            tasks = list(self._tasks)
        self.wait(*tasks)

    def _let_go(self, task: SomeTask) -> None:
        """Forget a piece of work: another may have its place, even if its worker can't hear that at once."""
        task.stop()
        with self._guard:
            self._tasks.pop(task.id, None)
            self._working.discard(task)
            if task in self._waiting:
                self._waiting.remove(task)
                self.discard(task)
            self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._working) < self._most and not self._closing.is_set():
            task = self._waiting.popleft()
            self._working.add(task)
            thread = threading.Thread(target=self._work, args=(task,), name=self._name, daemon=True)
            self._threads.add(thread)
            before = threading.stack_size(_STACK)
            try:
                thread.start()
            finally:
                threading.stack_size(before)

    # --- on a worker

    def _work(self, task: SomeTask) -> None:
        timer = threading.Timer(task.minutes * 60, self._time_out, (task,))
        timer.daemon = True
        timer.start()
        try:
            self.carry_out(task)
        except Stopped:
            pass
        except Exception as error:
            LOG.exception("%s %s failed for no reason that the sandbox foresaw", self._name, task.id)
            self.give_up(task, f"{type(error).__name__}: {error}")
        finally:
            timer.cancel()
            self._let_go(task)
            self.discard(task)
            with self._guard:
                self._threads.discard(threading.current_thread())

    def _time_out(self, task: SomeTask) -> None:
        """End work that takes too long, whatever its worker is doing."""
        try:
            self.time_out(task)
        except Stopped:
            return
        self._let_go(task)

    # --- what a subclass says

    def carry_out(self, task: SomeTask) -> None:
        """Do the work, on its worker; it may raise Stopped."""
        raise NotImplementedError

    def time_out(self, task: SomeTask) -> None:
        """Say that the work took too long, on a thread of its own; it may raise Stopped."""
        raise NotImplementedError

    def give_up(self, task: SomeTask, message: str) -> None:
        """Say that the work failed for a reason that nobody foresaw."""
        raise NotImplementedError

    def discard(self, task: SomeTask) -> None:
        """Let go of what the work needed, after its worker has ended or where it had none."""
