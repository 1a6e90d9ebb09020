"""Translates literal regular expressions and JSON paths from Trino's syntax to DuckDB's, and checks them."""

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
    """Return a call's arguments with its pattern, if it has a literal one, in DuckDB's syntax."""
    values = list(given)
    pattern = values[1] if len(values) > 1 else None
    # A pattern from a column goes to DuckDB as it is: its syntax isn't known before the query runs.
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
    """Translate Java's named groups to RE2's; raise NOT_SUPPORTED for look-around and back references."""
    if _LOOK_AROUND.search(text) or _BACK_REFERENCE.search(text):
        raise not_supported(f"{place(node)}: look-around and back references in a regular expression ({text})")
    return _NAMED_GROUP.sub("(?P<", text)


def _groups(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text)
    except re.error:
        return None


def group_count(pattern: Value) -> int | None:
    """Return the number of groups in a translated pattern; None if it isn't a literal or Python can't compile it."""
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
    r"""Translate a replacement from Java's syntax (`$1`, `${name}`, `\` as escape) to RE2's (`\1`).

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
