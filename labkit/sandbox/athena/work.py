"""The work on a query: its statement is read, compiled, planned and run without the sandbox's lock."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from labkit.sandbox.athena.catalog import Catalog, view_entry
from labkit.sandbox.athena.dialect import expansion
from labkit.sandbox.athena.dialect.queries import QueryCompiler
from labkit.sandbox.athena.dialect.scope import Query
from labkit.sandbox.athena.ending import Outcome
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.engine_errors import from_duckdb
from labkit.sandbox.athena.errors import SYSTEM, Cancelled, QueryError, hive_error, too_large
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.explain import explained
from labkit.sandbox.athena.results import ResultColumn, csv_lines, metadata, presentable
from labkit.sandbox.athena.statements import definitions
from labkit.sandbox.athena.statements.classify import Parsed, read
from labkit.sandbox.athena.statements.context import Answer, Context
from labkit.sandbox.athena.storage import scans
from labkit.sandbox.athena.storage.store import Store
from labkit.sandbox.athena.targets import Target, named_columns
from labkit.sandbox.athena.types import BIGINT
from labkit.sandbox.athena.writing import Output, write
from labkit.sandbox.kernel import workers
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.workers import Stopped

BATCH = 5000
_SHOWN = ("show_", "describe_")


@dataclass(eq=False)
class Task(workers.Task):
    """A query that is being carried out."""

    execution: QueryExecution
    region: str
    parsed: Parsed | None = None
    """Its statement, if it has been read already."""


class Work:
    """The work on one query. `lock` is the sandbox's, for short looks at its catalog and its S3."""

    def __init__(
        self, task: Task, engine: Engine, store: Store, lock: AbstractContextManager[Any], account_id: str
    ) -> None:
        self.task = task
        self.execution = task.execution
        self.outcome = Outcome()
        self._engine = engine
        self._store = store
        self._lock = lock
        self._now = task.execution.submitted
        self._catalog = Catalog(account_id, task.region, task.execution.schema, lock)
        self._context = Context(self._catalog, self._now.timestamp())
        self._names = Random(task.execution.seed)

    def done(self) -> Outcome:
        """What the query comes to; raises Stopped if nobody wants to know any more."""
        try:
            self._carry_out(self.task.parsed or read(self.execution.statement))
        except QueryError as error:
            self._fail(error)
        except ServiceError as error:
            self._fail(hive_error(error.message, error.code))
        except duckdb.Error as error:
            self.task.check()
            self._fail(from_duckdb(error))
        except Stopped:
            self.outcome.discard()
            raise
        except Exception as error:
            self._fail(_unforeseen(error))
        return self.outcome

    def _fail(self, error: QueryError) -> None:
        self.outcome.discard()
        self.outcome = Outcome(error=error, scanned=self.outcome.scanned)

    def _carry_out(self, parsed: Parsed) -> None:
        statement: Any = parsed.statement
        if parsed.kind == "explain":
            query, compiler = self._compiled(parsed)
            self.outcome.answer(explained(query, compiler.scans, parsed.options or {}), self.execution)
        elif statement is None or statement.kind in ("create_table_as_select", "insert"):
            self._query(parsed)
        elif statement.kind == "create_view":
            self._view(parsed)
        elif statement.kind.startswith(_SHOWN):
            self.outcome.answer(definitions.run(self._context, statement), self.execution)
        else:
            self.outcome.definition = statement

    def _compiled(self, parsed: Parsed, catalog: Catalog | None = None) -> tuple[Query, QueryCompiler]:
        compiler = QueryCompiler(parsed.text, catalog or self._catalog, self._now, is_stopped=self.task.stopped.is_set)
        return compiler.query(parsed.query), compiler

    def _view(self, parsed: Parsed) -> None:
        statement: Any = parsed.statement
        database, name = self._context.named(statement.table)
        self._context.schema(database)
        held = self._catalog.table(database, name)
        if held and (not statement.quiet or not held.is_view):
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"line 1:1: View 'awsdatacatalog.{database}.{name}' already exists"
            )
        query, _ = self._compiled(parsed, self._catalog.in_database(database))
        entry = view_entry(name, statement.query.rstrip("; \n"), database, named_columns(query))
        self.outcome.answer(Answer(), self.execution)
        self.outcome.view = {"database": database, "entry": entry, "replace": statement.quiet}

    # --- queries

    def _query(self, parsed: Parsed) -> None:
        query, compiler = self._compiled(parsed)
        with self._engine.cursor() as cursor:
            self.task.cursor = cursor
            self.task.check()
            plans = scans.plan(self._catalog, compiler.scans, cursor, self._now)
            if parsed.statement is not None and not getattr(parsed.statement, "with_data", True):
                query = replace(query, sql=f"SELECT * FROM ({query.sql}) LIMIT 0")
                plans = [replace(plan, objects=()) for plan in plans]
            with self._lock:
                target = self._target(parsed, query)
            if target or parsed.kind == "select":
                self._run(cursor, query, plans, target)
            else:
                self.outcome.answer(Answer(), self.execution)  # the table is there, and IF NOT EXISTS does not mind

    def _target(self, parsed: Parsed, query: Query) -> Target | None:
        statement: Any = parsed.statement
        if parsed.kind == "unload":
            return Target.unload(parsed.location, parsed.options or {}, query, self._names)
        if statement is None:
            return None
        if statement.kind == "insert":
            return Target.insert(self._context, statement, query, self._names)
        return Target.create(self._context, statement, query, self.execution, self._names)

    def _run(
        self, cursor: duckdb.DuckDBPyConnection, query: Query, plans: list[scans.ScanPlan], target: Target | None
    ) -> None:
        copies: list[Any] = []
        try:
            cursor.execute(f"SELECT setseed({Random(self.execution.seed).random()!r})")
            sql = self._sql(cursor, query, plans, target, copies)
            self.task.check()
            if target:
                self._written(target, write(cursor, sql, query, target, self._engine.directory))
            else:
                self._rows(cursor, query, sql)
        finally:
            self._store.release(copies)

    def _sql(
        self,
        cursor: duckdb.DuckDBPyConnection,
        query: Query,
        plans: list[scans.ScanPlan],
        target: Target | None,
        copies: list[Any],
    ) -> str:
        relations = []
        cutoff = self.execution.cutoff
        for plan in plans:
            sql, size, used = self._store.relation(cursor, plan, self.task.stopped.is_set)
            copies += used
            self.outcome.scanned += size
            relations.append(f"{plan.scan.alias} AS NOT MATERIALIZED ({sql})")
            if cutoff is not None and self.outcome.scanned > cutoff:
                raise Cancelled("", f"Bytes scanned limit was exceeded: {self.outcome.scanned} > {cutoff}")
        columns = ", ".join(f"{presentable(f'c{n}', c.type)} AS c{n}" for n, c in enumerate(query.columns))
        columns = columns if not target else "*"
        with_ = f"WITH {', '.join(relations)} " if relations else ""
        return f"{with_}SELECT {columns} FROM ({expansion.bounded(query.sql)}) AS query_"

    def _rows(self, cursor: duckdb.DuckDBPyConnection, query: Query, sql: str) -> None:
        """Writes the result to a file, batch by batch."""
        outcome = self.outcome
        columns = [ResultColumn(column.name, column.type) for column in query.columns]
        outcome.columns = [column.info() for column in columns]
        cursor.execute(sql)
        with tempfile.NamedTemporaryFile(dir=self._engine.directory, suffix=".csv", delete=False) as file:
            outcome.leave(Path(file.name), self.execution)
            for text in csv_lines(columns, self._batches(cursor)):
                outcome.starts.append(file.tell())
                file.write(text.encode())

    def _batches(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[list[tuple[Any, ...]]]:
        while batch := cursor.fetchmany(BATCH):
            self.task.check()
            self.outcome.rows += len(batch)
            yield batch

    def _written(self, target: Target, output: Output) -> None:
        """What a query leaves that wrote objects: them, and the manifest of them."""
        outcome, execution = self.outcome, self.execution
        outcome.update_count = output.rows
        outcome.columns = [ResultColumn("rows", BIGINT).info()]
        outcome.objects += output.files
        outcome.catalog = target.registered(self._now.timestamp(), output)
        if not execution.managed:
            listed = "".join(f"{path}\n" for path, _ in output.files).encode()
            outcome.manifest_location = f"{execution.output_location}-manifest.csv"
            outcome.objects.append((outcome.manifest_location, listed))
            outcome.objects.append((f"{execution.output_location}.metadata", metadata(outcome.columns)))


def _unforeseen(error: Exception) -> QueryError:
    """Return the outcome of an error in the sandbox itself: the query fails instead of running for ever."""
    if isinstance(error, RecursionError):
        return too_large()
    logging.getLogger(__name__).exception("a query failed for no reason that the sandbox foresaw")
    return QueryError("GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {error}", category=SYSTEM)
