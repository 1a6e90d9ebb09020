"""Makes our tree of a query of what the grammar made of its text."""

from __future__ import annotations

import re
from typing import Any

from lark import Token, Transformer, v_args

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.cost import check_cost
from labkit.sandbox.logs.insights.tree import QueryError, Span

WORD = re.compile(r"`[^`]*`?|[\w@.]+|\S")

MAX_LAG = 100
"""How far autoregress may look back; a bound of our own."""

_SOURCE_ARGUMENTS = {
    "namePrefix": "prefix",
    "accountIdentifiers": "account",
    "accountIdentifier": "account",
    "class": "class",
    "logGroupClass": "class",
}
_OPTION = re.compile(r"\s*=\s*")
_ESCAPE = re.compile(r"\\(.)", re.S)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<(?P<name>[A-Za-z]\w*)>|(?P<plain>\()(?!\?)", re.S)
"""A group, or what only looks like one: an escaped character, a class."""
_FIELD_PART = re.compile(r"`([^`]+)`|([\w@]+)|\[(\d+)\]")


def unexpected_symbol(text: str, position: int) -> QueryError:
    """The error for the word at `position`, as CloudWatch Logs words it."""
    word = WORD.match(text, position)
    symbol = word.group() if word else "<EOF>"
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    message = f"unexpected symbol found {symbol} at line {line} and position {column}"
    return QueryError(message, Span(position, max(position + len(symbol) if word else position, position)))


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
    """A pattern whose named groups are plain ones, and their names: DuckDB's RE2 knows no `(?<name>`.

    Beside named groups the others stop to capture, so that the names belong to the groups in their order.
    """
    names = tuple(match["name"] for match in _GROUP.finditer(pattern) if match["name"])

    def plain(match: re.Match[str]) -> str:
        if match["name"]:
            return "("
        return "(?:" if match["plain"] and names else match[0]

    return _GROUP.sub(plain, pattern), names


def build(parsed: Any, text: str) -> tree.Query:
    """The query of a parsed text; raises lark's VisitError about what the grammar cannot see."""
    query: tree.Query = _TreeBuilder(text).transform(parsed)
    return query


@v_args(meta=True)
class _TreeBuilder(Transformer):  # type: ignore[type-arg]
    """Makes our tree of lark's; a method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def start(self, meta: Any, children: list[Any]) -> tree.Query:
        source, *commands = children
        return tree.Query(tuple(commands), source)

    def source(self, meta: Any, arguments: list[Any]) -> tree.Source:
        given = dict(argument for argument in arguments if argument is not None)
        unknown = [name for name in given if name not in _SOURCE_ARGUMENTS]
        if unknown:
            wanted = ", ".join(_SOURCE_ARGUMENTS)
            raise QueryError(f"SOURCE: unknown keyword {unknown[0]}, known are {wanted}", _span(meta))
        prefixes, accounts, classes = (
            next((given[name] for name, role in _SOURCE_ARGUMENTS.items() if role == wanted and name in given), ())
            for wanted in ("prefix", "account", "class")
        )
        return tree.Source(_span(meta), prefixes, accounts, classes)

    def source_argument(self, meta: Any, children: list[Any]) -> tuple[str, tuple[str, ...]]:
        name, *values = children
        return str(name), tuple(unquoted(value) for value in values)

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

    def expand(self, meta: Any, tokens: list[Any]) -> tree.Expand:
        return tree.Expand(_span(meta), self._field(tokens[0]))

    def count_frequent(self, meta: Any, tokens: list[Any]) -> tree.CountFrequent:
        return tree.CountFrequent(_span(meta), tuple(self._field(token) for token in tokens))

    def accum(self, meta: Any, tokens: list[Any]) -> tree.Accum:
        source, alias = tokens
        return tree.Accum(_span(meta), self._field(source), self._field(alias or source).name)

    def autoregress(self, meta: Any, tokens: list[Any]) -> tree.Autoregress:
        source, alias, lags = tokens
        first, last = _lags(lags)
        name = self._field(alias or source).name
        names = {f"{name}_p{lag}": lag for lag in range(first, last + 1)}
        return tree.Autoregress(_span(meta), self._field(source), {name: first} if alias and first == last else names)

    def filldown(self, meta: Any, tokens: list[Any]) -> tree.Filldown:
        return tree.Filldown(_span(meta), tuple(str(token).strip("`") for token in tokens))

    def filler(self, meta: Any, children: list[Any]) -> tuple[tree.Expression, tree.Field]:
        value, name = children
        check_cost(value)
        return value, self._field(name)

    def fillmissing(self, meta: Any, fillers: list[Any]) -> tree.Fillmissing:
        return tree.Fillmissing(_span(meta), tuple(filler for filler in fillers if filler is not None))

    def sessionize(self, meta: Any, children: list[Any]) -> tree.Sessionize:
        *fields, pause, alias = children
        return tree.Sessionize(
            _span(meta),
            tuple(self._field(field) for field in fields),
            self.period(pause, [pause]) if pause else tree.Period(_span(meta), 30, "m"),
            self._field(alias).name if alias else "session_id",
        )

    def addtotals(self, meta: Any, children: list[Any]) -> tree.Addtotals:
        tokens = [token for token in children if token is not None]
        options = dict(_OPTION.split(token.strip()) for token in tokens if token.type == "TOTALS_OPTION")
        options = {name.lower(): value for name, value in options.items()}
        return tree.Addtotals(
            _span(meta),
            tuple(self._field(token) for token in tokens if token.type == "FIELD"),
            options.get("fieldname", "Total"),
            rows=options.get("row", "true").lower() == "true",
            columns=options.get("col", "false").lower() == "true",
        )

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


def _lags(token: Token | None) -> tuple[int, int]:
    """The first and last of `p=1-4`; one row back where nothing is said."""
    numbers = [int(number) for number in re.findall(r"\d+", token or "p=1")]
    first, last = numbers[0], numbers[-1]
    if not 1 <= first <= last <= MAX_LAG:
        assert token is not None
        raise QueryError(f"autoregress: {token} must be a range within 1 to {MAX_LAG}", _span(token))
    return first, last


def _span(meta: Any) -> Span:
    start = getattr(meta, "start_pos", None)
    return Span(0, 0) if start is None else Span(start, meta.end_pos)
