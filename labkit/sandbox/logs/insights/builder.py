"""Turns lark's tree into our tree of expressions, and makes errors with their places."""

# ruff: noqa: D102

from __future__ import annotations

import re
from typing import Any

from lark import Token, Transformer, v_args

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.cost import check_cost
from labkit.sandbox.logs.insights.tree import QueryError, Span

WORD = re.compile(r"`[^`]*`?|[\w@.]+|\S")

_ESCAPE = re.compile(r"\\(.)", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<(?P<name>[A-Za-z]\w*)>|(?P<plain>\()(?!\?)", re.S)
"""A group, or something that only looks like one: an escaped character, a character class."""
_FIELD_PART = re.compile(r"`([^`]+)`|([\w@]+)|\[(\d+)\]")


def unexpected_symbol(text: str, position: int) -> QueryError:
    """Return CloudWatch Logs' error for the word at `position`."""
    word = WORD.match(text, position)
    symbol = word.group() if word else "<EOF>"
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    message = f"unexpected symbol found {symbol} at line {line} and position {column}"
    return QueryError(message, Span(position, max(position + len(symbol) if word else position, position)))


def unquoted(token: str) -> str:
    r"""Return the value of a quoted string; an unknown escape stays as written, so `"\d"` is `\d`."""
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), token[1:-1])


def field_path(token: str) -> tuple[str, ...]:
    """Split a field's name into its segments.

    >>> field_path("a.`b-c`[0]")
    ('a', 'b-c', '0')
    """
    return tuple(next(filter(None, match)) for match in _FIELD_PART.findall(token))


def glob_regex(glob: str, wildcards: int) -> str:
    r"""Return the regular expression of a glob: each `*` matches as little as possible, one at the end the rest.

    >>> glob_regex("[*] *", 2)
    '(?s)\\[(.*?)\\]\\ (.*)$'
    """
    parts = [re.escape(part) for part in glob.split("*")]
    body = "(.*?)".join(parts)
    return "(?s)" + (body[: -len("(.*?)")] + "(.*)$" if wildcards and glob.endswith("*") else body)


def plain_groups(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Return a pattern with plain groups instead of named ones, and their names: DuckDB's RE2 has no `(?<name>`.

    Beside named groups, plain ones become non-capturing, so that the names belong to the groups in order.
    """
    names = tuple(match["name"] for match in _GROUP.finditer(pattern) if match["name"])

    def plain(match: re.Match[str]) -> str:
        if match["name"]:
            return "("
        return "(?:" if match["plain"] and names else match[0]

    return _GROUP.sub(plain, pattern), names


@v_args(meta=True)
class ExpressionBuilder(Transformer):  # type: ignore[type-arg]
    """Turns lark's tree into ours; each method handles the grammar rule of its name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def item(self, meta: Any, children: list[Any]) -> tree.Item:
        expression, alias = children
        check_cost(expression)
        if alias is None:
            return tree.Item(expression, self._name(expression), aliased=False)
        return tree.Item(expression, self._field(alias).name, aliased=True)

    def either(self, meta: Any, operands: list[Any]) -> tree.Logic:
        return tree.Logic(span(meta), "or", tuple(operands))

    def both(self, meta: Any, operands: list[Any]) -> tree.Logic:
        return tree.Logic(span(meta), "and", tuple(operands))

    def no(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(span(meta), children[0])

    def binary(self, meta: Any, children: list[Any]) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(span(meta), str(operator), left, right)

    def like(self, meta: Any, children: list[Any]) -> tree.Like:
        return tree.Like(span(meta), *children)

    def not_like(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(span(meta), self.like(meta, children))

    def in_list(self, meta: Any, children: list[Any]) -> tree.In:
        operand, *items = children
        return tree.In(span(meta), operand, tuple(item for item in items if item is not None))

    def not_in_list(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(span(meta), self.in_list(meta, children))

    def in_query(self, meta: Any, children: list[Any]) -> tree.InQuery:
        return tree.InQuery(span(meta), *children)

    def not_in_query(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(span(meta), self.in_query(meta, children))

    def negative(self, meta: Any, children: list[Any]) -> tree.Negative:
        return tree.Negative(span(meta), children[0])

    def field(self, meta: Any, children: list[Any]) -> tree.Field:
        return self._field(children[0])

    def call(self, meta: Any, children: list[Any]) -> tree.Call:
        name, *given = children
        arguments = tuple(argument for argument in given if argument is not None)
        return tree.Call(span(meta), str(name), arguments, f"{name}({', '.join(map(self._name, arguments))})")

    def attribute(self, meta: Any, children: list[Any]) -> tree.Attribute:
        call, access = children
        return tree.Attribute(span(meta), call, field_path(access))

    def in_field(self, meta: Any, children: list[Any]) -> tree.Call:
        operand, elements = children
        return tree.Call(span(meta), "jsonArrayContains", (elements, operand), self.text[slice(*span(meta))])

    def not_in_field(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(span(meta), self.in_field(meta, children))

    def call_star(self, meta: Any, children: list[Any]) -> tree.Call:
        return tree.Call(span(meta), str(children[0]), (tree.Star(span(meta)),), f"{children[0]}(*)")

    def string(self, meta: Any, children: list[Any]) -> tree.Text:
        return tree.Text(span(meta), unquoted(children[0]))

    def number(self, meta: Any, children: list[Any]) -> tree.Number:
        value = float(children[0])
        # 1e999 is too large for a double, and SQL has no literal for infinity.
        if value == float("inf"):
            raise unexpected_symbol(self.text, meta.start_pos)
        return tree.Number(span(meta), value)

    def period(self, meta: Any, children: list[Any]) -> tree.Period:
        digits = re.match(r"\d+", children[0])
        assert digits
        return tree.Period(span(meta), int(digits.group()), children[0][digits.end() :].lower())

    def regex(self, meta: Any, children: list[Any]) -> tree.Regex:
        return tree.Regex(span(meta), plain_groups(children[0][1:-1])[0])

    def _field(self, token: Token) -> tree.Field:
        return tree.Field(span(token), field_path(token))

    def _name(self, expression: tree.Expression) -> str:
        """Return the name of a column without an alias: the expression as written, without stray blanks."""
        if isinstance(expression, tree.Field):
            return expression.name
        if isinstance(expression, tree.Call):
            return expression.label
        return " ".join(self.text[slice(*expression.span)].split())


def span(meta: Any) -> Span:
    """Return the span of a rule or token; an empty rule has none and gets the beginning of the text."""
    start = getattr(meta, "start_pos", None)
    return Span(0, 0) if start is None else Span(start, meta.end_pos)
