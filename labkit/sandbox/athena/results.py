"""Query results as Athena writes them to S3 and returns them: quoted CSV, typed columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from labkit.sandbox.athena import types, zones
from labkit.sandbox.athena.dialect import casts
from labkit.sandbox.athena.text import java_double
from labkit.sandbox.athena.types import UNBOUNDED, Type, field_key, quoted

_PRECISION = {
    "boolean": 0,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "date": 0,
    "time": 3,
    "time with time zone": 3,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "varbinary": 1073741824,
}
_SHOWN_NAMES = {"real": "float", "interval day to second": "interval day to second"}
_FIELD = re.compile(rb'"((?:[^"]|"")*)"|([^",\n]*)')
Row = list[str | None]


@dataclass(frozen=True)
class ResultColumn:
    """A column of a result, as in ResultSetMetadata."""

    name: str
    type: Type

    def info(self) -> dict[str, Any]:
        """Return the ColumnInfo of the API."""
        kind = self.type
        precision = _PRECISION.get(kind.name, 0)
        if kind.name in ("varchar", "char"):
            precision = kind.parameters[0] if kind.parameters else UNBOUNDED
        if kind.name == "decimal":
            precision = kind.parameters[0]
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": _SHOWN_NAMES.get(kind.name, kind.name),
            "Precision": precision,
            "Scale": kind.parameters[1] if kind.name == "decimal" else 0,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind.name in ("varchar", "char"),
        }


def utility_info(name: str) -> dict[str, Any]:
    """Return the ColumnInfo of a column of SHOW or DESCRIBE."""
    return {**ResultColumn(name, types.VARCHAR).info(), "Type": "string", "Precision": 0, "CaseSensitive": False}


# --- from DuckDB's values to text


def presentable(sql: str, kind: Type) -> str:
    """The DuckDB of a value as the result wants it: what Python has no type for becomes text there."""
    match kind.name:
        case "timestamp with time zone":
            return zones.local(sql, kind.zone)
        case "ipaddress" | "ipprefix" | "interval day to second" | "interval year to month" | "uuid":
            return casts.as_text(sql, kind)
        case "json":
            return f"CAST({sql} AS VARCHAR)"
    if not kind.items or not _needs_care(kind):
        return sql
    if kind.name == "array":
        return f"list_transform({sql}, lambda x: {presentable('x', kind.items[0])})"
    if kind.name == "map":
        keys = f"list_transform(map_keys({sql}), lambda x: {presentable('x', kind.items[0])})"
        return f"map({keys}, list_transform(map_values({sql}), lambda x: {presentable('x', kind.items[1])}))"
    keyed = [quoted(field_key(kind, n)) for n in range(len(kind.items))]
    fields = (f"{key} := {presentable(f'{sql}.{key}', item)}" for key, item in zip(keyed, kind.items, strict=True))
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"


def _needs_care(kind: Type) -> bool:
    return any(presentable("x", item) != "x" for item in kind.items)


def formatter(kind: Type) -> Callable[[Any], str]:
    """Writes a value of a type as Athena does.

    >>> formatter(types.array(types.INTEGER))([1, None])
    '[1, null]'
    """
    match kind.name:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "double":
            return java_double
        case "real":
            return lambda value: java_double(float(str(np.float32(value))))
        case "date":
            return date.isoformat
        case "timestamp":
            return _timestamp
        case "timestamp with time zone":
            return lambda value: f"{_timestamp(value)} {kind.zone}"
        case "time":
            return lambda value: value.strftime("%H:%M:%S.") + f"{value.microsecond // 1000:03}"
        case "time with time zone":
            return lambda value: value.isoformat("milliseconds")
        case "varbinary":
            return lambda value: " ".join(f"{byte:02x}" for byte in bytes(value))
        case "array":
            item = nullable(kind.items[0])
            return lambda value: f"[{', '.join(item(each) for each in value)}]"
        case "map":
            key, item = (nullable(each) for each in kind.items)
            return lambda value: "{" + ", ".join(f"{key(k)}={item(v)}" for k, v in entries(kind, value)) + "}"
        case "row":
            items = [nullable(each) for each in kind.items]
            names = [field_key(kind, n) for n in range(len(items))]
            return lambda value: "{" + ", ".join(f"{n}={f(value[n])}" for n, f in zip(names, items, strict=True)) + "}"
        case "decimal":
            return lambda value: f"{value:f}"
    return str


def entries(kind: Type, value: dict[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """The entries of a map. Python has no dictionary by lists or rows: DuckDB hands their keys and values out apart."""
    return zip(value["key"], value["value"], strict=True) if kind.items[0].items else value.items()


def nullable(kind: Type) -> Callable[[Any], str]:
    """Return a writer of values inside an array, map or row, where NULL is written out."""
    write = formatter(kind)
    return lambda value: "null" if value is None else write(value)


def _timestamp(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S.").rjust(20, "0") + f"{value.microsecond // 1000:03}"


# --- CSV


def csv_line(row: Iterable[str | None]) -> str:
    """A line of a result: every value is quoted, and NULL is nothing at all.

    >>> csv_line(["a", None, "", "1"]).strip()
    '"a",,"","1"'
    """
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row) + "\n"


def csv_lines(columns: Sequence[ResultColumn], batches: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    """A result, batch by batch, after its header."""
    yield csv_line(column.name for column in columns)
    writers = [formatter(column.type) for column in columns]
    for batch in batches:
        yield "".join(
            csv_line(None if value is None else write(value) for write, value in zip(writers, row, strict=True))
            for row in batch
        )


def read_csv(body: bytes, start: int = 0, most: int | None = None) -> tuple[list[Row], int]:
    """Return rows of a result from a byte offset on, and the offset of the next row."""
    rows: list[Row] = []
    row: Row = []
    at = start
    while at < len(body) and (most is None or len(rows) < most):
        found = _FIELD.match(body, at)
        assert found is not None
        row.append(found[1].replace(b'""', b'"').decode() if found[1] is not None else found[2].decode() or None)
        at = found.end() + 1
        if body[at - 1 : at] != b",":
            rows.append(row)
            row = []
    return rows, at


def metadata(columns: Sequence[dict[str, Any]]) -> bytes:
    """The `.metadata` beside a result: a protocol buffer with the columns' names and types."""
    return b"".join(_message(4, b"".join(_column_fields(column))) for column in columns)


def _column_fields(column: dict[str, Any]) -> Iterator[bytes]:
    for number, key in ((1, "CatalogName"), (4, "Name"), (5, "Label"), (6, "Type")):
        yield _message(number, column[key].encode())
    for number, value in ((7, column["Precision"]), (8, column["Scale"]), (9, 3), (10, int(column["CaseSensitive"]))):
        yield _varint(number << 3) + _varint(value)


def _message(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
