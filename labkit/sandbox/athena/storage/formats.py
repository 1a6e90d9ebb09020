"""How the bytes of an object become columns: one reading of DuckDB's for each SerDe.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.storage.files import BLANK_LINE
from labkit.sandbox.athena.storage.lazy import Delimiters, lazy_value, literal, split_escaped
from labkit.sandbox.athena.types import INTEGERS, Type, duckdb_type, quoted

PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
OPENX_JSON = "org.openx.data.jsonserde.JsonSerDe"
_ONE_COLUMN = r"delim=E'\x01', quote='', escape='', columns={'line': 'VARCHAR'}, nullstr=E'\x02'"
_COMMON = "header=false, auto_detect=false, null_padding=true, strict_mode=false"


@dataclass(frozen=True)
class Reading:
    """How objects are read: `sql(files, numbers)` selects columns of files, with the number of each row's file."""

    key: str
    """The same for tables whose objects are read alike: their columnar copies are shared."""
    is_columnar: bool
    keeps_blank_lines: bool
    """Whether a line with nothing in it is a row. (A quoted field of CSV may hold such lines.)"""
    sql: Callable[[str, Sequence[int]], str]


def reading(table: Table) -> Reading:
    """How a table is read; raises NOT_SUPPORTED for a SerDe that the sandbox does not have."""
    input_format = str(table.storage.get("InputFormat") or "")
    serde = table.serde or LAZY_SIMPLE
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("Iceberg tables")
    if serde == PARQUET or "parquet" in input_format.lower():
        return _reading(table, "parquet", _parquet)
    if serde not in _READERS:
        raise not_supported(f"the SerDe {serde}")
    return _reading(table, serde, _READERS[serde])


def _reading(table: Table, serde: str, reader: Callable[[Table, str, Sequence[int]], str]) -> Reading:
    options = sorted(table.serde_parameters.items())
    kinds = [
        str(kind) if serde not in (PARQUET, HIVE_JSON, OPENX_JSON) else f"{name} {kind}" for name, kind in table.columns
    ]
    key = repr((serde, options, _skipped(table), kinds))
    return Reading(key, serde == "parquet", serde != OPEN_CSV, lambda files, numbers: reader(table, files, numbers))


def _skipped(table: Table) -> int:
    return int(table.parameters.get("skip.header.line.count", "0") or 0)


def _selected(columns: Sequence[str], source: str, number_of: Sequence[int]) -> str:
    listed = "".join(f", {sql} AS c{n}" for sql, n in zip(columns, number_of, strict=True))
    return f"SELECT file_index{listed} FROM {source}"


def _lazy_simple(table: Table, files: str, numbers: Sequence[int]) -> str:
    """Fields between delimiters. One that can't be read as its column's type is NULL, and so is a missing one."""
    parameters = table.serde_parameters
    delimiter = parameters.get("field.delim") or parameters.get("serialization.format") or "\x01"
    delimiter = chr(int(delimiter)) if delimiter.isdigit() else delimiter
    delimiters = Delimiters(
        (
            parameters.get("collection.delim") or parameters.get("colelction.delim") or "\x02",
            parameters.get("mapkey.delim") or "\x03",
        ),
        parameters.get("serialization.null.format", r"\N"),
        parameters.get("escape.delim", ""),
    )
    if "timestamp.formats" in parameters and any(table.columns[n][1].name == "timestamp" for n in numbers):
        raise not_supported("the SerDe property timestamp.formats")
    if delimiters.escape:
        fields = split_escaped("line", delimiter, delimiters.escape)
        listed = ", ".join(f"nullif(fields[{n + 1}], {string(delimiters.null)}) AS c{n}" for n in numbers)
        lines = f"(SELECT file_index, {fields} AS fields FROM {_lines(table, files)})"
        source = f"(SELECT file_index{', ' if listed else ''}{listed} FROM {lines})"
    else:
        columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(table.columns)))
        source = (
            f"read_csv({files}, delim={literal(delimiter)}, quote='', escape='', columns={{{columns}}},"
            f" skip={_skipped(table)}, nullstr={string(delimiters.null)}, {_COMMON})"
        )
    values = [lazy_value(_first_blank(n, table.columns[n][1]), table.columns[n][1], delimiters) for n in numbers]
    return _selected(values, source, numbers)


def _first_blank(number: int, kind: Type) -> str:
    """A field; of a line with nothing in it, the first is the empty text. (As a number either is NULL.)"""
    return _blank(f"c{number}") if number == 0 and kind.name not in INTEGERS else f"c{number}"


def _blank(sql: str) -> str:
    return f"CASE WHEN {sql} = '{BLANK_LINE}' THEN '' ELSE {sql} END"


def _open_csv(table: Table, files: str, numbers: Sequence[int]) -> str:
    """Quoted fields; a field that is not of its column's type fails the query."""
    parameters = table.serde_parameters
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(table.columns)))
    quote, escape = parameters.get("quoteChar", '"'), parameters.get("escapeChar", "\\")
    escape = quote if escape == "\\" else escape
    options = (
        f"delim={literal(parameters.get('separatorChar', ','))}, quote={literal(quote)}, escape={literal(escape)},"
        f" columns={{{columns}}}, skip={_skipped(table)}, nullstr=E'\\x02', {_COMMON}"
    )
    return _selected([_strict(f"c{n}", *table.columns[n]) for n in numbers], f"read_csv({files}, {options})", numbers)


def _strict(sql: str, name: str, kind: Type) -> str:
    if kind.name in ("varchar", "char"):
        return sql
    if kind.name == "date":
        return f"('1970-01-01'::DATE + CAST(nullif({sql}, '') AS INTEGER))"
    if kind.name == "timestamp":
        return f"make_timestamp(CAST(nullif({sql}, '') AS BIGINT) * 1000)"
    return f"CAST(nullif({sql}, '') AS {duckdb_type(kind)})"


def _lines(table: Table, files: str) -> str:
    source = f"read_csv({files}, {_ONE_COLUMN}, max_line_size=16777216, skip={_skipped(table)}, {_COMMON})"
    return f"(SELECT file_index, {_blank('line')} AS line FROM {source})"


def _regex(table: Table, files: str, numbers: Sequence[int]) -> str:
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
    parts = [
        lazy_value(
            f"regexp_extract_all(line, {string(whole)}, {n + 1})[1]",
            table.columns[n][1],
            Delimiters(("",)),
        )
        for n in numbers
    ]
    return _selected(parts, _lines(table, files), numbers)


def _json(table: Table, files: str, numbers: Sequence[int]) -> str:
    """One JSON object a line; names are matched without regard to case."""
    parameters = table.serde_parameters
    ignored = parameters.get("ignore.malformed.json", "false").lower() == "true"
    line = "CASE WHEN json_valid(line) THEN CAST(line AS JSON) END" if ignored else "CAST(line AS JSON)"
    source = f"(SELECT file_index, {line} AS line FROM {_lines(table, files)})"
    parts = []
    for n in numbers:
        name, kind = table.columns[n]
        key = parameters.get(f"mapping.{name}", name)
        path = f'$."{key}"'
        exact = f"json_extract(line, {string(path)})"
        entries = "map_entries(TRY_CAST(line AS MAP(VARCHAR, JSON)))"
        alike = f"list_filter({entries}, lambda e: lower(e.key) = {string(key.lower())})[1].value"
        parts.append(_json_value(f"coalesce({exact}, {alike})", kind))
    return _selected(parts, source, numbers)


def _json_value(sql: str, kind: Type) -> str:
    if kind.name in ("varchar", "char"):
        return f"json_extract_string({sql}, '$')"
    return f"TRY_CAST({sql} AS {duckdb_type(kind)})"


def _parquet(table: Table, files: str, numbers: Sequence[int]) -> str:
    source = f"read_parquet({files}, union_by_name=true)"
    return _selected([quoted(table.columns[n][0]) for n in numbers], source, numbers)


_READERS: dict[str, Callable[[Table, str, Sequence[int]], str]] = {
    LAZY_SIMPLE: _lazy_simple,
    OPEN_CSV: _open_csv,
    REGEX: _regex,
    HIVE_JSON: _json,
    OPENX_JSON: _json,
}
