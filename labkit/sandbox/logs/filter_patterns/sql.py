"""Writes texts and regular expressions as SQL; everything from a pattern enters SQL through these functions."""

from __future__ import annotations

from labkit.sandbox.logs.filter_patterns.parser import NUMBER, is_number
from labkit.sandbox.logs.filter_patterns.tree import Regex, Text, Value

COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def quoted(text: str) -> str:
    """Write a text as an SQL literal.

    >>> print(quoted("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def literal_regex(text: str) -> str:
    r"""Return an RE2 regular expression that matches exactly a text.

    >>> literal_regex("a.b")
    'a\\x{2e}b'
    """
    return "".join(char if char.isalnum() or char == "_" else f"\\x{{{ord(char):x}}}" for char in text)


def number_of(value: Value) -> float | None:
    """Return the number of a value; None if it is quoted, no number, or out of a double's range."""
    if isinstance(value, Text) and not value.quoted and is_number(value.text):
        return float(value.text)
    return None


def wildcards(text: str) -> tuple[str, str, str]:
    """Split a text into its leading wildcard, the text between, and its trailing wildcard; an inner `*` is literal.

    >>> wildcards("*.html*")
    ('*', '.html', '*')
    """
    before = "*" if text.startswith("*") else ""
    after = "*" if text.endswith("*") and len(text) > 1 else ""
    return before, text.removeprefix("*").removesuffix("*") if text != "*" else "", after


def text_matches(subject: str, value: Value) -> str:
    """Return the SQL condition that a text (given as SQL) equals a value or matches its wildcards or expression."""
    if isinstance(value, Regex):
        return f"regexp_matches({subject}, {quoted(value.pattern)})"
    before, text, after = wildcards(value.text)
    match before, after:
        case "*", "*":
            return f"contains({subject}, {quoted(text)})"
        case "*", "":
            return f"ends_with({subject}, {quoted(text)})" if text else "TRUE"
        case "", "*":
            return f"starts_with({subject}, {quoted(text)})"
    return f"{subject} = {quoted(text)}"


def decimal(subject: str) -> str:
    """Return the SQL of a text as a number; NULL if it isn't one."""
    # First the pattern's own idea of a number: DuckDB's cast also takes 'nan', 'inf' and blanks around digits.
    pattern = quoted(f"(?i)^(?:{NUMBER.pattern})$")
    return f"TRY_CAST(regexp_extract({subject}, {pattern}) AS DOUBLE)"
