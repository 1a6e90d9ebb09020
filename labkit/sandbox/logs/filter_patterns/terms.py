"""Compiles unstructured patterns to SQL: case-sensitive words and phrases anywhere in a message.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-unstructured-log-events.html
"""

from __future__ import annotations

from labkit.sandbox.logs.filter_patterns.sql import quoted
from labkit.sandbox.logs.filter_patterns.tree import Regex, Terms, Value


def condition(pattern: Terms) -> str:
    """Return the SQL condition that `message` matches; AWS ignores optional terms beside others."""
    wanted = [_found(term.value) for term in pattern.terms if term.mark == ""]
    unwanted = [f"NOT {_found(term.value)}" for term in pattern.terms if term.mark == "-"]
    optional = [_found(term.value) for term in pattern.terms if term.mark == "?"]
    if wanted or unwanted:
        return " AND ".join(wanted + unwanted)
    return f"({' OR '.join(optional)})" if optional else "TRUE"


def _found(value: Value) -> str:
    if isinstance(value, Regex):
        return f"regexp_matches(message, {quoted(value.pattern)})"
    if not value.text.strip():
        return "TRUE"
    return f"contains(message, {quoted(value.text)})"
