"""Finds the partitions that a query needs: from conditions in WHERE and ON on partition columns alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena.dialect.scope import is_plain

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions


def prune(expressions: Expressions, condition: exp.Expr, *, outer_joined: bool) -> None:
    """Note a condition with the scan of its table if it is on that table's partition columns alone.

    `outer_joined` says that the condition may be applied before an outer join. The condition stays in the query all
    the same: this only saves reading partitions.
    """
    if isinstance(condition, exp.Paren) and isinstance(condition.this, exp.And):
        for part in condition.this.flatten():
            prune(expressions, part, outer_joined=outer_joined)
        return
    # A subquery or a window function needs rows: nothing is known about them yet.
    if not is_plain(condition):
        return
    expressions.columns_met = []
    expressions.value(condition)
    met = expressions.columns_met
    scans = {id(column.scan) for column in met}
    # A condition on two tables is a join condition, and one without columns says nothing about partitions.
    if met and len(scans) == 1 and all(column.is_partition for column in met):
        scan = met[0].scan
        if scan and (outer_joined or not scan.nullable):
            # Compiled a second time, now with the columns as the scan's list of partitions calls them (p.c1).
            expressions.partitions_alone = True
            scan.partition_filters.append(expressions.value(condition).sql)
            if values := _named(expressions, condition, met[0].origin):
                scan.named_values[met[0].number] = values
            expressions.partitions_alone = False


def _named(expressions: Expressions, condition: Any, column: str) -> list[str]:
    """Return the SQL of the values that a condition allows a column; empty unless it is a plain list of values.

    Partition projection needs them: an `injected` column has no other source of values.
    """
    match condition:
        case exp.Paren():
            return _named(expressions, condition.this, column)
        case exp.Or():
            parts = [_named(expressions, part, column) for part in condition.flatten()]
            # One OR branch that allows anything makes the whole list worthless.
            return [value for part in parts for value in part] if all(parts) else []
        case exp.EQ() if condition.this.find(exp.Column):
            one, values = condition.this, [condition.expression]
        case exp.EQ():
            one, values = condition.expression, [condition.this]
        case exp.In():
            one, values = condition.this, condition.expressions
        case _:
            return []
    if any(value.find(exp.Column) for value in values) or expressions.value(one.unnest()).sql != column:
        return []
    return [expressions.value(value).sql for value in values]
