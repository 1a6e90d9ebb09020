"""Which partitions a query needs: the conditions of its WHERE and ON that are of partition columns alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena.dialect.scope import is_plain

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions


def prune(expressions: Expressions, condition: exp.Expr, *, outer_joined: bool) -> None:
    """Notes a condition on the partition columns of one table with its scan."""
    if isinstance(condition, exp.Paren) and isinstance(condition.this, exp.And):
        for part in condition.this.flatten():
            prune(expressions, part, outer_joined=outer_joined)
        return
    if not is_plain(condition):
        return
    expressions.columns_met = []
    expressions.value(condition)
    met = expressions.columns_met
    scans = {id(column.scan) for column in met}
    if met and len(scans) == 1 and all(column.is_partition for column in met):
        scan = met[0].scan
        if scan and (outer_joined or not scan.nullable):
            expressions.partitions_alone = True
            scan.partition_filters.append(expressions.value(condition).sql)
            if values := _named(expressions, condition, met[0].origin):
                scan.named_values[met[0].number] = values
            expressions.partitions_alone = False


def _named(expressions: Expressions, condition: Any, column: str) -> list[str]:
    """The DuckDB of the values that a condition leaves a column; none where it is no plain list of values."""
    match condition:
        case exp.Paren():
            return _named(expressions, condition.this, column)
        case exp.Or():
            parts = [_named(expressions, part, column) for part in condition.flatten()]
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
