"""The inputs of a query: the events of log groups in a time range, and lookup tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from labkit.sandbox.logs.insights import fields, periods, tree
from labkit.sandbox.logs.insights.tree import QueryError


@dataclass(frozen=True)
class LookupTable:
    """A lookup table: column number n is `v{n}` of `data`, its row's place is `row`.

    Columns of ranges of addresses (CIDR) have their ends as texts that sort as addresses do, `low{n}` and `high{n}`,
    and the length of the prefix, `length{n}`.
    """

    name: str
    columns: tuple[str, ...]
    data: pa.Table
    ranges: tuple[int, ...] = ()
    """The numbers of the columns that hold address ranges."""

    @property
    def relation(self) -> str:
        """The name by which a query's SQL knows it."""
        return f'"lookup {self.name}"'

    def number(self, column: tree.Field) -> int:
        """The number of a column."""
        if column.name not in self.columns:
            known = ", ".join(self.columns)
            raise QueryError(f"the lookup table {self.name} has no column {column.name}, only {known}", column.span)
        return self.columns.index(column.name)


@dataclass(frozen=True)
class Reading:
    """The inputs of a query, and the moment in seconds at which it was started."""

    sources: Sequence[fields.Source]
    window: fields.Window
    now: float
    nested: Mapping[tree.Source, Sequence[fields.Source]] = field(default_factory=dict)
    """The inputs of the subqueries' SOURCE commands."""
    tables: Mapping[str, LookupTable] = field(default_factory=dict)
    names: Sequence[str] = ()
    """All fields of the events, if the query needs to know them."""

    def within(self, query: tree.Query) -> Reading:
        """Return the inputs of a subquery: the same, unless it has a SOURCE of its own."""
        if query.source is None:
            return self
        window = limited(self.window, query.source, self.now)
        return Reading(self.nested.get(query.source, ()), window, self.now, self.nested, self.tables, self.names)

    def table(self, name: tree.Field) -> LookupTable:
        """A lookup table by its name."""
        if name.name not in self.tables:
            raise QueryError(f"the lookup table {name.name} does not exist", name.span)
        return self.tables[name.name]


def limited(window: fields.Window, source: tree.Source | None, now: float) -> fields.Window:
    """Return the time range of a query's SOURCE if it has `start` or `end`, else the call's."""
    if source is None:
        return window

    def moment(before: tree.Period | None, otherwise: int) -> int:
        return otherwise if before is None else int(now * 1000) - periods.distance(before)

    return fields.Window(moment(source.start, window.start), moment(source.end, window.end), window.last_sequence)
