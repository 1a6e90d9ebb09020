"""Parses query text into a tree, and makes the errors of texts that can't be parsed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from lark import Lark
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.builder import WORD, unexpected_symbol
from labkit.sandbox.logs.insights.command_builder import build
from labkit.sandbox.logs.insights.tree import QueryError, Span

_REFUSED = (
    "anomaly",
    "estimate",
)
REFUSED_COMMANDS = {name.lower(): name for name in _REFUSED}
"""Commands of the language that the sandbox doesn't support."""

MAX_DEPTH = 100
"""The maximum nesting of parentheses; a query has at most 10,000 characters, so nothing else becomes deep."""


def parse(text: str) -> tree.Query:
    """Parse a query; raise QueryError with the span of what is wrong.

    >>> [command.name for command in parse('filter action = "REJECT" | stats count(*) by srcAddr').commands]
    ['filter', 'stats']
    """
    _check_depth(text)
    try:
        return build(_parser().parse(text), text)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except (VisitError, RecursionError) as error:
        cause = error.orig_exc if isinstance(error, VisitError) else error
        if isinstance(cause, RecursionError):
            cause = QueryError("the query is nested too deeply for the sandbox", Span(0, len(text)))
        raise cause from None


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True)


def _check_depth(text: str) -> None:
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        # Checked on the text, before lark and Python recurse into it; NUL can't stand in DuckDB's literals.
        if depth > MAX_DEPTH or character == "\0":
            raise unexpected_symbol(text, position)


def _syntax_error(text: str, error: UnexpectedInput) -> QueryError:
    position = len(text)
    if isinstance(error, UnexpectedCharacters) or (isinstance(error, UnexpectedToken) and error.token.type != "$END"):
        position = error.pos_in_stream or 0
    word = WORD.match(text, position)
    before = text[:position].rstrip()
    # Only where a command may begin: elsewhere the word may be a field's name.
    if word and word.group().lower() in REFUSED_COMMANDS and (not before or before.endswith("|")):
        name = REFUSED_COMMANDS[word.group().lower()]
        return QueryError(f"{name}: the sandbox does not have this command, see docs/sandbox.md", Span(*word.span()))
    return unexpected_symbol(text, position)
