"""Rows as CREATE TABLE AS, INSERT INTO and UNLOAD write them into text: Hive's JSON and LazySimple SerDes.

The rules are Trino's, which writes as Hive does (lib/trino-hive-formats, line/json and encodings/text).
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from labkit.sandbox.athena.results import entries, formatter
from labkit.sandbox.athena.storage.lazy import Delimiters
from labkit.sandbox.athena.types import TIMESTAMP, Type, field_key

Write = Callable[[Any], str]
_BARE_IN_JSON = ("boolean", "tinyint", "smallint", "integer", "bigint", "decimal")


def json_line(columns: Sequence[tuple[str, Type]]) -> Callable[[Sequence[Any]], str]:
    """Writes a row as one JSON object; what is NULL is null.

    >>> json_line([("a", Type("bigint")), ("b", Type("date"))])([1, None])
    '{"a":1,"b":null}'
    """
    writers = [(json.dumps(name, ensure_ascii=False), _or_null(_json(kind), "null")) for name, kind in columns]
    return lambda row: (
        "{" + ",".join(f"{name}:{write(value)}" for (name, write), value in zip(writers, row, strict=False)) + "}"
    )


def _or_null(write: Write, null: str) -> Write:
    return lambda value: null if value is None else write(value)


def _json(kind: Type) -> Write:
    match kind.name:
        case "array":
            item = _or_null(_json(kind.items[0]), "null")
            return lambda value: f"[{','.join(map(item, value))}]"
        case "map":
            key, item = _text(kind.items[0]), _or_null(_json(kind.items[1]), "null")
            return lambda value: (
                "{" + ",".join(f"{_json_string(key(k))}:{item(each)}" for k, each in entries(kind, value)) + "}"
            )
        case "row":
            write = json_line([(field_key(kind, n), item) for n, item in enumerate(kind.items)])
            return lambda value: write(tuple(value.values()))
        case "double" | "real":
            number = formatter(kind)
            return lambda value: text if (text := number(value))[-1].isdigit() else _json_string(text)
    text = _text(kind)
    return text if kind.name in _BARE_IN_JSON else lambda value: _json_string(text(value))


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(kind: Type) -> Write:
    """A value without parts. Bytes become text, as in Hive, which loses those that are no UTF-8."""
    match kind.name:
        case "timestamp":
            return _timestamp
        case "varbinary":
            return lambda value: bytes(value).decode("utf-8", "replace")
    return formatter(kind)


def _timestamp(value: datetime) -> str:
    """Milliseconds, without the zeros at the end.

    >>> _timestamp(datetime(2026, 11, 2, 9, 0, 0, 500_000)), _timestamp(datetime(2026, 11, 2))
    ('2026-11-02 09:00:00.5', '2026-11-02 00:00:00')
    """
    seconds, _, fraction = formatter(TIMESTAMP)(value).partition(".")
    return f"{seconds}.{fraction.rstrip('0')}".rstrip(".")


def delimited_line(columns: Sequence[tuple[str, Type]], delimiters: Delimiters) -> Callable[[Sequence[Any]], str]:
    """Writes a row as the LazySimpleSerDe does; the first delimiter is that between columns."""
    strings: Write = str
    if delimiters.escape:
        special = re.compile(f"[{re.escape(''.join((*delimiters.levels, delimiters.escape)))}]")
        strings = partial(special.sub, lambda found: delimiters.escape + found[0])
    lazy = _Lazy(delimiters.null, strings)
    writers = [lazy.nullable(kind, delimiters.levels[1:]) for _, kind in columns]
    return lambda row: delimiters.levels[0].join(write(value) for write, value in zip(writers, row, strict=False))


@dataclass(frozen=True)
class _Lazy:
    """Writes values with the delimiters of their level between their parts."""

    null: str
    strings: Write

    def nullable(self, kind: Type, levels: Sequence[str]) -> Write:
        return _or_null(self._writer(kind, levels), self.null)

    def _writer(self, kind: Type, levels: Sequence[str]) -> Write:
        match kind.name:
            case "array":
                item = self.nullable(kind.items[0], levels[1:])
                return lambda value: levels[0].join(map(item, value))
            case "map":
                key, item = (self.nullable(each, levels[2:]) for each in kind.items)
                return lambda value: levels[0].join(f"{key(k)}{levels[1]}{item(v)}" for k, v in entries(kind, value))
            case "row":
                fields = [self.nullable(each, levels[1:]) for each in kind.items]
                return lambda value: levels[0].join(
                    write(each) for write, each in zip(fields, value.values(), strict=True)
                )
            case "varbinary":
                return lambda value: b64encode(bytes(value)).decode()
            case "varchar" | "char":
                return self.strings
        return _text(kind)
