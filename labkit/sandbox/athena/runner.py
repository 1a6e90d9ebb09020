"""Runs queries on worker threads, on an engine that is shared by all of them."""

from __future__ import annotations

import logging
from contextlib import suppress

from labkit.sandbox.athena.ending import Endings, Outcome
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.errors import SYSTEM, QueryError
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.statements.classify import Parsed
from labkit.sandbox.athena.storage.store import Store
from labkit.sandbox.athena.work import Task, Work
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.workers import Stopped, Workers
from labkit.sandbox.sandbox import Sandbox

LOG = logging.getLogger(__name__)

WORKERS = 8
MINUTES = {"DML": 30.0, "DDL": 600.0, "UTILITY": 600.0}
"""How long a statement may take, by the machine's clock: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
"""


class Runner(Workers[Task]):
    """The engine, its store, and the queries on it."""

    def __init__(self, sandbox: Sandbox, endings: Endings) -> None:
        super().__init__(sandbox.lock, "athena", WORKERS)
        self._sandbox = sandbox
        self._endings = endings
        self._engine: Engine | None = None
        self._store: Store | None = None

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

    def close(self) -> bool:
        """Stop every query and remove DuckDB's files; whoever calls holds the sandbox's lock."""
        at_rest = super().close()
        with self._guard:
            if self._engine:
                self._engine.close(at_rest=at_rest)
            self._engine = self._store = None
        return at_rest

    # --- under the sandbox's lock

    def submit(self, execution: QueryExecution, region: str, parsed: Parsed | None = None) -> None:
        """Run a query as soon as a worker is free."""
        minutes = MINUTES.get(execution.statement_type, MINUTES["DML"])
        self.put(Task(execution.id, minutes, execution, region, parsed))

    def stop(self, execution: QueryExecution) -> None:
        """Cancel a query that is not over."""
        if execution.is_over:
            return
        execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
        self.drop(execution.id)

    # --- on a worker

    def carry_out(self, task: Task) -> None:
        """Run a query to its end."""
        with self.gate:
            task.check()
            task.execution.state = "RUNNING"
        outcome = Work(task, self.engine, self.store, self.gate, self._sandbox.account_id).done()
        try:
            self._end(task, outcome)
        finally:
            outcome.discard()

    def time_out(self, task: Task) -> None:
        """End a query that has run into its time limit."""
        self._end(task, Outcome(error=QueryError("", "Query timeout")))

    def _end(self, task: Task, outcome: Outcome) -> None:
        try:
            self._endings.make(task.region, task.execution, outcome, self.gate)
        except ServiceError as error:
            LOG.error("the end of query %s could not be written down: %s", task.id, error)
            self.give_up(task, error.message)

    def give_up(self, task: Task, message: str) -> None:
        """Have a query fail whose end could not be written down: it is run again at a restart."""
        with suppress(Stopped), self.gate:
            if not task.execution.is_over:
                task.execution.fail(QueryError("GENERIC_INTERNAL_ERROR", message, category=SYSTEM))
