"""SQL expressions with the kind of their value, and the conversions between kinds.

This and `macros.sql` are where all SQL of a query comes from: texts of the query enter SQL only through `quoted`, and
columns have names of our own making.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is; log fields are text that may be read as a number."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    STRUCTURE = "structure"


@dataclass(frozen=True)
class Value:
    """An SQL expression of a kind."""

    sql: str
    kind: Kind
    constant: str | None = None
    """The text, of a string or whole number that stands in the query itself."""
    part_of: str | None = None
    """The column that the text is a part of, as it stands there."""
    tails: tuple[str, ...] = ()
    """What can stand between this part and the end of `part_of`, where that is one of a few texts."""
    of_event: bool = False
    """A field as it is found in an event."""

    @property
    def plain(self) -> bool:
        """Whether the SQL is so short that it may be repeated: a column, a constant, or a field of an event."""
        return self.of_event or self.constant is not None or _COLUMN.fullmatch(self.sql) is not None


_COLUMN = re.compile(r"[a-z_]+[0-9]*")
_CONVERSIONS: dict[tuple[Kind, Kind], str] = {
    (Kind.TEXT, Kind.NUMBER): "text_number({0})",
    (Kind.TEXT, Kind.BOOLEAN): "(text_number({0}) <> 0)",
    (Kind.TEXT, Kind.TIME): "number_time(text_number({0}))",
    (Kind.TEXT, Kind.STRUCTURE): "TRY_CAST({0} AS JSON)",
    (Kind.NUMBER, Kind.TEXT): "number_text({0})",
    (Kind.NUMBER, Kind.BOOLEAN): "({0} <> 0)",
    (Kind.NUMBER, Kind.TIME): "number_time({0})",
    (Kind.NUMBER, Kind.STRUCTURE): "CAST(number_text({0}) AS JSON)",
    (Kind.BOOLEAN, Kind.TEXT): "boolean_text({0})",
    (Kind.BOOLEAN, Kind.NUMBER): "CAST({0} AS DOUBLE)",
    (Kind.BOOLEAN, Kind.TIME): "CAST({0} AS BIGINT)",
    (Kind.BOOLEAN, Kind.STRUCTURE): "CAST(boolean_text({0}) AS JSON)",
    (Kind.TIME, Kind.TEXT): "time_text({0})",
    (Kind.TIME, Kind.NUMBER): "CAST({0} AS DOUBLE)",
    (Kind.TIME, Kind.BOOLEAN): "({0} <> 0)",
    (Kind.TIME, Kind.STRUCTURE): "to_json({0})",
    (Kind.STRUCTURE, Kind.TEXT): "json_leaf({0})",
    (Kind.STRUCTURE, Kind.NUMBER): "text_number(json_leaf({0}))",
    (Kind.STRUCTURE, Kind.BOOLEAN): "(text_number(json_leaf({0})) <> 0)",
    (Kind.STRUCTURE, Kind.TIME): "number_time(text_number(json_leaf({0})))",
}


_MACRO = re.compile(r"[a-z]+_[a-z]+\(")
"""A call of a macro, which may name its argument several times."""


def quoted(text: str) -> str:
    """A string literal of SQL. DuckDB's has no escapes but the doubled quote.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def text(value: str) -> Value:
    """A string of the query's text."""
    return Value(quoted(value), Kind.TEXT, constant=value)


def number(value: float) -> Value:
    """A number of the query's text."""
    digits = repr(float(value))
    whole = str(int(value)) if value == int(value) else None
    # With an exponent: DuckDB reads 0.1 as a DECIMAL and 0.1e0 as a DOUBLE.
    return Value(digits if "e" in digits else f"{digits}e0", Kind.NUMBER, constant=whole)


def converted(value: Value, kind: Kind) -> str:
    """Return the SQL of a value as another kind; NULL if a row's value can't be (a map as text, a word as number)."""
    if value.kind is kind:
        return value.sql
    conversion = _CONVERSIONS[value.kind, kind]
    if value.plain or not _MACRO.search(conversion):
        return conversion.format(value.sql)
    return once(lambda given: conversion.format(*given), [value])


def once(build: Callable[[list[str]], str], values: Sequence[Value]) -> str:
    """SQL made of the SQL of values, which may stand in it several times.

    DuckDB writes out each place anew, so that what is nested would grow with every level, beyond all bounds. Here a
    value that is not plain and stands in several places is computed in one, and is a lambda's parameter in all others.
    (Lambdas within lambdas are themselves read again and again by DuckDB, so there are no more of them than needed.)
    """
    names = [f"p{place}_" for place in range(len(values))]
    sql = build(names)
    repeated = {name for name in names if _MACRO.search(sql) or sql.count(name) > 1}
    sql = build(
        [name if name in repeated and not value.plain else value.sql for name, value in zip(names, values, strict=True)]
    )
    for name, value in zip(names, values, strict=True):
        if name in repeated and not value.plain:
            sql = f"list_transform([{value.sql}], lambda {name}: {sql})[1]"
    return sql


def shown(value: Value) -> str:
    """Return the SQL of the text that a result shows: as `converted` to text, but maps and lists as JSON."""
    if value.kind is Kind.STRUCTURE:
        return once(lambda given: f"json_shown({given[0]})", [value])
    return converted(value, Kind.TEXT)


def common_kind(values: list[Value]) -> Kind:
    """Return the kind of a choice between values: their own if they agree, else text."""
    kinds = {value.kind for value in values}
    return kinds.pop() if len(kinds) == 1 else Kind.TEXT
