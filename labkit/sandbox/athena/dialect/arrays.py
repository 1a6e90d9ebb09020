"""Array functions whose shape a table can't describe: `zip`, `array_join`, `reduce`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import calls, casts
from labkit.sandbox.athena.dialect.scope import Value
from labkit.sandbox.athena.types import VARCHAR, common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions


def _matched(compiler: Expressions, node: Any, arguments: calls.Arguments) -> list[Value]:
    """Return the arguments that aren't lambdas, cast to the parameters of the signature that they fit."""
    given = [None if isinstance(each, exp.Lambda) else compiler.value(each) for each in arguments]
    found = calls.match_or_refuse(node, node.name.lower(), given)
    return [casts.coerce(value, kind) for value, kind in zip(given, found.types, strict=True) if value is not None]


def _zip(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    values = _matched(compiler, node, arguments)
    kind = types.row([value.type.items[0] for value in values], [None] * len(values))
    fields = ", ".join(f"{types.field_key(kind, n)} := p[{n + 1}]" for n in range(len(values)))
    zipped, given = (word.join(value.sql for value in values) for word in (", ", " IS NOT NULL AND "))
    sql = f"list_transform(list_zip({zipped}), lambda p: struct_pack({fields}))"
    # list_zip treats a NULL list as an empty one; Trino's zip is NULL then.
    return Value(f"(CASE WHEN {given} IS NOT NULL THEN {sql} END)", types.array(kind))


def _array_join(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    """Join the elements as CAST(... AS varchar) writes them; NULLs are left out, or replaced."""
    items, separator, *instead = _matched(compiler, node, arguments)
    text = casts.convert(Value("each", items.type.items[0]), VARCHAR, safe=False).sql
    texts = f"list_transform({items.sql}, lambda each: coalesce({text}, {instead[0].sql if instead else 'NULL'}))"
    return Value(f"array_to_string(list_filter({texts}, lambda each: each IS NOT NULL), {separator.sql})", VARCHAR)


def _reduce(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    items, start = _matched(compiler, node, arguments)
    step, last = arguments[2], arguments[3]
    names, result = calls.lambda_parameters(step, 2), calls.lambda_parameters(last, 1)
    item = items.type.items[0]
    body = calls.lambda_body(compiler, step, names, [Value("a.s", start.type), Value("b.p", item)])
    kind = common_type(start.type, body.type) or start.type
    # reduce(a, 0, (s, x) -> s + 0.5): the step's type is wider than the start's, so it is compiled again with the
    # state in the wider type.
    if kind != start.type:
        body = calls.lambda_body(compiler, step, names, [Value("a.s", kind), Value("b.p", item)])
    body = compiler.cast(body, kind)
    # list_reduce wants one type for state and elements: a struct has room for both, and the start is its first element.
    first = f"struct_pack(s := {compiler.cast(start, kind).sql}, p := NULL::{types.duckdb_type(item)})"
    rest = f"list_transform({items.sql}, lambda i: struct_pack(s := NULL::{types.duckdb_type(kind)}, p := i))"
    folded = f"list_reduce(list_prepend({first}, {rest}), lambda a, b: struct_pack(s := {body.sql}, p := b.p)).s"
    return calls.lambda_body(compiler, last, result, [Value(f"({folded})", kind)])


SPECIAL: dict[str, calls.Special] = {"array_join": _array_join, "reduce": _reduce, "zip": _zip}
