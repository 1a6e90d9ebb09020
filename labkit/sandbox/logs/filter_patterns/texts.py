"""Writes the values of a space-delimited pattern as RE2 regular expressions."""

from __future__ import annotations

from decimal import Decimal

from labkit.sandbox.logs.filter_patterns.sql import literal_regex, number_of, wildcards
from labkit.sandbox.logs.filter_patterns.tree import AnyOf, Comparison, Condition, Text, Value


def number_regex(number: float) -> str:
    r"""Return a regular expression for all ways to write a number without an exponent.

    >>> number_regex(22.0)
    '\\+?0*22(?:\\.0*)?'
    """
    sign = "-" if number < 0 else r"\+?"
    whole, _, fraction = f"{abs(Decimal(repr(number))):f}".partition(".")
    fraction = fraction.rstrip("0")
    tail = rf"\.{fraction}0*" if fraction else r"(?:\.0*)?"
    return rf"{sign}0*{whole if whole != '0' or not fraction else ''}{tail}"


def field_regex(condition: Condition, *, last: bool) -> str | None:
    """Return a regular expression for fields that meet a condition; None if none can express it.

    A field is text between white space; the last one may contain white space.
    """
    tests = condition.conditions if isinstance(condition, AnyOf) else (condition,)
    alternatives = [_value_regex(test, last=last) for test in tests]
    known = [regex for regex in alternatives if regex is not None]
    return f"(?:{'|'.join(known)})" if len(known) == len(alternatives) else None


def required_text(condition: Condition) -> str:
    """Return a text that every message contains that meets a condition; empty if none is known."""
    if not isinstance(condition, Comparison) or condition.operator != "=" or not isinstance(condition.value, Text):
        return ""
    number = number_of(condition.value)
    if number is None:
        return wildcards(condition.value.text)[1]
    # Only the digits before the point: 22 may be written 22.0 or 022, but always contains 22.
    return f"{abs(Decimal(repr(number))):f}".partition(".")[0].lstrip("0")


def _value_regex(test: Condition, *, last: bool) -> str | None:
    if not isinstance(test, Comparison) or test.operator != "=" or not isinstance(test.value, Text):
        return None
    number = number_of(test.value)
    return number_regex(number) if number is not None else _text_regex(test.value, last=last)


def _text_regex(value: Value, *, last: bool) -> str | None:
    assert isinstance(value, Text)
    before, text, after = wildcards(value.text)
    # A value with white space matches only a quoted field, which is never tested by this expression.
    if not text or any(char.isspace() for char in text):
        return None
    anything = "(?s:.*)" if last else r"\S*"
    return (anything if before else "") + literal_regex(text) + (anything if after else "")
