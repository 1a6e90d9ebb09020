"""Runs a query over the event store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.sandbox.logs.insights import fields, tree
from labkit.sandbox.logs.insights.command_builder import MAX_LIMIT
from labkit.sandbox.logs.insights.commands import compile_query
from labkit.sandbox.logs.insights.discovery import MAX_JSON_FIELDS, discovered
from labkit.sandbox.logs.insights.parser import parse
from labkit.sandbox.logs.insights.pipeline import Statement
from labkit.sandbox.logs.insights.reading import LookupTable, Reading, limited
from labkit.sandbox.logs.insights.values import quoted

DEFAULT_LIMIT = 10_000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html"""

_SAMPLE = 1000
_LOOKS_LIKE_A_RECORD = (
    "message >= '0' AND message < ':'"
    " AND (ends_with(message, ' OK') OR ends_with(message, ' NODATA') OR ends_with(message, ' SKIPDATA'))"
)


@dataclass(frozen=True)
class Look:
    """What is known about a group's events up to `last`: whether all are flow log records, their number and bytes."""

    last: int = -1
    only_records: bool = True
    events: int = 0
    size: int = 0


Seen = dict[tuple[str, str], Look]
"""By table and record format; kept by the caller, so that each event of a large group is examined only once."""


@dataclass(frozen=True)
class Events:
    """The events of a log group: their table, and the format of the flow log that is published to it."""

    relation: str
    log: str
    log_format: str | None


@dataclass(frozen=True)
class Job:
    """A query to run: its text, its log groups, and the moment in seconds at which it was started.

    The window ends with the store's last event at that moment: a query sees no later events, whenever it runs.
    """

    text: str
    groups: tuple[Events, ...]
    window: fields.Window
    now: float
    limit: int | None
    nested: Mapping[tree.Source, tuple[Events, ...]] = field(default_factory=dict)
    """The log groups of the SOURCE commands of queries within the query."""
    tables: Mapping[str, LookupTable] = field(default_factory=dict)
    """The lookup tables that existed when the query was started."""

    @property
    def scanned(self) -> list[tuple[Events, fields.Window]]:
        """All log groups that are read, those of subqueries included, each with its time range."""
        inner = [
            (group, limited(self.window, source, self.now))
            for source, groups in self.nested.items()
            for group in groups
        ]
        return [*((group, self.window) for group in self.groups), *inner]


@dataclass(frozen=True)
class Answer:
    """The result of a query: rows of (field, value) pairs, and what was scanned for them."""

    rows: list[list[tuple[str, str]]]
    records_matched: int
    records_scanned: int
    bytes_scanned: int


def check(text: str, tables: Mapping[str, LookupTable] | None = None) -> tree.Query:
    """Parse a query and compile it once without running it; raise QueryError if it is invalid."""
    query = parse(text)
    window = limited(fields.Window(0, 1, 0), query.source, 0)
    # Without log groups: what a query may say doesn't depend on the events, and StartQuery must answer at once.
    _compiled(query, Reading([], window, 0, tables=tables or {}), None)
    return query


def run(job: Job, cursor: duckdb.DuckDBPyConnection, seen: Seen | None = None) -> Answer:
    """Run a query to its end."""
    seen = {} if seen is None else seen
    for table in job.tables.values():
        cursor.register(table.relation.strip('"'), table.data)
    query = parse(job.text)
    statement = _compiled(query, _reading(query, job, cursor, seen), job.limit)
    rows = _fetched(cursor, statement.sql)
    # The rows tell how many events matched; a result without rows needs a count of its own.
    told = statement.last == "matched" and rows
    matched = int(rows[0][-1]) if told else _one(cursor, statement.matched_sql)
    columns = (*statement.columns, "@ptr") if statement.last == "@ptr" else statement.columns
    records, size = _scanned(job, cursor, seen)
    return Answer(
        rows=[[pair for pair in zip(columns, row, strict=False) if pair[1] is not None] for row in rows],
        records_matched=matched,
        records_scanned=records,
        bytes_scanned=size,
    )


def _reading(query: tree.Query, job: Job, cursor: duckdb.DuckDBPyConnection, seen: Seen | None) -> Reading:
    def sources(groups: Iterable[Events]) -> list[fields.Source]:
        return [source(group, cursor, seen) for group in groups]

    nested = {place: sources(groups) for place, groups in job.nested.items()}
    own = sources(job.groups)
    wanted = any(isinstance(command, tree.Relevantfields) and not command.fields for command in query.commands)
    names = _names(own, job.window, cursor) if wanted else ()
    return Reading(own, job.window, job.now, nested, job.tables, names)


def _names(sources: Iterable[fields.Source], window: fields.Window, cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the fields discovered in the newest events, at most as many as Insights discovers in one event."""
    names: dict[str, None] = {}
    for read in sources:
        newest = f"SELECT message FROM {read.relation} WHERE {window.sql} ORDER BY sequence DESC LIMIT {_SAMPLE}"
        for (message,) in cursor.execute(newest).fetchall():
            names |= dict.fromkeys(discovered(message, read))
    return list(names)[:MAX_JSON_FIELDS]


def source(group: Events, cursor: duckdb.DuckDBPyConnection, seen: Seen | None = None) -> fields.Source:
    """Return a log group as the compiler needs it."""
    log_format = DEFAULT_FORMAT if group.log_format is None else LogFormat.parse(group.log_format)
    names = tuple(field.insights_name for field in log_format.fields)
    record = fields.FLOW_LOG_RECORD if log_format == DEFAULT_FORMAT else rf"[^ ]+( [^ ]+){{{len(names) - 1}}}"
    only = _only_records(group, record, cursor, {} if seen is None else seen)
    return fields.Source(group.relation, group.log, names, record, only_flow_logs=only)


def _only_records(group: Events, record: str, cursor: duckdb.DuckDBPyConnection, seen: Seen) -> bool:
    """Tell whether all events of a group are flow log records; only events not seen before are examined.

    The regular expression of a record is tried on the first of them, and a quicker test on all: how a record in the
    default format begins and ends, unlike JSON and other logs. Their bytes are added up on the way.
    """
    look = seen.get((group.relation, record), Look())
    if not look.only_records:
        return False
    # Once a group has another event, it never is only records again; until then, only the news has to be looked at.
    new = f"{group.relation} WHERE sequence > {look.last}"
    matches = f"regexp_full_match(message, {quoted(record)})"
    quick = _LOOKS_LIKE_A_RECORD if record == fields.FLOW_LOG_RECORD else matches
    some = f"SELECT message FROM {new} LIMIT {_SAMPLE}"
    newest = last_sequence([group.relation], cursor)
    only = bool(_one(cursor, f"SELECT coalesce(bool_and({matches}), TRUE) FROM ({some})"))
    events, size = 0, 0
    if only:
        counts = f"SELECT coalesce(bool_and({quick}), TRUE), count(*), coalesce(sum(strlen(message)), 0) FROM {new}"
        only, events, size = cursor.execute(counts).fetchall()[0]
    seen[group.relation, record] = Look(newest, only, look.events + events, look.size + int(size))
    return only


def _compiled(query: tree.Query, reading: Reading, limit: int | None) -> Statement:
    own_limit = any(isinstance(command, tree.Limit) for command in query.commands)
    return compile_query(query, reading, limit or (MAX_LIMIT if own_limit else DEFAULT_LIMIT))


def _scanned(job: Job, cursor: duckdb.DuckDBPyConnection, seen: Seen) -> tuple[int, int]:
    """Return how many events and bytes were read; for a group that is read whole they are known already."""
    looks = {relation: look for (relation, _), look in seen.items() if look.only_records}
    records = size = 0
    for group, window in job.scanned:
        counts = f"SELECT count(*), count(*) FILTER (WHERE {window.sql}) FROM {group.relation}"
        stored, read = cursor.execute(counts).fetchall()[0]
        records += read
        look = looks.get(group.relation)
        if look is not None and look.events == stored == read:
            size += look.size
        else:
            bytes_read = f"SELECT coalesce(sum(strlen(message)), 0) FROM {group.relation} WHERE {window.sql}"
            size += _one(cursor, bytes_read)
    return records, size


def _fetched(cursor: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Fetch a statement's rows; create the macros first if the store doesn't have them yet."""
    try:
        return cursor.execute(sql).fetchall()
    except duckdb.CatalogException:
        make_macros(cursor)
        return cursor.execute(sql).fetchall()


def make_macros(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make what a query's SQL calls."""
    cursor.execute(_macros())


def _one(cursor: duckdb.DuckDBPyConnection, sql: str) -> int:
    return int(_fetched(cursor, sql)[0][0])


def last_sequence(relations: Iterable[str], cursor: duckdb.DuckDBPyConnection) -> int:
    """Return the sequence number of the newest event in some log groups; -1 if they are empty."""
    parts = " UNION ALL ".join(f"SELECT max(sequence) AS last FROM {relation}" for relation in relations)
    return _one(cursor, f"SELECT coalesce(max(last), -1) FROM ({parts})")


@cache
def _macros() -> str:
    return Path(__file__).with_name("macros.sql").read_text(encoding="utf-8")
