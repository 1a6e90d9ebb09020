"""The SQL statement that a query's commands build: each wraps the statement of those before it.

Rows of events keep their own columns (`timestamp`, `sequence`, `message`, ...) beside those that the query makes, until
`stats` replaces both. Columns made by the query are called c1, c2, ...: no name of the query's text enters SQL.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from labkit.sandbox.logs.insights import fields, tree
from labkit.sandbox.logs.insights.expressions import Expressions, Scope
from labkit.sandbox.logs.insights.reading import Reading
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted, quoted, shown

DEFAULT_FIELDS = ("@timestamp", "@message")
"""The columns of a query that names no fields."""
NO_EVENTS = (
    "SELECT 0::BIGINT AS timestamp, 0::BIGINT AS ingestion_time, 0::BIGINT AS sequence,"
    " '' AS stream, '' AS message, '' AS log WHERE FALSE"
)
"""The events of a query without log groups."""
NEWEST_FIRST = ("timestamp DESC", "sequence DESC")
"""The default order of events."""


@dataclass(frozen=True)
class Statement:
    """A compiled query: its rows have a text for each of `columns`, then the value that `last` names."""

    sql: str
    columns: tuple[str, ...]
    last: str
    """`@ptr` for events; `matched` after `stats`: how many events the filters before it let through."""
    matched_sql: str
    """The SQL that counts these events, for results without rows."""


@dataclass(frozen=True)
class Group:
    """A key of the last `stats`, as a column of its rows."""

    column: Value
    period: tree.Period | None
    """The period of a bin(); None for any other key."""


class Pipeline:
    """The statement so far, and the names that the next command may use."""

    def __init__(
        self,
        reading: Reading,
        nested: Callable[[tree.Query, Iterator[int]], Pipeline],
        earlier: fields.Window | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self.reading, self.earlier = reading, earlier
        self.sources: Sequence[fields.Source] | None = reading.sources
        self.window = reading.window
        read = self.window.sql if earlier is None else f"({self.window.sql} OR {earlier.sql})"
        events = [
            f"SELECT *, {quoted(source.log)} AS log FROM {source.relation} WHERE {read}" for source in reading.sources
        ]
        self.sql = " UNION ALL ".join(events) or NO_EVENTS
        self._nested = nested
        self._numbers = itertools.count(1) if numbers is None else numbers
        self.later: Sequence[tree.Command] = ()
        """The commands after the one that is being compiled."""
        self.left: str | None = None
        """The name of the rows on the left of a `join` that went before."""
        self.columns: dict[str, Value] = {}
        """The values of the names that the query has defined."""
        self.shown: dict[str, Value] = {}
        """The columns of the result, unless a `display` chooses others."""
        self.displayed: dict[str, Value] | None = None
        self.chosen = False
        """Whether the query chose its columns."""
        self.order: tuple[str, ...] = ()
        self.last_order: tuple[str, ...] = NEWEST_FIRST
        """The order among rows that tie."""
        self.groups: tuple[Group, ...] = ()
        self.matched_sql: str | None = None

    @property
    def full_order(self) -> str:
        """The order of the rows, as SQL; no two events tie in it, so that results are reproducible."""
        return ", ".join((*self.order, *self.last_order)) or "1"

    def statement(self, limit: int) -> Statement:
        """Return the statement that selects at most `limit` rows of the result."""
        columns = self.result()
        texts = [shown(value) for value in columns.values()]
        texts.append("matched" if self.sources is None else fields.SYSTEM_FIELDS["@ptr"].sql)
        sql = f"SELECT {', '.join(texts)} FROM ({self.sql}) ORDER BY {self.full_order} LIMIT {limit}"
        self.note_matched()
        assert self.matched_sql is not None
        return Statement(sql, tuple(columns), "matched" if self.sources is None else "@ptr", self.matched_sql)

    def expressions(self) -> Expressions:
        """Return a compiler of expressions over the rows so far."""
        return Expressions(self.scope(), self.reading)

    def scope(self) -> Scope:
        """Return the names that can be used now."""
        return Scope(dict(self.columns), self.sources, self.left, self._values_of)

    def nested(self, query: tree.Query) -> Pipeline:
        """Compile a subquery, whose columns get names of their own."""
        return self._nested(query, self._numbers)

    def _values_of(self, node: tree.InQuery) -> str:
        """Return the SQL of the values that a subquery finds for a field: in the column of its name or its only one."""
        inner = self.nested(node.query)
        columns = inner.result()
        name = node.operand.name if isinstance(node.operand, tree.Field) else ""
        if name not in columns and len(columns) != 1:
            raise QueryError(f"the query after in must have a field {name}, and has {', '.join(columns)}", node.span)
        text = converted(columns.get(name) or next(iter(columns.values())), Kind.TEXT)
        return f"SELECT {text} FROM ({inner.sql}) WHERE {text} IS NOT NULL"

    def result(self) -> dict[str, Value]:
        """Return the columns of the result: those of a `display`, or else the visible ones."""
        return self.visible() if self.displayed is None else self.displayed

    def visible(self) -> dict[str, Value]:
        """Return the columns that are visible now: time and message unless the query chose others."""
        if self.chosen:
            return self.shown
        return {**{name: fields.SYSTEM_FIELDS[name] for name in DEFAULT_FIELDS}, **self.shown}

    def bind(self, values: Sequence[Value]) -> list[Value]:
        """Compute values as columns of the rows, and return these columns."""
        columns = [self.new_column() for _ in values]
        made = ", ".join(f"{value.sql} AS {column}" for value, column in zip(values, columns, strict=True))
        if made:
            # A column is computed once, however often later commands name it; an expression would be repeated.
            self.sql = f"SELECT *, {made} FROM ({self.sql})"
        return [Value(column, value.kind) for value, column in zip(values, columns, strict=True)]

    def spread(self, length: str) -> Value:
        """Multiply each row by a length; return the copy's number, from 1, which also keeps their order."""
        (number,) = self.bind([Value(f"unnest(range(1, {length} + 1))", Kind.NUMBER)])
        self.last_order = (*self.last_order, number.sql)
        return number

    def beside(self, rows: str, columns: Sequence[str], condition: str, *, outer: bool) -> None:
        """Join columns of other rows (`beside` in the SQL) to the rows so far (`before`)."""
        kind = "LEFT JOIN" if outer else "JOIN"
        selected = ", ".join(("before.*", *(f"beside.{column}" for column in columns)))
        # MATERIALIZED: `rows` may name `before` as well, and it would be computed twice.
        before = f"WITH before AS MATERIALIZED ({self.sql})"
        self.sql = f"{before} SELECT {selected} FROM before {kind} ({rows}) AS beside ON {condition}"

    def put(self, name: str, value: Value) -> None:
        """Give a value a name and make it visible."""
        self.columns[name] = self.shown[name] = value

    def define(self, name: str, command: tree.Command) -> None:
        """Raise QueryError for a name that is already defined."""
        if name in self.columns:
            raise QueryError(f"Ephemeral field is already defined: {name}", command.span)

    def new_column(self) -> str:
        """Return a new name for a column."""
        return f"c{next(self._numbers)}"

    def replace_rows(self, sql: str, columns: dict[str, Value], order: Sequence[str]) -> None:
        """Continue with rows that aren't events any more, and that have a column `matched`."""
        self.sql, self.columns, self.shown = sql, columns, dict(columns)
        self.sources, self.displayed, self.chosen = None, None, True
        self.order, self.last_order = (), tuple(order)
        self.matched_sql = self.matched_sql or f"SELECT coalesce(max(matched), 0) FROM ({sql})"

    def note_matched(self) -> None:
        """Count the matched events here: from now on rows come and go for other reasons than filters."""
        condition = f" WHERE {self.window.sql}" if self.earlier else ""
        self.matched_sql = self.matched_sql or f"SELECT count(*) FROM ({self.sql}){condition}"


def default_order(column: Value) -> str:
    """Return the default order of `stats` groups by a key: times newest first, anything else ascending."""
    return f"{column.sql} DESC NULLS LAST" if column.kind is Kind.TIME else f"{column.sql} ASC NULLS FIRST"
