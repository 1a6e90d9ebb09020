"""Literals and operators, typed as in Trino, which rejects operands that DuckDB would silently cast."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import chains
from labkit.sandbox.athena.dialect.scope import Value, place, positioned
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.text import place_in
from labkit.sandbox.athena.types import (
    BIGINT,
    BOOLEAN,
    DAY_TO_SECOND,
    DOUBLE,
    INTEGER,
    INTEGERS,
    NUMBERS,
    UNKNOWN,
    VARBINARY,
    VARCHAR,
    Type,
    as_decimal,
    coerces,
    common_type,
    decimal,
    varchar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from labkit.sandbox.athena.dialect.compiling import Expressions

_ARITHMETIC: dict[type[exp.Expr], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
_TIMES = ("date", "timestamp", "timestamp with time zone", "time")
_INTERVALS = ("interval day to second", "interval year to month")


def string(text: str) -> str:
    """Write a string as DuckDB's literal; literals can't hold a NUL character, so it is added by chr(0).

    >>> string("it's")
    "'it''s'"
    """
    parts = ("'" + part.replace("'", "''") + "'" for part in text.split("\0"))
    return " || chr(0) || ".join(parts) if "\0" not in text else "(" + " || chr(0) || ".join(parts) + ")"


def number(text: str) -> Value:
    """Compile a number as Trino types it: 1 is an integer, 1.5 a decimal, 1e0 a double."""
    if "e" in text.lower():
        return Value(f"{text}::DOUBLE", DOUBLE)
    if "." in text:
        whole, fraction = text.split(".")
        kind = decimal(max(1, len(whole.lstrip("0")) + len(fraction)), len(fraction))
        # Quoted: DuckDB reads a long decimal literal as a DOUBLE.
        return Value(f"'{text}'::{types.duckdb_type(kind)}", kind)
    whole_number = int(text.replace("_", ""))
    kind = INTEGER if whole_number < 2**31 else BIGINT
    # With its type: a bare literal adapts to the other operand in DuckDB, where TINYINT + 1 is a TINYINT.
    return Value(f"{whole_number}::{types.duckdb_type(kind)}", kind, whole_number)


def _literal(compiler: Expressions, node: Any) -> Value:
    if node.is_string:
        return Value(string(node.this), varchar(len(node.this)), node.this)
    # The grammar has the sign apart, so -9223372036854775808 fails in Trino as well.
    if node.this.isdigit() and int(node.this) >= 2**63:
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: Invalid numeric literal: {node.this}")
    return number(node.this)


def _null(compiler: Expressions, node: Any) -> Value:
    return Value("NULL", UNKNOWN)


def _boolean(compiler: Expressions, node: Any) -> Value:
    return Value("true" if node.this else "false", BOOLEAN)


def _hex(compiler: Expressions, node: Any) -> Value:
    if len(node.this) % 2:
        raise QueryError("SYNTAX_ERROR", f"{place(node)}: Binary literal must contain an even number of digits")
    return Value(f"unhex('{node.this}')", VARBINARY)


def _unicode(compiler: Expressions, node: Any) -> Value:
    """Compile U&'\\0041': characters by their code points."""
    if node.args.get("escape"):
        raise not_supported(f"{place(node)}: UESCAPE")
    digits = re.compile(r"\\(?:\+([0-9A-Fa-f]{6})|([0-9A-Fa-f]{4})|(\\))")
    text = digits.sub(lambda found: found[3] or chr(int(found[1] or found[2], 16)), str(node.this))
    return Value(string(text), varchar(len(text)), text)


def operator_place(compiler: Expressions, node: Any, symbol: str) -> str:
    """Return the place of the operator between two operands, which is what Trino's errors point at."""
    after = max((part.meta["end"] for part in positioned(node.this)), default=-1) + 1
    at = compiler.queries.text.lower().find(symbol.lower(), after)
    return place_in(compiler.queries.text, max(at, 0))


def refuse(compiler: Expressions, node: Any, symbol: str, left: Type, right: Type) -> QueryError:
    """Return the error for an operator that doesn't take operands of these types."""
    where = operator_place(compiler, node, symbol)
    return QueryError("TYPE_MISMATCH", f"{where}: Cannot apply operator: {left} {symbol} {right}")


def no_common_type(node: Any, what: str, left: Type, right: Type, found: Iterable[Type]) -> QueryError:
    """Return the error for expressions, of the types `found`, that have no common type."""
    kinds = ", ".join(dict.fromkeys(map(str, found)))
    return QueryError(
        "TYPE_MISMATCH",
        f"{place(node)}: {what} must be the same type or coercible to a common type. Cannot find common type between"
        f" {left} and {right}, all types (without duplicates): [{kinds}]",
    )


_TERM = "Logical expression term"


def _logic(word: str) -> Callable[[Expressions, Any], Value]:
    def both(compiler: Expressions, node: Any) -> Value:
        # In one go, not by recursion: a WHERE of a thousand ORs is a tree a thousand levels deep.
        first, operators = chains.parts(node, {type(node)})
        sides = [compiler.condition(side, _TERM).sql for side in (first, *(each.expression for each in operators))]
        return Value(f"({f' {word} '.join(sides)})", BOOLEAN)

    return both


def _not(compiler: Expressions, node: Any) -> Value:
    inner = compiler.condition(node.this, "Value of logical NOT expression")
    return Value(f"(NOT {inner.sql})", BOOLEAN)


def _is(compiler: Expressions, node: Any) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise not_supported(f"{place(node)}: {compiler.text(node)}")
    return Value(f"({compiler.value(node.this).sql} IS {'NOT ' if node.args.get('negate') else ''}NULL)", BOOLEAN)


def _arithmetic(compiler: Expressions, node: Any) -> Value:
    """Compile `+ - * / %` of numbers, times and intervals."""
    return chains.compiled(compiler, node, _ARITHMETIC, _calculated)


def _calculated(compiler: Expressions, node: Any, left: Value, right: Value) -> Value:
    symbol = _ARITHMETIC[type(node)]
    result = _time_arithmetic(left, right, symbol)
    if result:
        return result
    kind = common_type(left.type, right.type)
    if kind is None or (kind.name not in NUMBERS and kind != UNKNOWN):
        raise refuse(compiler, node, symbol, left.type, right.type)
    # Before the casts: precision and scale follow from the operands' own types, not from the common one.
    if kind.name == "decimal":
        return decimal_arithmetic(left, right, symbol)
    left, right = compiler.cast(left, kind), compiler.cast(right, kind)
    # DuckDB (with integer_division) gives NULL for a zero divisor; Trino fails for integers and gives Infinity or
    # NaN for doubles.
    if symbol in "/%" and kind.name in INTEGERS:
        return Value(f"({left.sql} {symbol} {_divisor(right)})", kind)
    if symbol in "/%":
        return Value(f"{'trino_quotient' if symbol == '/' else 'trino_remainder'}({left.sql}, {right.sql})", kind)
    return Value(f"({left.sql} {symbol} {right.sql})", kind)


def _divisor(right: Value) -> str:
    # A literal other than 0 needs no check, and by far most divisors are such.
    return right.sql if right.literal else f"trino_divisor({right.sql})"


def decimal_arithmetic(left: Value, right: Value, symbol: str) -> Value:
    """Compile decimal arithmetic with precision and scale as in https://trino.io/docs/current/functions/decimal.html."""
    (p1, s1), (p2, s2) = as_decimal(left.type).parameters, as_decimal(right.type).parameters
    if symbol == "*":
        kind = decimal(p1 + p2, s1 + s2)
    elif symbol == "/":
        kind = decimal(p1 + s2 + max(s2 - s1, 0), max(s1, s2))
    elif symbol == "%":
        kind = decimal(min(p1 - s1, p2 - s2) + max(s1, s2), max(s1, s2))
    else:
        kind = decimal(max(p1 - s1, p2 - s2) + max(s1, s2) + 1, max(s1, s2))
    divisor = f"trino_divisor({right.sql})" if symbol in "/%" else right.sql
    # DuckDB's rules for precision and scale differ, and its division of decimals gives a DOUBLE.
    return Value(f"CAST(({left.sql} {symbol} {divisor}) AS {types.duckdb_type(kind)})", kind)


def _time_arithmetic(left: Value, right: Value, symbol: str) -> Value | None:
    kinds = (left.type.name, right.type.name)
    if kinds[0] in _INTERVALS and kinds[1] in _TIMES and symbol == "+":
        left, right = right, left
        kinds = (kinds[1], kinds[0])
    # Trino refuses to add hours to a date; DuckDB would make a timestamp.
    if kinds[0] == "date" and kinds[1] == "interval day to second" and symbol in "+-":
        return Value(f"CAST({left.sql} {symbol} trino_whole_days({right.sql}) AS DATE)", left.type)
    if kinds[0] in _TIMES and kinds[1] in _INTERVALS and symbol in "+-":
        sql = f"({left.sql} {symbol} {right.sql})"
        return Value(f"CAST({sql} AS DATE)" if kinds[0] == "date" else sql, left.type)
    if kinds == ("date", "date") and symbol == "-":
        # The difference of two dates is an interval in Trino and a number in DuckDB.
        return Value(f"to_days(CAST({left.sql} - {right.sql} AS INTEGER))", DAY_TO_SECOND)
    if kinds[0] in _TIMES[1:3] and kinds[1] in _TIMES[:3] and symbol == "-":
        return Value(f"({left.sql} - {right.sql})", DAY_TO_SECOND)
    if kinds[0] in _INTERVALS and kinds[1] == kinds[0] and symbol in "+-":
        return Value(f"({left.sql} {symbol} {right.sql})", left.type)
    if kinds[0] in _INTERVALS and kinds[1] in NUMBERS and symbol in "*/":
        return _times(left, right.sql if symbol == "*" else f"(1.0::DOUBLE / {right.sql})")
    if kinds[1] in _INTERVALS and kinds[0] in NUMBERS and symbol == "*":
        return _times(right, left.sql)
    return None


def _times(interval: Value, number: str) -> Value:
    name = "trino_times" if interval.type == DAY_TO_SECOND else "trino_times_months"
    return Value(f"{name}({interval.sql}, {number})", interval.type)


def _negate(compiler: Expressions, node: Any) -> Value:
    inner = compiler.value(node.this)
    if inner.type.name not in (*NUMBERS, *_INTERVALS):
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot negate {inner.type}")
    return Value(f"(-{inner.sql})", inner.type, -inner.literal if isinstance(inner.literal, int) else None)


def _concatenate(compiler: Expressions, node: Any) -> Value:
    return chains.compiled(compiler, node, {exp.DPipe}, _concatenated)


def _concatenated(compiler: Expressions, node: Any, left: Value, right: Value) -> Value:
    if left.type.name == "array" or right.type.name == "array":
        return joined_arrays(compiler, node, left, right)
    if all(coerces(side.type, VARCHAR) for side in (left, right)):
        return Value(f"({left.sql} || {right.sql})", VARCHAR)
    if left.type == right.type == VARBINARY:
        return Value(f"({left.sql} || {right.sql})", VARBINARY)
    raise _not_joined(compiler, node, left, right)


def joined_arrays(compiler: Expressions, node: Any, left: Value, right: Value) -> Value:
    """Concatenate two arrays, or an array and an element before or after it."""
    kind = common_type(left.type, right.type)
    if kind and kind.name == "array":
        # DuckDB's list_concat takes a NULL list for an empty one.
        return Value(f"trino_concat({compiler.cast(left, kind).sql}, {compiler.cast(right, kind).sql})", kind)
    if "array" in (left.type.name, right.type.name):
        item = left.type.items[0] if left.type.name == "array" else right.type.items[0]
        other = right if left.type.name == "array" else left
        if coerces(other.type, item):
            one = f"[{compiler.cast(other, item).sql}]"
            pair = (left.sql, one) if other is right else (one, right.sql)
            return Value(f"trino_concat({pair[0]}, {pair[1]})", types.array(item))
    raise _not_joined(compiler, node, left, right)


def _not_joined(compiler: Expressions, node: Any, left: Value, right: Value) -> QueryError:
    where = operator_place(compiler, node, "||") if isinstance(node, exp.DPipe) else place(node)
    return QueryError(
        "FUNCTION_NOT_FOUND",
        f"{where}: Unexpected parameters ({left.type}, {right.type}) for function"
        " concat."
        " Expected: concat(char(x), char(y)), concat(array(E), E) E, concat(E, array(E)) E, concat(array(E)) E,"
        " concat(varchar), concat(varbinary)",
    )


def _like(compiler: Expressions, node: Any) -> Value:
    escape, letter = "", None
    if isinstance(node, exp.Escape):
        letter = compiler.value(node.expression)
        escape = f" ESCAPE {letter.sql}"
        node = node.this
    value, pattern = compiler.value(node.this), compiler.value(node.expression)
    for side, what, of in ((value, "Left side of", node.this), (pattern, "Pattern for", node.expression)):
        if side.type.name not in ("varchar", "char", "unknown"):
            raise QueryError(
                "TYPE_MISMATCH",
                f"{place(of)}: {what} LIKE expression must evaluate to a varchar (actual: {side.type})",
            )
    if letter and isinstance(letter.literal, str) and isinstance(pattern.literal, str) and len(letter.literal) == 1:
        _check_escapes(pattern.literal, letter.literal)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Value(f"({value.sql} {word} {pattern.sql}{escape})", BOOLEAN)


def _check_escapes(pattern: str, letter: str) -> None:
    """Raise an error for an escape character before a letter that needs none, which DuckDB accepts."""
    escaped = re.escape(letter)
    if not re.fullmatch(f"(?:[^{escaped}]|{escaped}[%_{escaped}])*", pattern, re.DOTALL):
        raise QueryError(
            "INVALID_FUNCTION_ARGUMENT", "Escape character must be followed by '%', '_' or the escape character itself"
        )


def _case(compiler: Expressions, node: Any) -> Value:
    branches = node.args["ifs"]
    results = [each.args["true"] for each in branches]
    default = node.args.get("default")
    values = compiler.values_alike([*results, default] if default else results, "All CASE results")
    operand = compiler.value(node.this) if node.this else None
    tests = [_case_test(compiler, operand, branch.this) for branch in branches]
    whens = "".join(f" WHEN {test} THEN {value.sql}" for test, value in zip(tests, values, strict=False))
    otherwise = f" ELSE {values[-1].sql}" if default else ""
    return Value(f"(CASE{whens}{otherwise} END)", values[0].type)


def _case_test(compiler: Expressions, operand: Value | None, test: exp.Expr) -> str:
    if operand is None:
        return compiler.condition(test, "CASE WHEN clause").sql
    value = compiler.value(test)
    kind = common_type(operand.type, value.type)
    if kind is None:
        raise QueryError(
            "TYPE_MISMATCH",
            f"{place(test)}: CASE operand type does not match WHEN clause operand type: {operand.type} vs {value.type}",
        )
    # WHEN a = b, not a simple CASE: each branch has its own common type with the operand.
    return f"{compiler.cast(operand, kind).sql} = {compiler.cast(value, kind).sql}"


def _array(compiler: Expressions, node: Any) -> Value:
    if not node.expressions:
        return Value("[]", types.array(UNKNOWN))
    values = compiler.values_alike(node.expressions, "All ARRAY elements")
    return Value(f"[{', '.join(each.sql for each in values)}]", types.array(values[0].type))


def _subscript(compiler: Expressions, node: Any) -> Value:
    base, key = compiler.value(node.this), compiler.value(node.expressions[0])
    if base.type.name == "array" and key.type.name in INTEGERS:
        return Value(f"trino_subscript({base.sql}, {key.sql})", base.type.items[0])
    if base.type.name == "map" and coerces(key.type, base.type.items[0]):
        key = compiler.cast(key, base.type.items[0])
        return Value(f"trino_key({base.sql}, {key.sql})", base.type.items[1])
    if base.type.name == "row":
        number = _place_in_row(node.expressions[0], key, len(base.type.items))
        return Value(f"{base.sql}.{types.quoted(types.field_key(base.type, number - 1))}", base.type.items[number - 1])
    raise QueryError("TYPE_MISMATCH", f"{place(node)}: Cannot use {key.type} for subscript of {base.type}")


def _place_in_row(node: Any, key: Value, size: int) -> int:
    if key.type != INTEGER:
        message = f"Subscript expression on ROW requires integer index, actual type is {key.type}"
        raise QueryError("TYPE_MISMATCH", f"{place(node)}: {message}")
    if not isinstance(key.literal, int):
        raise QueryError(
            "EXPRESSION_NOT_CONSTANT", f"{place(node)}: Subscript expression on ROW requires a constant index"
        )
    if key.literal < 1:
        message = f"Invalid subscript index: {key.literal}. ROW indices start at 1"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{place(node)}: {message}")
    if key.literal > size:
        message = f"Subscript index out of bounds: {key.literal}, max value is {size}"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"{place(node)}: {message}")
    return key.literal


def row_of(values: list[Value], names: list[str | None] | None = None) -> Value:
    """Return a row of values; its fields may have names."""
    kind = types.row([each.type for each in values], names or [None] * len(values))
    fields = (f"{types.quoted(types.field_key(kind, n))} := {each.sql}" for n, each in enumerate(values))
    return Value(f"struct_pack({', '.join(fields)})", kind)


def _tuple(compiler: Expressions, node: Any) -> Value:
    return row_of([compiler.value(each) for each in node.expressions])


NODES: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.Literal: _literal,
    exp.Null: _null,
    exp.Boolean: _boolean,
    exp.HexString: _hex,
    exp.UnicodeString: _unicode,
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    exp.And: _logic("AND"),
    exp.Or: _logic("OR"),
    exp.Not: _not,
    exp.Is: _is,
    exp.Neg: _negate,
    exp.DPipe: _concatenate,
    exp.Like: _like,
    exp.Escape: _like,
    exp.Case: _case,
    exp.Array: _array,
    exp.Bracket: _subscript,
    exp.Tuple: _tuple,
}
