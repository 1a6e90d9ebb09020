"""Hive's errors for statements that it can't parse."""

from __future__ import annotations

import re

from lark import Token
from lark.exceptions import UnexpectedEOF, UnexpectedInput, UnexpectedToken

from labkit.sandbox.athena.errors import QueryError


def parse_error(sql: str, error: UnexpectedInput) -> QueryError:
    """Return the ParseException for text that the grammar can't read, with its place."""
    if isinstance(error, UnexpectedEOF) or (isinstance(error, UnexpectedToken) and error.token.type == "$END"):
        last = len(sql.rstrip(" ;\n"))
        return _unrecognized_at(sql, last, "<EOF>")
    at = error.pos_in_stream or 0
    if isinstance(error, UnexpectedToken):
        at = error.token.start_pos or 0
    glued = re.search(r"(\w+)$", sql[:at])
    # Hive words the commonest mistake, a hyphen in a name, in its own way.
    if sql[at : at + 1] == "-" and glued:
        line, column = _line_and_column(sql, at)
        return QueryError("", f"FAILED: ParseException line {line}:{column} missing EOF at '-' near '{glued[1]}'")
    word = re.match(r"\w+|`[^`]*`|'[^']*'|\S|", sql[at:])
    return _unrecognized_at(sql, at, word[0] if word and word[0] else "<EOF>")


def _line_and_column(sql: str, at: int) -> tuple[int, int]:
    """Return the line, from 1, and the column; Hive counts columns from 0."""
    return sql.count("\n", 0, at) + 1, at - (sql.rfind("\n", 0, at) + 1)


def _unrecognized_at(sql: str, at: int, word: str) -> QueryError:
    line, column = _line_and_column(sql, at)
    return QueryError("", f"FAILED: ParseException line {line}:{column} cannot recognize input near '{word}'")


def unrecognized(token: Token, where: str) -> QueryError:
    """Return Hive's error for a word that the grammar accepts but that isn't allowed there."""
    column = (token.column or 1) - 1
    return QueryError(
        "", f"FAILED: ParseException line {token.line}:{column} cannot recognize input near '{token}' in {where}"
    )


def check_size(token: Token, name: str, parameters: list[int]) -> None:
    """Check the length of a varchar or char and the digits of a decimal; raise Hive's errors."""
    longest = {"varchar": 65535, "char": 255}.get(name, 0)
    if longest and not parameters:
        raise QueryError(
            "",
            f"FAILED: ParseException line {token.line}:{(token.end_column or 1) - 1} mismatched input ')' expecting ("
            f" near '{token}' in primitive type specification",
        )
    if longest and not 1 <= parameters[0] <= longest:
        raise _semantic(f"{name.capitalize()} length {parameters[0]} out of allowed range [1, {longest}]")
    if name == "decimal" and parameters and not 1 <= parameters[0] <= 38:
        raise _semantic("Decimal precision out of allowed range [1,38]")


def _semantic(why: str) -> QueryError:
    return QueryError("", f"FAILED: SemanticException {why}")


def check_underscore(token: Token, where: str) -> None:
    """Raise an error for a name that begins with an underscore: Hive wants a letter, a digit or backticks.

    https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html
    """
    if token.startswith("_"):
        raise unrecognized(token, where)
