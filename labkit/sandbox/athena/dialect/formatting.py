"""Formats numbers and texts: `format(...)`, rounding of decimals, Unicode normal forms.

A format string of Java's Formatter is split into calls that DuckDB has:
https://trino.io/docs/current/functions/conversion.html#formatting
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect import calls, casts
from labkit.sandbox.athena.dialect.operators import decimal_arithmetic, string
from labkit.sandbox.athena.dialect.scope import Value, place
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.types import BOOLEAN, DOUBLE, INTEGERS, NUMBERS, VARCHAR, common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions

_SPECIFIER = re.compile(r"%(?:(\d+)\$|<)?([-0,+ (]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])([a-zA-Z])?")
_TIMES = {
    "A": "%A", "a": "%a", "B": "%B", "b": "%b", "d": "%d", "e": "%-d", "F": "%Y-%m-%d", "H": "%H", "I": "%I", "j": "%j",
    "M": "%M", "m": "%m", "p": "%p", "S": "%S", "T": "%H:%M:%S", "Y": "%Y", "y": "%y", "D": "%m/%d/%y",
}  # fmt: skip


def _format(compiler: Expressions, node: Any, arguments: list[exp.Expr]) -> Value:
    pattern = compiler.value(arguments[0]).literal
    if not isinstance(pattern, str):
        raise not_supported(f"{place(node)}: a format that is not written out")
    values = [compiler.value(each) for each in arguments[1:]]
    parts, at, following, number = [], 0, 0, 0
    for found in _SPECIFIER.finditer(pattern):
        parts.append(_plain(node, pattern[at : found.start()]))
        # The pattern takes a second letter for %tY. For any other conversion that letter is ordinary text.
        at = found.end() - (len(found[6] or "") if found[5] != "t" else 0)
        if found[5] in "%n":
            parts.append(string("%" if found[5] == "%" else "\n"))
            continue
        if found[1] or found[0].startswith("%<"):
            # %2$s names an argument, %< the previous one; neither moves on the counter of plain specifiers.
            number = int(found[1]) - 1 if found[1] else number
        else:
            number, following = following, following + 1
        if number >= len(values):
            raise QueryError(
                "INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {pattern} (Format specifier '{found[0]}')"
            )
        parts.append(_padded(found, _written(node, found, values[number])))
    parts.append(_plain(node, pattern[at:]))
    return Value(f"({' || '.join(parts)})", VARCHAR)


def _plain(node: Any, text: str) -> str:
    """Write the text between the specifiers; a `%` left in it is a specifier that isn't supported."""
    if "%" in text:
        raise not_supported(f"{place(node)}: {text[text.index('%') :]} in a format")
    return string(text)


def _padded(found: re.Match[str], sql: str) -> str:
    if not found[3]:
        return sql
    if "0" in found[2]:
        return f"trino_zero_filled({sql}, {found[3]})"
    side = "rpad" if "-" in found[2] else "lpad"
    # DuckDB's lpad and rpad cut a longer text; Java's width is a minimum.
    return f"(CASE WHEN length({sql}) < {found[3]} THEN {side}({sql}, {found[3]}, ' ') ELSE {sql} END)"


def _written(node: Any, found: re.Match[str], value: Value) -> str:
    conversion, kind = found[5], value.type
    comma, plus = ("," if "," in found[2] else ""), ("+" if "+" in found[2] else "")
    if conversion in "sS":
        text = casts.convert(value, VARCHAR, safe=False).sql if kind != DOUBLE else f"trino_java_double({value.sql})"
        # Java writes null for NULL; || would make the whole text NULL.
        text = f"coalesce({text}, 'null')"
        return f"upper({text})" if conversion == "S" else text
    if conversion in "BX":
        return f"upper({_written(node, _lower(found), value)})"
    if conversion == "b" and kind == BOOLEAN:
        return f"CASE WHEN {value.sql} THEN 'true' ELSE 'false' END"
    if "(" in found[2] and conversion in "df" and kind.name in NUMBERS:
        positive = re.fullmatch(_SPECIFIER, found[0].replace("(", ""))
        assert positive is not None
        absolute = _written(node, positive, replace(value, sql=f"abs({value.sql})"))
        return f"(CASE WHEN {value.sql} < 0 THEN '(' || {absolute} || ')' ELSE {absolute} END)"
    if conversion == "d" and kind.name in INTEGERS:
        return f"format('{{:{plus}{comma}}}', CAST({value.sql} AS BIGINT))"
    if conversion == "x" and kind.name in INTEGERS:
        return f"lower(hex({value.sql}))"
    if conversion in "fe" and kind.name in NUMBERS and kind.name not in INTEGERS:
        return f"format('{{:{plus}{comma}.{found[4] or 6}{conversion}}}', CAST({value.sql} AS DOUBLE))"
    if conversion == "t" and found[6] in _TIMES and kind.name in ("date", "timestamp", "timestamp with time zone"):
        return f"strftime({calls.on_the_clock(value)}, '{_TIMES[found[6]]}')"
    if conversion in "dfexbt":
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {found[0]} ({kind})")
    raise not_supported(f"{place(node)}: {found[0]} in a format")


def _lower(found: re.Match[str]) -> re.Match[str]:
    """Return the same specifier in lower case."""
    lower = _SPECIFIER.fullmatch(found[0].lower())
    assert lower is not None
    return lower


def _typeof(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    name = str(compiler.value(arguments[0]).type)
    return Value(string(name), VARCHAR, name)


def _whole(name: str) -> calls.Special:
    """Compile round, ceil and the like: of a decimal they give a decimal without a scale, as in Trino.

    Rounding to places keeps the scale and may add a digit: round(9.99, 1) is 10.00.
    """

    def compiled(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
        value = compiler.value(arguments[0])
        if value.type.name != "decimal":
            return calls.invoke(compiler, node, node.name.lower(), [value, *arguments[1:]])
        digits, scale = value.type.parameters
        if len(arguments) == 2:
            result = calls.invoke(compiler, node, node.name.lower(), [value, arguments[1]])
            return compiler.cast(result, types.decimal(digits + 1, scale)) if name == "round" else result
        # Rounding 9.9 gives 10, one digit more; truncating never adds one, nor does a decimal without a fraction.
        more = 0 if name == "trunc" else min(scale, 1)
        kind = types.decimal(max(1, digits - scale + more) if name != "sign" else 1, 0)
        return Value(f"CAST({name}({value.sql}) AS {types.duckdb_type(kind)})", kind)

    return compiled


def _mod(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    """Compile mod; for decimals it is the operator `%` with its precision and scale."""
    left, right = (compiler.value(each) for each in arguments)
    kind = common_type(left.type, right.type)
    if kind and kind.name == "decimal":
        return decimal_arithmetic(left, right, "%")
    return calls.invoke(compiler, node, "mod", [left, right])


def _normalize(compiler: Expressions, node: Any, arguments: calls.Arguments) -> Value:
    value = compiler.cast(compiler.value(arguments[0]), VARCHAR)
    form = arguments[1].name.upper() if len(arguments) > 1 else "NFC"
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise QueryError(
            "SYNTAX_ERROR", f"{place(node)}: mismatched input '{form}'. Expecting: 'NFC', 'NFD', 'NFKC', 'NFKD'"
        )
    return Value(f"trino_normalize({value.sql}, '{form}')", VARCHAR)


SPECIAL: dict[str, calls.Special] = {
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "floor": _whole("floor"),
    "format": _format,
    "normalize": _normalize,
    "mod": _mod,
    "round": _whole("round"),
    "sign": _whole("sign"),
    "truncate": _whole("trunc"),
    "typeof": _typeof,
}
