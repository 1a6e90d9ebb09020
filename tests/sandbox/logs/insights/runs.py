"""Runs a query over some messages, without the service."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from labkit.sandbox.logs.insights import engine
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
) -> engine.Answer:
    """What a query gives over messages (texts, or values that become JSON), a second apart unless timed."""
    store = _store()
    store.create("eu-west-1", "group")
    texts = [message if isinstance(message, str) else json.dumps(message) for message in messages]
    times = timestamps or [START + 1000 * number for number in range(len(texts))]
    store.append("eu-west-1", "group", "stream", times, texts, ingestion_time=START + 500)
    events = engine.Events(store.relation("eu-west-1", "group"), "123456789012:group", log_format)
    job = engine.Job(query, (events,), 0, 1 << 62, now, limit, 1 << 62)
    try:
        with store.cursor() as cursor:
            return engine.run(job, cursor)
    finally:
        store.drop("eu-west-1", "group")


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
