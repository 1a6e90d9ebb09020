"""Dates and times: the current time, time zones, intervals and units.

The clock is the sandbox's: the value of `now()` is written into the SQL, DuckDB's own clock is never read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import zones
from labkit.sandbox.athena.dialect import calls, casts, literals
from labkit.sandbox.athena.dialect.date_formats import joda_format, joda_formatted, mysql_format
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import (
    BIGINT,
    DATE,
    DAY_TO_SECOND,
    TIME,
    TIME_TZ,
    TIMESTAMP,
    TIMESTAMP_TZ,
    VARCHAR,
    YEAR_TO_MONTH,
    Type,
)

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions

_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_DAY_UNITS = ("day", "week", "month", "quarter", "year")
_INSTANT_UNITS = _UNITS[:4]
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
_FIELDS = (*_EXTRACTED, *_UNITS[1:], "day_of_month", "day_of_week", "day_of_year", "year_of_week", "timezone_minute")
_YEAR = re.compile("%[YyG]|%-Y")


def _format_datetime(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "format_datetime", arguments[:1])
    pattern = compiler.value(arguments[1]).literal
    if value.type == TIME or not isinstance(pattern, str):
        raise not_supported(f"{place(node)}: format_datetime of a time, or with a format that is not written out")
    return Value(f"({joda_formatted(value, pattern, place(node))})", VARCHAR)


def _moment(compiler: Expressions, kind: Type) -> Value:
    text = compiler.now.strftime("%Y-%m-%d %H:%M:%S.") + f"{compiler.now.microsecond // 1000:03}"
    if kind == TIMESTAMP_TZ:
        return Value(f"'{text}+00'::TIMESTAMPTZ", kind)
    if kind == DATE:
        return Value(f"'{text[:10]}'::DATE", kind)
    if kind == TIME:
        return Value(f"'{text[11:]}'::TIME", kind)
    if kind == TIME_TZ:
        return Value(f"'{text[11:]}+00'::TIMETZ", kind)
    return Value(f"'{text}'::TIMESTAMP", kind)


def _current(kind: Type) -> Callable[[Expressions, Any], Value]:
    return lambda compiler, node: _moment(compiler, kind)


def _current_with_digits(kind: Type) -> calls.Special:
    """Compile `current_timestamp(6)` and the like; the clock has milliseconds, further digits are zeros."""

    def compiled(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
        digits = compiler.value(arguments[0]).literal if len(arguments) == 1 else None
        if not isinstance(digits, int) or digits > 12:
            raise QueryError("SYNTAX_ERROR", f"{place(node)}: mismatched input '('. Expecting: <expression>")
        moment = _moment(compiler, kind)
        return casts.convert(moment, replace(kind, digits=digits), safe=False)

    return compiled


def _now(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    return _moment(compiler, TIMESTAMP_TZ)


def _current_timezone(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    return Value("'UTC'", VARCHAR, "UTC")


def _interval(compiler: Expressions, node: Any) -> Value:
    span = node.args.get("unit")
    if isinstance(span, exp.IntervalSpan) and isinstance(node.this, exp.Literal):
        value = literals.interval(str(node.this.this), span.this.name.lower(), span.expression.name.lower())
        if value is None:
            raise QueryError("INVALID_LITERAL", f"{place(node)}: '{node.this.this}' is not a valid INTERVAL literal")
        return value
    if not span and isinstance(node.parent, exp.Add | exp.Sub) and node.arg_key == "expression":
        return compiler.value(exp.Literal.number(node.name))  # the parser takes a number after an interval for another
    if not span:
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: mismatched input '{node.name}'. Expecting: <expression>")
    unit = str(span.name).lower().removesuffix("s")
    sign, literal = ("-", node.this.this) if isinstance(node.this, exp.Neg) else ("", node.this)
    if unit not in _STEPS or not isinstance(literal, exp.Literal):
        raise not_supported(f"{place(node)}: {compiler.text(node)}")
    amount = f"{sign}{literal.name}".replace("--", "")
    if not re.fullmatch(r"[+-]?\d+(\.\d+)?" if unit == "second" else r"[+-]?\d+", amount):
        raise QueryError("INVALID_LITERAL", f"{place(node)}: '{literal.name}' is not a valid INTERVAL literal")
    kind = YEAR_TO_MONTH if unit in ("month", "year") else DAY_TO_SECOND
    number = amount if unit == "second" else str(int(amount))
    return Value(f"{_STEPS[unit].format(f'({number})')}", kind)


def _zone(compiler: Expressions, node: exp.Expr) -> str:
    name = compiler.value(node).literal
    if not isinstance(name, str):
        raise not_supported(f"{place(node)}: a time zone that is not written out")
    return zones.zone_name(name)


def at_timezone(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    """Compile AT TIME ZONE: the same instant in another zone, which our type has; DuckDB keeps the instant."""
    value, zone = compiler.value(arguments[0]), _zone(compiler, arguments[1])
    if value.type.name not in ("timestamp", "timestamp with time zone"):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{place(node)}: Type of value must be a time or timestamp with or without time zone (actual {value.type})",
        )
    return Value(compiler.cast(value, TIMESTAMP_TZ).sql, replace(TIMESTAMP_TZ, zone=zone, digits=value.type.digits))


def _at_time_zone(compiler: Expressions, node: Any) -> Value:
    return at_timezone(compiler, node, [node.this, node.args["zone"]])


def _with_timezone(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    value, zone = compiler.value(arguments[0]), _zone(compiler, arguments[1])
    kind = replace(TIMESTAMP_TZ, zone=zone, digits=value.type.digits)
    return Value(zones.instant(compiler.cast(value, TIMESTAMP).sql, zone), kind)


def _from_unixtime(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    result = calls.invoke(compiler, node, "from_unixtime", arguments[:1])
    if len(arguments) == 1:
        return result
    if len(arguments) == 3:
        hours, minutes = (compiler.value(each).literal for each in arguments[1:])
        if not isinstance(hours, int) or not isinstance(minutes, int):
            raise not_supported(f"{place(node)}: a time zone that is not written out")
        # from_unixtime(x, 0, -30) is -00:30: the sign belongs to both parts together.
        zone = zones.zone_name(f"{'-' if hours < 0 or minutes < 0 else '+'}{abs(hours):02}:{abs(minutes):02}")
        return Value(result.sql, replace(result.type, zone=zone))
    return Value(result.sql, replace(result.type, zone=_zone(compiler, arguments[1])))


def _unit(compiler: Expressions, node: exp.Expr, kind: Type) -> str:
    unit = compiler.value(node).literal
    if not isinstance(unit, str):
        raise not_supported(f"{place(node)}: a unit that is not written out")
    unit = unit.lower()
    if unit not in _UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {_of(kind)} field")
    if (kind == DATE and unit not in _DAY_UNITS) or (kind == TIME and unit in _DAY_UNITS):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {_of(kind)} field")
    return unit


def _of(kind: Type) -> str:
    return {"date": "DATE", "time": "TIME"}.get(kind.name, "TIMESTAMP")


def _times(compiler: Expressions, node: Any, name: str, arguments: calls.Arguments) -> list[Value]:
    values = [compiler.value(each) for each in arguments]
    for value in values:
        if value.type.name not in ("date", "timestamp", "timestamp with time zone", "time"):
            raise QueryError(
                "FUNCTION_NOT_FOUND",
                f"{place(node)}: Unexpected parameters"
                f" ({', '.join(str(compiler.value(each).type) for each in node.expressions)}) for"
                f" function {name}."
                f" Expected: {name}(varchar(x), date), {name}(varchar(x), timestamp(p)),"
                f" {name}(varchar(x), timestamp(p) with time zone)",
            )
    return values


def _in_zone(value: Value, local_sql: str) -> Value:
    """Return a result computed in local time as the type of the value that it came from."""
    if value.type == DATE:
        return Value(f"CAST({local_sql} AS DATE)", DATE)
    if value.type == TIMESTAMP_TZ:
        return Value(zones.instant(local_sql, value.type.zone), value.type)
    return Value(f"CAST({local_sql} AS TIME)" if value.type == TIME else local_sql, value.type)


def _date_trunc(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "date_trunc", arguments[1:])
    unit = _unit(compiler, arguments[0], value.type)
    # DuckDB's date_trunc takes no TIME.
    clock = f"(DATE '1970-01-01' + {value.sql})" if value.type == TIME else calls.on_the_clock(value)
    return _in_zone(value, f"date_trunc('{unit}', {clock})")


def _date_add(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "date_add", arguments[2:])
    unit = _unit(compiler, arguments[0], value.type)
    amount = compiler.cast(compiler.value(arguments[1]), BIGINT).sql
    # to_days and the like take an INTEGER, and the amount is a BIGINT.
    step = _STEPS[unit].format(f"CAST({amount} AS INTEGER)")
    # Hours and less are added to the instant, days and more to the local date: 1 day may have 23 hours.
    if value.type == TIMESTAMP_TZ and unit in _INSTANT_UNITS:
        return Value(f"({value.sql} + {step})", value.type)
    return _in_zone(value, f"({calls.on_the_clock(value)} + {step})")


def _date_diff(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    start, end = _times(compiler, node, "date_diff", arguments[1:])
    unit = _unit(compiler, arguments[0], start.type)
    if TIMESTAMP_TZ in (start.type, end.type):
        # on the clock of the first one's zone; hours and less are as long everywhere
        zone = "UTC" if unit in _INSTANT_UNITS else start.type.zone
        start, end = (
            replace(each, type=replace(TIMESTAMP_TZ, zone=zone))
            for each in (compiler.cast(start, TIMESTAMP_TZ), compiler.cast(end, TIMESTAMP_TZ))
        )
    # date_sub counts whole units between two times, as Trino's date_diff does; DuckDB's date_diff counts boundaries.
    return Value(f"date_sub('{unit}', {calls.on_the_clock(start)}, {calls.on_the_clock(end)})", BIGINT)


def _formatted(translate: Callable[[str, str], str]) -> calls.Special:
    def compiled(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
        (value,) = _times(compiler, node, node.name.lower(), arguments[:1])
        if value.type == TIME:
            raise not_supported(f"{place(node)}: {node.name.lower()} of a time")
        pattern = _pattern(compiler, arguments[1], translate)
        return Value(f"strftime({calls.on_the_clock(value)}, {pattern})", VARCHAR)

    return compiled


def _parsed(translate: Callable[[str, str], str], kind: Type) -> calls.Special:
    def compiled(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
        value = compiler.cast(compiler.value(arguments[0]), VARCHAR)
        # To format, %f of MySQL is milliseconds and three zeros; to parse, up to six digits are read.
        pattern = _pattern(compiler, arguments[1], translate).replace("%g000", "%f")
        text = value.sql
        if not _YEAR.search(pattern):  # Joda's year is 1970 where a text has none, strptime's 1900
            text, pattern = f"('1970|' || {text})", f"'%Y|{pattern[1:]}"
        sql = f"strptime({text}, {pattern})"
        if "%y" in pattern:  # two digits are a year from 1970 to 2069
            sql = f"CASE WHEN year({sql}) = 1969 THEN {sql} + INTERVAL 100 YEAR ELSE {sql} END"
        if "%z" in pattern:
            return _with_offset(value, sql)
        return Value(f"timezone('UTC', {sql})" if kind == TIMESTAMP_TZ else sql, kind)

    return compiled


def _with_offset(value: Value, sql: str) -> Value:
    """Return a parsed text with an offset: a literal's offset becomes the type's zone, a column's has to be UTC."""
    if not isinstance(value.literal, str):
        return Value(f"CASE WHEN trino_is_utc({value.sql}) THEN CAST({sql} AS TIMESTAMPTZ) END", TIMESTAMP_TZ)
    offset = re.search(r"[+-]\d\d:?\d\d$", value.literal)
    zone = zones.zone_name(offset[0]) if offset else "UTC"
    return Value(f"CAST({sql} AS TIMESTAMPTZ)", replace(TIMESTAMP_TZ, zone=zone))


def _from_iso8601_timestamp(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    value = compiler.value(arguments[0])
    result = calls.invoke(compiler, node, "from_iso8601_timestamp", [value])
    if not isinstance(value.literal, str):
        return Value(f"CASE WHEN trino_is_utc({value.sql}) THEN {result.sql} END", result.type)
    offset = re.search(r"T.*([+-]\d\d(?::?\d\d)?)$", value.literal)
    return Value(result.sql, replace(result.type, zone=zones.zone_name(offset[1]) if offset else "UTC"))


def _of_zone(template: str) -> calls.Special:
    """Compile a function of a timestamp's zone; `{minutes}` stands for its offset from UTC."""

    def compiled(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
        value = compiler.value(arguments[0])
        if value.type.name != "timestamp with time zone":
            return calls.invoke(compiler, node, node.name.lower() if node.name else "timezone_hour", [value])
        minutes = zones.offset_minutes(value.sql, value.type.zone)
        return Value(f"CAST({template.format(minutes=minutes)} AS BIGINT)", BIGINT)

    return compiled


def _timezone(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    (value,) = _times(compiler, node, "timezone", arguments)
    return Value(string(value.type.zone), VARCHAR, value.type.zone)


def _to_iso8601(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    value = compiler.value(arguments[0])
    if value.type.name not in ("timestamp", "timestamp with time zone"):
        return calls.invoke(compiler, node, "to_iso8601", [value])
    clock = casts.clock_text(calls.on_the_clock(value), value.type, "%Y-%m-%dT%H:%M:%S")
    if value.type.name == "timestamp":
        return Value(clock, VARCHAR)
    if value.type.zone == "UTC":
        return Value(f"({clock} || 'Z')", VARCHAR)
    return Value(f"({clock} || trino_offset_text({zones.offset_minutes(value.sql, value.type.zone)}))", VARCHAR)


def _pattern(compiler: Expressions, node: exp.Expr, translate: Callable[[str, str], str]) -> str:
    pattern = compiler.value(node).literal
    if not isinstance(pattern, str):
        raise not_supported(f"{place(node)}: a date format that is not written out")
    return string(translate(pattern, place(node)))


def _extract(compiler: Expressions, node: Any) -> Value:
    field = node.this.name.lower()
    if field in ("timezone_hour", "timezone_minute"):
        return calls.SPECIAL[field](compiler, node, [node.expression])
    if field not in _FIELDS:
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: Invalid EXTRACT field: {field}")
    return calls.invoke(compiler, node, _EXTRACTED.get(field, field), [node.expression])


calls.SPECIAL.update(
    {
        "at_timezone": at_timezone,
        "current_time": _current_with_digits(TIME_TZ),
        "current_timestamp": _current_with_digits(TIMESTAMP_TZ),
        "current_timezone": _current_timezone,
        "date_add": _date_add,
        "date_diff": _date_diff,
        "date_format": _formatted(mysql_format),
        "date_parse": _parsed(mysql_format, TIMESTAMP),
        "date_trunc": _date_trunc,
        "format_datetime": _format_datetime,
        "from_iso8601_timestamp": _from_iso8601_timestamp,
        "from_unixtime": _from_unixtime,
        "localtime": _current_with_digits(TIME),
        "localtimestamp": _current_with_digits(TIMESTAMP),
        "now": _now,
        "parse_datetime": _parsed(joda_format, TIMESTAMP_TZ),
        "timezone": _timezone,
        "timezone_hour": _of_zone("trunc({minutes} / 60.0)"),
        "timezone_minute": _of_zone("({minutes} % 60)"),
        "to_iso8601": _to_iso8601,
        "with_timezone": _with_timezone,
    }
)

NODES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.AtTimeZone: _at_time_zone,
    exp.CurrentDate: _current(DATE),
    exp.CurrentTime: _current(TIME_TZ),
    exp.CurrentTimestamp: _current(TIMESTAMP_TZ),
    exp.Localtime: _current(TIME),
    exp.Localtimestamp: _current(TIMESTAMP),
    exp.Interval: _interval,
    exp.Extract: _extract,
}
