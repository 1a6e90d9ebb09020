"""CAST and TRY_CAST with Trino's meaning, and implicit casts (coercions)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types, zones
from labkit.sandbox.athena.dialect import json_casts, literals
from labkit.sandbox.athena.dialect.operators import number, string
from labkit.sandbox.athena.dialect.scope import Value, place, positioned
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.text import place_in
from labkit.sandbox.athena.types import INTEGERS, JSON, NUMBERS, UNKNOWN, VARCHAR, Type, duckdb_type, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.athena.dialect.compiling import Expressions

_TEXTS = ("varchar", "char")
_TIMES = ("date", "timestamp", "timestamp with time zone")
_INTEGER_NAMES = {"tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INT", "bigint": "BIGINT"}
_READ_FROM_TEXT = {
    "boolean": "trino_boolean",
    "date": "trino_date",
    "ipaddress": "trino_ipaddress",
    "ipprefix": "trino_ipprefix",
    "timestamp": "trino_timestamp",
    "timestamp with time zone": "trino_timestamp_tz",
    "varbinary": "encode",
}
# Trino's table: DuckDB casts far more (a text to an array, say), all of which must be an error.
_CASTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(NUMBERS, (*NUMBERS, "boolean", *_TEXTS, "json")),
    "boolean": (*NUMBERS, "boolean", *_TEXTS, "json"),
    "varchar": (
        *NUMBERS,
        "boolean",
        *_TEXTS,
        *_TIMES,
        "time",
        "time with time zone",
        "json",
        "ipaddress",
        "ipprefix",
        "uuid",
        "varbinary",
    ),
    "char": (*_TEXTS, *NUMBERS),
    "varbinary": ("varbinary", "uuid", "ipaddress"),
    "date": (*_TIMES, *_TEXTS, "json"),
    "timestamp": (*_TIMES, "time", *_TEXTS, "json"),
    "timestamp with time zone": (*_TIMES, "time", *_TEXTS),
    "time": ("time", "timestamp", *_TEXTS),
    "time with time zone": ("time", "time with time zone", *_TEXTS),
    "interval day to second": ("interval day to second", *_TEXTS),
    "interval year to month": ("interval year to month", *_TEXTS),
    "json": (*NUMBERS, "boolean", *_TEXTS, "array", "map", "row", "json"),
    "array": ("array", "json"),
    "map": ("map", "json"),
    "row": ("row", "json"),
    "ipaddress": ("ipaddress", "ipprefix", "varbinary", *_TEXTS),
    "ipprefix": ("ipprefix", "ipaddress", *_TEXTS),
    "uuid": ("uuid", "varbinary", *_TEXTS),
}

_ADDRESSES = {
    ("ipaddress", "ipprefix"): "trino_network({0}, trino_width({0}))",
    ("ipprefix", "ipaddress"): "{0}.network",
    ("ipaddress", "varbinary"): "trino_address_bytes({0})",
    ("varbinary", "ipaddress"): "trino_ipaddress(python_address_of({0}))",
    ("uuid", "varbinary"): "unhex(replace(CAST({0} AS VARCHAR), '-', ''))",
    ("varbinary", "uuid"): "CAST(hex({0}) AS UUID)",
}


def data_type(node: Any, where: Callable[[Any], str] = place) -> Type:
    """Return the type that a CAST names; raise TYPE_NOT_FOUND with the place that `where` finds."""
    written = node.sql(dialect="trino")
    try:
        if any(part.this == exp.DType.USERDEFINED for part in node.find_all(exp.DataType)):
            raise ValueError(f"unknown type: {written}")
        kind = parse_type(written)
    except ValueError:
        raise QueryError("TYPE_NOT_FOUND", f"{where(node)}: Unknown type: {written.lower()}") from None
    # DECIMAL without digits is decimal(38,0) in Trino and DECIMAL(18,3) in DuckDB.
    return kind if kind.name != "decimal" or node.expressions else types.decimal(38, 0)


def coerce(value: Value, kind: Type) -> Value:
    """Return a value as a type that it is implicitly cast to."""
    # Between varchars no cast at all: an implicit one never cuts, and a literal must stay recognizable as one.
    if value.type == kind or kind == UNKNOWN or value.type.name == kind.name == "varchar":
        return Value(value.sql, kind if kind != UNKNOWN else value.type, value.literal)
    return convert(value, kind, safe=False)


def convert(value: Value, kind: Type, *, safe: bool) -> Value:
    """Cast a value to another type; a value that doesn't fit is an error at run time, or NULL if `safe`."""
    given = value.type
    if given == UNKNOWN:
        return Value(f"CAST({value.sql} AS {duckdb_type(kind)})", kind)
    sql = _converted(value.sql, given, kind)
    if safe:
        # TRY, not TRY_CAST: the SQL is macros and several casts, and an error in any of them has to become NULL.
        sql = f"try({sql})"
    return Value(sql, kind)


def castable(given: Type, wanted: Type) -> bool:
    """Tell whether Trino casts one type to the other."""
    if given == UNKNOWN:
        return True
    if wanted.name not in _CASTS.get(given.name, ()):
        return False
    if wanted == JSON and given.items:
        keys = given.name != "map" or given.items[0].name in (*NUMBERS, "boolean", "varchar")
        return keys and all(castable(item, JSON) for item in given.items)
    if given.name == wanted.name and given.items:
        return len(given.items) == len(wanted.items) and all(map(castable, given.items, wanted.items))
    return True


def _converted(sql: str, given: Type, kind: Type) -> str:
    target = duckdb_type(kind)
    if kind.name in _TEXTS:
        text = as_text(sql, given)
        if kind.name == "char":
            return f"rpad({text}, {kind.parameters[0]}, ' ')"
        # CAST('abcdef' AS varchar(3)) cuts, but CAST(123456 AS varchar(3)) is an error in Trino.
        if kind.parameters and given.name not in _TEXTS:
            return f"trino_fit({text}, {kind.parameters[0]})"
        return f"left({text}, {kind.parameters[0]})" if kind.parameters else text
    if kind == JSON:
        return json_casts.as_json(sql, given, as_text)
    if given == JSON:
        return json_casts.from_json(sql, kind, _converted)
    if given.name in ("array", "map", "row"):
        return _nested(sql, given, kind)
    if given.name in _TEXTS:
        return _from_text(sql, kind)
    # DuckDB's CAST(2.5 AS INTEGER) rounds half to even (2), Trino's half up (3); round() goes half away from zero.
    if kind.name in INTEGERS and given.name in ("double", "real", "decimal"):
        return f"CAST(round({sql}) AS {target})"
    if kind.name in ("time", "timestamp", "timestamp with time zone") and given.name in types.CLOCKS:
        moved = _time(sql, given, kind) or f"CAST({sql} AS {target})"
        return _to_digits(moved, kind) if kind.digits < given.digits else moved
    return _time(sql, given, kind) or _address(sql, given, kind) or f"CAST({sql} AS {target})"


def as_text(sql: str, given: Type) -> str:
    """Return the SQL of the text that Trino's CAST(... AS varchar) makes of a value."""
    match given.name:
        case "varchar" | "char":
            return sql
        case "timestamp" | "time":
            return clock_text(sql, given)
        case "timestamp with time zone":
            # DuckDB would print every instant in the session's zone; in Trino each value carries its own.
            return f"({clock_text(zones.local(sql, given.zone), given)} || ' {given.zone}')"
        case "time with time zone":
            clock = clock_text(f"CAST({sql} AS TIME)", replace(types.TIME, digits=given.digits))
            return f"({clock} || trino_offset_of({sql}))"
        case "double":
            return f"trino_double_text({sql})"
        case "real":
            # Through text: a REAL 0.1 cast to DOUBLE is 0.10000000149011612, and would be printed so.
            return f"trino_double_text(CAST(CAST({sql} AS VARCHAR) AS DOUBLE))"
        case "json":
            return f"trino_json_text({sql})"
        case "ipaddress":
            return f"trino_ipaddress_text({sql})"
        case "ipprefix":
            return f"(trino_ipaddress_text({sql}.network) || '/' || {sql}.bits)"
        case "interval day to second":
            return f"trino_interval_text({sql})"
        case "interval year to month":
            return f"trino_months_text({sql})"
    return f"CAST({sql} AS VARCHAR)"


def clock_text(sql: str, kind: Type, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Write a time or timestamp of DuckDB's with as many digits of a second as its type has."""
    if kind.name == "time":
        # strftime takes no TIME.
        sql, pattern = f"(DATE '1970-01-01' + {sql})", "%H:%M:%S"
    # DuckDB has %g for milliseconds and %f for microseconds; other precisions are cut from these or padded.
    if kind.digits in (0, 3):
        return f"strftime({sql}, '{pattern}{'.%g' if kind.digits else ''}')"
    text = f"strftime({sql}, '{pattern}.%f')"
    return f"left({text}, {kind.digits - 6})" if kind.digits < 6 else f"({text} || '{'0' * (kind.digits - 6)}')"


def _to_digits(sql: str, kind: Type) -> str:
    """Round the seconds of a time or timestamp to the digits of its type."""
    if kind.digits >= 6:
        return sql
    step = 10 ** (6 - kind.digits)
    if kind.name == "time":
        # Modulo a day: 23:59:59.9996 rounds up to midnight, 00:00:00.
        micros = f"(CAST(round(epoch_us({sql}) / {step}.0) AS BIGINT) * {step}) % 86400000000"
        return f"CAST(make_timestamp({micros}) AS TIME)"
    rounded = f"make_timestamp(CAST(round(epoch_us({sql}) / {step}.0) AS BIGINT) * {step})"
    return f"timezone('UTC', {rounded})" if kind.name == "timestamp with time zone" else rounded


def _from_text(sql: str, kind: Type) -> str:
    if kind.name in INTEGERS:
        # DuckDB casts '1.5' to 2 and ignores blanks; in Trino both are errors.
        return f"CAST(trino_integer_text({sql}, '{_INTEGER_NAMES[kind.name]}') AS {duckdb_type(kind)})"
    if kind.name in ("double", "real"):
        return f"CAST(trino_float_text({sql}, '{kind.name.upper()}') AS {duckdb_type(kind)})"
    if kind.name == "decimal":
        return f"trino_decimal({sql}, {sql}::{duckdb_type(kind)}, '{str(kind).upper().replace(',', ', ')}')"
    if kind.name in ("time", "timestamp", "timestamp with time zone"):
        return _to_digits(f"{_READ_FROM_TEXT.get(kind.name, 'trino_time')}({sql})", kind)
    if kind.name in _READ_FROM_TEXT:
        return f"{_READ_FROM_TEXT[kind.name]}({sql})"
    return f"CAST({sql} AS {duckdb_type(kind)})"


def _time(sql: str, given: Type, kind: Type) -> str:
    if given.name == "timestamp with time zone" and kind.name in ("date", "timestamp", "time"):
        return f"CAST({zones.local(sql, given.zone)} AS {duckdb_type(kind)})"
    # The session's zone, which is UTC in Athena.
    if kind.name == "timestamp with time zone" and given.name in ("date", "timestamp"):
        return zones.instant(f"CAST({sql} AS TIMESTAMP)", "UTC")
    return ""


def _address(sql: str, given: Type, kind: Type) -> str:
    return _ADDRESSES.get((given.name, kind.name), "").format(sql)


def _nested(sql: str, given: Type, kind: Type) -> str:
    """Cast arrays, maps and rows item by item: DuckDB matches the fields of rows by name, Trino by position."""
    if given.name == "array":
        return f"list_transform({sql}, lambda each: {_converted('each', given.items[0], kind.items[0])})"
    if given.name == "map":
        keys = f"list_transform(map_keys({sql}), lambda each: {_converted('each', given.items[0], kind.items[0])})"
        values = f"list_transform(map_values({sql}), lambda each: {_converted('each', given.items[1], kind.items[1])})"
        return f"map({keys}, {values})"
    fields = (
        f"{types.quoted(types.field_key(kind, n))} := "
        + _converted(f"{sql}.{types.quoted(types.field_key(given, n))}", given.items[n], kind.items[n])
        for n in range(len(kind.items))
    )
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(fields)}) END"


def _literal(compiler: Expressions, node: Any) -> Value | None:
    """Compile `DECIMAL '1.50'`, `DATE '...'` and the like, typed by the digits of their text; None for a real CAST."""
    if not isinstance(node.this, exp.Literal) or not node.this.is_string:
        return None
    # sqlglot makes the same node of DATE '...' and CAST('...' AS date): only the text before the string tells.
    before = compiler.queries.text[: node.this.meta.get("start", 0)].rstrip().lower()
    word = next((word for word in ("decimal", "date", "timestamp", "time", "char") if before.endswith(word)), "")
    if not word:
        return None
    text, name = str(node.this.this), data_type(node.to).name
    if word == "decimal":
        return _decimal(text, place_in(compiler.queries.text, len(before) - len(word)))
    if word == "char" and name == "char":
        return Value(string(text), Type("char", (len(text),)), text)
    if name in ("date", *types.CLOCKS):
        where = place_in(compiler.queries.text, len(before) - len(word))
        return literals.temporal(text, data_type(node.to), where)
    return None


def _decimal(text: str, where: str) -> Value:
    found = re.fullmatch(r"([+-]?)(\d+\.?\d*|\.\d+)", text)
    if not found:
        raise QueryError("INVALID_LITERAL", f"{where}: '{text}' is not a valid DECIMAL literal")
    value = number(found[2] if "." in found[2] else found[2] + ".")
    return Value(f"(-{value.sql})", value.type) if found[1] == "-" else value


def _cast(compiler: Expressions, node: Any) -> Value:
    literal = _literal(compiler, node) if not isinstance(node, exp.TryCast) else None
    if literal:
        return literal
    value, kind = compiler.value(node.this), data_type(node.to, lambda _: _cast_place(compiler, node))
    if not castable(value.type, kind):
        raise QueryError("TYPE_MISMATCH", f"{_cast_place(compiler, node)}: Cannot cast {value.type} to {kind}")
    # A literal's zone is known now and goes into the type; a column's would differ from row to row (not supported).
    moment = literals.moment(value.literal) if isinstance(value.literal, str) else None
    if kind.name == "timestamp with time zone" and moment:
        zoned = literals.zoned(moment, kind.digits)
        return Value(_to_digits(zoned.sql, kind), zoned.type)
    result = convert(value, kind, safe=isinstance(node, exp.TryCast))
    return Value(result.sql, result.type, value.literal if isinstance(value.literal, str) else None)


def _cast_place(compiler: Expressions, node: Any) -> str:
    """Return the place of the word CAST, which is what Trino's errors point at."""
    within, inner = 0, node.this
    # sqlglot gives CAST no position: it is looked for backwards from the operand, past the casts nested in it.
    while isinstance(inner, exp.Cast) and (isinstance(inner, exp.TryCast) or not _literal(compiler, inner)):
        within, inner = within + 1, inner.this
    text = compiler.queries.text
    start = min((part.meta["start"] for part in positioned(node)), default=0)
    words = list(re.finditer(r"\b(?:TRY_)?CAST\s*\(", text[:start], re.IGNORECASE))
    if len(words) <= within:
        return place(node)
    return place_in(text, words[-1 - within].start())


def _json_literal(compiler: Expressions, node: Any) -> Value:
    value = compiler.value(node.this)
    if value.type.name != "varchar":
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot cast {value.type} to {VARCHAR}")
    return Value(f"trino_json_parse({value.sql})", JSON)


NODES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.ParseJSON: _json_literal,
}
