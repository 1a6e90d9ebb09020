"""Regular expressions and JSON paths that are written out, from what Trino reads to what DuckDB does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported

_LOOK_AROUND = re.compile(r"(?<!\\)\(\?(?:<?[=!]|>)")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9k]")
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?<(?=[A-Za-z])")
_REPLACEMENT = re.compile(r"\\(.)|\$(\d+)|\$\{(\w+)\}", re.DOTALL)
_JSON_PATH = re.compile(r"""\$(\.[\w:$\-/@|#]+|\[\s*(\w+|"([^"\\]|\\.)*"|'[^']*')\s*\])*""")


def translated(node: Any, name: str, given: Sequence[Value | None]) -> list[Value | None]:
    """The arguments of a call with its pattern, if it has one, as DuckDB reads it."""
    values = list(given)
    pattern = values[1] if len(values) > 1 else None
    if pattern is None or not isinstance(pattern.literal, str):
        return values
    if name in ("json_extract", "json_extract_scalar", "json_size") and not _JSON_PATH.fullmatch(pattern.literal):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid JSON path: '{pattern.literal}'")
    if not name.startswith("regexp_"):
        return values
    text = _regular_expression(node, pattern.literal)
    values[1] = replace(pattern, sql=string(text), literal=text)
    third = values[2] if len(values) > 2 else None
    if third is not None and name in ("regexp_extract", "regexp_extract_all"):
        _check_group(text, third)
    if third is not None and name == "regexp_replace" and isinstance(third.literal, str):
        values[2] = replace(third, sql=string(_replacement(text, third.literal)), literal=None)
    return values


def _regular_expression(node: Any, text: str) -> str:
    """Java's way of naming a group becomes RE2's, which has no look-around and no references back."""
    if _LOOK_AROUND.search(text) or _BACK_REFERENCE.search(text):
        raise not_supported(f"{place(node)}: look-around and back references in a regular expression ({text})")
    return _NAMED_GROUP.sub("(?P<", text)


def _groups(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def group_count(pattern: Value) -> int | None:
    """How many groups a translated pattern has; None for one that is not written out, or that can't be told."""
    compiled = _groups(pattern.literal) if isinstance(pattern.literal, str) else None
    return compiled.groups if compiled else None


def _check_group(text: str, number: Value) -> None:
    compiled = _groups(text)
    if isinstance(number.literal, int) and number.literal < 0:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Group cannot be negative")
    if compiled and isinstance(number.literal, int) and number.literal > compiled.groups:
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT",
            f"Pattern has {compiled.groups} groups. Cannot access group {number.literal}",
        )


def _replacement(pattern: str, text: str) -> str:
    r"""A replacement of Java's, `$1` and `${name}` with `\` before what is meant as it is, as RE2 writes it.

    >>> _replacement("(?P<x>b)", r"[${x}$1\$]")
    '[\\1\\1$]'
    """
    compiled = _groups(pattern)
    parts, at = [], 0
    for found in _REPLACEMENT.finditer(text):
        parts.append(text[at : found.start()].replace("\\", "\\\\"))
        at = found.end()
        escaped, number, name = found.groups()
        if escaped is not None:
            parts.append("\\\\" if escaped == "\\" else escaped)
        elif number is not None and compiled and int(number[0]) > compiled.groups:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {number[0]}")
        elif number is not None:
            parts.append(f"\\{number}")
        elif compiled and name in compiled.groupindex:
            parts.append(f"\\{compiled.groupindex[name]}")
        else:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Illegal replacement sequence: unknown group {{{name}}}")
    return "".join([*parts, text[at:].replace("\\", "\\\\")])
