"""GROUP BY, and the question whether a query aggregates."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from labkit.sandbox.athena.dialect.expressions import ExpressionCompiler
from labkit.sandbox.athena.dialect.functions import signatures
from labkit.sandbox.athena.dialect.scope import Column, place
from labkit.sandbox.athena.errors import QueryError, not_supported

_SETS: dict[type[exp.Expr], str] = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}
_AGGREGATES_OF_THEIR_OWN = ("grouping",)


def not_aggregate(where: str, text: str) -> QueryError:
    """Return the error for a column that is neither grouped by nor aggregated."""
    return QueryError(
        "EXPRESSION_NOT_AGGREGATE", f"{where}: '{text}' must be an aggregate expression or appear in GROUP BY clause"
    )


def is_aggregated(select: Any) -> bool:
    """Tell whether a SELECT aggregates: by GROUP BY, HAVING or an aggregate function."""
    if select.args.get("group") or select.args.get("having"):
        return True
    parts = [*select.expressions, select.args.get("order")]
    return any(_has_aggregate(part) for part in parts if part is not None)


def _has_aggregate(node: exp.Expr) -> bool:
    nodes = [node]
    while nodes:  # a chain of operators is a tree as deep as it is long
        each = nodes.pop()
        if isinstance(each, exp.GroupConcat) or (isinstance(each, exp.Anonymous) and _is_aggregate(each.name.lower())):
            return True
        if isinstance(each, exp.Window):
            nodes += _in_window(each)
        # An aggregate in a subquery belongs to the subquery.
        elif not isinstance(each, exp.Query):
            nodes += each.iter_expressions()
    return False


def _in_window(node: exp.Expr) -> list[exp.Expr]:
    """Return the expressions inside a call with OVER, without the call itself: a window function isn't an aggregate."""
    inner = node.this
    while not isinstance(inner, exp.Anonymous) and isinstance(inner.this, exp.Expr):
        inner = inner.this
    others = [each for key, each in node.args.items() if key != "this"]
    return [*inner.expressions, *_flat(others)]


def _flat(values: list[Any]) -> list[exp.Expr]:
    return [
        each
        for value in values
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, exp.Expr)
    ]


def _is_aggregate(name: str) -> bool:
    return name in _AGGREGATES_OF_THEIR_OWN or (name in signatures() and signatures()[name][0].kind == "agg")


def group_by(expressions: ExpressionCompiler, select: Any) -> tuple[str, dict[str, Column]]:
    """Compile GROUP BY; return the clause and its keys by their SQL."""
    group = select.args.get("group")
    if not group:
        # One group of everything: an empty table gives one row.
        return (" GROUP BY ()" if is_aggregated(select) else ""), {}
    if group.args.get("all") is False:
        raise not_supported(f"{place(group)}: GROUP BY DISTINCT")
    expressions.clause_without_aggregates = "GROUP BY clause"
    keys: dict[str, Column] = {}
    parts = [_part(expressions, select, part, keys) for part in group.expressions]
    expressions.clause_without_aggregates = ""
    expressions.ungrouped.clear()
    return f" GROUP BY {', '.join(parts)}", keys


def _part(expressions: ExpressionCompiler, select: Any, node: Any, keys: dict[str, Column]) -> str:
    for kind, word in _SETS.items():
        if isinstance(node, kind):
            return f"{word} ({', '.join(_part(expressions, select, each, keys) for each in node.expressions)})"
    if isinstance(node, exp.Tuple):
        return f"({', '.join(_part(expressions, select, each, keys) for each in node.expressions)})"
    if isinstance(node, exp.Paren):
        return f"({_part(expressions, select, node.this, keys)})"
    before = len(expressions.columns_met)
    value = expressions.value(_meant(select, node))
    met = expressions.columns_met[before:]
    # The column itself if the key is one: partition conditions may still move through it.
    keys[value.sql] = met[0] if met else Column("", value.type, value.sql)
    return value.sql


def _meant(select: Any, node: Any) -> exp.Expr:
    """Return the expression that a GROUP BY item means: a number stands for that column of the SELECT."""
    if not (isinstance(node, exp.Literal) and not node.is_string):
        plain: exp.Expr = node
        return plain
    number = int(node.this)
    if not 1 <= number <= len(select.expressions):
        raise QueryError("INVALID_COLUMN_REFERENCE", f"{place(node)}: GROUP BY position {number} is not in select list")
    item: exp.Expr = select.expressions[number - 1]
    if _has_aggregate(item):
        raise QueryError(
            "EXPRESSION_NOT_SCALAR",
            f"{place(node)}: GROUP BY clause cannot contain aggregations, window functions or grouping operations",
        )
    return item.unalias()
