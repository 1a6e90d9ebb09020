"""The protocols by which the parts of the compiler know the two compilers that hold them together.

An expression may contain a query, and a query contains expressions, so every part needs the whole. The parts depend on
these protocols; `expressions.py` and `queries.py` implement them and import the parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from sqlglot import exp

from labkit.sandbox.athena.catalog import Catalog
from labkit.sandbox.athena.dialect.effort import Effort
from labkit.sandbox.athena.dialect.scope import Column, Query, Scan, Scope, Value
from labkit.sandbox.athena.types import Type


class Queries(Protocol):
    """The compiler of one statement's queries."""

    text: str
    catalog: Catalog
    now: datetime
    effort: Effort
    scans: list[Scan]
    ctes: dict[str, tuple[str, tuple[Column, ...]]]
    windows: dict[str, exp.Expr]

    def new_name(self, letter: str) -> str:
        """Return a name that no relation of the statement has yet."""

    def query(self, node: Any, scope: Scope | None = None) -> Query:
        """Compile a query and everything in it."""

    def of_view(self, text: str, database: str) -> Queries:
        """Return the compiler of a view's text, as a part of this statement."""


class Expressions(Protocol):
    """The compiler of the expressions of one query block."""

    queries: Queries
    scope: Scope
    now: datetime
    group_keys: dict[str, Column] | None
    ungrouped: list[exp.Expr]
    clause_without_aggregates: str
    variables: dict[str, Value]
    partitions_alone: bool
    columns_met: list[Column]

    def value(self, node: exp.Expr | None) -> Value:
        """Compile an expression; raise QueryError with its place if it isn't valid."""

    def grouped(self, result: Value, outside: int) -> Value:
        """Note that the columns of an expression count as grouped if the expression is itself a GROUP BY key."""

    def condition(self, node: exp.Expr, what: str) -> Value:
        """Compile an expression that has to be true or false."""

    def values_alike(self, nodes: Iterable[exp.Expr], what: str) -> list[Value]:
        """Compile expressions and cast them to their common type."""

    def cast(self, value: Value, kind: Type) -> Value:
        """Return a value as a type that it is implicitly cast to."""

    def text(self, node: exp.Expr) -> str:
        """Return an expression as it was written."""

    def inside_aggregate(self) -> AbstractContextManager[None]:
        """Compile the arguments of an aggregate within this context."""

    def column(self, parts: list[exp.Expr]) -> Value:
        """Return the value that a dotted name means."""

    def field(self, value: Value, name: str, where: str) -> Value:
        """Return a field of a row."""

    def subquery(self, node: exp.Expr) -> tuple[str, tuple[Column, ...]]:
        """Compile a query inside an expression: its SQL and its columns."""
