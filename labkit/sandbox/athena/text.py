"""How Athena writes values in its results, and places in a statement."""

from __future__ import annotations

import math


def java_double(value: float) -> str:
    """Write a double as Java prints it.

    >>> [java_double(x) for x in (1.0, 0.1, 1e7, 1.5e-5, 123456789.0, float("nan"))]
    ['1.0', '0.1', '1.0E7', '1.5E-5', '1.23456789E8', 'NaN']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = repr(value)
        return text if "e" not in text else f"{value:.17f}".rstrip("0")
    mantissa, _, exponent = repr(value).partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-")
    whole, _, fraction = digits.partition(".")
    power = int(exponent or 0) + len(whole) - 1
    significant = (whole + fraction).lstrip("0")
    if whole.strip("0") == "":
        power = int(exponent or 0) - (len(fraction) - len(fraction.lstrip("0"))) - 1
    significant = significant.rstrip("0") or "0"
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"


def place_in(text: str, at: int) -> str:
    """Where in a statement a character stands, as Trino says it: lines and columns are counted from 1.

    >>> place_in("SELECT a\\nFROM b", 9)
    'line 2:1'
    """
    return f"line {text.count(chr(10), 0, at) + 1}:{at - text.rfind(chr(10), 0, at)}"
