"""Finds out which statement a text is: a query for Trino, a statement for Hive, or one that contains a query."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp
from sqlglot.tokens import TokenType  # type: ignore[attr-defined]

from labkit.sandbox.athena.dialect.parser import backquoted, start_column, tokenize
from labkit.sandbox.athena.dialect.parser import parse as parse_query
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.statements import ddl, nodes
from labkit.sandbox.athena.text import place_in

_BLANK = re.compile(r"(\s+|--[^\n]*(\n|$)|/\*.*?\*/)*", re.DOTALL)
_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "TABLE", "(")
_DDL_WORDS = (
    "CREATE",
    "DROP",
    "ALTER",
    "MSCK",
    "SHOW",
    "DESCRIBE",
    "DESC",
    "INSERT",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
)
_NEVER_SUPPORTED = ("ANALYZE", "CALL", "COMMENT", "COMMIT", "DENY", "GRANT", "LOCK", "RESET", "REVOKE", "ROLLBACK",
                    "SET", "START", "TRUNCATE", "UNLOCK", "USE")  # fmt: skip
"""https://docs.aws.amazon.com/athena/latest/ug/unsupported-ddl.html, and statements of Trino that Athena lacks."""
_WITH_DATA = re.compile(r"\bWITH\s+(NO\s+)?DATA[\s;]*$", re.IGNORECASE)
_ROW_CHANGES = ("UPDATE", "DELETE", "MERGE", "OPTIMIZE", "VACUUM")
_FIRST_WORDS = "'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DENY', 'DESC',"
_MORE_WORDS = (
    " 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', 'REFRESH', 'RESET', 'REVOKE',"
)
_LAST_WORDS = " 'ROLLBACK', 'SET', 'SHOW', 'START', 'TRUNCATE', 'UNLOAD', 'UPDATE', 'USE', 'USING', <query>"
_UNLOAD = re.compile(r"\)\s*TO\s*'([^']*)'\s*(?:WITH\s*\((.*)\))?\s*;?\s*$", re.IGNORECASE | re.DOTALL)
_OPTION = re.compile(r"(\w+)\s*=\s*(ARRAY\s*\[[^\]]*\]|'(?:[^']|'')*'|\w+)", re.IGNORECASE)
_EXPLAIN_OPTIONS = {
    "FORMAT": ("GRAPHVIZ", "JSON", "TEXT"),
    "TYPE": ("DISTRIBUTED", "IO", "LOGICAL", "VALIDATE"),
}
"""https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html"""
_SUBSTATEMENTS = {
    "alter_table_add_columns": "ALTER_TABLE_ADD_COLUMN",
    "describe_table": "DESC_TABLE",
    "describe_view": "DESC_VIEW",
}
_UTILITIES = ("show_", "describe_", "explain")


class Malformed(Exception):
    """A text that StartQueryExecution rejects: no query execution is created."""


@dataclass(frozen=True)
class Parsed:
    """A statement that was read: its kind, its tree or node, and the text that places in errors refer to."""

    kind: str
    text: str
    query: exp.Expr | None = None
    """The tree of the query that it is or contains."""
    statement: nodes.Statement | None = None
    location: str = ""
    """Where UNLOAD writes."""
    options: dict[str, Any] | None = None

    @property
    def statement_type(self) -> str:
        """DDL, DML or UTILITY."""
        if self.kind.startswith(_UTILITIES):
            return "UTILITY"
        return "DML" if self.kind in ("select", "insert", "unload", "execute") else "DDL"

    @property
    def external_location(self) -> str:
        """The location that CREATE TABLE AS names for its table; empty if it names none."""
        if self.kind != "create_table_as_select" or not isinstance(self.statement, nodes.QueryStatement):
            return ""
        return str((self.statement.options or {}).get("external_location") or "")

    @property
    def substatement_type(self) -> str:
        """The SubstatementType: the words of the statement, a few of them spelled as only AWS does."""
        return _SUBSTATEMENTS.get(self.kind, self.kind.upper())


def read(text: str) -> Parsed:
    """Read a statement; raise Malformed if the API rejects it, QueryError if its execution will fail."""
    start, first = _first_word(text, 0)
    if first in _QUERY_WORDS:
        return Parsed("select", text, query=_query(text))
    if first == "EXPLAIN":
        return _explain(text, start)
    if first == "UNLOAD":
        return _unload(text)
    if first in _DDL_WORDS:
        statement = ddl.parse(text)
        if isinstance(statement, nodes.QueryStatement):
            return _around_query(text, statement)
        if isinstance(statement, nodes.PreparedStatement) and statement.kind == "prepare":
            _check_prepared(text, statement)
        return Parsed(statement.kind, text, statement=statement)
    # These are valid statements that fail here; the ones below are rejected by Athena itself.
    if first in _ROW_CHANGES:
        raise not_supported(f"{first} (of Iceberg tables)")
    if first in _NEVER_SUPPORTED:
        raise Malformed("Queries of this type are not supported")
    raise _no_statement(text, start)


def _check_prepared(text: str, statement: nodes.PreparedStatement) -> None:
    """Raise Malformed for PREPARE of something that isn't a statement; the rest is checked once its `?` have values."""
    start, first = _first_word(text, text.rindex(statement.text))
    if first not in (*_QUERY_WORDS, *_DDL_WORDS, *_ROW_CHANGES, "UNLOAD"):
        raise _no_statement(text, start)


def _first_word(text: str, at: int) -> tuple[int, str]:
    """Return where a statement begins after blanks and comments, and its first word in upper case."""
    blank = _BLANK.match(text, at)
    start = blank.end() if blank else at
    word = re.compile(r"\w+|\(|").match(text, start)
    return start, word[0].upper() if word else ""


def _no_statement(text: str, start: int) -> Malformed:
    word = re.compile(r"\w+").match(text, start)
    shown = word[0] if word else (text[start : start + 1] or "<EOF>")
    expected = f"{_FIRST_WORDS}{_MORE_WORDS}{_LAST_WORDS}"
    return Malformed(f"{place_in(text, start)}: mismatched input '{shown}'. Expecting: {expected}")


def _around_query(text: str, statement: nodes.QueryStatement) -> Parsed:
    """Read CREATE TABLE AS, CREATE VIEW or INSERT, with the tree of the query in it."""
    start, end = len(text) - len(statement.query), len(text.rstrip("; \n\t"))
    # Our DDL grammar takes backticks everywhere, but these statements go to Trino, which doesn't.
    if quote := re.search("`", text[:start]):
        raise Malformed(backquoted(text, quote.start()).message)
    # WITH NO DATA belongs to CREATE TABLE and stands behind the query, whose parser doesn't know it.
    if statement.kind == "create_table_as_select" and (clause := _WITH_DATA.search(text, start)):
        statement = replace(statement, with_data=not clause[1])
        end = clause.start()
    inner = blanked(text, start, end)
    return Parsed(statement.kind, inner, query=_query(inner), statement=statement)


def _query(text: str) -> exp.Expr:
    try:
        return parse_query(text)
    except QueryError as error:
        # Athena reports syntax errors from StartQueryExecution; any other error only fails the execution.
        if error.name == "SYNTAX_ERROR":
            raise Malformed(error.message) from None
        if error.name == "INVALID_REQUEST":
            raise Malformed(f"Only one sql statement is allowed. Got: {text}") from None
        raise


def blanked(text: str, start: int, end: int) -> str:
    """Return a text with everything blanked except one part, so that lines and columns stay what they are."""
    return "".join(letter if start <= n < end or letter == "\n" else " " for n, letter in enumerate(text))


def _explain(text: str, start: int) -> Parsed:
    head = re.compile(r"EXPLAIN\s+(ANALYZE\s+)?(VERBOSE\s+)?(\(([^()]*)\)\s*)?", re.IGNORECASE).match(text, start)
    if head is None:
        raise Malformed("line 1:8: mismatched input '<EOF>'. Expecting: '(', 'ANALYZE', <statement>")
    if head[1]:
        raise not_supported("EXPLAIN ANALYZE")
    # EXPLAIN (SELECT 1): the bracket may belong to the query instead of holding options.
    is_query = head[4] is None or (head[4].split()[:1] and head[4].split()[0].upper() in _EXPLAIN_OPTIONS)
    options = _explain_options(text, head) if head[4] is not None and is_query else {}
    start, first = _first_word(text, head.end() if is_query else head.start(3))
    if first in (*_DDL_WORDS, *_ROW_CHANGES, "UNLOAD"):
        raise not_supported(f"EXPLAIN of {first}")
    if first not in _QUERY_WORDS:
        raise _no_statement(text, start)
    inner = blanked(text, start, len(text))
    return Parsed("explain", inner, query=_query(inner), options=options)


def _explain_options(text: str, head: re.Match[str]) -> dict[str, Any]:
    """Read `(TYPE IO, FORMAT JSON)`; raise Malformed for an unknown option."""
    found: dict[str, Any] = {}
    at = head.start(4)
    for part in head[4].split(","):
        name, _, value = part.strip().upper().partition(" ")
        value = value.strip()
        where = place_in(text, at + len(part) - len(part.lstrip()))
        at += len(part) + 1
        if value not in _EXPLAIN_OPTIONS.get(name, ()):
            wanted = ", ".join(f"'{each}'" for each in _EXPLAIN_OPTIONS.get(name, _EXPLAIN_OPTIONS))
            raise Malformed(f"{where}: mismatched input '{part.strip()}'. Expecting: {wanted}")
        found[name] = value
    return found


def _unload(text: str) -> Parsed:
    tokens = tokenize(text)
    depth = 0
    opening = next((token for token in tokens if token.token_type == TokenType.L_PAREN), None)
    for token in tokens:
        depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
        if token.token_type == TokenType.R_PAREN and depth == 0:
            tail = _UNLOAD.match(text, token.start)
            if tail is None or opening is None:
                raise Malformed(f"line {token.line}:{start_column(token) + 1}: mismatched input. Expecting: 'TO'")
            inner = blanked(text, opening.end + 1, token.start)
            return Parsed("unload", inner, query=_query(inner), location=tail[1], options=_options(tail[2] or ""))
    raise Malformed("line 1:1: mismatched input 'UNLOAD'. Expecting: '('")


def _options(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _OPTION.findall(text):
        if value.upper().startswith("ARRAY"):
            found[name.lower()] = re.findall(r"'([^']*)'", value)
        else:
            found[name.lower()] = value[1:-1].replace("''", "'") if value.startswith("'") else value
    return found


def with_parameters(text: str, parameters: list[str]) -> str:
    """Return a text with its `?` replaced, in order, by parameters that are SQL literals."""
    # By tokens: a `?` in a string or comment is no parameter.
    marks = [token for token in tokenize(text) if token.token_type == TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"line 1:1: Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}",
        )
    parts, at = [], 0
    for mark, parameter in zip(marks, parameters, strict=True):
        parts += [text[at : mark.start], parameter]
        at = mark.end + 1
    return "".join([*parts, text[at:]])


def split_parameters(text: str) -> list[str]:
    """Split the parameters of EXECUTE ... USING at the commas between them."""
    tokens = tokenize(text)
    found, depth, start = [], 0, 0
    for token in tokens:
        depth += (token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET)) - (
            token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET)
        )
        if token.token_type == TokenType.COMMA and depth == 0:
            found.append(text[start : token.start].strip())
            start = token.end + 1
    return [*found, text[start:].strip()] if text.strip() else []
