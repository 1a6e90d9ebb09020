r"""Text as the LazySimpleSerDe reads it into a type: what can't be read is NULL, never an error.

What Athena's engine takes for a number, a date or a boolean is narrower than what DuckDB casts: `1e3`, ` 5`, `1_000`
and `0x10` are no integers, `5.9` is 5. The rules are those of Hive's LazyInteger, LazyDouble and their like, as Trino
reads text tables (lib/trino-hive-formats, encodings/text).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.types import INTEGERS, Type, duckdb_type, field_key, quoted

_INTEGER = r"[+-]?(\d+\.?\d*|\.\d*)"
_DECIMAL = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_DOUBLE = rf"[\x00-\x20]*([+-]?(?:NaN|Infinity)|(?:{_DECIMAL})[fFdD]?)[\x00-\x20]*"
_DATE = r"^\s*(\d{1,10}-\d{1,2}-\d{1,2})(?: .*)?$"
_TIMESTAMP = r"^\s*(\d{1,10}-\d{1,2}-\d{1,2}(?: \d{1,2}:\d{1,2}:\d{1,2}(?:\.\d{1,9})?)?)\s*$"
_LEVELS = tuple(map(chr, range(1, 9)))
"""What stands between columns, the parts of a value, the parts of a part and so on, where nothing else is said."""


@dataclass(frozen=True)
class Delimiters:
    """What stands between the parts of nested values, what NULL is written as, and what takes a delimiter's meaning."""

    levels: Sequence[str] = _LEVELS
    null: str = r"\N"
    escape: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Delimiters:
        """Those of a SerDe's properties; the first stands between columns. Hive misspells one of the names."""
        fields = parameters.get("field.delim") or parameters.get("serialization.format") or _LEVELS[0]
        fields = chr(int(fields)) if fields.isdigit() else fields[0]
        items = parameters.get("collection.delim") or parameters.get("colelction.delim") or _LEVELS[1]
        keys = parameters.get("mapkey.delim") or _LEVELS[2]
        null, escape = parameters.get("serialization.null.format", r"\N"), parameters.get("escape.delim", "")
        return cls((fields, items, keys, *_LEVELS[3:]), null, escape)

    @property
    def inner(self) -> Delimiters:
        """Those of the parts of a part."""
        return Delimiters(self.levels[1:] or ("",), self.null, self.escape)


def lazy_value(sql: str, kind: Type, delimiters: Delimiters) -> str:
    """The DuckDB of a text as a value of a type."""
    if kind.items:
        return _nested(sql, kind, delimiters)
    if kind.name in INTEGERS:
        return _integer(sql, duckdb_type(kind))
    match kind.name:
        case "varchar" | "char":
            return fitted(_unescaped(sql, delimiters.escape), kind)
        case "boolean":
            return f"CASE lower({sql}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case "varbinary":
            return f"coalesce(try(from_base64({sql})), encode({sql}))"
        case "double" | "real":
            number = f"rtrim(trim({sql}, trino_blanks()), 'fFdD')"
            return f"CASE WHEN regexp_full_match({sql}, '{_DOUBLE}') THEN TRY_CAST({number} AS {duckdb_type(kind)}) END"
        case "decimal":
            return f"CASE WHEN regexp_full_match({sql}, '{_DECIMAL}') THEN TRY_CAST({sql} AS {duckdb_type(kind)}) END"
        case "date":
            return f"TRY_CAST(regexp_extract({sql}, '{_DATE}', 1) AS DATE)"
        case "timestamp":
            return f"TRY_CAST(regexp_extract({sql}, '{_TIMESTAMP}', 1) AS TIMESTAMP)"
    return f"TRY_CAST({sql} AS {duckdb_type(kind)})"


def fitted(sql: str, kind: Type) -> str:
    """The DuckDB of a text, cut where its column ends: `varchar(2)` has two characters of it."""
    return f"left({sql}, {kind.parameters[0]})" if kind.parameters else sql


def literal(text: str) -> str:
    """A delimiter as a literal of DuckDB's, whatever character it is."""
    letters = (
        f"\\x{ord(letter):02x}" if ord(letter) < 32 else letter.replace("'", "''").replace("\\", "\\\\")
        for letter in text
    )
    return f"E'{''.join(letters)}'"


def _integer(sql: str, kind: str) -> str:
    """Nearly every field is written as DuckDB writes it back, which is cheaper to see than a pattern is to match."""
    plain = f"TRY_CAST({sql} AS {kind})"
    whole = f"split_part({sql}, '.', 1)"
    return (
        f"CASE WHEN CAST({plain} AS VARCHAR) = {sql} THEN {plain}"
        f" WHEN regexp_full_match({sql}, '{_INTEGER}')"
        f" THEN CASE WHEN {whole} IN ('', '+', '-') THEN 0 ELSE TRY_CAST({whole} AS {kind}) END END"
    )


def _unescaped(sql: str, escape: str) -> str:
    return f"regexp_replace({sql}, {string(_quoted(escape) + '(.)')}, '\\1', 'gs')" if escape else sql


def _quoted(letter: str) -> str:
    """A character in a regular expression, for itself."""
    return f"\\x{{{ord(letter):x}}}"


def split_escaped(line: str, delimiter: str, escape: str) -> str:
    """The fields of a line, a list, where a delimiter after the escape character is part of its field."""
    between, escaping = _quoted(delimiter), _quoted(escape)
    pattern = f"(?s){between}((?:[^{between}{escaping}]|{escaping}.|{escaping}$)*)"
    return f"regexp_extract_all({literal(delimiter)} || {line}, {string(pattern)}, 1)"


def _nested(sql: str, kind: Type, delimiters: Delimiters) -> str:
    parts, null = f"string_split({sql}, {literal(delimiters.levels[0])})", string(delimiters.null)
    if kind.name == "array":
        item = lazy_value(f"nullif(x, {null})", kind.items[0], delimiters.inner)
        return f"CASE WHEN {sql} = '' THEN [] ELSE list_transform({parts}, lambda x: {item}) END"
    if kind.name == "map":
        pair = f"string_split(x, {literal(delimiters.inner.levels[0])})"
        key, value = (
            lazy_value(f"nullif({pair}[{n + 1}], {null})", kind.items[n], delimiters.inner.inner) for n in (0, 1)
        )
        entries = f"list_transform({parts}, lambda x: struct_pack(k := {key}, v := {value}))"
        return f"CASE WHEN {sql} = '' THEN map() ELSE trino_last_of_key({entries}) END"
    fields = (
        f"{quoted(field_key(kind, n))} := " + lazy_value(f"nullif({parts}[{n + 1}], {null})", item, delimiters.inner)
        for n, item in enumerate(kind.items)
    )
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"
