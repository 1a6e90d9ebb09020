"""Compiles patterns for JSON events to SQL: a selector's value is compared according to its JSON type.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html

If that page is silent, observed behaviour of AWS decides: a number is compared as a number with JSON numbers and as
text with JSON strings, a quoted value always as text; null, true, false, arrays and objects match no comparison, not
even `!=`; a wildcard takes the members of objects as well as of arrays.
"""

from __future__ import annotations

from collections.abc import Callable

from labkit.sandbox.logs.filter_patterns.parser import selector_steps
from labkit.sandbox.logs.filter_patterns.sql import COMPARISONS, number_of, quoted, text_matches
from labkit.sandbox.logs.filter_patterns.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    IsConstant,
    Json,
    NotExists,
    Step,
)

NUMBERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
IS_OBJECT = "CASE WHEN json_valid(message) THEN json_type(message) = 'OBJECT' ELSE FALSE END"

Test = Callable[[str], str]
"""Returns the SQL of a test, given the SQL of a JSON value, which is NULL if there is no value."""


def condition(pattern: Json) -> str:
    """Return the SQL condition that `message` is a JSON object that meets the pattern's condition."""
    # CASE, not AND: DuckDB may evaluate AND in any order, and json_extract fails on text that isn't JSON.
    return f"CASE WHEN {IS_OBJECT} THEN {_condition(pattern.condition)} ELSE FALSE END"


def extraction(selector: str) -> str:
    """Return the SQL of the text of a selector's value in `message`; NULL unless it is a string or a number."""
    value = f"json_extract(message, {_path(selector_steps(selector))})"
    return f"CASE WHEN {IS_OBJECT} THEN CASE WHEN {_is_comparable(value)} THEN {value}->>'$' END END"


def _condition(part: Condition) -> str:
    match part:
        case AllOf(parts):
            return f"({' AND '.join(map(_condition, parts))})"
        case AnyOf(parts):
            return f"({' OR '.join(map(_condition, parts))})"
        case NotExists(subject):
            return f"NOT {_any_value(subject, lambda value: f'{value} IS NOT NULL')}"
        case IsConstant(subject, "NULL"):
            return _any_value(subject, _is_null)
        case IsConstant(subject, constant):
            return _any_value(subject, lambda value: f"coalesce({value}::VARCHAR = {quoted(constant.lower())}, FALSE)")
        case Comparison(subject):
            return _any_value(subject, lambda value: _compare(part, value))


def _any_value(selector: str, test: Test) -> str:
    """Return the SQL condition that a selector's value passes a test, or any of its values if it has a wildcard."""
    steps = selector_steps(selector)
    if None not in steps:
        return test(f"json_extract(message, {_path(steps)})")
    place = steps.index(None)
    parent, rest = steps[:place], steps[place + 1 :]
    # [*] gives nothing for an object and .* nothing for an array, so together they give the members of either.
    values = " || ".join(f"json_extract(message, {_path(parent, wildcard)})" for wildcard in ("[*]", ".*"))
    inner = f"json_extract(item, {_path(rest)})" if rest else "item"
    return f"len(list_filter({values}, lambda item: {test(inner)})) > 0"


def _path(steps: tuple[Step, ...], wildcard: str = "") -> str:
    """Return DuckDB's JSON path of the steps; names are quoted, so that none of their characters is a wildcard."""
    parts = [f"[{step}]" if isinstance(step, int) else f'."{_escaped(str(step))}"' for step in steps]
    return quoted("$" + "".join(parts) + wildcard)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _is_null(value: str) -> str:
    """Return the SQL condition of IS NULL; AWS counts an array that contains a null as well."""
    members = f"list_filter(json_extract({value}, '$[*]'), lambda member: json_type(member) = 'NULL')"
    return f"coalesce(json_type({value}) = 'NULL' OR len({members}) > 0, FALSE)"


def _is_comparable(value: str) -> str:
    return f"(json_type({value}) = 'VARCHAR' OR json_type({value}) IN {NUMBERS})"


def _compare(test: Comparison, value: str) -> str:
    number = number_of(test.value)
    text = text_matches(f"({value}->>'$')", test.value)
    negation = "NOT " if test.operator == "!=" else ""
    if number is None:
        # coalesce: a missing property is NULL, and no match for `!=` either.
        return f"coalesce({_is_comparable(value)} AND {negation}{text}, FALSE)"
    # A JSON string is never less or greater than a number, even if it looks like one.
    as_text = f"{negation}{text}" if test.operator in ("=", "!=") else "FALSE"
    as_number = f"TRY_CAST({value}->>'$' AS DOUBLE) {COMPARISONS[test.operator]} {number!r}::DOUBLE"
    return (
        f"coalesce(CASE WHEN json_type({value}) = 'VARCHAR' THEN {as_text}"
        f" WHEN json_type({value}) IN {NUMBERS} THEN {as_number} END, FALSE)"
    )
