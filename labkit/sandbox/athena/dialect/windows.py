"""ORDER BY and OVER inside expressions, for aggregates and window functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena.dialect.scope import place
from labkit.sandbox.athena.errors import QueryError

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions


def order_by(compiler: Expressions, ordered: Sequence[Any]) -> str:
    """Compile ORDER BY inside an aggregate or window; NULLs come last by default, ascending or descending."""
    return " ORDER BY " + ", ".join(f"{compiler.value(each.this).sql}{direction(each)}" for each in ordered)


def direction(ordered: Any) -> str:
    """Return ASC or DESC and the place of the NULLs, both written out: DuckDB's defaults are a setting."""
    nulls = "FIRST" if ordered.args.get("nulls_first") else "LAST"
    return f" {'DESC' if ordered.args.get('desc') else 'ASC'} NULLS {nulls}"


def over(compiler: Expressions, node: Any) -> str:
    """Compile OVER (...), or the named window of the WINDOW clause."""
    clauses = _clauses(compiler, node)
    parts = []
    if clauses.get("partition_by"):
        keys = ", ".join(compiler.value(each).sql for each in clauses["partition_by"])
        parts.append(f"PARTITION BY {keys}")
    if clauses.get("order"):
        parts.append(order_by(compiler, clauses["order"].expressions).strip())
    if clauses.get("spec"):
        parts.append(_frame(compiler, clauses["spec"]))
    # A named window is written out as well: DuckDB gets no WINDOW clause.
    return f"OVER ({' '.join(parts)})"


def _clauses(compiler: Expressions, node: Any) -> dict[str, Any]:
    """Return the clauses of a window: those of the window that it names, and its own."""
    own = {name: node.args[name] for name in ("partition_by", "order", "spec") if node.args.get(name)}
    if not node.args.get("alias"):
        return own
    named = compiler.queries.windows.get(node.alias.lower())
    if named is None:
        raise QueryError("INVALID_WINDOW_REFERENCE", f"{place(node)}: Cannot resolve WINDOW name {node.alias}")
    given = _clauses(compiler, named)
    if own.get("partition_by"):
        raise QueryError(
            "INVALID_PARTITION_BY",
            f"{place(node)}: WINDOW specification with named WINDOW reference cannot specify PARTITION BY",
        )
    if own.get("order") and given.get("order"):
        raise QueryError(
            "INVALID_ORDER_BY", f"{place(node)}: Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY"
        )
    if given.get("spec") and own:
        raise QueryError(
            "INVALID_WINDOW_REFERENCE", f"{place(node)}: Cannot reference named WINDOW containing frame specification"
        )
    return {**given, **own}


def _frame(compiler: Expressions, spec: Any) -> str:
    bounds = []
    for side in ("start", "end"):
        bound = spec.args.get(side)
        text = compiler.value(bound).sql if isinstance(bound, exp.Expr) else (bound or "CURRENT ROW")
        bounds.append(f"{text} {spec.args.get(f'{side}_side') or ''}".strip())
    return f"{spec.args['kind']} BETWEEN {bounds[0]} AND {bounds[1]}"
