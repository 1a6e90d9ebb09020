"""CAST and TRY_CAST with Trino's meaning, and the casts that need no asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect.operators import number
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.types import INTEGERS, JSON, NUMBERS, UNKNOWN, VARCHAR, Type, duckdb_type, parse_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler

_TEXTS = ("varchar", "char")
_TIMES = ("date", "timestamp", "timestamp with time zone")
_INTEGER_NAMES = {"tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INT", "bigint": "BIGINT"}
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
    "json": (*NUMBERS, "boolean", *_TEXTS, "array", "map", "row", "json", "date", "timestamp"),
    "array": ("array", "json"),
    "map": ("map", "json"),
    "row": ("row", "json"),
    "ipaddress": ("ipaddress", "ipprefix", "varbinary", *_TEXTS),
    "ipprefix": ("ipprefix", "ipaddress", *_TEXTS),
    "uuid": ("uuid", "varbinary", *_TEXTS),
}


def data_type(node: Any) -> Type:
    """The type that a CAST names; raises TYPE_NOT_FOUND."""
    try:
        kind = parse_type(node.sql(dialect="trino"))
        return kind if kind.name != "decimal" or node.expressions else types.decimal(38, 0)
    except ValueError:
        raise QueryError(
            "TYPE_NOT_FOUND", f"{place(node)}: Unknown type: {node.sql(dialect='trino').lower()}"
        ) from None


def coerce(value: Value, kind: Type) -> Value:
    """A value as a type that it is taken for without being asked."""
    if value.type == kind or kind == UNKNOWN or (value.type.name == kind.name and kind.name in _TEXTS):
        return Value(value.sql, kind if kind != UNKNOWN else value.type, value.literal)
    if value.type == UNKNOWN:
        return Value(f"CAST({value.sql} AS {duckdb_type(kind)})", kind)
    return convert(value, kind, safe=False)


def convert(value: Value, kind: Type, *, safe: bool) -> Value:
    """A value as another type; where it can't be, an error, or NULL if `safe`."""
    given = value.type
    if given == UNKNOWN:
        return Value(f"CAST({value.sql} AS {duckdb_type(kind)})", kind)
    sql = _converted(value.sql, given, kind)
    if safe:
        sql = f"try({sql})"
    return Value(sql, kind)


def castable(given: Type, wanted: Type) -> bool:
    """Whether Trino casts one type to the other."""
    if given == UNKNOWN:
        return True
    if wanted.name not in _CASTS.get(given.name, ()):
        return False
    if given.name == wanted.name and given.items:
        return len(given.items) == len(wanted.items) and all(map(castable, given.items, wanted.items))
    return True


def _converted(sql: str, given: Type, kind: Type) -> str:
    target = duckdb_type(kind)
    if kind.name in _TEXTS:
        text = _as_text(sql, given)
        return f"left({text}, {kind.parameters[0]})" if kind.parameters else text
    if kind == JSON:
        return _as_json(sql, given)
    if given == JSON:
        return f"CAST({sql} AS {target})"
    if given.name in ("array", "map", "row"):
        return _nested(sql, given, kind)
    if given.name in _TEXTS:
        return _from_text(sql, kind)
    if kind.name in INTEGERS and given.name in ("double", "real", "decimal"):
        return f"CAST(round({sql}) AS {target})"
    return _time(sql, given, kind) or _address(sql, given, kind) or f"CAST({sql} AS {target})"


def _as_text(sql: str, given: Type) -> str:
    match given.name:
        case "varchar" | "char":
            return sql
        case "timestamp":
            return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.%g')"
        case "timestamp with time zone":
            return f"(strftime(timezone('{given.zone}', {sql}), '%Y-%m-%d %H:%M:%S.%g') || ' {given.zone}')"
        case "double" | "real":
            return f"trino_double_text({sql})"
        case "json":
            return f"trino_json_text({sql})"
        case "ipaddress":
            return f"trino_ipaddress_text({sql})"
        case "ipprefix":
            return f"(trino_ipaddress_text({sql}.network) || '/' || {sql}.bits)"
        case "interval day to second":
            return f"trino_interval_text({sql})"
    return f"CAST({sql} AS VARCHAR)"


def _as_json(sql: str, given: Type) -> str:
    if given == JSON:
        return sql
    if given.name in ("timestamp", "timestamp with time zone", "date"):
        return f"to_json({_as_text(sql, given)})"
    return f"to_json({sql})"


def _from_text(sql: str, kind: Type) -> str:
    if kind.name in INTEGERS:
        return f"CAST(trino_integer_text({sql}, '{_INTEGER_NAMES[kind.name]}') AS {duckdb_type(kind)})"
    match kind.name:
        case "ipaddress":
            return f"trino_ipaddress({sql})"
        case "ipprefix":
            return f"trino_ipprefix({sql})"
        case "timestamp with time zone":
            return f"CAST({sql} AS TIMESTAMPTZ)"
    return f"CAST({sql} AS {duckdb_type(kind)})"


def _time(sql: str, given: Type, kind: Type) -> str:
    if given.name == "timestamp with time zone" and kind.name in ("date", "timestamp", "time"):
        return f"CAST(timezone('{given.zone}', {sql}) AS {duckdb_type(kind)})"
    if kind.name == "timestamp with time zone" and given.name in ("date", "timestamp"):
        return f"timezone('{kind.zone}', CAST({sql} AS TIMESTAMP))"
    return ""


def _address(sql: str, given: Type, kind: Type) -> str:
    if given.name == "ipaddress" and kind.name == "ipprefix":
        return f"trino_network({sql}, CASE WHEN {sql} >> 32 = 65535 THEN 32 ELSE 128 END)"
    if given.name == "ipprefix" and kind.name == "ipaddress":
        return f"{sql}.network"
    return ""


def _nested(sql: str, given: Type, kind: Type) -> str:
    """Arrays, maps and rows go item by item: DuckDB matches the fields of rows by name, Trino by place."""
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


def _is_decimal_literal(compiler: ExpressionCompiler, node: Any) -> bool:
    """Whether it was written `DECIMAL '1.50'`, which has the digits of its text, and not as a CAST."""
    start = node.this.meta.get("start", 0) if isinstance(node.this, exp.Literal) else 0
    return compiler.queries.text[:start].rstrip().lower().endswith("decimal")


def _cast(compiler: ExpressionCompiler, node: Any) -> Value:
    if node.to.is_type("decimal") and not node.to.expressions and _is_decimal_literal(compiler, node):
        return number(node.this.this if "." in node.this.this else node.this.this + ".")
    value, kind = compiler.value(node.this), data_type(node.to)
    if not castable(value.type, kind):
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot cast {value.type} to {kind}")
    result = convert(value, kind, safe=isinstance(node, exp.TryCast))
    return Value(result.sql, result.type, value.literal if isinstance(value.literal, str) else None)


def _json_literal(compiler: ExpressionCompiler, node: Any) -> Value:
    value = compiler.value(node.this)
    if value.type.name != "varchar":
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot cast {value.type} to {VARCHAR}")
    return Value(f"CAST({value.sql} AS JSON)", JSON)


NODES: dict[type[exp.Expr], Callable[[ExpressionCompiler, Any], Value]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.ParseJSON: _json_literal,
}
