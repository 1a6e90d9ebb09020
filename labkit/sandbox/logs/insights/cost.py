"""Bounds the SQL of an expression: a function that uses its argument twice doubles what is nested in it."""

from __future__ import annotations

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.tree import QueryError

MAX_COST = 100_000

_CALL = 4
_ADDRESS_CALL = 20

ADDRESS_CALLS = frozenset(
    {
        *("isvalidip", "isvalidipv4", "isvalidipv6", "isipinsubnet", "isipv4insubnet", "isipv6insubnet"),
        *("isprivateip", "ispublicip", "isreservedip", "ipv4tonumber"),
    }
)
"""An address is looked at piece by piece."""


def check_cost(expression: tree.Expression) -> None:
    """Refuses an expression whose SQL would grow beyond bounds."""
    if _cost(expression) > MAX_COST:
        raise QueryError("the expression is too complex for the sandbox", expression.span)


def _cost(node: tree.Expression) -> int:
    """About how often the fields in an expression stand in its SQL once DuckDB has expanded all macros."""
    match node:
        case tree.Call():
            factor = _ADDRESS_CALL if node.name.lower() in ADDRESS_CALLS else _CALL
            return factor * (1 + sum(map(_cost, node.arguments)))
        case tree.Binary():
            doubled = node.operator not in ("+", "-", "*")
            return (_cost(node.left) + _cost(node.right)) * (1 + doubled)
        case tree.Logic():
            return sum(map(_cost, node.operands))
        case tree.InQuery():
            return _cost(node.operand)
        case tree.Not() | tree.Negative() | tree.Like():
            return 1 + _cost(node.operand)
        case tree.In():
            return 2 * _cost(node.operand) + sum(map(_cost, node.items))
        case _:
            return 1
