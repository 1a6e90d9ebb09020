"""Trino's grammar through sqlglot, with the functions left as they were written.

sqlglot's own Trino dialect turns functions into those it thinks other engines share (`day_of_week` into ISODOW); here
every call stays a call, with its place in the text, and the table of functions decides what becomes of it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from labkit.sandbox.athena.errors import QueryError

_SYNTAX_OF_ITS_OWN = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG", "SUBSTRING")
_NOT_IN_TRINO = {TokenType.DCOLON: "::", TokenType.QUALIFY: "QUALIFY"}
_NO_FUNCTIONS = (TokenType.CURRENT_SCHEMA, TokenType.CURRENT_DATETIME, TokenType.UTC_DATE, TokenType.UTC_TIME)
_PLAIN_WORDS = ("ipaddress", "ipprefix", "date", "time", "timestamp", "uuid", "json")


class _Parser(TrinoParser):
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _SYNTAX_OF_ITS_OWN
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: parser for name, parser in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items() if name in ("CASE", "ANY")
    }
    NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {
        token: function for token, function in TrinoParser.NO_PAREN_FUNCTIONS.items() if token not in _NO_FUNCTIONS
    }


class AthenaSql(Trino):
    """Trino's dialect with every function left as a call by its name."""

    INDEX_OFFSET = 0  # x[1] stays x[1]

    class Tokenizer(Trino.Tokenizer):
        """Trino's tokens."""

    Parser = _Parser


def tokenize(sql: str) -> list[Token]:
    """The tokens of a statement; raises SYNTAX_ERROR where there is none to be made."""
    try:
        tokens: list[Token] = AthenaSql().tokenize(sql)
    except TokenError as error:
        raise QueryError("SYNTAX_ERROR", f"line 1:1: {str(error).splitlines()[0]}") from None
    for token in tokens:
        if token.token_type in _NOT_IN_TRINO:
            raise mismatched(token)
    return tokens


def parse(sql: str) -> exp.Expr:
    """One statement, as a tree."""
    tokens = tokenize(sql)
    if not tokens:
        raise QueryError("SYNTAX_ERROR", "line 1:1: mismatched input '<EOF>'. Expecting: 'SELECT', 'VALUES', 'WITH'")
    try:
        trees = [tree for tree in AthenaSql().parser().parse(tokens, sql) if tree is not None]
    except ParseError as error:
        raise _syntax_error(error, tokens) from None
    if len(trees) != 1:
        semicolon = next(token for token in tokens if token.token_type == TokenType.SEMICOLON)
        raise QueryError(
            "INVALID_REQUEST", f"line {semicolon.line}:{start_column(semicolon)}: Only one sql statement is allowed."
        )
    return trees[0]


def start_column(token: Token) -> int:
    """The column, from 1, of a token's first character; sqlglot keeps that of its last."""
    return int(token.col) - (token.end - token.start)


def mismatched(token: Token) -> QueryError:
    """The error of a token that has no place where it stands."""
    return QueryError(
        "SYNTAX_ERROR",
        f"line {token.line}:{start_column(token)}: mismatched input '{token.text}'. Expecting: <expression>",
    )


def _syntax_error(error: ParseError, tokens: list[Token]) -> QueryError:
    detail = error.errors[0] if error.errors else {}
    highlight, line, column = detail.get("highlight", ""), detail.get("line"), detail.get("col")
    at = next((t for t in tokens if t.line == line and t.col == column and t.text == highlight), tokens[-1])
    return (
        mismatched(at)
        if detail.get("highlight")
        else QueryError(
            "SYNTAX_ERROR", f"line {at.line}:{at.col + 1}: mismatched input '<EOF>'. Expecting: <expression>"
        )
    )
