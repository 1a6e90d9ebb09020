"""The statement that the commands of a query build: each wraps the statement of those before it.

Rows of events keep their own columns (`timestamp`, `sequence`, `message`, ...) beside those that the query makes, until
`stats` replaces both. Columns made by the query are called c1, c2, ...: no name of the query's text enters SQL.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from labkit.sandbox.logs.insights import fields, tree
from labkit.sandbox.logs.insights.expressions import Expressions, Scope
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, quoted, shown

DEFAULT_FIELDS = ("@timestamp", "@message")
"""What a query shows that names no fields."""
NEWEST_FIRST = ("timestamp DESC", "sequence DESC")
"""The order of events that nothing was said about."""


@dataclass(frozen=True)
class Statement:
    """A compiled query: its rows have a text for each of `columns`, and after them what `last` says."""

    sql: str
    columns: tuple[str, ...]
    last: str
    """`@ptr` for events; `matched` after `stats`: how many events the filters before it let through."""
    matched_sql: str
    """Counts these events, for where no row tells it."""


@dataclass(frozen=True)
class Group:
    """A key of the last `stats`, as a column of its rows."""

    column: Value
    period: tree.Period | None
    """Of a bin()."""


class Pipeline:
    """The statement so far, and the names that the next command may use."""

    def __init__(
        self,
        sources: Sequence[fields.Source],
        window: fields.Window,
        now: float,
        earlier: fields.Window | None = None,
    ) -> None:
        self.sources: Sequence[fields.Source] | None = sources
        self.window, self.earlier = window, earlier
        self.now = now
        read = window.sql if earlier is None else f"({window.sql} OR {earlier.sql})"
        self.sql = " UNION ALL ".join(
            f"SELECT *, {quoted(source.log)} AS log FROM {source.relation} WHERE {read}" for source in sources
        )
        self.columns: dict[str, Value] = {}
        """What the query's names stand for."""
        self.shown: dict[str, Value] = {}
        """The columns of the result, but for a `display`."""
        self.displayed: dict[str, Value] | None = None
        self.chosen = False
        """Whether the query said what to show."""
        self.order: tuple[str, ...] = ()
        self.last_order: tuple[str, ...] = NEWEST_FIRST
        """Decides between rows that tie."""
        self.groups: tuple[Group, ...] = ()
        self.matched_sql: str | None = None
        self._numbers = itertools.count(1)

    @property
    def full_order(self) -> str:
        """The order of the rows, as SQL; no two rows of events tie in it."""
        return ", ".join((*self.order, *self.last_order)) or "1"

    def statement(self, limit: int) -> Statement:
        """The statement that gives the result's rows, at most `limit`."""
        columns = self.displayed if self.displayed is not None else self.visible()
        texts = [shown(value) for value in columns.values()]
        texts.append("matched" if self.sources is None else fields.SYSTEM_FIELDS["@ptr"].sql)
        sql = f"SELECT {', '.join(texts)} FROM ({self.sql}) ORDER BY {self.full_order} LIMIT {limit}"
        self.note_matched()
        assert self.matched_sql is not None
        return Statement(sql, tuple(columns), "matched" if self.sources is None else "@ptr", self.matched_sql)

    def expressions(self) -> Expressions:
        """A compiler of expressions over the rows so far."""
        return Expressions(self.scope(), self.now)

    def scope(self) -> Scope:
        """The names that can be used now."""
        return Scope(dict(self.columns), self.sources)

    def visible(self) -> dict[str, Value]:
        """The columns of the result as they are now: time and message unless the query chose others."""
        if self.chosen:
            return self.shown
        return {**{name: fields.SYSTEM_FIELDS[name] for name in DEFAULT_FIELDS}, **self.shown}

    def bind(self, values: Sequence[Value]) -> list[Value]:
        """The values as columns of the rows, computed now."""
        columns = [self.new_column() for _ in values]
        made = ", ".join(f"{value.sql} AS {column}" for value, column in zip(values, columns, strict=True))
        if made:
            self.sql = f"SELECT *, {made} FROM ({self.sql})"
        return [Value(column, value.kind) for value, column in zip(values, columns, strict=True)]

    def put(self, name: str, value: Value) -> None:
        """Gives a value a name, and shows it."""
        self.columns[name] = self.shown[name] = value

    def define(self, name: str, command: tree.Command) -> None:
        """Refuses a name that is taken."""
        if name in self.columns:
            raise QueryError(f"Ephemeral field is already defined: {name}", command.span)

    def new_column(self) -> str:
        """A name for a column of the rows."""
        return f"c{next(self._numbers)}"

    def replace_rows(self, sql: str, columns: dict[str, Value], order: Sequence[str]) -> None:
        """Goes on with rows that are no events, and that have a column `matched`."""
        self.sql, self.columns, self.shown = sql, columns, dict(columns)
        self.sources, self.displayed, self.chosen = None, None, True
        self.order, self.last_order = (), tuple(order)
        self.matched_sql = self.matched_sql or f"SELECT coalesce(max(matched), 0) FROM ({sql})"

    def note_matched(self) -> None:
        """From here on rows come and go for other reasons than the query's filters."""
        condition = f" WHERE {self.window.sql}" if self.earlier else ""
        self.matched_sql = self.matched_sql or f"SELECT count(*) FROM ({self.sql}){condition}"


def default_order(column: Value) -> str:
    """How the groups of `stats` are ordered by a key: times newest first, all else ascending."""
    return f"{column.sql} DESC NULLS LAST" if column.kind is Kind.TIME else f"{column.sql} ASC NULLS FIRST"
