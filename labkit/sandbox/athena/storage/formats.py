"""How the lines of an object become columns: one reader for each SerDe.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.storage import fields
from labkit.sandbox.athena.storage.lazy import Delimiters, lazy_value, split_escaped
from labkit.sandbox.athena.types import Type, duckdb_type

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
_ARROW_TYPES = {
    "tinyint": pa.int8(), "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "varchar": pa.string(),
}  # fmt: skip
Reader = Callable[[bytes, duckdb.DuckDBPyConnection], pa.Table]
"""Makes a table of a block of lines: columns `c0`, `c1` and so on, each of its type."""


@dataclass(frozen=True)
class Reading:
    """How the objects of a table are read."""

    key: str
    """The same for tables whose objects are read alike: their columnar copies are shared."""
    is_columnar: bool
    skipped: int
    """How many lines at the beginning of each object are no rows."""
    reader: Callable[[Sequence[int]], Reader]
    """A reader of the columns of some numbers, for text."""


def reading(table: Table) -> Reading:
    """How a table is read; raises NOT_SUPPORTED for a SerDe that the sandbox does not have."""
    input_format = str(table.storage.get("InputFormat") or "")
    serde = table.serde or LAZY_SIMPLE
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("Iceberg tables")
    if "parquet" in input_format.lower():
        serde = PARQUET
    if serde != PARQUET and serde not in _READERS:
        raise not_supported(f"the SerDe {serde}")
    options = sorted(table.serde_parameters.items())
    kinds = [str(kind) if serde not in (HIVE_JSON, OPENX_JSON) else f"{name} {kind}" for name, kind in table.columns]
    skipped = int(table.parameters.get("skip.header.line.count", "0") or 0)
    key = repr((serde, options, skipped, kinds))
    return Reading(key, serde == PARQUET, skipped, lambda numbers: _READERS[serde](table, numbers))


def _converted(cursor: duckdb.DuckDBPyConnection, texts: pa.Table, values: Sequence[str], source: str) -> pa.Table:
    """What DuckDB makes of the texts of a block, named `block` in the source."""
    cursor.register("block", texts)
    try:
        return cursor.execute(f"SELECT {', '.join(values)} FROM {source}").to_arrow_table()
    finally:
        cursor.unregister("block")


def _lazy_simple(table: Table, numbers: Sequence[int]) -> Reader:
    """Fields between delimiters. One that can't be read as its column's type is NULL, and so is a missing one."""
    parameters = table.serde_parameters
    delimiters = Delimiters.of(parameters)
    delimiter, delimiters = delimiters.levels[0], delimiters.inner
    kinds = {n: table.columns[n][1] for n in numbers}
    if "timestamp.formats" in parameters and any(kind.name == "timestamp" for kind in kinds.values()):
        raise not_supported("the SerDe property timestamp.formats")
    values = [f"{lazy_value(f'c{n}', kind, delimiters)} AS c{n}" for n, kind in kinds.items()]
    if delimiters.escape:
        split = f"SELECT {split_escaped('line', delimiter, delimiters.escape)} AS fields FROM block"
        texts = ", ".join(f"nullif(fields[{n + 1}], {string(delimiters.null)}) AS c{n}" for n in numbers)
        source = f"(SELECT {texts} FROM ({split}))"
        return lambda block, cursor: _converted(cursor, fields.lines(block), values, source)
    types = {
        n: _ARROW_TYPES[kind.name] for n, kind in kinds.items() if kind.name in _ARROW_TYPES and not kind.parameters
    }
    is_plain = len(types) == len(numbers) and delimiter.isascii()

    def read(block: bytes, cursor: duckdb.DuckDBPyConnection) -> pa.Table:
        found = fields.plain(block, delimiter, delimiters.null, types) if is_plain else None
        if found is None:
            found = _converted(cursor, fields.delimited(block, delimiter, delimiters.null, numbers), values, "block")
        return found

    return read


def _open_csv(table: Table, numbers: Sequence[int]) -> Reader:
    """Quoted fields; a field that is not of its column's type fails the query."""
    parameters = table.serde_parameters
    separator, quote, escape = (
        parameters.get(name, default)[:1]
        for name, default in (("separatorChar", ","), ("quoteChar", '"'), ("escapeChar", "\\"))
    )
    values = [f"{_strict(f'c{n}', *table.columns[n])} AS c{n}" for n in numbers]
    return lambda block, cursor: _converted(
        cursor, fields.quoted(block, separator, quote, escape, numbers), values, "block"
    )


def _strict(sql: str, name: str, kind: Type) -> str:
    if kind.name in ("varchar", "char"):
        return sql
    if kind.name == "date":
        return f"('1970-01-01'::DATE + CAST(nullif({sql}, '') AS INTEGER))"
    if kind.name == "timestamp":
        return f"make_timestamp(CAST(nullif({sql}, '') AS BIGINT) * 1000)"
    return f"CAST(nullif({sql}, '') AS {duckdb_type(kind)})"


def _regex(table: Table, numbers: Sequence[int]) -> Reader:
    """The groups of an expression; a line that does not match is a row of NULLs."""
    pattern = table.serde_parameters.get("input.regex")
    if pattern is None:
        raise QueryError("HIVE_CURSOR_ERROR", 'This table does not have serde property "input.regex"!')
    whole = f"^(?:{pattern})$"
    groups = re.compile(whole).groups
    if groups != len(table.columns):
        raise QueryError(
            "HIVE_CURSOR_ERROR",
            f"Number of matching groups doesn't match the number of columns ({groups} / {len(table.columns)})",
        )
    groups_of = (f"regexp_extract_all(line, {string(whole)}, {n + 1})[1]" for n in numbers)
    values = [
        f"{lazy_value(group, table.columns[n][1], Delimiters(('',)))} AS c{n}"
        for n, group in zip(numbers, groups_of, strict=True)
    ]
    return lambda block, cursor: _converted(cursor, fields.lines(block), values, "block")


def _json(table: Table, numbers: Sequence[int]) -> Reader:
    """One JSON object a line; names are matched without regard to case."""
    parameters = table.serde_parameters
    ignored = parameters.get("ignore.malformed.json", "false").lower() == "true"
    line = "CASE WHEN json_valid(line) THEN CAST(line AS JSON) END" if ignored else "CAST(line AS JSON)"
    values = []
    for n in numbers:
        name, kind = table.columns[n]
        key = parameters.get(f"mapping.{name}", name)
        path = f'$."{key}"'
        exact = f"json_extract(line, {string(path)})"
        entries = "map_entries(TRY_CAST(line AS MAP(VARCHAR, JSON)))"
        alike = f"list_filter({entries}, lambda e: lower(e.key) = {string(key.lower())})[1].value"
        values.append(f"{_json_value(f'coalesce({exact}, {alike})', kind)} AS c{n}")
    source = f"(SELECT {line} AS line FROM block)"
    return lambda block, cursor: _converted(cursor, fields.lines(block), values, source)


def _json_value(sql: str, kind: Type) -> str:
    if kind.name in ("varchar", "char"):
        return f"json_extract_string({sql}, '$')"
    return f"TRY_CAST({sql} AS {duckdb_type(kind)})"


_READERS: dict[str, Callable[[Table, Sequence[int]], Reader]] = {
    LAZY_SIMPLE: _lazy_simple,
    OPEN_CSV: _open_csv,
    REGEX: _regex,
    HIVE_JSON: _json,
    OPENX_JSON: _json,
}
