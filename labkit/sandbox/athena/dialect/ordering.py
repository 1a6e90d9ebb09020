"""ORDER BY of a query: its keys are positions, names of the query's own columns, or expressions over all columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from labkit.sandbox.athena.dialect import windows
from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler
from labkit.sandbox.athena.dialect.scope import Column, Value, place
from labkit.sandbox.athena.errors import QueryError


@dataclass
class Item:
    """One column of a SELECT."""

    value: Value
    name: str
    node: exp.Expr | None = None
    column: Column | None = None
    """The column that it is, if it is a plain column."""


class Ordering:
    """The keys of one ORDER BY; names mean columns of the SELECT first, then columns of the FROM.

    The columns are indexed by name and by SQL once, not for each key: a query may have thousands of both.
    """

    def __init__(
        self,
        expressions: ExpressionCompiler,
        items: Sequence[Item],
        check_grouped: Callable[[ExpressionCompiler, exp.Expr], None],
    ) -> None:
        self._expressions = expressions
        self._items = items
        self._check_grouped = check_grouped
        self._by_sql: dict[str, int] = {}
        self._by_name: dict[str, list[int]] = defaultdict(list)
        for number, item in enumerate(items):
            self._by_sql.setdefault(item.value.sql, number)
            self._by_name[item.name.lower()].append(number)
        scope = expressions.scope
        outputs = (
            Column(items[n[0]].name, items[n[0]].value.type, items[n[0]].value.sql) for n in self._by_name.values()
        )
        rest = (replace(c, hidden=True, shadowed=c.name.lower() in self._by_name) for c in scope.columns)
        self._scope = replace(scope, columns=(*outputs, *rest))

    def clause(self, node: Any) -> str:
        """Return the ORDER BY clause of a query that has one."""
        distinct = bool(node.args.get("distinct"))
        keys = (self._key(each.this, distinct) + windows.direction(each) for each in node.args["order"].expressions)
        return " ORDER BY " + ", ".join(keys)

    def _key(self, key: Any, distinct: bool) -> str:
        if isinstance(key, exp.Literal) and not key.is_string:
            return self._position(key)
        if isinstance(key, exp.Column) and not key.table and (named := self._by_name.get(key.name.lower())):
            # SELECT a, a ORDER BY a isn't ambiguous: both columns are the same expression.
            if len({self._items[n].value.sql for n in named}) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"{place(key)}: Column '{key.name}' is ambiguous")
            # By position: in DuckDB the output columns are called c0, c1, ..., and an input may be called so too.
            return str(named[0] + 1)
        return self._expression(key, distinct)

    def _position(self, key: Any) -> str:
        number = int(key.this)
        if not 1 <= number <= len(self._items):
            raise QueryError(
                "INVALID_COLUMN_REFERENCE", f"{place(key)}: ORDER BY position {number} is not in select list"
            )
        return str(number)

    def _expression(self, key: Any, distinct: bool) -> str:
        expressions = self._expressions
        # Inside an expression too, an alias of the SELECT hides a column of the FROM, as Trino has it.
        outside, expressions.scope = expressions.scope, self._scope
        value = expressions.value(key)
        expressions.scope = outside
        # An expression of the SELECT list: DISTINCT and GROUP BY allow it, whatever columns it names.
        if value.sql in self._by_sql:
            expressions.ungrouped.clear()
            return str(self._by_sql[value.sql] + 1)
        if distinct:
            raise QueryError(
                "EXPRESSION_NOT_IN_DISTINCT",
                f"{place(key)}: For SELECT DISTINCT, ORDER BY expressions must appear in select list",
            )
        if not any(column.name.lower() in self._by_name for column in key.find_all(exp.Column)):
            self._check_grouped(expressions, key)
        expressions.ungrouped.clear()
        return value.sql
