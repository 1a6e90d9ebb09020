"""Dates and times: the moment of the query, time zones, intervals, units, and the two languages of format strings.

The clock is the sandbox's: `now()` is written into the SQL, DuckDB's own clock is never asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from labkit.sandbox.athena.dialect import calls
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import (
    BIGINT,
    DATE,
    DAY_TO_SECOND,
    TIME,
    TIMESTAMP,
    TIMESTAMP_TZ,
    VARCHAR,
    YEAR_TO_MONTH,
    Type,
)

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_DAY_UNITS = ("day", "week", "month", "quarter", "year")
_STEPS = {
    "millisecond": "to_milliseconds({})",
    "second": "to_seconds({})",
    "minute": "to_minutes({})",
    "hour": "to_hours({})",
    "day": "to_days({})",
    "week": "to_weeks({})",
    "month": "to_months({})",
    "quarter": "to_months(3 * {})",
    "year": "to_years({})",
}
_EXTRACTED = {"dow": "day_of_week", "doy": "day_of_year", "yow": "year_of_week", "timezone_hour": "timezone_hour"}
_MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
_JODA = {
    "y": {1: "%-Y", 2: "%y", 4: "%Y"}, "Y": {2: "%y", 4: "%Y"}, "x": {4: "%G"},
    "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"},
    "d": {1: "%-d", 2: "%d"}, "D": {1: "%-j", 3: "%j"}, "H": {1: "%-H", 2: "%H"}, "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"}, "s": {1: "%-S", 2: "%S"}, "S": {3: "%g", 6: "%f"},
    "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"},
    "e": {1: "%u"}, "a": {1: "%p"}, "w": {2: "%V"},
}  # fmt: skip


_JODA_PART = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|([^A-Za-z'])")


def mysql_format(text: str, where: str) -> str:
    """A format of `date_format` and `date_parse` as strftime writes it.

    >>> mysql_format("%Y-%m-%d %H:%i", "")
    '%Y-%m-%d %H:%M'
    """

    def translated(found: re.Match[str]) -> str:
        if found[1] not in _MYSQL:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"%{found[1]} not supported in date format string")
        return _MYSQL[found[1]]

    return re.sub(r"%(.)", translated, text)


def joda_format(text: str, where: str) -> str:
    """A format of `format_datetime` and `parse_datetime` as strftime writes it.

    >>> joda_format("yyyy-MM-dd'T'HH:mm:ss.SSS", "")
    '%Y-%m-%dT%H:%M:%S.%g'
    """

    return _JODA_PART.sub(_joda(where), text)


def _joda(where: str) -> Callable[[re.Match[str]], str]:
    def translated(found: re.Match[str]) -> str:
        quoted_text, letters, _, other = found.groups()
        if quoted_text is not None:
            return quoted_text.replace("''", "'").replace("%", "%%") or "'"
        if other is not None:
            return other.replace("%", "%%")
        if letters[0] == "Z":
            return "%z"
        if len(letters) not in _JODA.get(letters[0], {}):
            raise not_supported(f"{where}: {letters} in a date format")
        return _JODA[letters[0]][len(letters)]

    return translated


def _moment(compiler: ExpressionCompiler, kind: Type) -> Value:
    text = compiler.now.strftime("%Y-%m-%d %H:%M:%S.") + f"{compiler.now.microsecond // 1000:03}"
    if kind == TIMESTAMP_TZ:
        return Value(f"'{text}+00'::TIMESTAMPTZ", kind)
    if kind == DATE:
        return Value(f"'{text[:10]}'::DATE", kind)
    if kind == TIME:
        return Value(f"'{text[11:]}'::TIME", kind)
    return Value(f"'{text}'::TIMESTAMP", kind)


def _current(kind: Type) -> Callable[[ExpressionCompiler, Any], Value]:
    return lambda compiler, node: _moment(compiler, kind)


def _now(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    return _moment(compiler, TIMESTAMP_TZ)


def _current_timezone(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    return Value("'UTC'", VARCHAR, "UTC")


def _interval(compiler: ExpressionCompiler, node: Any) -> Value:
    unit = str(node.args["unit"].name if node.args.get("unit") else "day").lower().removesuffix("s")
    amount = node.this.this if isinstance(node.this, exp.Literal) else None
    if unit not in _STEPS or amount is None or not re.fullmatch(r"[+-]?\d+(\.\d+)?", str(amount)):
        raise not_supported(f"{place(node)}: {compiler.text(node)}")
    kind = YEAR_TO_MONTH if unit in ("month", "year") else DAY_TO_SECOND
    number = amount if unit == "second" else str(int(amount))
    return Value(f"{_STEPS[unit].format(f'({number})')}", kind)


def _zone(compiler: ExpressionCompiler, node: exp.Expr) -> str:
    name = compiler.value(node).literal
    if not isinstance(name, str):
        raise not_supported(f"{place(node)}: a time zone that is not written out")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if not re.fullmatch(r"[+-]\d\d:\d\d", name):
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid time zone") from None
    return name


def at_timezone(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    """The same instant shown in another zone: the zone goes with the type, DuckDB keeps the instant."""
    value, zone = compiler.value(arguments[0]), _zone(compiler, arguments[1])
    if value.type.name not in ("timestamp", "timestamp with time zone"):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{place(node)}: Type of value must be a time or timestamp with or without time zone (actual {value.type})",
        )
    return Value(compiler.cast(value, TIMESTAMP_TZ).sql, replace(TIMESTAMP_TZ, zone=zone))


def _at_time_zone(compiler: ExpressionCompiler, node: Any) -> Value:
    return at_timezone(compiler, node, [node.this, node.args["zone"]])


def _with_timezone(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    value, zone = compiler.value(arguments[0]), _zone(compiler, arguments[1])
    return Value(f"timezone('{zone}', {compiler.cast(value, TIMESTAMP).sql})", replace(TIMESTAMP_TZ, zone=zone))


def _from_unixtime(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    result = calls.invoke(compiler, node, "from_unixtime", arguments[:1])
    if len(arguments) == 1:
        return result
    if len(arguments) != 2:
        raise not_supported(f"{place(node)}: from_unixtime with hours and minutes")
    return Value(result.sql, replace(result.type, zone=_zone(compiler, arguments[1])))


def _unit(compiler: ExpressionCompiler, node: exp.Expr, kind: Type) -> str:
    unit = compiler.value(node).literal
    if not isinstance(unit, str):
        raise not_supported(f"{place(node)}: a unit that is not written out")
    unit = unit.lower()
    if unit not in _UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {_of(kind)} field")
    if kind == DATE and unit not in _DAY_UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field")
    return unit


def _of(kind: Type) -> str:
    return "DATE" if kind == DATE else "TIMESTAMP"


def _times(compiler: ExpressionCompiler, node: Any, name: str, arguments: calls.Arguments) -> list[Value]:
    values = [compiler.value(each) for each in arguments]
    for value in values:
        if value.type.name not in ("date", "timestamp", "timestamp with time zone"):
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"{place(node)}: Unexpected parameters ({', '.join(str(each.type) for each in values)}) for"
                f" function {name}."
                f" Expected: {name}(varchar(x), date), {name}(varchar(x), timestamp(p)),"
                f" {name}(varchar(x), timestamp(p) with time zone)",
            )
    return values


def _in_zone(value: Value, local_sql: str) -> Value:
    """What was worked out on the clock of a value's zone, as the value's own type again."""
    if value.type == DATE:
        return Value(f"CAST({local_sql} AS DATE)", DATE)
    if value.type == TIMESTAMP_TZ:
        return Value(f"timezone('{value.type.zone}', {local_sql})", value.type)
    return Value(local_sql, value.type)


def _date_trunc(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "date_trunc", arguments[1:])
    unit = _unit(compiler, arguments[0], value.type)
    return _in_zone(value, f"date_trunc('{unit}', {calls.on_the_clock(value)})")


def _date_add(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "date_add", arguments[2:])
    unit = _unit(compiler, arguments[0], value.type)
    amount = compiler.cast(compiler.value(arguments[1]), BIGINT).sql
    step = _STEPS[unit].format(f"CAST({amount} AS INTEGER)")
    return _in_zone(value, f"({calls.on_the_clock(value)} + {step})")


def _date_diff(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
    start, end = _times(compiler, node, "date_diff", arguments[1:])
    unit = _unit(compiler, arguments[0], start.type)
    return Value(f"date_sub('{unit}', {calls.on_the_clock(start)}, {calls.on_the_clock(end)})", BIGINT)


def _formatted(translate: Callable[[str, str], str]) -> calls.Special:
    def compiled(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
        (value,) = _times(compiler, node, node.name.lower(), arguments[:1])
        pattern = _pattern(compiler, arguments[1], translate)
        return Value(f"strftime({calls.on_the_clock(value)}, {pattern})", VARCHAR)

    return compiled


def _parsed(translate: Callable[[str, str], str], kind: Type) -> calls.Special:
    def compiled(compiler: ExpressionCompiler, node: Any, arguments: calls.Arguments) -> Value:
        value = compiler.cast(compiler.value(arguments[0]), VARCHAR)
        sql = f"strptime({value.sql}, {_pattern(compiler, arguments[1], translate)})"
        return Value(f"timezone('UTC', CAST({sql} AS TIMESTAMP))" if kind == TIMESTAMP_TZ else sql, kind)

    return compiled


def _pattern(compiler: ExpressionCompiler, node: exp.Expr, translate: Callable[[str, str], str]) -> str:
    pattern = compiler.value(node).literal
    if not isinstance(pattern, str):
        raise not_supported(f"{place(node)}: a date format that is not written out")
    return string(translate(pattern, place(node)))


def _extract(compiler: ExpressionCompiler, node: Any) -> Value:
    field = node.this.name.lower()
    return calls.invoke(compiler, node, _EXTRACTED.get(field, field), [node.expression])


calls.SPECIAL.update(
    {
        "at_timezone": at_timezone,
        "current_timezone": _current_timezone,
        "date_add": _date_add,
        "date_diff": _date_diff,
        "date_format": _formatted(mysql_format),
        "date_parse": _parsed(mysql_format, TIMESTAMP),
        "date_trunc": _date_trunc,
        "format_datetime": _formatted(joda_format),
        "from_unixtime": _from_unixtime,
        "now": _now,
        "parse_datetime": _parsed(joda_format, TIMESTAMP_TZ),
        "with_timezone": _with_timezone,
    }
)

NODES: dict[type[exp.Expr], Callable[[ExpressionCompiler, Any], Value]] = {
    exp.AtTimeZone: _at_time_zone,
    exp.CurrentDate: _current(DATE),
    exp.CurrentTime: _current(TIME),
    exp.CurrentTimestamp: _current(TIMESTAMP_TZ),
    exp.Localtime: _current(TIME),
    exp.Localtimestamp: _current(TIMESTAMP),
    exp.Interval: _interval,
    exp.Extract: _extract,
}
