"""Comparisons: `=`, `<`, IN, BETWEEN and the like, which treat NaN and NULL as Trino does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect.operators import no_common_type, operator_place, refuse, row_of
from labkit.sandbox.athena.dialect.scope import Query, Value, place
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.types import BOOLEAN, Type, common_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from labkit.sandbox.athena.dialect.compiling import Expressions

_COMPARISONS: dict[type[exp.Expr], tuple[str, str]] = {
    exp.EQ: ("=", "="),
    exp.NEQ: ("<>", "<>"),
    exp.LT: ("<", "<"),
    exp.LTE: ("<=", "<="),
    exp.GT: (">", ">"),
    exp.GTE: (">=", ">="),
    exp.NullSafeEQ: ("IS NOT DISTINCT FROM", "IS"),
    exp.NullSafeNEQ: ("IS DISTINCT FROM", "IS"),
}
_NOT_ORDERED = ("json", "map")


@dataclass(frozen=True)
class _Side:
    """One side of a comparison."""

    sql: str
    may_be_nan: bool = True


def _compare(compiler: Expressions, node: Any) -> Value:
    """Compile `=`, `<`, `IS DISTINCT FROM` and the like."""
    operator, symbol = _COMPARISONS[type(node)]
    if _quantifier(node.expression):
        return _quantified(compiler, node, operator)
    left, right = compiler.value(node.this), compiler.value(node.expression)
    kind = common_type(left.type, right.type)
    if kind is None or (not _is_ordered(kind) and operator in ("<", "<=", ">", ">=")):
        symbol = "IS DISTINCT FROM" if symbol == "IS" else symbol
        raise refuse(compiler, node, symbol, left.type, right.type)
    sides = (
        _Side(compiler.cast(left, kind).sql, _may_be_nan(left, node.this)),
        _Side(compiler.cast(right, kind).sql, _may_be_nan(right, node.expression)),
    )
    return Value(_comparison(operator, *sides, kind), BOOLEAN)


def _is_ordered(kind: Type) -> bool:
    return kind.name not in _NOT_ORDERED and all(map(_is_ordered, kind.items))


def _may_be_nan(value: Value, node: Any) -> bool:
    # A literal can't be NaN: `x > 1e0` keeps its plain form, which DuckDB can push down into a scan.
    return value.type.name in ("double", "real") and not isinstance(node, exp.Literal)


def _comparison(operator: str, left: _Side, right: _Side, kind: Type) -> str:
    """Write a comparison with Trino's meaning.

    In Trino, NaN equals nothing and is neither less nor greater; in DuckDB it equals itself and is the greatest number.
    Rows that differ in no field but have a NULL are neither equal nor unequal in Trino; DuckDB takes NULLs as values.
    """
    plain = f"({left.sql} {operator} {right.sql})"
    # Field by field: DuckDB has {a: NULL} = {a: NULL} as true.
    if kind.name == "row" and operator in ("=", "<>"):
        keys = [types.quoted(types.field_key(kind, n)) for n in range(len(kind.items))]
        fields = [
            _comparison("=", _Side(f"{left.sql}.{key}"), _Side(f"{right.sql}.{key}"), item)
            for key, item in zip(keys, kind.items, strict=True)
        ]
        return f"({'NOT ' if operator == '<>' else ''}({' AND '.join(fields)}))"
    if kind.name in ("array", "map") and operator in ("=", "<>"):
        return f"({'NOT ' if operator == '<>' else ''}{_members_equal(left.sql, right.sql, kind)})"
    if kind.name not in ("double", "real"):
        return plain
    if operator in ("=", "<>"):
        # One side that can't be NaN settles it: NaN differs from it in both engines.
        if not (left.may_be_nan and right.may_be_nan):
            return plain
        if operator == "<>":
            return f"({plain} OR (isnan({left.sql}) AND {right.sql} IS NOT NULL))"
        # The IS NULL keeps NaN = NULL at NULL: plain is NULL then, and AND false would make it false.
        return f"({plain} AND ({right.sql} IS NULL OR NOT isnan({left.sql})))"
    if operator in ("<", "<=", ">", ">="):
        greater, other = (right, left) if operator.startswith("<") else (left, right)
        # Only a NaN on the greater side makes DuckDB's comparison true where Trino's is false.
        if greater.may_be_nan:
            return f"({plain} AND ({other.sql} IS NULL OR NOT isnan({greater.sql})))"
    return plain


def _members_equal(left: str, right: str, kind: Type) -> str:
    """Compare two arrays or two maps: different sizes are false, a NULL among otherwise equal members gives NULL."""
    own = f"m{_depth(kind)}"
    if kind.name == "array":
        same = _comparison("=", _Side(f"{own}[1]"), _Side(f"{own}[2]"), kind.items[0])
        members, differ = f"list_zip({left}, {right})", f"len({left}) <> len({right})"
    else:
        same = _comparison("=", _Side(f"{left}[{own}]"), _Side(f"{right}[{own}]"), kind.items[1])
        members = f"map_keys({left})"
        differ = f"cardinality({left}) <> cardinality({right}) OR NOT list_has_all(map_keys({right}), {members})"
    return (
        f"(CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL WHEN {differ} THEN false"
        f" ELSE trino_all_match(list_transform({members}, lambda {own}: {same})) END)"
    )


def _depth(kind: Type) -> int:
    """Return how deeply a type is nested: nested lambdas need parameters of different names."""
    return 1 + max(map(_depth, kind.items), default=0)


def equal(left: str, right: str, kind: Type) -> str:
    """Write `=` of two columns of one type."""
    return _comparison("=", _Side(left), _Side(right), kind)


def _quantifier(node: Any) -> str:
    """Return ANY or ALL for a quantified comparison, else nothing; sqlglot parses `ALL (VALUES ...)` as a call."""
    if isinstance(node, exp.Any | exp.All):
        return "ANY" if isinstance(node, exp.Any) else "ALL"
    is_call = isinstance(node, exp.Anonymous) and node.name.upper() == "ALL" and len(node.expressions) == 1
    return "ALL" if is_call and isinstance(node.expressions[0], exp.Values) else ""


def _quantified(compiler: Expressions, node: Any, operator: str) -> Value:
    offered = node.expression.expressions[0] if isinstance(node.expression, exp.Anonymous) else node.expression.this
    word = _quantifier(node.expression)
    sql, columns = compiler.subquery(offered.unnest())
    left = compiler.value(node.this)
    kind = common_type(left.type, columns[0].type)
    if kind is None:
        raise refuse(compiler, node, operator, left.type, columns[0].type)
    return Value(f"({compiler.cast(left, kind).sql} {operator} {word} ({sql}))", BOOLEAN)


def _between(compiler: Expressions, node: Any) -> Value:
    value, low, high = (compiler.value(node.args[part]) for part in ("this", "low", "high"))
    kinds = [common_type(value.type, bound.type) for bound in (low, high)]
    if kinds[0] is None or kinds[1] is None:
        raise QueryError(
            "TYPE_MISMATCH",
            f"{operator_place(compiler, node, 'BETWEEN')}: Cannot check if {value.type} is BETWEEN {low.type} and"
            f" {high.type}",
        )
    low_sql, high_sql = compiler.cast(low, kinds[0]).sql, compiler.cast(high, kinds[1]).sql
    between = f"({value.sql} BETWEEN {low_sql} AND {high_sql})"
    if _may_be_nan(high, node.args["high"]):
        between = f"({between} AND ({value.sql} IS NULL OR NOT isnan({high_sql})))"
    return Value(between, BOOLEAN)


def _offered(node: Any) -> exp.Expr | None:
    """Return the query of `IN (SELECT ...)` or `IN (VALUES ...)`; None for a list of expressions."""
    if node.args.get("query"):
        query: exp.Expr = node.args["query"].unnest()
        return query
    return node.expressions[0] if len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Values) else None


def _in(compiler: Expressions, node: Any) -> Value:
    value = compiler.value(node.this)
    offered = _offered(node)
    if offered is not None:
        sql, columns = compiler.subquery(offered)
        if value.type.name == "row" and len(columns) > 1:
            return _row_in(compiler, node, value, Query(sql, columns))
        if len(columns) > 1:
            raise QueryError(
                "SYNTAX_ERROR",
                f"{place(offered)}: Multiple columns returned by subquery are not yet supported. Found {len(columns)}",
            )
        kind = common_type(value.type, columns[0].type)
        if kind is None:
            raise _unlike(compiler, node, value.type, columns[0].type)
        return Value(f"({compiler.cast(value, kind).sql} IN ({sql}))", BOOLEAN)
    items: list[str] = []
    equal: list[str] = []
    for item in node.expressions:
        found = compiler.value(item)
        kind = common_type(value.type, found.type)
        if kind is None:
            kinds = (value.type, found.type)
            raise no_common_type(item, "IN value and list items", *kinds, kinds)
        # DuckDB's IN compares rows and NaN as its own `=` does.
        if kind.name == "row" or (_may_be_nan(value, node.this) and _may_be_nan(found, item)):
            left, right = (_Side(compiler.cast(each, kind).sql) for each in (value, found))
            equal.append(_comparison("=", left, right, kind))
        else:
            items.append(compiler.cast(found, kind).sql)
    # One plain IN for all other items: a list of thousands of ORs would be slow to plan.
    if items:
        equal.append(f"{value.sql} IN ({', '.join(items)})")
    return Value(f"({' OR '.join(equal)})", BOOLEAN)


def _unlike(compiler: Expressions, node: Any, value: Type, offered: Type) -> QueryError:
    where = operator_place(compiler, node, "IN")
    return QueryError(
        "TYPE_MISMATCH",
        f"{where}: value and result of subquery must be of the same type for IN expression: {value} vs {offered}",
    )


def _row_in(compiler: Expressions, node: Any, value: Value, query: Query) -> Value:
    """Compile `(a, b) IN (SELECT x, y ...)`: NULL if no row is equal and a NULL on either side leaves it open."""
    offered = types.row([column.type for column in query.columns], [None] * len(query.columns))
    kind = common_type(value.type, offered)
    if kind is None:
        raise _unlike(compiler, node, value.type, offered)
    rows = [Value(f"r_.c{n}", column.type) for n, column in enumerate(query.columns)]
    pairs = list(zip(rows, kind.items, strict=True))
    row = row_of([compiler.cast(each, item) for each, item in pairs], list(kind.names)).sql
    sought = compiler.cast(value, kind).sql
    keys = [types.quoted(types.field_key(kind, n)) for n in range(len(kind.items))]
    whole = " AND ".join(f"{each.sql} IS NOT NULL" for each in rows)
    unknown = " OR ".join(f"{sought}.{key} IS NULL" for key in keys)
    source = f"FROM ({query.sql}) AS r_"
    return Value(
        # DuckDB's IN treats NULL fields as values, so rows with a NULL are left out first and asked for after.
        f"(CASE WHEN {sought} IN (SELECT {row} {source} WHERE {whole}) THEN true"
        f" WHEN ({unknown}) AND EXISTS (SELECT 1 {source}) THEN NULL"
        f" WHEN EXISTS (SELECT 1 {source} WHERE NOT ({whole})) THEN NULL ELSE false END)",
        BOOLEAN,
    )


NODES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    **dict.fromkeys(_COMPARISONS, _compare),
    exp.Between: _between,
    exp.In: _in,
}
