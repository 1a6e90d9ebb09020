"""Reads JSON of bounded depth, strictly by the standard.

Python's reader accepts `NaN`, and its recursion ends only at the interpreter's limit, which is set high here. Code that
walks the result later would recurse just as deep.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

MAX_DEPTH = 100
"""How deep objects and lists may be nested: far deeper than any AWS document needs."""

# The closing quote is optional, so that a text without one is still read over in one go.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class JsonError(ValueError):
    """The text isn't JSON; `line` and `column` of the first fault are counted from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def loads(text: str, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text; raise JsonError if it is malformed or nested too deeply."""
    check_depth(text, max_depth)  # before json.loads, which would recurse into the text
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno, error.colno) from error
    except ValueError as error:  # NaN, or a number with thousands of digits
        raise JsonError(str(error), 1, 1) from error


def check_depth(text: str, max_depth: int = MAX_DEPTH) -> None:
    """Raise JsonError for a text that is nested too deeply, JSON or not; brackets in strings don't count."""
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > max_depth:
                line = text.count("\n", 0, token.start()) + 1
                column = token.start() - text.rfind("\n", 0, token.start())
                raise JsonError(f"nested more than {max_depth} levels deep", line, column)
        elif token[0] in "]}":
            depth -= 1


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
