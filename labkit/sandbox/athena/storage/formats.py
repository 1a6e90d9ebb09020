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
from labkit.sandbox.athena.types import INTEGERS, Type, duckdb_type, field_key, quoted

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
    return Reading(key, serde == "parquet", lambda files, numbers: reader(table, files, numbers))


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
    null = parameters.get("serialization.null.format", r"\N")
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(table.columns)))
    source = (
        f"read_csv({files}, delim={_literal(delimiter)}, quote='', escape='', columns={{{columns}}},"
        f" skip={_skipped(table)},"
        f" nullstr={string(null)}, {_COMMON})"
    )
    depth = (
        parameters.get("collection.delim") or parameters.get("colelction.delim") or "\x02",
        parameters.get("mapkey.delim") or "\x03",
    )
    return _selected([lazy_value(f"c{n}", table.columns[n][1], depth) for n in numbers], source, numbers)


def _literal(text: str) -> str:
    return (
        "E'"
        + "".join(
            f"\\x{ord(letter):02x}" if ord(letter) < 32 else letter.replace("'", "''").replace("\\", "\\\\")
            for letter in text
        )
        + "'"
    )


def lazy_value(sql: str, kind: Type, delimiters: Sequence[str]) -> str:
    """Text as the LazySimpleSerDe reads it into a type."""
    if kind.name in ("varchar", "char"):
        return f"left({sql}, {kind.parameters[0]})" if kind.parameters else sql
    if kind.name in INTEGERS:
        whole = f"CASE WHEN contains({sql}, '.') THEN split_part({sql}, '.', 1) ELSE {sql} END"
        return f"TRY_CAST({whole} AS {duckdb_type(kind)})"
    if kind.name == "boolean":
        return f"CASE lower({sql}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind.name == "varbinary":
        return f"from_base64({sql})"
    if not kind.items:
        return f"TRY_CAST({sql} AS {duckdb_type(kind)})"
    parts, inner = f"string_split({sql}, {_literal(delimiters[0])})", delimiters[1:] or ("",)
    if kind.name == "array":
        return f"list_transform({parts}, lambda x: {lazy_value('x', kind.items[0], inner)})"
    if kind.name == "map":
        key, value = (
            lazy_value(f"split_part(x, {_literal(delimiters[1])}, {n + 1})", kind.items[n], ("",)) for n in (0, 1)
        )
        return f"map_from_entries(list_transform({parts}, lambda x: struct_pack(k := {key}, v := {value})))"
    fields = (
        f"{quoted(field_key(kind, n))} := {lazy_value(f'{parts}[{n + 1}]', item, inner)}"
        for n, item in enumerate(kind.items)
    )
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"


def _open_csv(table: Table, files: str, numbers: Sequence[int]) -> str:
    """Quoted fields; a field that is not of its column's type fails the query."""
    parameters = table.serde_parameters
    columns = ", ".join(f"'c{n}': 'VARCHAR'" for n in range(len(table.columns)))
    quote, escape = parameters.get("quoteChar", '"'), parameters.get("escapeChar", "\\")
    escape = quote if escape == "\\" else escape
    options = (
        f"delim={_literal(parameters.get('separatorChar', ','))}, quote={_literal(quote)}, escape={_literal(escape)},"
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
    return f"read_csv({files}, {_ONE_COLUMN}, max_line_size=16777216, skip={_skipped(table)}, {_COMMON})"


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
            f"CASE WHEN regexp_matches(line, {string(whole)}) THEN regexp_extract(line, {string(whole)}, {n + 1}) END",
            table.columns[n][1],
            ("",),
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
