"""Function calls: found in the table of functions, or among the few whose shape a table can't describe."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types, zones
from labkit.sandbox.athena.dialect import casts, patterns
from labkit.sandbox.athena.dialect.functions import (
    LOCAL_TIMES,
    Match,
    best_match,
    not_here,
    resolve,
    signatures,
)
from labkit.sandbox.athena.dialect.operators import joined_arrays, row_of
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.dialect.windows import order_by, over
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import BOOLEAN, TIMESTAMP, UNKNOWN, VARBINARY, VARCHAR, Type, common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions

MOST_ARGUMENTS = 127
"""Trino's limit; ROW, COALESCE and the like have syntax of their own and no limit."""
LONG = 500
"""The length in characters from which an argument that its template names twice is computed once: see `expansion.py`.
"""
_OF_ARGUMENTS = {
    "(struct)": "struct_pack(k := {0}, v := {1})",
    "(number)": "CASE WHEN NOT isnan({0}) THEN {0} END",
    "(micros)": "epoch_us({0})",
    "(months)": "trino_months({0})",
    "/1": "{0}",
}
"""The arguments of an aggregate, by the suffix that follows its name in a template."""
_AGGREGATE_CALL = re.compile(rf"@(\w+)({'|'.join(map(re.escape, _OF_ARGUMENTS))})?")


@dataclass(frozen=True)
class Modifiers:
    """The clauses of an aggregate or window function besides its arguments, as SQL; empty if there are none."""

    distinct: str = ""
    order: str = ""
    filter: str = ""
    over: str = ""
    nulls: str = ""


def call(compiler: Expressions, node: Any) -> Value:
    """Compile a plain call, `name(arguments)`."""
    return _call(compiler, node, Modifiers())


def _call(compiler: Expressions, node: Any, modifiers: Modifiers) -> Value:
    name = node.name.lower()
    if len(node.expressions) > MOST_ARGUMENTS and name not in ("coalesce", "row"):
        raise QueryError("TOO_MANY_ARGUMENTS", f"{place(node)}: Too many arguments for function call {name}()")
    # Before the table: some special functions (round, ceil) are in it too, for their arguments and SHOW FUNCTIONS.
    if name in SPECIAL and modifiers == Modifiers():
        _check_count(compiler, node, name)
        return SPECIAL[name](compiler, node, list(node.expressions))
    if name in not_here():
        raise not_supported(f"{place(node)}: the function {name}")
    if name not in signatures():
        raise QueryError("FUNCTION_NOT_FOUND", f"{place(node)}: Function '{name}' not registered")
    if name == "approx_percentile" and len(node.expressions) > 2:
        raise not_supported(f"{place(node)}: approx_percentile with weights or accuracy")
    kind = signatures()[name][0].kind
    if kind == "scalar" and modifiers == Modifiers():
        return invoke(compiler, node, name, list(node.expressions))
    if kind == "scalar":
        raise QueryError("FUNCTION_NOT_AGGREGATE", f"{place(node)}: '{name}' is not an aggregation or window function")
    if kind == "window" and not modifiers.over:
        raise QueryError("MISSING_OVER", f"{place(node)}: Window function {name} requires an OVER clause")
    return _aggregate(compiler, node, name, modifiers)


_COUNTS = {
    "coalesce": (2, inf, "The 'coalesce' function must have at least two arguments"),
    "if": (2, 3, "Invalid number of arguments for 'if' function"),
    "nullif": (2, 2, "Invalid number of arguments for 'nullif' function"),
    "try": (1, 1, "The 'try' function must have exactly one argument"),
}


def _check_count(compiler: Expressions, node: Any, name: str) -> None:
    """Raise an error for too few or too many arguments of a special function."""
    count, forms = len(node.expressions), signatures().get(name, ())
    if name in _COUNTS:
        least, most, message = _COUNTS[name]
        if not least <= count <= most:
            raise QueryError("SYNTAX_ERROR", f"{place(node)}: {message}")
    elif forms and not any(form.takes(count) for form in forms):
        # Always raises here: the arguments' types are needed for Trino's error with all expected signatures.
        match_or_refuse(
            node, name, [None if isinstance(each, exp.Lambda) else compiler.value(each) for each in node.expressions]
        )


def invoke(compiler: Expressions, node: Any, name: str, arguments: Sequence[exp.Expr | Value]) -> Value:
    """Compile a call of a function from the table; arguments may be nodes or compiled values."""
    given = [None if isinstance(each, exp.Lambda) else _compiled(compiler, each) for each in arguments]
    given = patterns.translated(node, name, given)
    found = match_or_refuse(node, name, given)
    values: list[str] = []
    template, computed = found.signature.template, []
    for number, value in enumerate(given):
        # Lambdas come after the arguments that type their parameters: their signatures list them last.
        if value is None:
            values.append(_lambda(compiler, arguments[number], found, number))
            continue
        on_clock = found.signature.parameter(number).name == "local"
        sql = on_the_clock(value) if on_clock else casts.coerce(value, found.types[number]).sql
        # A template that names an argument twice doubles the SQL with every level of nesting.
        if len(sql) > LONG and template.count(f"{{{number}}}") > 1:
            computed.append(f"a{number} := {sql}")
            sql = f"let.a{number}"
        values.append(sql)
    # A result "local" keeps the zone and digits of its argument, which the signature's type doesn't have.
    local = next((v.type for v in given if v and v.type.name in LOCAL_TIMES), None)
    result = finish(found, template, values, local)
    if not computed:
        return result
    return replace(result, sql=f"list_transform([struct_pack({', '.join(computed)})], lambda let: {result.sql})[1]")


def _compiled(compiler: Expressions, argument: exp.Expr | Value) -> Value:
    return argument if isinstance(argument, Value) else compiler.value(argument)


def match_or_refuse(node: Any, name: str, given: Sequence[Value | None]) -> Match:
    """Return the signature that a call means; raise FUNCTION_NOT_FOUND, with all signatures, if none fits."""
    kinds = [value.type if value else None for value in given]
    found = best_match(name, kinds)
    if found is None:
        written = ", ".join(str(kind) if kind else "function" for kind in kinds)
        forms = (types for form in signatures()[name] for types, _ in form.of_each_type())
        expected = ", ".join(f"{name}({', '.join(map(str, types))})" for types in forms)
        raise QueryError(
            "FUNCTION_NOT_FOUND",
            f"{place(node)}: Unexpected parameters ({written}) for function {name}. Expected: {expected}",
        )
    return found


def on_the_clock(value: Value) -> str:
    """Return the SQL of a date or timestamp as local time in its zone: a TIMESTAMP of DuckDB's, without a zone."""
    if value.type.name == "timestamp with time zone":
        return zones.local(value.sql, value.type.zone)
    return casts.coerce(value, TIMESTAMP).sql if value.type == UNKNOWN else value.sql


def finish(found: Match, template: str, values: Sequence[str], local: Type | None = None) -> Value:
    """Fill in a template, and cast the result if DuckDB's type differs from Trino's."""
    result = found.result
    if found.signature.result.name == "local" and local:
        result = local
    sql = template.replace("{args}", ", ".join(values)).replace("{result}", types.duckdb_type(result))
    for number, value in enumerate(values):
        sql = sql.replace(f"{{{number}}}", value)
    # DuckDB's length() is a BIGINT, its sum() of integers a HUGEINT: without the cast, overflow and division differ.
    if "{" not in template.replace("{args}", "") and result.name in ("bigint", "integer") and "CAST" not in template:
        sql = f"CAST({sql} AS {types.duckdb_type(result)})"
    elif result.name == "bigint" and not template.startswith("CAST"):
        sql = f"CAST({sql} AS BIGINT)"
    return Value(sql, result)


def _lambda(compiler: Expressions, node: Any, found: Match, number: int) -> str:
    """Compile a lambda, whose parameter types are known from the other arguments."""
    pattern = found.signature.parameter(number)
    *parameters, result = pattern.items
    names = lambda_parameters(node, len(parameters))
    # A name per depth: in DuckDB, the parameter of an inner lambda would hide the outer one's of the same name.
    own = f"p{len(compiler.variables)}"
    access = [own]
    # The templates hand over one element: two values come as a map's entry or as a list of two.
    if len(names) == 2:
        of_map = found.signature.parameters[0].name == "map"
        access = [f"{own}.key", f"{own}.value"] if of_map else [f"{own}[1]", f"{own}[2]"]
    if len(names) == 3:
        access = [f"{own}.k", f"{own}.a", f"{own}.b"]
    kinds = [resolve(each, found.variables) for each in parameters]
    body = lambda_body(compiler, node, names, [Value(*pair) for pair in zip(access, kinds, strict=True)])
    if result == BOOLEAN and body.type not in (BOOLEAN, UNKNOWN):
        raise QueryError(
            "TYPE_MISMATCH", f"{place(node)}: Expected lambda to return boolean, but it returns {body.type}"
        )
    if result == BOOLEAN:
        body = casts.coerce(body, BOOLEAN)
    else:
        # The body decides what the function returns: transform(array(T), function(T, U)) -> array(U).
        found.variables[result.name] = body.type
    return f"lambda {own}: {body.sql}"


def lambda_parameters(node: Any, count: int) -> list[str]:
    """Return the names of a lambda's parameters; raise INVALID_PARAMETER_USAGE unless there are `count`."""
    names = [each.name for each in node.expressions]
    if len(names) != count:
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"{place(node)}: Incorrect number of parameters: expected {count} but found {len(names)}",
        )
    return names


def lambda_body(compiler: Expressions, node: Any, names: list[str], values: list[Value]) -> Value:
    """Compile the body of a lambda with its parameters bound to `values`."""
    outside = compiler.variables
    compiler.variables = {**outside, **{name.lower(): value for name, value in zip(names, values, strict=True)}}
    try:
        return compiler.value(node.this)
    finally:
        compiler.variables = outside


def _aggregate(compiler: Expressions, node: Any, name: str, modifiers: Modifiers) -> Value:
    if compiler.clause_without_aggregates and not (modifiers.over and compiler.clause_without_aggregates == ""):
        raise _misplaced(compiler, node)
    arguments = list(node.expressions)
    # sum(sum(x)) OVER () is legal: a window function runs after GROUP BY and may hold aggregates.
    if modifiers.over:
        return _aggregate_call(compiler, node, name, arguments, modifiers)
    with compiler.inside_aggregate():
        return _aggregate_call(compiler, node, name, arguments, modifiers)


def _misplaced(compiler: Expressions, node: Any) -> QueryError:
    clause = compiler.clause_without_aggregates
    if clause == "aggregation":
        return QueryError(
            "NESTED_AGGREGATION", f"{place(node)}: Cannot nest aggregations inside aggregation: {compiler.text(node)}"
        )
    return QueryError(
        "EXPRESSION_NOT_SCALAR",
        f"{place(node)}: {clause} cannot contain aggregations, window functions or grouping operations:"
        f" [{compiler.text(node)}]",
    )


def _aggregate_call(compiler: Expressions, node: Any, name: str, arguments: list[Any], modifiers: Modifiers) -> Value:
    if arguments and isinstance(arguments[-1], exp.Order):
        order = arguments[-1]
        modifiers = replace(modifiers, order=order_by(compiler, order.expressions))
        arguments[-1] = order.this
    if arguments and isinstance(arguments[0], exp.Distinct):
        modifiers = replace(modifiers, distinct="DISTINCT ")
        arguments = list(arguments[0].expressions)
    # count(*) becomes count() here and count(*) again in _expanded: the table has a signature without parameters.
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star) and name == "count":
        arguments = []
    given = [compiler.value(each) for each in arguments]
    found = match_or_refuse(node, name, given)
    values = [casts.coerce(value, kind).sql for value, kind in zip(given, found.types, strict=True)]
    # max(ts AT TIME ZONE ...) stays in its zone: DuckDB's aggregate keeps the instant, our type keeps the zone.
    zone = next((value.type.zone for value in given if value.type.name == "timestamp with time zone"), "UTC")
    template = _AGGREGATE_CALL.sub(lambda part: _expanded(part, values, modifiers), found.signature.template)
    result = finish(found, template, values)
    return Value(result.sql, replace(result.type, zone=zone))


def _expanded(part: re.Match[str], values: list[str], modifiers: Modifiers) -> str:
    """Write out `@sum` of a template: `sum(DISTINCT x ORDER BY y) FILTER (...) OVER (...)`."""
    inside = _OF_ARGUMENTS[part[2]].format(*values) if part[2] else ", ".join(values)
    inside = inside or ("*" if part[1] == "count" else "")
    return (
        f"{part[1]}({modifiers.distinct}{inside}{modifiers.nulls}{modifiers.order}){modifiers.filter}{modifiers.over}"
    )


def _modified(compiler: Expressions, node: Any) -> Value:
    """Compile a call inside FILTER, IGNORE NULLS and OVER, which sqlglot nests around it in any order."""
    modifiers = Modifiers()
    while not isinstance(node, (exp.Anonymous, exp.GroupConcat)):
        if isinstance(node, exp.Filter):
            with compiler.inside_aggregate():
                condition = compiler.condition(node.expression.this, "FILTER expression").sql
            modifiers = replace(modifiers, filter=f" FILTER (WHERE {condition})")
        elif isinstance(node, exp.IgnoreNulls | exp.RespectNulls):
            modifiers = replace(modifiers, nulls=" IGNORE NULLS" if isinstance(node, exp.IgnoreNulls) else "")
        elif isinstance(node, exp.Window):
            if compiler.clause_without_aggregates:
                raise _misplaced(compiler, node)
            modifiers = replace(modifiers, over=" " + over(compiler, node))
        else:
            raise not_supported(f"{place(node)}: {compiler.text(node)}")
        node = node.this
    return _call(compiler, node, modifiers) if isinstance(node, exp.Anonymous) else _listagg(compiler, node, modifiers)


def _listagg(compiler: Expressions, node: Any, modifiers: Modifiers) -> Value:
    overflow = node.args.get("on_overflow")
    if modifiers.over or (overflow and overflow.name.upper() != "ERROR"):
        raise not_supported(f"{place(node)}: listagg with {'OVER' if modifiers.over else 'ON OVERFLOW TRUNCATE'}")
    value, order = node.this, ""
    separator = compiler.value(node.args["separator"]).sql if node.args.get("separator") else "''"
    with compiler.inside_aggregate():
        if isinstance(value, exp.Order):
            order = order_by(compiler, value.expressions)
            value = value.this
        inner = compiler.value(value.expressions[0] if isinstance(value, exp.Distinct) else value)
    distinct = "DISTINCT " if isinstance(value, exp.Distinct) else ""
    if inner.type.name not in ("varchar", "char"):
        raise QueryError(
            "TYPE_MISMATCH",
            f"{place(node)}: Expected expression of varchar, but '{compiler.text(value)}' has {inner.type} type",
        )
    return Value(f"string_agg({distinct}{inner.sql}, {separator}{order}){modifiers.filter}", VARCHAR)


# --- functions whose shape a table can't say

Arguments = list[exp.Expr]
Special = Callable[["Expressions", Any, Arguments], Value]


def _alike(template: str, of_doubles: str = "") -> Special:
    def compiled(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
        values = compiler.values_alike(arguments, f"All {node.name.upper()} operands")
        chosen = of_doubles if of_doubles and values[0].type.name in ("double", "real") else template
        return Value(chosen.format(", ".join(value.sql for value in values)), values[0].type)

    return compiled


def _if(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    condition = compiler.condition(arguments[0], "IF condition")
    values = compiler.values_alike(arguments[1:], "Result types for IF")
    otherwise = values[1].sql if len(values) > 1 else "NULL"
    return Value(f"(CASE WHEN {condition.sql} THEN {values[0].sql} ELSE {otherwise} END)", values[0].type)


def _nullif(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    first, second = (compiler.value(each) for each in arguments)
    kind = common_type(first.type, second.type)
    if kind is None:
        raise QueryError(
            "TYPE_MISMATCH", f"{place(node)}: Types are not comparable with NULLIF: {first.type} vs {second.type}"
        )
    same = f"{compiler.cast(first, kind).sql} = {compiler.cast(second, kind).sql}"
    # Not DuckDB's nullif: the comparison is in the common type, but the result keeps the type of the first argument.
    return Value(f"(CASE WHEN {same} THEN NULL ELSE {first.sql} END)", first.type)


def _try(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    inner = compiler.value(arguments[0])
    return Value(f"try({inner.sql})", inner.type)


def _concat(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    values = [compiler.value(each) for each in arguments]
    if len(values) < 2:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "There must be two or more concatenation arguments")
    # Not concat(): DuckDB's skips NULLs, while || and Trino's concat are NULL if any part is NULL.
    joined = " || ".join(value.sql for value in values)
    if all(value.type.name in ("varchar", "char", "unknown") for value in values):
        return Value(f"({joined})", VARCHAR)
    if all(value.type == VARBINARY for value in values):
        return Value(f"({joined})", VARBINARY)
    if any(value.type.name == "array" for value in values):
        return reduce(lambda left, right: joined_arrays(compiler, node, left, right), values)
    kinds = ", ".join(str(value.type) for value in values)
    raise QueryError(
        "FUNCTION_NOT_FOUND",
        f"{place(node)}: Unexpected parameters ({kinds}) for function concat. Expected: concat(char(x), char(y)),"
        " concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E, concat(varchar), concat(varbinary)",
    )


def _row(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    return row_of([compiler.value(each) for each in arguments])


def _grouping(compiler: Expressions, node: Any, arguments: Arguments) -> Value:
    with compiler.inside_aggregate():
        # DuckDB's grouping() is a BIGINT, Trino's an integer.
        columns = ", ".join(compiler.value(each).sql for each in arguments)
    return Value(f"CAST(grouping({columns}) AS INTEGER)", types.INTEGER)


def _trim(compiler: Expressions, node: Any) -> Value:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    return invoke(compiler, node, name, [node.this, *([node.expression] if node.expression else [])])


def _substring(compiler: Expressions, node: Any) -> Value:
    return invoke(
        compiler, node, "substr", [node.args[each] for each in ("this", "start", "length") if node.args.get(each)]
    )


def _position(compiler: Expressions, node: Any) -> Value:
    return invoke(compiler, node, "strpos", [node.this, node.args["substr"]])


SPECIAL: dict[str, Special] = {
    "coalesce": _alike("coalesce({})"),
    "concat": _concat,
    # DuckDB's greatest and least skip NULLs, Trino's are NULL then; and NaN is the greatest number in DuckDB alone.
    "greatest": _alike("trino_greatest([{}])", of_doubles="trino_greatest_number([{}])"),
    "grouping": _grouping,
    "if": _if,
    "least": _alike("trino_least([{}])"),
    "nullif": _nullif,
    "row": _row,
    "try": _try,
}

NODES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.Anonymous: call,
    exp.Filter: _modified,
    exp.IgnoreNulls: _modified,
    exp.RespectNulls: _modified,
    exp.Window: _modified,
    exp.GroupConcat: _modified,
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.StrPosition: _position,
}
