"""Queries that write: CREATE TABLE AS, INSERT INTO and UNLOAD put their rows into objects, and list them."""

from __future__ import annotations

import bz2
import gzip
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from labkit.sandbox.athena.dialect import casts
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.scope import Column, Query, Value
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.results import formatter
from labkit.sandbox.athena.storage.serialized import delimited_line, json_line
from labkit.sandbox.athena.targets import Target, is_bounded_text
from labkit.sandbox.athena.types import Type

MOST_PARTITIONS = 100
_TEXT_CODECS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": (".gz", lambda text: gzip.compress(text, mtime=0)),
    "zstd": (".zst", lambda text: pa.Codec("zstd").compress(text, asbytes=True)),
    "bzip2": (".bz2", bz2.compress),
    "none": ("", bytes),
}
"""What compresses text, and how the names of such objects end."""


@dataclass
class Output:
    """The objects that a query wrote, not yet in S3: their addresses and bytes."""

    rows: int = 0
    files: list[tuple[str, bytes]] = field(default_factory=list)
    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)


def write(cursor: duckdb.DuckDBPyConnection, sql: str, query: Query, target: Target, directory: Path) -> Output:
    """Runs a query and makes objects of its rows, one for each partition."""
    cursor.execute(f"CREATE TEMP TABLE written_ AS SELECT {_cast_columns(query.columns, target)} FROM ({sql})")
    output = Output(rows=cursor.execute("SELECT count(*) FROM written_").fetchall()[0][0])
    first = len(target.columns) - len(target.partitioned_by)
    if not target.partitioned_by:
        _write_file(cursor, "SELECT * FROM written_", target, target.location, output)
        return output
    keys = [f"k{n}" for n in range(first, len(target.columns))]
    found = cursor.execute(f"SELECT DISTINCT {', '.join(keys)} FROM written_ ORDER BY ALL").fetchall()
    if len(found) > MOST_PARTITIONS:
        raise QueryError(
            "HIVE_TOO_MANY_OPEN_PARTITIONS", f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions/buckets"
        )
    for values in found:
        conditions = " AND ".join(f"{key} IS NOT DISTINCT FROM ?" for key in keys)
        texts = tuple(
            "__HIVE_DEFAULT_PARTITION__" if value is None else formatter(kind)(value)
            for value, (_, kind) in zip(values, target.columns[first:], strict=True)
        )
        pairs = zip(target.partitioned_by, texts, strict=True)
        folder = target.location.rstrip("/") + "/" + "/".join(f"{name}={text}" for name, text in pairs) + "/"
        output.partitions[texts] = folder
        _write_file(cursor, f"SELECT * FROM written_ WHERE {conditions}", target, folder, output, list(values))
    return output


def _cast_columns(columns: tuple[Column, ...], target: Target) -> str:
    parts = []
    for number, (place, (_, kind)) in enumerate(zip(target.numbers, target.columns, strict=True)):
        value = Value(f"c{place}", columns[place].type) if place >= 0 else Value("NULL", Type("unknown"))
        sql = _bounded(value, kind) if is_bounded_text(value.type, kind) else casts.coerce(value, kind).sql
        parts.append(f"{sql} AS k{number}")
    return ", ".join(parts)


def _bounded(value: Value, kind: Type) -> str:
    """A text for a column of so many characters: only blanks at its end may be lost."""
    reason = f"Cannot truncate non-space characters when casting from {value.type} to {kind} on INSERT"
    error = f"error({string(f'INVALID_CAST_ARGUMENT: {reason}')})"
    size = kind.parameters[0]
    return f"CASE WHEN length(rtrim({value.sql}, ' ')) > {size} THEN {error} ELSE left({value.sql}, {size}) END"


def _write_file(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    target: Target,
    folder: str,
    output: Output,
    values: list[Any] | None = None,
) -> None:
    data = target.columns[: len(target.columns) - len(target.partitioned_by)]
    cursor.execute(sql, values or [])
    name = str(UUID(int=target.names.getrandbits(128), version=4))
    if target.format == "PARQUET":
        body = _parquet(cursor, data, target.compression)
    else:
        ending, compress = _TEXT_CODECS[target.compression]
        body = compress("".join(_lines(cursor, data, target)).encode())
        name += ending
    if output.rows:
        output.files.append((folder.rstrip("/") + "/" + name, body))


def _parquet(cursor: duckdb.DuckDBPyConnection, columns: tuple[tuple[str, Type], ...], compression: str) -> bytes:
    """Parquet with the physical types that Athena writes: timestamps as INT96."""
    reader = cursor.to_arrow_reader(100_000)
    schema = pa.schema([reader.schema.field(n).with_name(name) for n, (name, _) in enumerate(columns)])
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, schema, compression=compression, use_deprecated_int96_timestamps=True) as writer:
        for batch in reader:
            writer.write_batch(pa.record_batch(batch.columns[: len(columns)], schema=schema))
    return buffer.getvalue()


def _lines(cursor: duckdb.DuckDBPyConnection, columns: tuple[tuple[str, Type], ...], target: Target) -> Iterator[str]:
    line = json_line(columns) if target.format == "JSON" else delimited_line(columns, target.delimiters)
    while rows := cursor.fetchmany(5000):
        yield from (line(row) + "\n" for row in rows)
