"""Functions with a lambda that DuckDB doesn't have: `array_sort` by a comparator, `regexp_replace` by a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import calls, patterns
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import not_supported
from labkit.sandbox.athena.types import BIGINT, VARCHAR

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions


def _array_sort(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    """Sort by insertion: each element goes behind those that the comparator doesn't find greater.

    Stable as Trino's sort, and quadratic, since DuckDB has no sort by a comparator.
    """
    if len(arguments) != 2 or not isinstance(arguments[1], exp.Lambda):
        return calls.invoke(compiler, node, "array_sort", arguments)
    items, comparator = compiler.value(arguments[0]), arguments[1]
    if items.type.name != "array":
        return calls.invoke(compiler, node, "array_sort", [items, comparator])
    names, kind = calls.lambda_parameters(comparator, 2), items.type.items[0]
    depth = len(compiler.variables)
    done, one, each = (f"{letter}{depth}" for letter in ("sorted", "next", "each"))
    found = calls.lambda_body(compiler, comparator, names, [Value(each, kind), Value(f"{one}.item", kind)])
    compared = f"trino_comparison({compiler.cast(found, BIGINT).sql})"
    before = f"list_filter({done}.items, lambda {each}: {compared} <= 0)"
    after = f"list_filter({done}.items, lambda {each}: {compared} > 0)"
    target = types.duckdb_type(kind)
    none = f"[]::{target}[]"
    start = f"struct_pack(items := {none}, item := NULL::{target})"
    rest = f"list_transform({items.sql}, lambda i: struct_pack(items := {none}, item := i))"
    step = f"struct_pack(items := list_concat(list_append({before}, {one}.item), {after}), item := {one}.item)"
    folded = f"list_reduce(list_prepend({start}, {rest}), lambda {done}, {one}: {step}).items"
    return Value(f"(CASE WHEN {items.sql} IS NOT NULL THEN {folded} END)", items.type)


def _regexp_replace(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    """Replace each match by the lambda's result for its groups; the text between the matches is kept."""
    if len(arguments) != 3 or not isinstance(arguments[2], exp.Lambda):
        return calls.invoke(compiler, node, "regexp_replace", arguments)
    text, pattern = patterns.translated(node, "regexp_replace", [compiler.value(each) for each in arguments[:2]])
    assert text is not None
    assert pattern is not None
    names, count = calls.lambda_parameters(arguments[2], 1), patterns.group_count(pattern)
    if count is None:
        raise not_supported(f"{place(node)}: regexp_replace with a lambda and a pattern that is not written out")
    own = f"match{len(compiler.variables)}"
    # The zipped lists are: text before the match, the match, then its groups.
    groups = ", ".join(f"{own}[{number + 2}]" for number in range(1, count + 1))
    value = Value(f"[{groups}]" if groups else "[]::VARCHAR[]", types.array(VARCHAR))
    made = compiler.cast(calls.lambda_body(compiler, arguments[2], names, [value]), VARCHAR).sql
    parts, matches = f"string_split_regex({text.sql}, {pattern.sql})", f"regexp_extract_all({text.sql}, {pattern.sql})"
    lists = ", ".join(
        [parts, matches, *(f"regexp_extract_all({text.sql}, {pattern.sql}, {n})" for n in range(1, count + 1))]
    )
    # list_zip pads the shorter lists with NULL: the last part has no match after it.
    joined = f"{own}[1] || CASE WHEN {own}[2] IS NULL THEN '' ELSE {made} END"
    by = f"list_transform(list_zip({lists}), lambda {own}: {joined})"
    return Value(f"trino_replaced({parts}, {matches}, {by})", VARCHAR)


SPECIAL: dict[str, calls.Special] = {"array_sort": _array_sort, "regexp_replace": _regexp_replace}
