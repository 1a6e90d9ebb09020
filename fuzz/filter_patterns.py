"""Filter patterns: any text is a pattern that tells of every message whether it matches, or is refused with a place.

It begins with the patterns of the conformance tests. A space-delimited pattern is held against plain messages in both
of its ways.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.filter_patterns import FilterPattern, compile_pattern, space_events
from labkit.sandbox.logs.filter_patterns.tree import Space
from labkit.sandbox.logs.store import EventStore

CONFORMANCE = Path(__file__).parents[1] / "tests" / "conformance"
CASES = json.loads((CONFORMANCE / "filter_patterns.json").read_text(encoding="utf-8"))

SEEDS = [case["pattern"].encode() for case in CASES]
WORDS = [
    *("{ $.", " }", "[", "]", "...", ", ", '"', "%", " && ", " || ", "(", ")", "?", "-", "*", "\\"),
    *(" = ", " != ", " < ", " >= ", " IS NULL", " IS TRUE", " NOT EXISTS", "[*]", "[0]", ".*", "['a.b']", '["a"]'),
    *("1e3", "-1.5", "22", "REJECT", "ERROR", "{3,5}", "{,2}", "[^a-z]", "\\d", "\\x28", "|", "'", "'; --"),
]
MESSAGES = [
    "2 123456789012 eni-0a1b2c3d 203.0.113.12 10.0.0.5 43418 22 6 3 180 1793609940 1793610000 REJECT OK",
    '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
    '{"a": {"b": [1, "x", null, {"c": true}]}, "a.b": "-", "bytes": "12", "n": 1e3}',
    '{"a": 1} x',
    'ERROR "an open quote\n[and a bracket',
    " ",
]


def try_bytes(data: bytes) -> None:
    """Compiles a pattern, and runs it over a few messages."""
    text = data.decode(errors="ignore")
    try:
        pattern = compile_pattern(text)
    except ServiceError as error:
        _check_refusal(text, error)
        return
    matched = _ask(pattern.condition)
    assert set(matched) <= {True, False}, (text, matched)
    for match, fields in zip(matched, _ask(pattern.fields), strict=True):
        if match:
            assert all(name.startswith("$") for name in pattern.named(fields)), text
    _check_both_ways(text, pattern)


def _check_refusal(text: str, error: ServiceError) -> None:
    assert error.code == "InvalidParameterException", (text, error)
    place = re.match(r"The fault is at character (\d+)[.,]", error.detail)
    assert place, (text, error.detail)
    assert 1 <= int(place[1]) <= len(text) + 1, (text, error.detail)


def _check_both_ways(text: str, pattern: FilterPattern) -> None:
    tree = pattern.tree
    if isinstance(tree, Space) and tree.fields:
        cut = _ask(space_events._cut(tree))
        assert _ask(space_events.condition(tree)) == cut, text


def _ask(sql: str) -> list:
    with _STORE.cursor() as cursor:
        rows = cursor.execute(f"SELECT {sql} FROM {_STORE.relation('eu-west-1', 'group')} ORDER BY sequence").fetchall()
    return [value for (value,) in rows]


def _stored() -> EventStore:
    store = EventStore()
    store.create("eu-west-1", "group")
    store.append("eu-west-1", "group", "stream", range(len(MESSAGES)), MESSAGES, ingestion_time=0)
    return store


_STORE = _stored()
