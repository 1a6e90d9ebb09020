"""The commands of a query to one SQL statement: each command wraps the statement of those before it.

Rows of events keep their own columns (`timestamp`, `sequence`, `message`, ...) beside those that the query makes, until
`stats` replaces both. Columns made by the query are called c1, c2, ...: no name of the query's text enters SQL.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.logs.insights import aggregates, fields, tree
from labkit.sandbox.logs.insights.calls import check_regex
from labkit.sandbox.logs.insights.expressions import Expressions, Scope
from labkit.sandbox.logs.insights.stats import Aggregation
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted, quoted, shown

MAX_STATS = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html"""
MAX_COMMANDS = 100
"""A bound of our own: each command nests the SQL a level deeper."""
DEFAULT_FIELDS = ("@timestamp", "@message")
"""What a query shows that names no fields."""
_NEWEST_FIRST = ("timestamp DESC", "sequence DESC")


@dataclass(frozen=True)
class Statement:
    """A compiled query: its rows have a text for each of `columns`, and after them what `last` says."""

    sql: str
    columns: tuple[str, ...]
    last: str
    """`@ptr` for events; `matched` after `stats`: how many events the filters before it let through."""
    matched_sql: str
    """Counts these events, for where no row tells it."""


def compile_query(
    query: tree.Query, sources: Sequence[fields.Source], window: str, now: float, limit: int
) -> Statement:
    """The SQL of a query over the events of some log groups that lie within a window, an SQL condition."""
    pipeline = Pipeline(sources, window, now)
    try:
        for command in query:
            pipeline.add(command)
        return pipeline.statement(limit)
    except RecursionError:
        raise QueryError("the query is nested too deeply for the sandbox", query[0].span) from None


class Pipeline:
    """The statement so far, and the names that the next command may use."""

    def __init__(self, sources: Sequence[fields.Source], window: str, now: float) -> None:
        self.sources: Sequence[fields.Source] | None = sources
        self.now = now
        self.sql = " UNION ALL ".join(
            f"SELECT *, {quoted(source.log)} AS log FROM {source.relation} WHERE {window}" for source in sources
        )
        self.columns: dict[str, Value] = {}
        self.shown: dict[str, Value] = {}
        self.chosen = False
        self.displayed: dict[str, Value] | None = None
        self.order: tuple[str, ...] = ()
        self.last_order: tuple[str, ...] = _NEWEST_FIRST
        self.matched_sql: str | None = None
        self.stats_commands = 0
        self.before: list[tree.Command] = []
        self._numbers = itertools.count(1)

    def add(self, command: tree.Command) -> None:
        """Takes in the next command."""
        if any(isinstance(earlier, tree.Dedup) for earlier in self.before) and not isinstance(command, tree.Limit):
            raise QueryError(f"unexpected symbol found {command.name}: only limit can follow dedup", command.span)
        if len(self.before) == MAX_COMMANDS:
            raise QueryError(f"a query has at most {MAX_COMMANDS} commands in the sandbox", command.span)
        _COMMANDS[type(command)](self, command)
        self.before.append(command)

    def statement(self, limit: int) -> Statement:
        """The statement that gives the result's rows, at most `limit`."""
        columns = self.displayed if self.displayed is not None else self._shown()
        texts = [shown(value) for value in columns.values()]
        texts.append("matched" if self.sources is None else fields.SYSTEM_FIELDS["@ptr"].sql)
        last = "matched" if self.sources is None else "@ptr"
        matched_sql = self.matched_sql or self._count()
        sql = f"SELECT {', '.join(texts)} FROM ({self.sql}) ORDER BY {', '.join(self._full_order())} LIMIT {limit}"
        return Statement(sql, tuple(columns), last, matched_sql)

    def expressions(self) -> Expressions:
        """A compiler of expressions over the rows so far."""
        return Expressions(Scope(dict(self.columns), self.sources), self.now)

    # commands

    def fields(self, command: tree.Fields) -> None:
        """Computes and shows fields. Names made in a command are known from the next one on, as in AWS."""
        self.chosen = True
        compiler = self.expressions()
        values = {item.name: compiler.compile(item.expression) for item in command.items}
        computed = [item.name for item in command.items if item.aliased or not isinstance(item.expression, tree.Field)]
        bound = dict(zip(computed, self._bound([values[name] for name in computed]), strict=True))
        self.columns |= bound
        self.shown |= values | bound

    def display(self, command: tree.Display) -> None:
        """Chooses the columns of the result; the last `display` counts."""
        compiler = self.expressions()
        values = self._bound([compiler.compile(item.expression) for item in command.items])
        self.displayed = {item.name: value for item, value in zip(command.items, values, strict=True)}

    def filter(self, command: tree.Filter) -> None:
        """Keeps the rows for which a condition holds."""
        self.sql = f"SELECT * FROM ({self.sql}) WHERE {self.expressions().condition(command.condition)}"

    def parse(self, command: tree.Parse) -> None:
        """Extracts fields by the groups of a regular expression; where it does not match, they are missing."""
        check_regex(command.pattern.pattern, command.pattern.span)
        subject = converted(self.expressions().field(command.source), Kind.TEXT)
        pattern = quoted(command.pattern.pattern)
        names = ", ".join(f"'{number}'" for number in range(len(command.names)))
        column = f"c{next(self._numbers)}"
        groups = (
            f"CASE WHEN regexp_matches({subject}, {pattern}) THEN regexp_extract({subject}, {pattern}, [{names}]) END"
        )
        self.sql = f"SELECT *, {groups} AS {column} FROM ({self.sql})"
        for number, name in enumerate(command.names):
            self._define(name, command)
            self.columns[name] = self.shown[name] = Value(f"{column}['{number}']", Kind.TEXT)

    def stats(self, command: tree.Stats) -> None:
        """Aggregates."""
        self.stats_commands += 1
        self._check_stats(command)
        aggregation = Aggregation(Scope(dict(self.columns), self.sources), self.now)
        keys = [(item, aggregation.key(item)) for item in command.groups]
        outputs = [(item, aggregation.output(item)) for item in command.items]
        first = self.stats_commands == 1
        grouped = aggregation.sql(self.sql, f"{'count(*)' if first else 'max(matched)'} AS rows")
        made = [(item.name, value.kind, value.sql) for item, value in keys + outputs]
        numbered = [(name, kind, sql, f"c{next(self._numbers)}") for name, kind, sql in made]
        total = "CAST(sum(rows) OVER () AS BIGINT)" if first else "rows"
        outer = ", ".join([*(f"{sql} AS {column}" for _, _, sql, column in numbered), f"{total} AS matched"])
        self.sql = f"SELECT {outer} FROM ({grouped})"
        if first:
            self.matched_sql = self.matched_sql or f"SELECT coalesce(max(matched), 0) FROM ({self.sql})"
        self.sources, self.displayed, self.order = None, None, ()
        self.columns = {name: Value(column, kind) for name, kind, _, column in numbered}
        self.shown = dict(self.columns)
        self.chosen = True
        self.last_order = tuple(f"{column} ASC NULLS FIRST" for _, _, _, column in numbered[: len(keys)])

    def sort(self, command: tree.Sort) -> None:
        """Orders the rows: numbers by size, texts in natural order, and events that tie newest first."""
        compiler = self.expressions()
        order: list[str] = []
        for key in command.keys:
            value = compiler.compile(key.item.expression)
            if key.item.aliased:
                (value,) = self._bound([value])
                self.columns[key.item.name] = self.shown[key.item.name] = value
            direction = "DESC NULLS LAST" if key.descending else "ASC NULLS FIRST"
            order += [f"{sql} {direction}" for sql in _sort_keys(value)]
        self.order = tuple(order)

    def limit(self, command: tree.Limit) -> None:
        """Keeps the first rows."""
        self.matched_sql = self.matched_sql or self._count()
        self.sql = f"SELECT * FROM ({self.sql}) ORDER BY {', '.join(self._full_order())} LIMIT {command.count}"

    def dedup(self, command: tree.Dedup) -> None:
        """Keeps the first row of each combination of values, and each row that lacks one of them."""
        self.matched_sql = self.matched_sql or self._count()
        compiler = self.expressions()
        keys = [converted(compiler.field(field), Kind.TEXT) for field in command.fields]
        place = f"row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {', '.join(self._full_order())})"
        missing = " OR ".join(f"{key} IS NULL" for key in keys)
        self.sql = f"SELECT * FROM ({self.sql}) QUALIFY {place} = 1 OR {missing}"

    def unnest(self, command: tree.Unnest) -> None:
        """Makes a row of each element of a list; a row without one is left out."""
        self.matched_sql = self.matched_sql or self._count()
        elements = f"TRY_CAST({converted(self.expressions().field(command.source), Kind.STRUCTURE)} AS JSON[])"
        self._define(command.into, command)
        column = f"c{next(self._numbers)}"
        self.sql = f"SELECT *, unnest({elements}) AS {column} FROM ({self.sql})"
        self.columns[command.into] = self.shown[command.into] = Value(column, Kind.STRUCTURE)

    def refused(self, command: tree.Command) -> None:
        """A command that the sandbox does not have."""
        raise QueryError(f"{command.name}: the sandbox does not have this command, see docs/sandbox.md", command.span)

    # parts

    def _bound(self, values: list[Value]) -> list[Value]:
        """The values as columns of the rows, computed now."""
        columns = [f"c{next(self._numbers)}" for _ in values]
        made = ", ".join(f"{value.sql} AS {column}" for value, column in zip(values, columns, strict=True))
        if made:
            self.sql = f"SELECT *, {made} FROM ({self.sql})"
        return [Value(column, value.kind) for value, column in zip(values, columns, strict=True)]

    def _define(self, name: str, command: tree.Command) -> None:
        if name in self.columns:
            raise QueryError(f"Ephemeral field is already defined: {name}", command.span)

    def _shown(self) -> dict[str, Value]:
        if self.chosen:
            return self.shown
        return {**{name: fields.SYSTEM_FIELDS[name] for name in DEFAULT_FIELDS}, **self.shown}

    def _full_order(self) -> tuple[str, ...]:
        return (*self.order, *self.last_order) or ("1",)

    def _count(self) -> str:
        return f"SELECT count(*) FROM ({self.sql})"

    def _check_stats(self, command: tree.Stats) -> None:
        if self.stats_commands > MAX_STATS:
            raise QueryError(f"a query has at most {MAX_STATS} stats commands", command.span)
        if self.stats_commands == 1:
            return
        for earlier in self.before:
            if isinstance(earlier, (tree.Sort, tree.Limit)):
                message = f"unexpected symbol found {earlier.name}: it must come after the last stats command"
                raise QueryError(message, earlier.span)


def _sort_keys(value: Value) -> list[str]:
    if value.kind in (Kind.NUMBER, Kind.TIME, Kind.BOOLEAN):
        return [value.sql]
    text = converted(value, Kind.TEXT)
    return [key.format(text) for key in aggregates.SORT_KEYS]


_COMMANDS: dict[type[tree.Command], Callable[[Pipeline, Any], None]] = {
    tree.Dedup: Pipeline.dedup,
    tree.Diff: Pipeline.refused,
    tree.Display: Pipeline.display,
    tree.Fields: Pipeline.fields,
    tree.Filter: Pipeline.filter,
    tree.Limit: Pipeline.limit,
    tree.Parse: Pipeline.parse,
    tree.Pattern: Pipeline.refused,
    tree.Sort: Pipeline.sort,
    tree.Stats: Pipeline.stats,
    tree.Unnest: Pipeline.unnest,
}
