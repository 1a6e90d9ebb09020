"""Patterns for JSON events as SQL: a selector is looked up in the message, and compared by the kind of what it meets.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html

Where that page is silent, as AWS was seen to do: a number is compared as a number with JSON numbers and as a text with
JSON strings, a quoted value always as a text; null, true, false, arrays and objects meet no comparison, not even `!=`;
a wildcard takes the members of objects as well as of arrays.
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
"""SQL of a test, given the SQL of a JSON value, which is NULL where there is none."""


def condition(pattern: Json) -> str:
    """SQL: whether `message` is a JSON object that meets the pattern's condition."""
    return f"CASE WHEN {IS_OBJECT} THEN {_condition(pattern.condition)} ELSE FALSE END"


def extraction(selector: str) -> str:
    """SQL: the text of what a selector meets in `message`, NULL where that is no string and no number."""
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
    """SQL: whether the value that a selector meets passes a test, or one of the values if it has a wildcard."""
    steps = selector_steps(selector)
    if None not in steps:
        return test(f"json_extract(message, {_path(steps)})")
    place = steps.index(None)
    parent, rest = steps[:place], steps[place + 1 :]
    values = " || ".join(f"json_extract(message, {_path(parent, wildcard)})" for wildcard in ("[*]", ".*"))
    inner = f"json_extract(item, {_path(rest)})" if rest else "item"
    return f"len(list_filter({values}, lambda item: {test(inner)})) > 0"


def _path(steps: tuple[Step, ...], wildcard: str = "") -> str:
    """SQL: DuckDB's path of the steps, names as they are written and not as patterns."""
    parts = [f"[{step}]" if isinstance(step, int) else f'."{_escaped(str(step))}"' for step in steps]
    return quoted("$" + "".join(parts) + wildcard)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _is_null(value: str) -> str:
    """AWS counts an array that holds a null as well."""
    members = f"list_filter(json_extract({value}, '$[*]'), lambda member: json_type(member) = 'NULL')"
    return f"coalesce(json_type({value}) = 'NULL' OR len({members}) > 0, FALSE)"


def _is_comparable(value: str) -> str:
    return f"(json_type({value}) = 'VARCHAR' OR json_type({value}) IN {NUMBERS})"


def _compare(test: Comparison, value: str) -> str:
    number = number_of(test.value)
    text = text_matches(f"({value}->>'$')", test.value)
    negation = "NOT " if test.operator == "!=" else ""
    if number is None:
        return f"coalesce({_is_comparable(value)} AND {negation}{text}, FALSE)"
    as_text = f"{negation}{text}" if test.operator in ("=", "!=") else "FALSE"
    as_number = f"TRY_CAST({value}->>'$' AS DOUBLE) {COMPARISONS[test.operator]} {number!r}::DOUBLE"
    return (
        f"coalesce(CASE WHEN json_type({value}) = 'VARCHAR' THEN {as_text}"
        f" WHEN json_type({value}) IN {NUMBERS} THEN {as_number} END, FALSE)"
    )
