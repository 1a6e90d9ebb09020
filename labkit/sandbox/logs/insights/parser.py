"""Query text to tree, and the errors of a text that is no query.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.cost import check_cost
from labkit.sandbox.logs.insights.tree import QueryError, Span

_REFUSED = (
    "accum",
    "addtotals",
    "anomaly",
    "appendcols",
    "autoregress",
    "cidrlookup",
    "countFrequent",
    "estimate",
    "expand",
    "filldown",
    "fillmissing",
    "join",
    "logcompare",
    "lookup",
    "outlier",
    "relevantfields",
    "sessionize",
    "SOURCE",
    "unmask",
)
REFUSED_COMMANDS = {name.lower(): name for name in _REFUSED}
"""Commands of the language that the sandbox does not have."""

MAX_DEPTH = 100
"""Deeper nesting of parentheses is refused; a query has at most 10,000 characters, so nothing else grows deep."""

_WORD = re.compile(r"`[^`]*`?|[\w@.]+|\S")
_ESCAPE = re.compile(r"\\(.)", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_NAMED_GROUP = re.compile(r"\\.|\(\?P?<([A-Za-z]\w*)>", re.S)
_FIELD_PART = re.compile(r"`([^`]+)`|([\w@]+)|\[(\d+)\]")


def parse(text: str) -> tree.Query:
    """The commands of a query.

    >>> [command.name for command in parse('filter action = "REJECT" | stats count(*) by srcAddr')]
    ['filter', 'stats']
    """
    _check_depth(text)
    try:
        parsed = _parser().parse(text)
        query: tree.Query = _TreeBuilder(text).transform(parsed)
    except UnexpectedInput as error:
        raise _syntax_error(text, error) from None
    except (VisitError, RecursionError) as error:
        cause = error.orig_exc if isinstance(error, VisitError) else error
        if isinstance(cause, RecursionError):
            cause = QueryError("the query is nested too deeply for the sandbox", Span(0, len(text)))
        raise cause from None
    return query


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer="contextual", propagate_positions=True, maybe_placeholders=True)


def _check_depth(text: str) -> None:
    depth = 0
    for position, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth > MAX_DEPTH or character == "\0":
            raise unexpected_symbol(text, position)


def unexpected_symbol(text: str, position: int) -> QueryError:
    """The error for the word at `position`, as CloudWatch Logs words it."""
    word = _WORD.match(text, position)
    symbol = word.group() if word else "<EOF>"
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    message = f"unexpected symbol found {symbol} at line {line} and position {column}"
    return QueryError(message, Span(position, max(position + len(symbol) if word else position, position)))


def _syntax_error(text: str, error: UnexpectedInput) -> QueryError:
    position = len(text)
    if isinstance(error, UnexpectedCharacters) or (isinstance(error, UnexpectedToken) and error.token.type != "$END"):
        position = error.pos_in_stream or 0
    word = _WORD.match(text, position)
    before = text[:position].rstrip()
    if word and word.group().lower() in REFUSED_COMMANDS and (not before or before.endswith("|")):
        name = REFUSED_COMMANDS[word.group().lower()]
        return QueryError(f"{name}: the sandbox does not have this command, see docs/sandbox.md", Span(*word.span()))
    return unexpected_symbol(text, position)


def unquoted(token: str) -> str:
    r"""The value of a quoted string; an escape that is none stays as written, so `"\d"` is what it looks like."""
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[0]), token[1:-1])


def field_path(token: str) -> tuple[str, ...]:
    """The segments of a field's name.

    >>> field_path("a.`b-c`[0]")
    ('a', 'b-c', '0')
    """
    return tuple(next(filter(None, match)) for match in _FIELD_PART.findall(token))


def glob_regex(glob: str, wildcards: int) -> str:
    r"""The regular expression of a glob: each `*` takes as little as it can, one at the end takes the rest.

    >>> glob_regex("[*] *", 2)
    '(?s)\\[(.*?)\\]\\ (.*)$'
    """
    parts = [re.escape(part) for part in glob.split("*")]
    body = "(.*?)".join(parts)
    return "(?s)" + (body[: -len("(.*?)")] + "(.*)$" if wildcards and glob.endswith("*") else body)


def plain_groups(pattern: str) -> tuple[str, tuple[str, ...]]:
    """A pattern with its named groups made plain ones, and their names: DuckDB's RE2 knows no `(?<name>`."""
    names: list[str] = []

    def plain(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0]
        names.append(match[1])
        return "("

    return _NAMED_GROUP.sub(plain, pattern), tuple(names)


@v_args(meta=True)
class _TreeBuilder(Transformer):  # type: ignore[type-arg]
    """Makes our tree of lark's; a method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, meta: Any, children: list[Any]) -> tree.Query:
        return tuple(children)

    # commands

    def fields(self, meta: Any, items: list[Any]) -> tree.Fields:
        return tree.Fields(_span(meta), tuple(items))

    def display(self, meta: Any, items: list[Any]) -> tree.Display:
        return tree.Display(_span(meta), tuple(items))

    def filter(self, meta: Any, children: list[Any]) -> tree.Filter:
        check_cost(children[0])
        return tree.Filter(_span(meta), children[0])

    filter_index = filter

    def stats(self, meta: Any, children: list[Any]) -> tree.Stats:
        *items, groups = children
        return tree.Stats(_span(meta), tuple(items), groups or ())

    def groups(self, meta: Any, items: list[Any]) -> tuple[tree.Item, ...]:
        return tuple(items)

    def sort(self, meta: Any, keys: list[Any]) -> tree.Sort:
        return tree.Sort(_span(meta), tuple(keys))

    def sort_key(self, meta: Any, children: list[Any]) -> tree.SortKey:
        expression, alias, direction = children
        return tree.SortKey(self.item(meta, [expression, alias]), str(direction or "asc").lower() == "desc")

    def limit(self, meta: Any, children: list[Any]) -> tree.Limit:
        number = children[0]
        if not number.isdigit() or int(number) < 1:
            raise unexpected_symbol(self.text, number.start_pos)
        return tree.Limit(_span(meta), int(number))

    def parse_glob(self, meta: Any, children: list[Any]) -> tree.Parse:
        source, glob, *aliases = children
        pattern = unquoted(glob)
        wildcards = pattern.count("*")
        if wildcards != len(aliases):
            raise QueryError(
                f"parse: the pattern {glob} has {wildcards} wildcards (*), but {len(aliases)} fields follow as",
                _span(glob),
            )
        regex = tree.Regex(_span(glob), glob_regex(pattern, wildcards))
        return tree.Parse(_span(meta), self._field(source), regex, tuple(self._field(alias).name for alias in aliases))

    def parse_regex(self, meta: Any, children: list[Any]) -> tree.Parse:
        source, regex, *aliases = children
        pattern, names = plain_groups(regex[1:-1])
        names = tuple(self._field(alias).name for alias in aliases if alias is not None) or names
        if not names:
            raise QueryError(f"parse: the pattern {regex} names no group: write (?<name>...)", _span(regex))
        return tree.Parse(_span(meta), self._field(source), tree.Regex(_span(regex), pattern), names)

    def dedup(self, meta: Any, tokens: list[Any]) -> tree.Dedup:
        return tree.Dedup(_span(meta), tuple(self._field(token) for token in tokens))

    def unnest(self, meta: Any, tokens: list[Any]) -> tree.Unnest:
        source, into = (self._field(token) for token in tokens)
        return tree.Unnest(_span(meta), source, into.name)

    def pattern(self, meta: Any, items: list[Any]) -> tree.Pattern:
        return tree.Pattern(_span(meta), items[0])

    def diff(self, meta: Any, children: list[Any]) -> tree.Diff:
        return tree.Diff(_span(meta), str(children[0] or "").lower())

    def item(self, meta: Any, children: list[Any]) -> tree.Item:
        expression, alias = children
        check_cost(expression)
        if alias is None:
            return tree.Item(expression, self._name(expression), aliased=False)
        return tree.Item(expression, self._field(alias).name, aliased=True)

    # expressions

    def either(self, meta: Any, operands: list[Any]) -> tree.Logic:
        return tree.Logic(_span(meta), "or", tuple(operands))

    def both(self, meta: Any, operands: list[Any]) -> tree.Logic:
        return tree.Logic(_span(meta), "and", tuple(operands))

    def no(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(_span(meta), children[0])

    def binary(self, meta: Any, children: list[Any]) -> tree.Binary:
        left, operator, right = children
        return tree.Binary(_span(meta), str(operator), left, right)

    def like(self, meta: Any, children: list[Any]) -> tree.Like:
        return tree.Like(_span(meta), *children)

    def not_like(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(_span(meta), self.like(meta, children))

    def in_list(self, meta: Any, children: list[Any]) -> tree.In:
        operand, *items = children
        return tree.In(_span(meta), operand, tuple(item for item in items if item is not None))

    def not_in_list(self, meta: Any, children: list[Any]) -> tree.Not:
        return tree.Not(_span(meta), self.in_list(meta, children))

    def negative(self, meta: Any, children: list[Any]) -> tree.Negative:
        return tree.Negative(_span(meta), children[0])

    def field(self, meta: Any, children: list[Any]) -> tree.Field:
        return self._field(children[0])

    def call(self, meta: Any, children: list[Any]) -> tree.Call:
        name, *given = children
        arguments = tuple(argument for argument in given if argument is not None)
        return tree.Call(_span(meta), str(name), arguments, f"{name}({', '.join(map(self._name, arguments))})")

    def call_star(self, meta: Any, children: list[Any]) -> tree.Call:
        return tree.Call(_span(meta), str(children[0]), (tree.Star(_span(meta)),), f"{children[0]}(*)")

    def string(self, meta: Any, children: list[Any]) -> tree.Text:
        return tree.Text(_span(meta), unquoted(children[0]))

    def number(self, meta: Any, children: list[Any]) -> tree.Number:
        value = float(children[0])
        if value == float("inf"):
            raise unexpected_symbol(self.text, meta.start_pos)
        return tree.Number(_span(meta), value)

    def period(self, meta: Any, children: list[Any]) -> tree.Period:
        digits = re.match(r"\d+", children[0])
        assert digits
        return tree.Period(_span(meta), int(digits.group()), children[0][digits.end() :].lower())

    def regex(self, meta: Any, children: list[Any]) -> tree.Regex:
        return tree.Regex(_span(meta), plain_groups(children[0][1:-1])[0])

    def _field(self, token: Token) -> tree.Field:
        return tree.Field(_span(token), field_path(token))

    def _name(self, expression: tree.Expression) -> str:
        """The name of a column without an alias: the expression as written, a call without stray blanks."""
        if isinstance(expression, tree.Field):
            return expression.name
        if isinstance(expression, tree.Call):
            return expression.label
        return " ".join(self.text[slice(*expression.span)].split())


def _span(meta: Any) -> Span:
    start = getattr(meta, "start_pos", None)
    return Span(0, 0) if start is None else Span(start, meta.end_pos)
