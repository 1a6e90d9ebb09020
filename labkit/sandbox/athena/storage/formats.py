"""Turns the lines of an object into columns: one reader for each SerDe.

https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.dialect.date_formats import joda_format
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.storage import fields
from labkit.sandbox.athena.storage.lazy import Delimiters, fitted, lazy_value, split_escaped
from labkit.sandbox.athena.types import INTEGERS, Type, duckdb_type, field_key, quoted

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
    """The number of header lines to skip in each object."""
    reader: Callable[[Sequence[int]], Reader]
    """A reader of the columns of some numbers, for text."""


def reading(table: Table) -> Reading:
    """Return how a table is read; raise NOT_SUPPORTED for a SerDe or property that the sandbox doesn't support."""
    input_format = str(table.storage.get("InputFormat") or "")
    serde = table.serde or LAZY_SIMPLE
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("Iceberg tables")
    if "parquet" in input_format.lower():
        serde = PARQUET
    if serde != PARQUET and serde not in _READERS:
        raise not_supported(f"the SerDe {serde}")
    options = [*sorted(table.serde_parameters.items()), _takes_null_for_invalid(table)]
    kinds = [str(kind) if serde not in (HIVE_JSON, OPENX_JSON) else f"{name} {kind}" for name, kind in table.columns]
    skipped = _lines_of(table, "skip.header.line.count")
    if _lines_of(table, "skip.footer.line.count"):
        raise not_supported("the table property skip.footer.line.count")
    key = repr((serde, options, skipped, kinds))
    return Reading(key, serde == PARQUET, skipped, lambda numbers: _READERS[serde](table, numbers))


def _lines_of(table: Table, name: str) -> int:
    value = table.parameters.get(name) or "0"
    if not value.strip().isdigit():
        raise QueryError("HIVE_INVALID_METADATA", f"Invalid value for '{name}' property: {value}")
    return int(value)


def _converted(cursor: duckdb.DuckDBPyConnection, texts: pa.Table, values: Sequence[str], source: str) -> pa.Table:
    """What DuckDB makes of the texts of a block, named `block` in the source."""
    cursor.register("block", texts)
    try:
        return cursor.execute(f"SELECT {', '.join(values)} FROM {source}").to_arrow_table()
    finally:
        cursor.unregister("block")


def _lazy_simple(table: Table, numbers: Sequence[int]) -> Reader:
    """Read fields between delimiters; a field that is missing or can't be read as its column's type is NULL."""
    parameters = table.serde_parameters
    delimiters = Delimiters.of(parameters)
    delimiter, delimiters = delimiters.levels[0], delimiters.inner
    kinds = {n: table.columns[n][1] for n in numbers}
    values = [
        f"{_also_as_formatted(lazy_value(f'c{n}', kind, delimiters), f'c{n}', kind, parameters)} AS c{n}"
        for n, kind in kinds.items()
    ]
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
    """Quoted fields; a field that is not of its column's type fails the query, or is NULL if the table says so.

    https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
    """
    parameters = table.serde_parameters
    separator, quote, escape = (
        parameters.get(name, default)[:1]
        for name, default in (("separatorChar", ","), ("quoteChar", '"'), ("escapeChar", "\\"))
    )
    values = [f"{_from_csv(f'c{n}', table.columns[n][1])} AS c{n}" for n in numbers]
    is_strict = not _takes_null_for_invalid(table)

    def read(block: bytes, cursor: duckdb.DuckDBPyConnection) -> pa.Table:
        texts = fields.quoted(block, separator, quote, escape, numbers)
        found = _converted(cursor, texts, values, "block")
        for number in numbers if is_strict else ():
            _check_read(number, texts[f"c{number}"], found[f"c{number}"])
        return found

    return read


def _takes_null_for_invalid(table: Table) -> bool:
    return table.parameters.get("use.null.for.invalid.data", "").lower() == "true"


def _from_csv(sql: str, kind: Type) -> str:
    """The value of a field, NULL if it has none. Dates are days since 1970, timestamps milliseconds."""
    if kind.name in ("varchar", "char"):
        return fitted(sql, kind)
    whole = f"CASE WHEN regexp_full_match({sql}, '[+-]?\\d+') THEN TRY_CAST({sql} AS BIGINT) END"
    if kind.name == "date":
        return f"('1970-01-01'::DATE + TRY_CAST({whole} AS INTEGER))"
    if kind.name == "timestamp":
        return f"make_timestamp({whole} * 1000)"
    return f"TRY_CAST({whole if kind.name in INTEGERS else sql} AS {duckdb_type(kind)})"


def _check_read(number: int, texts: pa.ChunkedArray, values: pa.ChunkedArray) -> None:
    """Raises HIVE_BAD_DATA for the first field that has a text and no value."""
    if values.null_count > texts.null_count:
        text = texts.filter(pc.and_(pc.is_valid(texts), pc.is_null(values)))[0].as_py()
        raise QueryError(
            "HIVE_BAD_DATA", f"Error parsing field value '{text}' for field {number}: For input string: \"{text}\""
        )


def _regex(table: Table, numbers: Sequence[int]) -> Reader:
    """Read the groups of a regular expression; a line that doesn't match is a row of NULLs."""
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
    """One JSON object a line; names are matched without regard to case, unless the OpenX SerDe is told otherwise.

    https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
    """
    parameters = table.serde_parameters
    is_openx = table.serde == OPENX_JSON
    keys = _Keys.of(parameters) if is_openx else _Keys()
    values = []
    for n in numbers:
        name, kind = table.columns[n]
        member = keys.member(parameters.get(f"mapping.{name}", name))
        values.append(f"{_json_value(member, kind, keys, parameters)} AS c{n}")
    values += ["line IS NULL AS unread", f"{keys.repeated if is_openx else 'NULL::VARCHAR'} AS repeated"]
    is_ignored = is_openx and parameters.get("ignore.malformed.json", "false").lower() == "true"

    def read(block: bytes, cursor: duckdb.DuckDBPyConnection) -> pa.Table:
        texts = fields.lines(block)
        found = _converted(cursor, texts, values, keys.lines)
        if not is_ignored:
            _check_json(texts["line"], found, is_openx)
        return found.select([f"c{n}" for n in numbers])

    return read


@dataclass(frozen=True)
class _Keys:
    """How a JSON SerDe compares the keys of a line with the names of columns."""

    folds_case: bool = True
    replaces_dots: bool = False

    @classmethod
    def of(cls, parameters: dict[str, str]) -> _Keys:
        """Those of the OpenX SerDe's properties."""
        folds_case = parameters.get("case.insensitive", "true").lower() == "true"
        return cls(folds_case, parameters.get("dots.in.keys", "false").lower() == "true")

    def compared(self, keys: str) -> str:
        """The DuckDB of a list of keys, each as it is compared."""
        key = "replace(k, '.', '_')" if self.replaces_dots else "k"
        return f"list_transform({keys}, lambda k: {f'lower({key})' if self.folds_case else key})"

    def place(self, keys: str, key: str) -> str:
        """The DuckDB of where in a list of compared keys the first is that compares as a key; NULL if none does."""
        return f"list_position({keys}, {string(key.lower() if self.folds_case else key)})"

    def member(self, key: str) -> str:
        """The DuckDB of the value that a line has under a key, or else under the first that compares as it."""
        return f"members[coalesce(list_position(written, {string(key)}), {self.place('keys', key)})]"

    @property
    def lines(self) -> str:
        """The DuckDB of a block's lines, each taken apart once for all columns."""
        parsed = "SELECT CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS line FROM block"
        apart = f"SELECT line, json_keys(line) AS written, json_extract(line, '$.*') AS members FROM ({parsed})"
        return f"(SELECT *, {self.compared('written')} AS keys FROM ({apart}))"

    @property
    def repeated(self) -> str:
        """The DuckDB of the first key that a line has twice."""
        first = "list_filter(keys, lambda k, i: list_position(keys, k) < i)[1]"
        return f"CASE WHEN list_unique(keys) < len(keys) THEN {first} END"


def _check_json(lines: pa.ChunkedArray, found: pa.Table, is_openx: bool) -> None:
    """Raises HIVE_CURSOR_ERROR for the first line that is no JSON object, or has a key twice.

    The OpenX SerDe passes over a line that begins with neither { nor [: all its columns are NULL.
    """
    for text in lines.filter(found["unread"]).to_pylist():
        if not is_openx or text.lstrip()[:1] in ("{", "["):
            raise QueryError(
                "HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - JSONException: can't read {text[:200]!r}"
            )
    for key in found["repeated"].drop_null()[:1].to_pylist():
        raise QueryError("HIVE_CURSOR_ERROR", f'Row is not a valid JSON Object - JSONException: Duplicate key "{key}"')


def _json_value(sql: str, kind: Type, keys: _Keys, parameters: dict[str, str], depth: int = 0) -> str:
    """The DuckDB of a JSON value as one of a type; keys inside it compare as those of a line do."""

    def inside(part: str, item: Type) -> str:
        return _json_value(part, item, keys, parameters, depth + 1)

    text = f"json_extract_string({sql}, '$')"
    each = f"x{depth}"
    match kind.name:
        case "varchar" | "char":
            return fitted(text, kind)
        case "row":
            names = [field_key(kind, n) for n in range(len(kind.items))]
            members = (f"{each}.members[{keys.place(f'{each}.keys', name)}]" for name in names)
            parts = (
                f"{quoted(name)} := {inside(member, item)}"
                for name, member, item in zip(names, members, kind.items, strict=True)
            )
            apart = f"struct_pack(keys := {keys.compared(f'json_keys({sql})')}, members := json_extract({sql}, '$.*'))"
            packed = f"list_transform([{apart}], lambda {each}: struct_pack({', '.join(parts)}))[1]"
            return f"CASE WHEN json_type({sql}) = 'OBJECT' THEN {packed} END"
        case "array":
            return f"list_transform(TRY_CAST({sql} AS JSON[]), lambda {each}: {inside(each, kind.items[0])})"
        case "map":
            key = f"TRY_CAST({each}.key AS {duckdb_type(kind.items[0])})"
            entry = f"struct_pack(k := {key}, v := {inside(f'{each}.value', kind.items[1])})"
            entries = f"map_entries(TRY_CAST({sql} AS MAP(VARCHAR, JSON)))"
            return f"map_from_entries(list_transform({entries}, lambda {each}: {entry}))"
    return _also_as_formatted(f"TRY_CAST({sql} AS {duckdb_type(kind)})", text, kind, parameters)


def _also_as_formatted(value: str, text: str, kind: Type, parameters: dict[str, str]) -> str:
    """A timestamp that may also be written in one of the formats that the table names.

    https://docs.aws.amazon.com/athena/latest/ug/hive-json-serde.html
    """
    listed = parameters.get("timestamp.formats", "")
    if kind.name != "timestamp" or not listed:
        return value
    patterns = ", ".join(string(joda_format(each, "timestamp.formats")) for each in listed.split(","))
    return f"coalesce({value}, CAST(try_strptime({text}, [{patterns}]) AS TIMESTAMP))"


_READERS: dict[str, Callable[[Table, Sequence[int]], Reader]] = {
    LAZY_SIMPLE: _lazy_simple,
    OPEN_CSV: _open_csv,
    REGEX: _regex,
    HIVE_JSON: _json,
    OPENX_JSON: _json,
}
