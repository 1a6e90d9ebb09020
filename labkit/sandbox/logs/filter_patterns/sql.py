"""Texts and regular expressions as SQL. Whatever comes out of a pattern goes into SQL through these functions."""

from __future__ import annotations

from labkit.sandbox.logs.filter_patterns.parser import NUMBER, is_number
from labkit.sandbox.logs.filter_patterns.tree import Regex, Text, Value

COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def quoted(text: str) -> str:
    """A text as an SQL literal.

    >>> print(quoted("it's"))
    'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def literal_regex(text: str) -> str:
    r"""A regular expression of RE2 that matches a text and nothing else.

    >>> literal_regex("a.b")
    'a\\x{2e}b'
    """
    return "".join(char if char.isalnum() or char == "_" else f"\\x{{{ord(char):x}}}" for char in text)


def number_of(value: Value) -> float | None:
    """The number a value stands for; quoted, or out of a double's range, it is a text."""
    if isinstance(value, Text) and not value.quoted and is_number(value.text):
        return float(value.text)
    return None


def wildcards(text: str) -> tuple[str, str, str]:
    """A text's wildcards: what may come before, the text between, what may come after. Inside a text `*` is just `*`.

    >>> wildcards("*.html*")
    ('*', '.html', '*')
    """
    before = "*" if text.startswith("*") else ""
    after = "*" if text.endswith("*") and len(text) > 1 else ""
    return before, text.removeprefix("*").removesuffix("*") if text != "*" else "", after


def text_matches(subject: str, value: Value) -> str:
    """SQL: whether a text, itself given as SQL, is the value's text, or matches its wildcards or regular expression."""
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
    """SQL: a text as a number, NULL where it is none."""
    pattern = quoted(f"(?i)^(?:{NUMBER.pattern})$")
    return f"TRY_CAST(regexp_extract({subject}, {pattern}) AS DOUBLE)"
