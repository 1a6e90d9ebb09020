"""Turns lark's tree into our tree of commands."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from lark import Token, v_args

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.builder import (
    ExpressionBuilder,
    field_path,
    glob_regex,
    plain_groups,
    span,
    unexpected_symbol,
    unquoted,
)
from labkit.sandbox.logs.insights.cost import check_cost
from labkit.sandbox.logs.insights.tree import QueryError

MAX_LAG = 100
"""How far autoregress may look back; a limit of ours."""
MAX_LIMIT = 100_000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Limit.html"""
MAX_PREFIXES, MAX_ACCOUNTS = 5, 20
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Source.html"""
MAX_APPENDED = 100_000
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Appendcols.html"""

_SOURCE_ARGUMENTS = {
    "namePrefix": "prefix",
    "accountIdentifiers": "account",
    "accountIdentifier": "account",
    "class": "class",
    "logGroupClass": "class",
}
_OPTION = re.compile(r"\s*=\s*")
_PERIOD = re.compile(r"(\d+)([A-Za-z]+)")


def build(parsed: Any, text: str) -> tree.Query:
    """Build the query of a parsed text; raise lark's VisitError around errors that the grammar can't detect."""
    query: tree.Query = _CommandBuilder(text).transform(parsed)
    return query


@v_args(meta=True)
class _CommandBuilder(ExpressionBuilder):
    """Turns lark's tree into ours; each method handles the grammar rule of its name."""

    def start(self, meta: Any, children: list[Any]) -> tree.Query:
        source, *commands = children
        return tree.Query(tuple(commands), source)

    nested = start

    def source(self, meta: Any, children: list[Any]) -> tree.Source:
        given: dict[str, tuple[str, ...]] = dict(child for child in children if isinstance(child, tuple))
        unknown = [name for name in given if name not in _SOURCE_ARGUMENTS]
        if unknown:
            wanted = ", ".join(_SOURCE_ARGUMENTS)
            raise QueryError(f"SOURCE: unknown keyword {unknown[0]}, known are {wanted}", span(meta))
        prefixes, accounts, classes = (
            next((given[name] for name, role in _SOURCE_ARGUMENTS.items() if role == wanted and name in given), ())
            for wanted in ("prefix", "account", "class")
        )
        for name, values, most in (("prefixes", prefixes, MAX_PREFIXES), ("accounts", accounts, MAX_ACCOUNTS)):
            if len(values) > most:
                raise QueryError(f"SOURCE: there can be at most {most} {name}, not {len(values)}", span(meta))
        start, end = _time_limits(children)
        return tree.Source(span(meta), (), prefixes, accounts, classes, start, end)

    def source_names(self, meta: Any, tokens: list[Any]) -> tree.Source:
        names = [unquoted(token) for token in tokens if token.type == "STRING"]
        names += [self._field(token).name for token in tokens if token.type == "FIELD"]
        start, end = _time_limits(tokens)
        return tree.Source(span(meta), tuple(names), start=start, end=end)

    def source_argument(self, meta: Any, children: list[Any]) -> tuple[str, tuple[str, ...]]:
        name, *values = children
        return str(name), tuple(unquoted(value) for value in values)

    def fields(self, meta: Any, items: list[Any]) -> tree.Fields:
        return tree.Fields(span(meta), tuple(items))

    def display(self, meta: Any, items: list[Any]) -> tree.Display:
        return tree.Display(span(meta), tuple(items))

    def filter(self, meta: Any, children: list[Any]) -> tree.Filter:
        check_cost(children[0])
        return tree.Filter(span(meta), children[0])

    def filter_index(self, meta: Any, children: list[Any]) -> tree.Filter:
        return replace(self.filter(meta, children), by_index=True)

    def stats(self, meta: Any, children: list[Any]) -> tree.Stats:
        *items, groups, offset = children
        period = self.period(offset, [offset]) if offset else None
        return tree.Stats(span(meta), tuple(items), groups or (), period)

    def groups(self, meta: Any, items: list[Any]) -> tuple[tree.Item, ...]:
        return tuple(items)

    def sort(self, meta: Any, keys: list[Any]) -> tree.Sort:
        return tree.Sort(span(meta), tuple(keys))

    def sort_key(self, meta: Any, children: list[Any]) -> tree.SortKey:
        expression, alias, direction = children
        return tree.SortKey(self.item(meta, [expression, alias]), str(direction or "asc").lower() == "desc")

    def limit(self, meta: Any, children: list[Any]) -> tree.Limit:
        number = children[0]
        if not number.isdigit() or int(number) < 1:
            raise unexpected_symbol(self.text, number.start_pos)
        if int(number) > MAX_LIMIT:
            raise QueryError(f"limit: a query returns at most {MAX_LIMIT} rows, not {number}", span(number))
        return tree.Limit(span(meta), int(number))

    def parse_glob(self, meta: Any, children: list[Any]) -> tree.Parse:
        source, glob, *aliases = children
        pattern = unquoted(glob)
        wildcards = pattern.count("*")
        if wildcards != len(aliases):
            raise QueryError(
                f"parse: the pattern {glob} has {wildcards} wildcards (*), but {len(aliases)} fields follow as",
                span(glob),
            )
        regex = tree.Regex(span(glob), glob_regex(pattern, wildcards))
        names = tuple(self._field(alias).name for alias in aliases)
        return tree.Parse(span(meta), self._parsed(source), regex, names)

    def parse_regex(self, meta: Any, children: list[Any]) -> tree.Parse:
        source, regex, *others = children
        aliases = [token for token in others if token.type == "FIELD"]
        pattern, names = plain_groups(regex[1:-1])
        names = tuple(self._field(alias).name for alias in aliases) or names
        if not names:
            raise QueryError(f"parse: the pattern {regex} names no group: write (?<name>...)", span(regex))
        multi = len(aliases) < len(others)
        return tree.Parse(span(meta), self._parsed(source), tree.Regex(span(regex), pattern), names, multi=multi)

    def parse_logfmt(self, meta: Any, tokens: list[Any]) -> tree.ParseLogfmt:
        source, alias = tokens
        return tree.ParseLogfmt(span(meta), self._parsed(source), self._field(alias).name)

    def parse_csv(self, meta: Any, tokens: list[Any]) -> tree.ParseCsv:
        source, *aliases = tokens
        return tree.ParseCsv(span(meta), self._parsed(source), tuple(self._field(alias).name for alias in aliases))

    def json_field(self, meta: Any, tokens: list[Any]) -> tree.JsonField:
        source, path, alias = tokens
        return tree.JsonField(span(meta), self._field(source), field_path(unquoted(path)), self._field(alias).name)

    def _parsed(self, token: Token | None) -> tree.Field:
        """Return the field that parse reads: the message if none is named."""
        return tree.Field(tree.Span(0, 0), ("@message",)) if token is None else self._field(token)

    def dedup(self, meta: Any, tokens: list[Any]) -> tree.Dedup:
        return tree.Dedup(span(meta), tuple(self._field(token) for token in tokens))

    def unnest(self, meta: Any, tokens: list[Any]) -> tree.Unnest:
        source, into = (self._field(token) for token in tokens)
        return tree.Unnest(span(meta), source, into.name)

    def pattern(self, meta: Any, items: list[Any]) -> tree.Pattern:
        return tree.Pattern(span(meta), items[0])

    def diff(self, meta: Any, children: list[Any]) -> tree.Diff:
        return tree.Diff(span(meta), str(children[0] or "").lower())

    def expand(self, meta: Any, tokens: list[Any]) -> tree.Expand:
        return tree.Expand(span(meta), self._field(tokens[0]))

    def count_frequent(self, meta: Any, tokens: list[Any]) -> tree.CountFrequent:
        return tree.CountFrequent(span(meta), tuple(self._field(token) for token in tokens))

    def accum(self, meta: Any, tokens: list[Any]) -> tree.Accum:
        source, alias = tokens
        return tree.Accum(span(meta), self._field(source), self._field(alias or source).name)

    def autoregress(self, meta: Any, tokens: list[Any]) -> tree.Autoregress:
        source, alias, lags = tokens
        first, last = _lags(lags)
        name = self._field(alias or source).name
        names = {f"{name}_p{lag}": lag for lag in range(first, last + 1)}
        return tree.Autoregress(span(meta), self._field(source), {name: first} if alias and first == last else names)

    def filldown(self, meta: Any, tokens: list[Any]) -> tree.Filldown:
        return tree.Filldown(span(meta), tuple(str(token).strip("`") for token in tokens))

    def filler(self, meta: Any, children: list[Any]) -> tuple[tree.Expression, tree.Field]:
        value, name = children
        check_cost(value)
        return value, self._field(name)

    def fillmissing(self, meta: Any, fillers: list[Any]) -> tree.Fillmissing:
        return tree.Fillmissing(span(meta), tuple(filler for filler in fillers if filler is not None))

    def sessionize(self, meta: Any, children: list[Any]) -> tree.Sessionize:
        *fields, pause, alias = children
        return tree.Sessionize(
            span(meta),
            tuple(self._field(field) for field in fields),
            self.period(pause, [pause]) if pause else tree.Period(span(meta), 30, "m"),
            self._field(alias).name if alias else "session_id",
        )

    def addtotals(self, meta: Any, children: list[Any]) -> tree.Addtotals:
        tokens = [token for token in children if token is not None]
        options = _options(tokens)
        return tree.Addtotals(
            span(meta),
            tuple(self._field(token) for token in tokens if token.type == "FIELD"),
            options.get("fieldname", "Total"),
            rows=options.get("row", "true").lower() == "true",
            columns=options.get("col", "false").lower() == "true",
        )

    def outlier(self, meta: Any, tokens: list[Any]) -> tree.Outlier:
        options = _options(tokens)
        return tree.Outlier(
            span(meta),
            tuple(self._field(token) for token in tokens if token.type == "FIELD"),
            factor=float(options.get("param", "2.5")),
            remove=options.get("action", "").lower() == "remove",
            lower=options.get("uselower", "").lower() == "true",
            mark=options.get("mark", "").lower() == "true",
        )

    def logcompare(self, meta: Any, tokens: list[Any]) -> tree.Logcompare:
        return tree.Logcompare(span(meta), self.period(tokens[0], tokens))

    def appendcols(self, meta: Any, children: list[Any]) -> tree.Appendcols:
        *tokens, query = children
        options = _options(tokens)
        most = int(options.get("max", "10000"))
        if not 1 <= most <= MAX_APPENDED:
            raise QueryError(f"appendcols: max must be from 1 to {MAX_APPENDED}, not {most}", span(meta))
        return tree.Appendcols(span(meta), query, options.get("override", "").lower() == "true", most)

    def join_key(self, meta: Any, tokens: list[Any]) -> tuple[tree.Field, tree.Field]:
        first, sign, second = tokens
        if sign != "=":
            raise QueryError(f"join: the fields of both sides must be equal (=), not {sign}", span(meta))
        return self._field(first), self._field(second)

    def join(self, meta: Any, children: list[Any]) -> tree.Join:
        *others, query = children
        options = _options([child for child in others if isinstance(child, Token)])
        kind = options.get("type", "inner").lower()
        if kind not in ("inner", "left"):
            raise QueryError(f"join: the type must be inner or left, not {kind}", span(meta))
        left, right = options.get("left"), options.get("right")
        if not left or not right or left == right:
            raise QueryError("join: name both sides, as in left=a right=b", span(meta))
        keys = tuple(_sides(pair, left, right) for pair in others if isinstance(pair, tuple))
        return tree.Join(span(meta), query, left, right, keys, outer=kind == "left")

    def relevantfields(self, meta: Any, children: list[Any]) -> tree.Relevantfields:
        *tokens, condition = children
        check_cost(condition)
        fields = tuple(self._field(token) for token in tokens if token is not None)
        return tree.Relevantfields(span(meta), fields, condition)

    def renamed(self, meta: Any, tokens: list[Any]) -> tuple[tree.Field, tree.Field]:
        name, alias = tokens
        return self._field(name), self._field(alias or name)

    def lookup(self, meta: Any, children: list[Any]) -> tree.Lookup:
        table, *rest = children
        mode = next(place for place, child in enumerate(rest) if isinstance(child, Token))
        keys, outputs = tuple(rest[:mode]), tuple(rest[mode + 1 :])
        return tree.Lookup(span(meta), self._field(table), keys, outputs, only_new=rest[mode].lower() == "outputnew")

    def cidrlookup(self, meta: Any, children: list[Any]) -> tree.Cidrlookup:
        table, (address, column), mode, *outputs = children
        return tree.Cidrlookup(
            span(meta),
            self._field(table),
            address,
            column if column != address else None,
            tuple(outputs),
            only_new=mode.lower() == "outputnew",
        )


def _time_limits(children: list[Any]) -> tuple[tree.Period | None, tree.Period | None]:
    """Read `start=-1d end=now`: how long before the query's start each is."""
    limits = {}
    for token in children:
        if isinstance(token, Token) and token.type == "TIME_LIMIT":
            name, value = _OPTION.split(token)
            match = _PERIOD.fullmatch("0s" if value.lower() == "now" else value.removeprefix("-"))
            assert match
            limits[name.lower()] = tree.Period(span(token), int(match[1]), match[2].lower())
    return limits.get("start"), limits.get("end")


def _options(tokens: list[Token]) -> dict[str, str]:
    """Return the `name=value` options among tokens, by name in lower case."""
    pairs = (_OPTION.split(token.strip()) for token in tokens if token.type.endswith("_OPTION"))
    return {name.lower(): value for name, value in pairs}


def _sides(pair: tuple[tree.Field, tree.Field], left: str, right: str) -> tuple[tree.Field, tree.Field]:
    """Return the fields of the left and the right side, without the sides' names."""
    sides = {field.path[0]: tree.Field(field.span, field.path[1:]) for field in pair if len(field.path) > 1}
    if set(sides) != {left, right}:
        place = tree.Span(pair[0].span.start, pair[1].span.end)
        raise QueryError(f"join: the condition must be {left}.field = {right}.field", place)
    return sides[left], sides[right]


def _lags(token: Token | None) -> tuple[int, int]:
    """Return the first and last lag of `p=1-4`; one row back by default."""
    numbers = [int(number) for number in re.findall(r"\d+", token or "p=1")]
    first, last = numbers[0], numbers[-1]
    if not 1 <= first <= last <= MAX_LAG:
        assert token is not None
        raise QueryError(f"autoregress: {token} must be a range within 1 to {MAX_LAG}", span(token))
    return first, last
