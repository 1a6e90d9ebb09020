"""Runs a query over some messages, without the service."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from labkit.sandbox.logs.insights import engine, fields, tree
from labkit.sandbox.logs.insights.lookup_tables import read_table
from labkit.sandbox.logs.store import EventStore

START = 1_793_610_000_000
"""2 November 2026, 09:00 UTC, in milliseconds."""


def answer(
    query: str,
    messages: Sequence[Any] = ({},),
    *,
    timestamps: Sequence[int] | None = None,
    limit: int | None = None,
    log_format: str | None = None,
    now: float = START / 1000,
    groups: Mapping[str, Sequence[Any]] | None = None,
    tables: Mapping[str, str] | None = None,
) -> engine.Answer:
    """What a query gives over messages (texts, or values that become JSON), a second apart unless timed.

    `groups` are the messages of other log groups, for queries within the query; `tables` the CSV of lookup tables.
    """
    lookup_tables = {name: read_table(name, text) for name, text in (tables or {}).items()}
    sources = [inner.source for inner in tree.nested(engine.check(query, lookup_tables)) if inner.source]
    given = {"group": messages, **(groups or {})}
    try:
        events = {name: _put(name, some, timestamps, log_format) for name, some in given.items()}
        nested = {source: tuple(events[name] for name in source.names) for source in sources}
        window = fields.Window(0, 1 << 62, 1 << 62)
        job = engine.Job(query, (events["group"],), window, now, limit, nested, lookup_tables)
        with _store().cursor() as cursor:
            return engine.run(job, cursor)
    finally:
        for name in given:
            _store().drop("eu-west-1", name)


def _put(name: str, messages: Sequence[Any], timestamps: Sequence[int] | None, log_format: str | None) -> engine.Events:
    store = _store()
    store.create("eu-west-1", name)
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    times = [START + 1000 * number for number in range(len(texts))]
    if timestamps and name == "group":
        times = list(timestamps)
    store.append("eu-west-1", name, "stream", times, texts, ingestion_time=START + 500)
    return engine.Events(store.relation("eu-west-1", name), f"123456789012:{name}", log_format)


@cache
def _store() -> EventStore:
    return EventStore()


def rows(query: str, messages: Sequence[Any] = ({},), **options: Any) -> list[dict[str, str]]:
    """The rows of a query without their @ptr, each as a dict."""
    found = answer(query, messages, **options).rows
    return [{name: value for name, value in row if name != "@ptr"} for row in found]


def value(expression: str, message: Any = (), **options: Any) -> str | None:
    """What an expression gives for one event; None where it gives nothing."""
    (row,) = rows(f"fields {expression} as result", [message or {"x": ""}], **options)
    return row.get("result")
