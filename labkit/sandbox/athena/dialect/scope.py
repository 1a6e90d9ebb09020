"""Name resolution in a query: the columns of its FROM, and those of the queries around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.types import Type

if TYPE_CHECKING:
    from labkit.sandbox.athena.catalog import Table


@dataclass(eq=False)
class Scan:
    """One mention of a table in a query, with the columns and partitions that the query reads."""

    table: Table
    alias: str
    """The name of the scan in the SQL; each mention has its own."""
    used: set[int] = field(default_factory=set)
    """The numbers of the columns that are read; partition columns come after the others."""
    partition_filters: list[str] = field(default_factory=list)
    """SQL conditions on partition columns alone; a partition that fails one is not read."""
    named_values: dict[int, list[str]] = field(default_factory=dict)
    """The values that conditions allow a partition column, by its number, as SQL without columns."""
    nullable: bool = False
    """Whether an outer join may fill the table's columns with NULL: then a WHERE can't be applied before the join."""
    uses_path: bool = False


@dataclass(frozen=True)
class Value:
    """An expression: its DuckDB SQL, its Trino type, and its value if it is a string or integer literal."""

    sql: str
    type: Type
    literal: str | int | None = None


@dataclass(frozen=True)
class Column:
    """A column that a name can refer to."""

    name: str
    type: Type
    sql: str
    table: tuple[str, ...] = ()
    """The qualifiers that may stand before it: `t`, or `awsdatacatalog`, `default`, `vpc_flow_logs`."""
    hidden: bool = False
    """Not part of `*`, like `"$path"`."""
    shadowed: bool = False
    """Found only with a table's name before it."""
    scan: Scan | None = None
    number: int = 0
    """Its number in the scan."""
    origin: str = ""
    """For a partition column: its SQL in the scan itself, whatever queries lie between."""

    def use(self) -> Column:
        """Note that the query reads the column, and return it."""
        if self.scan:
            self.scan.used.add(self.number)
        return self

    def is_called(self, qualifier: tuple[str, ...]) -> bool:
        """Tell whether these qualifiers may stand before it: the last of `table`, none for an unshadowed column."""
        return self.table[-len(qualifier) :] == qualifier if qualifier else not self.shadowed

    @property
    def is_partition(self) -> bool:
        """Whether it is a partition column, whose value is known before any object is read."""
        return bool(self.scan and self.origin)


@dataclass(frozen=True)
class Scope:
    """The columns that names can refer to, and the scope of the query around."""

    columns: tuple[Column, ...] = ()
    parent: Scope | None = None

    @cached_property
    def _by_name(self) -> dict[str, list[Column]]:
        """The columns by their names in lower case."""
        found: dict[str, list[Column]] = {}
        for column in self.columns:
            found.setdefault(column.name.lower(), []).append(column)
        return found

    def find(self, parts: Sequence[str]) -> tuple[Column, Sequence[str], int] | None:
        """Find the column that a dotted name means; None if there is none.

        Return the column, the names of the fields that select a part of it, and how many queries out it was found.
        Raise AMBIGUOUS_NAME without a place, which the caller knows.
        """
        names = [part.lower() for part in parts]
        # The longest qualifier first: a.b is column b of table a before it is field b of column a.
        for qualifiers in range(min(len(names) - 1, 3), -1, -1):
            wanted, name = tuple(names[:qualifiers]), names[qualifiers]
            found = [column for column in self._by_name.get(name, ()) if column.is_called(wanted)]
            if len(found) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"Column '{'.'.join(parts[: qualifiers + 1])}' is ambiguous")
            if found:
                return found[0], parts[qualifiers + 1 :], 0
        outer = self.parent.find(parts) if self.parent else None
        return (outer[0], outer[1], outer[2] + 1) if outer else None

    def of_table(self, names: Sequence[str]) -> tuple[Column, ...]:
        """Return the columns that `names.*` stands for."""
        wanted = tuple(name.lower() for name in names)
        return tuple(column for column in self.columns if not column.hidden and column.is_called(wanted))

    def nullable(self) -> Scope:
        """Mark the columns' scans as the side of an outer join that may be filled with NULL."""
        for column in self.columns:
            if column.scan:
                column.scan.nullable = True
        return self


@dataclass(frozen=True)
class Query:
    """A compiled query; in DuckDB its columns are called c0, c1, ..., whatever their names."""

    sql: str
    columns: tuple[Column, ...]

    def renamed(self, names: Sequence[str]) -> Query:
        """Return the same query with other names for its columns, in order."""
        return replace(
            self, columns=tuple(replace(each, name=name) for each, name in zip(self.columns, names, strict=True))
        )


def positioned(node: exp.Expr) -> Iterator[exp.Expr]:
    """Return the parts of an expression whose position in the text is known."""
    return (part for part in node.walk() if "start" in part.meta)


def place(node: exp.Expr) -> str:
    """Return where an expression starts: `line 1:8`."""
    first = min(positioned(node), key=lambda part: part.meta["start"], default=None)
    if first is None:
        return place(node.parent) if node.parent else "line 1:1"
    meta = first.meta
    return f"line {meta['line']}:{meta['col'] - (meta['end'] - meta['start'])}"


def is_plain(node: exp.Expr) -> bool:
    """Tell whether an expression's value depends on its row alone."""
    return not any(isinstance(part, (exp.Query, exp.Window, exp.Subquery)) for part in node.walk())
