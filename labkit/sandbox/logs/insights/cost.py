"""Bounds the size of an expression's SQL, so that DuckDB plans it quickly."""

from __future__ import annotations

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.tree import QueryError

MAX_COST = 5_000

_CALL = 4
_ADDRESS_CALL = 200

ADDRESS_CALLS = frozenset(
    {
        *("isvalidip", "isvalidipv4", "isvalidipv6", "isipinsubnet", "isipv4insubnet", "isipv6insubnet"),
        *("isprivateip", "ispublicip", "isreservedip", "ipv4tonumber"),
    }
)
"""Functions whose macros take an address apart piece by piece, and become long SQL."""


def check_cost(expression: tree.Expression) -> None:
    """Raise QueryError for an expression whose SQL would become too large."""
    if _cost(expression) > MAX_COST:
        raise QueryError("the expression is too complex for the sandbox", expression.span)


def _cost(node: tree.Expression) -> int:
    """Estimate how much SQL an expression becomes once DuckDB has expanded all macros."""
    match node:
        case tree.Call():
            own = _ADDRESS_CALL if node.name.lower() in ADDRESS_CALLS else _CALL
            return own + sum(map(_cost, node.arguments))
        case tree.Attribute():
            return 1 + _cost(node.call)
        case tree.Binary():
            return 1 + _cost(node.left) + _cost(node.right)
        case tree.Logic():
            return sum(map(_cost, node.operands))
        case tree.Not() | tree.Negative() | tree.Like() | tree.InQuery():
            return 1 + _cost(node.operand)
        case tree.In():
            return _cost(node.operand) + sum(map(_cost, node.items))
        case _:
            return 1
