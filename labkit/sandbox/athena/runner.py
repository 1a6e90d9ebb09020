"""Carries out statements: worked out under the sandbox's lock, run by DuckDB beside it, written down under it again."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb

from labkit.sandbox.athena.catalog import Catalog, view_entry
from labkit.sandbox.athena.dialect import expansion
from labkit.sandbox.athena.dialect.queries import QueryCompiler
from labkit.sandbox.athena.dialect.scope import Query
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.engine_errors import from_duckdb
from labkit.sandbox.athena.errors import SYSTEM, Cancelled, QueryError, hive_error, too_large
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.explain import explained
from labkit.sandbox.athena.results import ResultColumn, csv_lines, metadata, presentable, utility_info
from labkit.sandbox.athena.statements import definitions
from labkit.sandbox.athena.statements.classify import Parsed
from labkit.sandbox.athena.statements.context import Answer, Context
from labkit.sandbox.athena.storage import scans
from labkit.sandbox.athena.storage.location import split_object
from labkit.sandbox.athena.storage.store import Store
from labkit.sandbox.athena.targets import Target, named_columns
from labkit.sandbox.athena.writing import Output, write
from labkit.sandbox.moto_state import glue, s3
from labkit.sandbox.service import ServiceError

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

WORKERS = 8
WAITED_FOR = 0.1
"""How long a request waits for its query: most are over by then, and their results are there in the order asked for."""
WAITED_FOR_IN_REPLAY = 30.0
BATCH = 5000


@dataclass
class Outcome:
    """What a query on a worker came to: its result in a file, or objects of a table."""

    path: Path | None = None
    starts: list[int] = field(default_factory=list)
    rows: int = 0
    output: Output | None = None
    scanned: int = 0
    error: QueryError | None = None


@dataclass
class Job:
    """A query ready to run."""

    execution: QueryExecution
    catalog: Catalog
    query: Query
    plans: list[scans.ScanPlan]
    cutoff: int | None = None
    target: Target | None = None
    """Where the rows go, if not into a result."""
    then: Callable[[Outcome], None] | None = None
    """What is left to do once the rows are written."""
    cursor: duckdb.DuckDBPyConnection | None = None
    seed: float = 0.0
    """What random() and uuid() start from."""


class Runner:
    """The engine, its store, and the queries on it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._pool: ThreadPoolExecutor | None = None
        self._engine: Engine | None = None
        self._store: Store | None = None
        self._running: dict[str, Job] = {}
        self._closing = False

    @property
    def engine(self) -> Engine:
        """DuckDB, started by the first query."""
        if self._engine is None:
            self._engine = Engine()
            self._store = Store(self._engine)
            self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="athena")
        return self._engine

    @property
    def store(self) -> Store:
        """The columnar copies."""
        assert self.engine
        assert self._store
        return self._store

    def close(self) -> None:
        """Stops every query and removes DuckDB's files."""
        self._closing = True
        for job in list(self._running.values()):
            if job.cursor:
                job.cursor.interrupt()
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        if self._engine:
            self._engine.close()
        self._engine = self._store = self._pool = None

    # --- under the lock

    def start(self, execution: QueryExecution, parsed: Parsed, catalog: Catalog, cutoff: int | None) -> None:
        """Starts a statement; what goes wrong with it is told by its state."""
        execution.state = "RUNNING"
        try:
            job = self._prepare(execution, parsed, catalog, cutoff)
        except QueryError as error:
            execution.fail(error)
            return
        except ServiceError as error:
            execution.fail(hive_error(error.message, error.code))
            return
        except Exception as error:
            execution.fail(_unforeseen(error))
            return
        if job:
            self._submit(job)

    def stop(self, execution: QueryExecution) -> None:
        """Cancels a query that is still running."""
        if execution.is_over:
            return
        execution.state, execution.reason = "CANCELLED", "Query cancelled by user"
        job = self._running.pop(execution.id, None)
        if job and job.cursor:
            job.cursor.interrupt()

    def _prepare(self, execution: QueryExecution, parsed: Parsed, catalog: Catalog, cutoff: int | None) -> Job | None:
        """A query to run, or None where the statement is carried out already."""
        if parsed.kind == "explain":
            self._explain(execution, parsed, catalog)
            return None
        if parsed.statement is None:
            job = self._query(execution, parsed.text, parsed.query, catalog, cutoff)
            if parsed.kind == "unload":
                job.target = self._unload_target(execution, parsed, job)
            return job
        statement: Any = parsed.statement
        if statement.kind == "create_view":
            self._create_view(execution, parsed, catalog)
            return None
        if statement.kind in ("create_table_as_select", "insert"):
            return self._writing(execution, parsed, catalog, cutoff)
        context = Context(catalog, self.sandbox.clock.timestamp())
        answer = definitions.run(context, statement)
        self._answer(execution, answer)
        return None

    def _query(self, execution: QueryExecution, text: str, tree: Any, catalog: Catalog, cutoff: int | None) -> Job:
        compiler = QueryCompiler(text, catalog, self.sandbox.clock.now())
        query = compiler.query(tree)
        cursor = self.engine.cursor()
        plans = scans.plan(catalog, compiler.scans, cursor, self.sandbox.clock.now())
        return Job(execution, catalog, query, plans, cutoff, cursor=cursor, seed=self.sandbox.random.random())

    def _submit(self, job: Job) -> None:
        assert self.engine
        assert self._pool
        self._running[job.execution.id] = job
        future: Future[Outcome] = self._pool.submit(self._work, job)
        try:
            outcome = future.result(WAITED_FOR_IN_REPLAY if self.sandbox.changes.replaying else WAITED_FOR)
        except StillRunning:
            future.add_done_callback(lambda done: self._finish_later(job, done))
            return
        self._finish(job, outcome)

    def _finish_later(self, job: Job, done: Future[Outcome]) -> None:
        if done.cancelled():
            return
        while not self.sandbox.lock.acquire(timeout=0.1):
            if self._closing:  # whoever closes the sandbox holds the lock, and waits for this worker
                return
        try:
            self._finish(job, done.result())
        finally:
            self.sandbox.lock.release()

    def _finish(self, job: Job, outcome: Outcome) -> None:
        execution = job.execution
        self._running.pop(execution.id, None)
        try:
            if execution.is_over:
                return
            execution.scanned = outcome.scanned
            if outcome.error:
                execution.fail(outcome.error)
                return
            self._write_down(job, outcome)
            execution.state = "SUCCEEDED"
        except QueryError as error:
            execution.fail(error)
        except ServiceError as error:
            execution.fail(QueryError("", f"{error.code}: {error.message}"))
        finally:
            if outcome.path:
                outcome.path.unlink(missing_ok=True)

    def _write_down(self, job: Job, outcome: Outcome) -> None:
        execution = job.execution
        if outcome.output:
            outcome.output.store(execution, self.sandbox.account_id)
            if job.then:
                job.then(outcome)
            return
        assert outcome.path
        _leave(execution, outcome.path.read_bytes())
        execution.starts, execution.rows = outcome.starts, outcome.rows

    def _answer(self, execution: QueryExecution, answer: Answer) -> None:
        """The result of a DDL or utility statement: plain lines in a .txt."""
        execution.columns = [utility_info(name) for name in answer.columns]
        execution.has_header = False
        execution.rows = len(answer.lines)
        _leave(execution, "".join(f"{line}\n" for line in answer.lines).encode())
        execution.state = "SUCCEEDED"

    def _explain(self, execution: QueryExecution, parsed: Parsed, catalog: Catalog) -> None:
        compiler = QueryCompiler(parsed.text, catalog, self.sandbox.clock.now())
        query = compiler.query(parsed.query)
        self._answer(execution, explained(query, compiler.scans, parsed.options or {}))

    def _create_view(self, execution: QueryExecution, parsed: Parsed, catalog: Catalog) -> None:
        statement: Any = parsed.statement
        context = Context(catalog, self.sandbox.clock.timestamp())
        database, name = context.named(statement.table)
        context.schema(database)
        held = catalog.table(database, name)
        if held and (not statement.quiet or not held.is_view):
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"line 1:1: View 'awsdatacatalog.{database}.{name}' already exists"
            )
        compiler = QueryCompiler(parsed.text, catalog.in_database(database), self.sandbox.clock.now())
        query = compiler.query(parsed.query)
        columns = named_columns(query)
        entry = view_entry(name, statement.query.rstrip("; \n"), database, columns)
        (glue.update_table if held else glue.create_table)(*context.where, database, entry)
        self._answer(execution, Answer())

    def _unload_target(self, execution: QueryExecution, parsed: Parsed, job: Job) -> Target:
        return Target.unload(parsed.location, parsed.options or {}, job.query, self._file_names())

    def _writing(self, execution: QueryExecution, parsed: Parsed, catalog: Catalog, cutoff: int | None) -> Job | None:
        statement: Any = parsed.statement
        context = Context(catalog, self.sandbox.clock.timestamp())
        job = self._query(execution, parsed.text, parsed.query, catalog, cutoff)
        if not statement.with_data:
            job.query = replace(job.query, sql=f"SELECT * FROM ({job.query.sql}) LIMIT 0")
            job.plans = [replace(plan, objects=()) for plan in job.plans]
        if statement.kind == "insert":
            job.target = Target.insert(context, statement, job.query, self._file_names())
        else:
            job.target = Target.create(context, statement, job.query, execution, self._file_names())
            if job.target is None:
                self._answer(execution, Answer())
                return None
        target = job.target
        job.then = lambda outcome: target.register(context, outcome.output) if target and outcome.output else None
        return job

    def _file_names(self) -> Random:
        return Random(self.sandbox.random.getrandbits(64))

    # --- on a worker

    def _work(self, job: Job) -> Outcome:
        outcome = Outcome()
        cursor = job.cursor
        assert cursor is not None
        copies: list[Any] = []
        try:
            cursor.execute(f"SELECT setseed({job.seed!r})")
            sql = self._sql(job, cursor, outcome, copies)
            if job.target:
                outcome.output = write(cursor, sql, job.query, job.target, self.engine.directory)
            else:
                self._rows(job, cursor, sql, outcome)
        except QueryError as error:
            outcome.error = error
        except duckdb.Error as error:
            outcome.error = from_duckdb(error)
        except Exception as error:
            outcome.error = _unforeseen(error)
        finally:
            self.store.release(copies)
            cursor.close()
        return outcome

    def _sql(self, job: Job, cursor: duckdb.DuckDBPyConnection, outcome: Outcome, copies: list[Any]) -> str:
        relations = []
        for plan in job.plans:
            sql, size, used = self.store.relation(cursor, plan, lambda: self._closing or job.execution.is_over)
            copies += used
            outcome.scanned += size
            relations.append(f"{plan.scan.alias} AS NOT MATERIALIZED ({sql})")
            if job.cutoff is not None and outcome.scanned > job.cutoff:
                raise Cancelled("", f"Bytes scanned limit was exceeded: {outcome.scanned} > {job.cutoff}")
        columns = ", ".join(f"{presentable(f'c{n}', c.type)} AS c{n}" for n, c in enumerate(job.query.columns))
        columns = columns if not job.target else "*"
        with_ = f"WITH {', '.join(relations)} " if relations else ""
        return f"{with_}SELECT {columns} FROM ({expansion.bounded(job.query.sql)}) AS query_"

    def _rows(self, job: Job, cursor: duckdb.DuckDBPyConnection, sql: str, outcome: Outcome) -> None:
        """Writes the result to a file, batch by batch."""
        columns = [ResultColumn(column.name, column.type) for column in job.query.columns]
        job.execution.columns = [column.info() for column in columns]
        cursor.execute(sql)
        with tempfile.NamedTemporaryFile(dir=self.engine.directory, suffix=".csv", delete=False) as file:
            outcome.path = Path(file.name)
            for text in csv_lines(columns, _batches(cursor, job.execution)):
                outcome.starts.append(file.tell())
                file.write(text.encode())
            outcome.rows = job.execution.rows


def _unforeseen(error: Exception) -> QueryError:
    """A mistake of the sandbox's own: its query fails, and is not left running for ever."""
    if isinstance(error, RecursionError):
        return too_large()
    logging.getLogger(__name__).exception("a query failed for no reason that the sandbox foresaw")
    return QueryError("GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {error}", category=SYSTEM)


def _batches(cursor: duckdb.DuckDBPyConnection, execution: QueryExecution) -> Iterator[list[tuple[Any, ...]]]:
    count = 0
    while batch := cursor.fetchmany(BATCH):
        if execution.is_over:
            raise duckdb.InterruptException("stopped")
        count += len(batch)
        yield batch
    execution.rows = count


def _leave(execution: QueryExecution, body: bytes) -> None:
    """Leaves a result where its query was told to, with its `.metadata` beside it."""
    execution.output_bytes = len(body)
    if execution.managed:
        execution.body = body
        return
    bucket, key = split_object(execution.output_location)
    s3.put_object(bucket, key, body)
    if execution.columns:
        s3.put_object(bucket, f"{key}.metadata", metadata(execution.columns))
