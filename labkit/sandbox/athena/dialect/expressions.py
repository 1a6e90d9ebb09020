"""Expressions of Athena's SQL: names, literals and operators, each with its type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import arrays, calls, casts, comparisons, formatting, lambdas, operators, temporal
from labkit.sandbox.athena.dialect.scope import Column, Scope, Value, place, positioned
from labkit.sandbox.athena.errors import QueryError, not_supported, too_large
from labkit.sandbox.athena.types import BOOLEAN, UNKNOWN, Type, common_type, quoted

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Queries

MOST_SQL = 16 * 1024**2
"""The maximum length of an expression's SQL: one that doubles with every level becomes an error before it fills memory.
"""
_CLAUSES = ("WHERE clause", "HAVING clause", "JOIN ON clause")


class ExpressionCompiler:
    """Compiles the expressions of one query block."""

    def __init__(self, queries: Queries, scope: Scope) -> None:
        self.queries = queries
        self.scope = scope
        self.now: datetime = queries.now
        self.group_keys: dict[str, Column] | None = None
        """The GROUP BY keys by their SQL; None in a query without aggregation."""
        self.ungrouped: list[exp.Expr] = []
        self.clause_without_aggregates = ""
        """The clause being compiled, if aggregates aren't allowed in it."""
        self.variables: dict[str, Value] = {}
        """The parameters of the enclosing lambdas."""
        self.partitions_alone = False
        """Write columns by their origin in the scan, for conditions on partition columns alone."""
        self.columns_met: list[Column] = []

    def value(self, node: exp.Expr | None) -> Value:
        """Compile an expression; raise QueryError with its place if it isn't valid."""
        self.queries.effort.step()
        if node is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: mismatched input '<EOF>'. Expecting: <expression>")
        handler = NODES.get(type(node))
        if handler is None:
            raise not_supported(f"{place(node)}: {self.text(node)}")
        # Columns met inside this expression come after this mark: if it is a GROUP BY key, they are forgotten again.
        outside = len(self.ungrouped)
        return self.grouped(handler(self, node), outside)

    def grouped(self, result: Value, outside: int) -> Value:
        """Note that the columns of an expression count as grouped if the expression is itself a GROUP BY key.

        `outside` is the number of ungrouped columns that were met before the expression.
        """
        if len(result.sql) > MOST_SQL:
            raise too_large()
        # Keys are compared by their SQL: `A + 1` and `"a"+1` are one key, as they are in Trino.
        if self.group_keys and result.sql in self.group_keys:
            del self.ungrouped[outside:]
        return result

    def condition(self, node: exp.Expr, what: str) -> Value:
        """Compile an expression that has to be boolean; `what` names it in the error."""
        result = self.value(node)
        if result.type not in (BOOLEAN, UNKNOWN):
            actual = f": actual type {result.type}" if what in _CLAUSES else f" (actual: {result.type})"
            raise QueryError("TYPE_MISMATCH", f"{place(node)}: {what} must evaluate to a boolean{actual}")
        return result

    def values_alike(self, nodes: Iterable[exp.Expr], what: str) -> list[Value]:
        """Compile expressions and cast them to their common type; `what` names them in the error."""
        # All are compiled before any is cast: the common type may come from the last one.
        found = [self.value(node) for node in nodes]
        kind = found[0].type
        for each in found[1:]:
            common = common_type(kind, each.type)
            if common is None:
                types_found = (every.type for every in found)
                raise operators.no_common_type(next(iter(nodes)), what, kind, each.type, types_found)
            kind = common
        return [self.cast(each, kind) for each in found]

    def cast(self, value: Value, kind: Type) -> Value:
        """Return a value as a type that it is implicitly cast to."""
        return casts.coerce(value, kind)

    def text(self, node: exp.Expr) -> str:
        """Return an expression as it was written."""
        parts = list(positioned(node))
        if not parts:
            return node.sql(dialect="trino")
        start, end = min(p.meta["start"] for p in parts), max(p.meta["end"] for p in parts)
        written: str = self.queries.text[start : end + 1]
        # sqlglot positions names and literals, not brackets: a call's closing ones have to be added.
        return written + ")" * (written.count("(") - written.count(")"))

    @contextmanager
    def inside_aggregate(self) -> Iterator[None]:
        """Compile the arguments of an aggregate within this context: any column is allowed, another aggregate isn't."""
        keys, clause, ungrouped = self.group_keys, self.clause_without_aggregates, len(self.ungrouped)
        self.group_keys, self.clause_without_aggregates = None, "aggregation"
        yield
        self.group_keys, self.clause_without_aggregates = keys, clause
        del self.ungrouped[ungrouped:]

    def column(self, parts: list[exp.Expr]) -> Value:
        """Return the value that a dotted name means: a lambda's parameter, a column, or a field of either."""
        names = [part.name for part in parts]
        where = place(parts[0])
        # A lambda's parameter hides a column of the same name.
        if names[0].lower() in self.variables and not isinstance(parts[0].parent, exp.Table):
            value = self.variables[names[0].lower()]
            return reduce(lambda inner, name: self.field(inner, name, where), names[1:], value)
        try:
            found = self.scope.find(names)
        except QueryError as error:
            raise QueryError(error.name, f"{where}: {error.message}") from None
        if found is None:
            raise QueryError(
                "COLUMN_NOT_FOUND",
                f"{where}: Column '{'.'.join(self._canonical(parts))}' cannot be resolved or requester is not"
                " authorized"
                " to access requested resources",
            )
        column, fields, distance = found
        column.use()
        # Columns of the queries around are constants to this one: GROUP BY doesn't concern them.
        if distance == 0:
            self.ungrouped.append(parts[0])
            self.columns_met.append(column)
        value = Value(column.origin if self.partitions_alone else column.sql, column.type)
        return reduce(lambda inner, name: self.field(inner, name, where), fields, value)

    def _canonical(self, parts: list[exp.Expr]) -> list[str]:
        return [part.name if part.args.get("quoted") else part.name.lower() for part in parts]

    def field(self, value: Value, name: str, where: str) -> Value:
        """Return a field of a row by its name, in any case."""
        for number, own in enumerate(value.type.names):
            if own and own.lower() == name.lower():
                key = quoted(types.field_key(value.type, number))
                return Value(f"{value.sql}.{key}", value.type.items[number])
        raise QueryError(
            "COLUMN_NOT_FOUND",
            f"{where}: Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
        )

    def subquery(self, node: exp.Expr) -> tuple[str, tuple[Column, ...]]:
        """Compile a query inside an expression; it sees the columns around it."""
        if self.clause_without_aggregates == "partition":
            raise not_supported(place(node))
        if self.variables:
            raise QueryError("NOT_SUPPORTED", f"{place(node)}: Lambda expression cannot contain subqueries")
        query = self.queries.query(node, Scope(parent=self.scope))
        return query.sql, query.columns


def _column(compiler: ExpressionCompiler, node: Any) -> Value:
    if isinstance(node.this, exp.Star):
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: mismatched input '*'. Expecting: <expression>")
    return compiler.column(node.parts)


def _identifier(compiler: ExpressionCompiler, node: Any) -> Value:
    return compiler.column([node])


def _dot(compiler: ExpressionCompiler, node: Any) -> Value:
    if not isinstance(node.expression, exp.Identifier):
        raise not_supported(f"{place(node)}: {compiler.text(node)}")
    return compiler.field(compiler.value(node.this), node.expression.name, place(node))


def _paren(compiler: ExpressionCompiler, node: Any) -> Value:
    inner = compiler.value(node.this)
    return Value(f"({inner.sql})", inner.type, inner.literal)


def _scalar_subquery(compiler: ExpressionCompiler, node: Any) -> Value:
    sql, columns = compiler.subquery(node.this if isinstance(node, exp.Subquery) else node)
    if len(columns) != 1:
        raise QueryError(
            "SYNTAX_ERROR",
            f"{place(node)}: Multiple columns returned by subquery are not yet supported. Found {len(columns)}",
        )
    return Value(f"({sql})", columns[0].type)


def _exists(compiler: ExpressionCompiler, node: Any) -> Value:
    return Value(f"EXISTS ({compiler.subquery(node.this)[0]})", BOOLEAN)


def _parameter(compiler: ExpressionCompiler, node: Any) -> Value:
    raise QueryError(
        "INVALID_PARAMETER_USAGE", f"{place(node)}: Incorrect number of parameters: expected 1 but found 0"
    )


Handler = Callable[[ExpressionCompiler, Any], Value]

NODES: dict[type[exp.Expr], Handler] = {
    exp.Column: _column,
    exp.Identifier: _identifier,
    exp.Dot: _dot,
    exp.Paren: _paren,
    exp.Subquery: _scalar_subquery,
    exp.Select: _scalar_subquery,
    exp.Exists: _exists,
    exp.Placeholder: _parameter,
    **operators.NODES,
    **comparisons.NODES,
    **casts.NODES,
    **calls.NODES,
    **temporal.NODES,
}
# Here, where all of them are imported: the modules of special functions import `calls`, not the other way round.
calls.SPECIAL.update({**arrays.SPECIAL, **formatting.SPECIAL, **lambdas.SPECIAL})
