"""Parses Trino's SQL with sqlglot, and leaves function calls as they were written.

sqlglot's own Trino dialect maps functions to ones that engines share (`day_of_week` to ISODOW). Here every call stays
a call with its place in the text, and the table of functions decides what it means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

from labkit.sandbox.athena.dialect.arguments import check
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.text import place_in

_SYNTAX_OF_ITS_OWN = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION", "LISTAGG", "SUBSTRING")
_NOT_IN_TRINO = {TokenType.DCOLON: "::", TokenType.QUALIFY: "QUALIFY"}
_BEFORE_AN_ITEM = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.SELECT)
_AFTER_AN_ITEM = (
    TokenType.COMMA, TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY,
    TokenType.ORDER_BY, TokenType.HAVING, TokenType.LIMIT,
)  # fmt: skip
"""Tokens that can't follow a comma or an opening bracket: sqlglot accepts `SELECT a, FROM t`, Trino doesn't."""
# Words that sqlglot takes as functions without parentheses, and Trino as names.
_NO_FUNCTIONS = (TokenType.CURRENT_SCHEMA, TokenType.CURRENT_DATETIME, TokenType.UTC_DATE, TokenType.UTC_TIME)
_OPENED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|(['\"]|/\*)", re.DOTALL)
_JSON_WITH_SYNTAX = ("json_array", "json_exists", "json_object", "json_query", "json_value")
_TYPES = (
    "ARRAY", "BIGINT", "BOOLEAN", "CHAR", "DATE", "DECIMAL", "DOUBLE", "DOUBLE PRECISION", "INT", "INTEGER", "INTERVAL",
    "IPADDRESS", "IPPREFIX", "JSON", "MAP", "NULL", "RANGE", "REAL", "ROW", "SMALLINT", "TIME", "TIMESTAMP", "TINYINT",
    "UNION", "UNKNOWN", "UUID", "VARBINARY", "VARCHAR",
)  # fmt: skip


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

    ended = False
    """Whether the error was that the text ended too early."""

    def raise_error(self, message: str, token: Any = None) -> None:
        """Note whether the text ended too early, and raise the error."""
        self.ended = token is None and not self._curr
        super().raise_error(message, token)


class AthenaSql(Trino):
    """Trino's dialect with every function left as a call by its name."""

    INDEX_OFFSET = 0  # x[1] stays x[1]
    SUPPORTS_USER_DEFINED_TYPES = True  # a type that is not there is refused when it is looked up

    class Tokenizer(Trino.Tokenizer):
        """Trino's tokens; type names of other engines, such as `string`, are ordinary names."""

        KEYWORDS: ClassVar[dict[str, Any]] = {
            word: token
            for word, token in Trino.Tokenizer.KEYWORDS.items()
            if token not in TrinoParser.TYPE_TOKENS or word in _TYPES
        }

    Parser = _Parser


def tokenize(sql: str) -> list[Token]:
    """Return the tokens of a statement; raise SYNTAX_ERROR for text that can't be tokenized or that Trino rejects."""
    try:
        tokens: list[Token] = AthenaSql().tokenize(sql)
    except TokenError:
        raise _unclosed(sql) from None
    for token in tokens:
        # sqlglot reads backticks as quotes, as Hive's statements do; Trino has an error of its own for them.
        if token.text.startswith("`"):
            raise backquoted(sql, token.start)
        if token.token_type in _NOT_IN_TRINO:
            raise mismatched(token)
    for before, token in pairwise(tokens):
        if TokenType.COMMA in (before.token_type, token.token_type) and _is_empty_place(before, token):
            raise mismatched(token)
    return tokens


def _is_empty_place(before: Token, token: Token) -> bool:
    return token.token_type in _AFTER_AN_ITEM and before.token_type in (TokenType.COMMA, *_BEFORE_AN_ITEM)


MOST_ARRAYS_DEEP = 12
"""A limit of ours: sqlglot takes twice as long for each further level."""


def parse(sql: str) -> exp.Expr:
    """Parse one statement into a tree; raise QueryError with the place of what is wrong."""
    tokens = tokenize(sql)
    if not tokens:
        raise QueryError("SYNTAX_ERROR", "line 1:1: mismatched input '<EOF>'. Expecting: 'SELECT', 'VALUES', 'WITH'")
    # On the tokens: once the parser has begun, nothing can stop it.
    if _arrays_deep(tokens) > MOST_ARRAYS_DEEP:
        raise too_large()
    parser: Any = AthenaSql().parser()
    try:
        trees: list[exp.Expr] = [tree for tree in parser.parse(tokens, sql) if tree is not None]
    except ParseError as error:
        # A statement with JSON_VALUE(... RETURNING ...) is correct SQL that sqlglot can't parse: not a syntax error.
        _refuse_json(tokens)
        raise _ended(tokens[-1]) if parser.ended else _syntax_error(error, tokens) from None
    except RecursionError:
        raise too_large() from None
    if len(trees) != 1:
        semicolon = next(token for token in tokens if token.token_type == TokenType.SEMICOLON)
        raise QueryError(
            "INVALID_REQUEST", f"line {semicolon.line}:{start_column(semicolon)}: Only one sql statement is allowed."
        )
    # sqlglot accepts `SELECT FROM t`.
    if isinstance(trees[0], exp.Select) and not trees[0].expressions:
        raise _ended(tokens[0]) if len(tokens) == 1 else mismatched(tokens[1])
    check(trees[0], sql)
    return trees[0]


def _refuse_json(tokens: Sequence[Token]) -> None:
    """Raise NOT_SUPPORTED for the SQL standard's JSON functions, not a syntax error at words such as RETURNING."""
    for token, after in pairwise(tokens):
        if token.text.lower() in _JSON_WITH_SYNTAX and after.token_type == TokenType.L_PAREN:
            raise not_supported(f"line {token.line}:{start_column(token)}: the function {token.text.lower()}")


def too_large() -> QueryError:
    """Return the error for a statement that is nested too deeply."""
    return QueryError("SYNTAX_ERROR", "line 1:1: statement is too large (stack overflow while parsing)")


def _arrays_deep(tokens: Sequence[Token]) -> int:
    """Return how deeply `ARRAY[` is nested."""
    deep = most = 0
    for before, token in pairwise(tokens):
        if token.token_type == TokenType.L_BRACKET and before.token_type == TokenType.ARRAY:
            deep += 1
        elif token.token_type == TokenType.R_BRACKET and deep:
            deep -= 1
        most = max(most, deep)
    return most


def backquoted(sql: str, at: int) -> QueryError:
    """Return the error for a name in backticks, which only Hive's statements accept."""
    where = place_in(sql, at)
    return QueryError(
        "SYNTAX_ERROR",
        f"{where}: backquoted identifiers are not supported; use double quotes to quote identifiers",
    )


def _unclosed(sql: str) -> QueryError:
    """Return the error for a quote or comment that isn't closed."""
    at = next((found.start() for found in _OPENED.finditer(sql) if found[1]), len(sql))
    where = place_in(sql, at)
    return QueryError("SYNTAX_ERROR", f"{where}: mismatched input '{sql[at : at + 1]}'. Expecting: <expression>")


def start_column(token: Token) -> int:
    """Return the column, from 1, of a token's first character; sqlglot stores the last one's."""
    return int(token.col) - (token.end - token.start)


def mismatched(token: Token) -> QueryError:
    """Return the error for a token that isn't allowed where it stands."""
    return QueryError(
        "SYNTAX_ERROR",
        f"line {token.line}:{start_column(token)}: mismatched input '{token.text}'. Expecting: <expression>",
    )


def _syntax_error(error: ParseError, tokens: list[Token]) -> QueryError:
    detail = error.errors[0] if error.errors else {}
    highlight, line, column = detail.get("highlight", ""), detail.get("line"), detail.get("col")
    at = next((t for t in tokens if t.line == line and t.col == column and t.text == highlight), tokens[-1])
    is_cut_short = at is tokens[-1] and "missing" in str(detail.get("description", ""))
    return _ended(at) if is_cut_short else mismatched(at)


def _ended(last: Token) -> QueryError:
    """Return the error for a statement that ends too early."""
    where = f"line {last.line}:{last.col + 1}"
    return QueryError("SYNTAX_ERROR", f"{where}: mismatched input '<EOF>'. Expecting: <expression>")
