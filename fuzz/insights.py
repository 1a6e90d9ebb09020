"""The query language of Logs Insights: any text is a query that runs, or is refused with a place in the text.

It begins with the queries of the conformance tests and AWS's samples, and changes them word by word.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from labkit.sandbox.logs.insights import engine, fields
from labkit.sandbox.logs.insights.aggregates import AGGREGATES
from labkit.sandbox.logs.insights.calls import CALLS
from labkit.sandbox.logs.insights.functions import FUNCTIONS
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.store import EventStore

GRAMMAR = Path(engine.__file__).with_name("grammar.lark").read_text(encoding="utf-8")
CONFORMANCE = Path(__file__).parents[1] / "tests" / "conformance"

WORDS = [
    *re.findall(r"^_[A-Z_]+(?:\.\d)?: /\(?(\w+)", GRAMMAR, re.M),
    *(f"{name}(" for name in (*AGGREGATES, *CALLS, *FUNCTIONS)),
    *("@timestamp", "@message", "action", "srcAddr", "bytes", "a.b.0", "`x-y`", "(*)", " | ", ", ", " = ", " != "),
    *('"10.0.0.0/8"', '"[*] *"', "/re(g)?ex/", "/(?<n>.)/", "5m", "1mo", "2.5", ' in ["a", 1]', " asc", "\n# "),
]


def _queries() -> list[str]:
    cases = json.loads((CONFORMANCE / "insights.json").read_text(encoding="utf-8"))
    samples = json.loads((CONFORMANCE / "insights_samples.json").read_text(encoding="utf-8"))
    texts = (case["query"] for case in [*cases, *samples])
    return [text if isinstance(text, str) else "\n".join(text) for text in texts]


SEEDS = [query.encode() for query in _queries()]

MESSAGES = [
    "2 123456789012 eni-0a1b2c3d 203.0.113.12 10.0.0.5 43418 22 6 3 180 1793609940 1793610000 REJECT OK",
    '{"a": {"b": [1, "x", null, {"c": true}]}, "x-y": "-", "bytes": "12"}',
    "plain text",
    "",
]


def try_bytes(data: bytes) -> None:
    """Compiles a query, and runs it over a few messages."""
    text = data.decode(errors="ignore")
    try:
        engine.check(text)
    except QueryError as error:
        _check_place(text, error)
        return
    with _STORE.cursor() as cursor:
        relation = _STORE.relation("eu-west-1", "group")
        events = engine.Events(relation, "123456789012:group", None)
        answer = engine.run(engine.Job(text, (events,), fields.Window(0, 1 << 62, 1 << 62), 0, None), cursor)
    assert answer.records_scanned >= len(MESSAGES), text


def _check_place(text: str, error: QueryError) -> None:
    assert error.message, text
    assert 0 <= error.span.start <= error.span.end <= len(text), (text, error.span)


def _stored() -> EventStore:
    store = EventStore()
    store.create("eu-west-1", "group")
    store.append("eu-west-1", "group", "stream", [1000, 2000, 3000, 4000], MESSAGES, ingestion_time=5000)
    return store


_STORE = _stored()
