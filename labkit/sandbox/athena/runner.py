"""Runs queries on worker threads, a limited number at a time; the others wait in a queue."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from types import TracebackType

from labkit.sandbox.athena.ending import Endings, Outcome
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.errors import SYSTEM, QueryError, Stopped
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.statements.classify import Parsed
from labkit.sandbox.athena.storage.store import Store
from labkit.sandbox.athena.work import Task, Work
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.fair_lock import FairLock
from labkit.sandbox.sandbox import Sandbox

LOG = logging.getLogger(__name__)

WORKERS = 8
SHORT = 0.5
"""A query that is not older than so many seconds is waited for by those who ask after it: most are over by then."""
MINUTES = {"DML": 30.0, "DDL": 600.0, "UTILITY": 600.0}
"""How long a statement may take, by the machine's clock: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
"""
_STACK = 64 * 1024**2
"""A worker's stack: DuckDB plans nested expressions by recursion, and a thread has half a megabyte on some systems."""
_LAST_WORDS = 5.0
"""How many seconds are waited for workers at the end; DuckDB can't be interrupted while it plans."""


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


class Runner:
    """The engine, its store, and the queries on it."""

    def __init__(self, sandbox: Sandbox, endings: Endings) -> None:
        self._sandbox = sandbox
        self._endings = endings
        self._closing = threading.Event()
        self._gate = Gate(sandbox.lock, self._closing)
        self._guard = threading.RLock()
        self._engine: Engine | None = None
        self._store: Store | None = None
        self._tasks: dict[str, Task] = {}
        self._waiting: deque[Task] = deque()
        self._working: set[Task] = set()
        self._threads: set[threading.Thread] = set()

    @property
    def engine(self) -> Engine:
        """DuckDB, which the first query starts."""
        with self._guard:
            if self._closing.is_set():
                raise Stopped
            if self._engine is None:
                self._engine = Engine()
                self._store = Store(self._engine)
            return self._engine

    @property
    def store(self) -> Store:
        """The columnar copies."""
        assert self.engine
        assert self._store
        return self._store

    def close(self) -> None:
        """Stop every query and remove DuckDB's files; whoever calls holds the sandbox's lock."""
        with self._guard:
            self._closing.set()
            self._waiting.clear()
            tasks, threads = list(self._tasks.values()), list(self._threads)
        for task in tasks:
            task.stop()
        deadline = time.monotonic() + _LAST_WORDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._guard:
            if self._engine:
                self._engine.close(at_rest=not any(thread.is_alive() for thread in threads))
            self._engine = self._store = None

    # --- under the sandbox's lock

    def submit(self, execution: QueryExecution, region: str, parsed: Parsed | None = None) -> None:
        """Run a query as soon as a worker is free."""
        task = Task(execution, region, parsed, begun=time.monotonic())
        with self._guard:
            self._tasks[execution.id] = task
            self._waiting.append(task)
            self._start_waiting()

    def stop(self, execution: QueryExecution) -> None:
        """Cancel a query that is not over; its worker is told, and not waited for."""
        if execution.is_over:
            return
        execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
        with self._guard:
            task = self._tasks.get(execution.id)
        if task:
            self._let_go(task)

    # --- on any thread

    def wait(self, identity: str) -> None:
        """Wait for a query that was just started, without the sandbox's lock."""
        with self._guard:
            task = self._tasks.get(identity)
        if task:
            task.over.wait(max(0.0, task.begun + SHORT - time.monotonic()))

    def _let_go(self, task: Task) -> None:
        """Forget a query: another may have its place, even if its worker can't hear that at once."""
        task.stop()
        with self._guard:
            self._tasks.pop(task.execution.id, None)
            self._working.discard(task)
            if task in self._waiting:
                self._waiting.remove(task)
            self._start_waiting()

    def _start_waiting(self) -> None:
        while self._waiting and len(self._working) < WORKERS and not self._closing.is_set():
            task = self._waiting.popleft()
            self._working.add(task)
            thread = threading.Thread(target=self._work, args=(task,), name="athena", daemon=True)
            self._threads.add(thread)
            before = threading.stack_size(_STACK)
            try:
                thread.start()
            finally:
                threading.stack_size(before)

    # --- on a worker

    def _work(self, task: Task) -> None:
        minutes = MINUTES.get(task.execution.statement_type, MINUTES["DML"])
        timer = threading.Timer(minutes * 60, self._time_out, (task,))
        timer.daemon = True
        timer.start()
        try:
            with self._gate:
                task.check()
                task.execution.state = "RUNNING"
            work = Work(task, self.engine, self.store, self._gate, self._sandbox.account_id)
            outcome = work.done()
            try:
                self._end(task, outcome)
            finally:
                outcome.discard()
        except Stopped:
            pass
        except Exception as error:
            LOG.exception("query %s failed for no reason that the sandbox foresaw", task.execution.id)
            self._give_up(task, f"{type(error).__name__}: {error}")
        finally:
            timer.cancel()
            self._let_go(task)
            with self._guard:
                self._threads.discard(threading.current_thread())

    def _time_out(self, task: Task) -> None:
        """End a query that has run into its time limit, whatever its worker is doing."""
        try:
            self._end(task, Outcome(error=QueryError("", "Query timeout")))
        except Stopped:
            return
        self._let_go(task)

    def _end(self, task: Task, outcome: Outcome) -> None:
        try:
            self._endings.make(task.region, task.execution, outcome, self._gate)
        except ServiceError as error:
            LOG.error("the end of query %s could not be written down: %s", task.execution.id, error)
            self._give_up(task, error.message)

    def _give_up(self, task: Task, message: str) -> None:
        """Have a query fail whose end could not be written down: it is run again at a restart."""
        with suppress(Stopped), self._gate:
            if not task.execution.is_over:
                task.execution.fail(QueryError("GENERIC_INTERNAL_ERROR", message, category=SYSTEM))
