"""The conditions of ALTER TABLE ... DROP PARTITION: digits compare as numbers, anything else as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.sandbox.athena.catalog import Partition

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def meets(names: list[str], partition: Partition, conditions: tuple[tuple[str, str, str], ...]) -> bool:
    """Tell whether a partition meets the conditions of a DROP PARTITION."""
    values = dict(zip(names, partition.values, strict=True))
    return all(_compared(values[name], operator, value) for name, operator, value in conditions)


def _compared(own: str, operator: str, value: str) -> bool:
    if own.isdigit() and value.isdigit():
        return _COMPARISONS[operator](int(own), int(value))
    return _COMPARISONS[operator](own, value)
