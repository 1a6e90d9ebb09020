"""Which filter policies SNS takes, and its errors for the others.

Sources: SNS Developer Guide, "Filter policy constraints" (subscription-filter-policy-constraints.html) and the pages on
its operators; the wording is that of errors of SNS that users have published.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

MAX_KEYS = 5
MAX_COMBINATIONS = 150
"""Of values: what the lengths of a policy's arrays come to when they are multiplied."""
MAX_SIZE = 262_144
MAX_NUMBER = 10**9

_BOUNDS, _UPPER_BOUNDS = ("<", "<=", "=", ">", ">="), ("<", "<=")


class PolicyError(ValueError):
    """A filter policy that SNS doesn't take."""


def checked(policy: str, scope: str) -> dict[str, Any]:
    """A filter policy, parsed; a PolicyError for one that SNS doesn't take with this scope."""
    if len(policy.encode()) > MAX_SIZE:
        raise _error(f"Filter policy is larger than {MAX_SIZE} bytes")
    try:
        parsed = json.loads(policy)
    except ValueError:
        raise _error("failed to parse JSON.") from None
    if not isinstance(parsed, dict):
        raise _error("Filter is not an object")
    if len(parsed) > MAX_KEYS:
        raise _error(f"Filter policy can not have more than {MAX_KEYS} keys")
    conditions = list(_conditions(parsed, nested=scope == "MessageBody"))
    if _combinations(parsed) > MAX_COMBINATIONS:
        raise _error("Filter policy is too complex")
    for condition in conditions:
        _check_condition(condition)
    return parsed


def _error(what: str) -> PolicyError:
    return PolicyError(f"FilterPolicy: {what}")


def _conditions(policy: Mapping[str, Any], *, nested: bool) -> Iterator[Any]:
    """The conditions of all keys."""
    for key, value in policy.items():
        if isinstance(value, dict):
            if not nested:
                raise PolicyError("Filter policy scope MessageAttributes does not support nested filter policy")
            yield from _conditions(value, nested=nested)
        elif not isinstance(value, list):
            raise _error(f'"{key}" must be an object or an array')
        elif not value:
            raise _error("Empty arrays are not allowed")
        elif is_choice(key, value):
            for each in value:
                yield from _conditions(each, nested=nested)
        else:
            yield from value


def is_choice(key: str, value: Any) -> bool:
    """Whether a key stands for a choice of policies, and for no key of the message."""
    return key == "$or" and isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _combinations(policy: Mapping[str, Any], depth: int = 1, before: int = 1) -> int:
    """How many combinations of values a policy has; those of a nested key count once for each of its levels."""
    for key, value in policy.items():
        if isinstance(value, dict):
            before = _combinations(value, depth + 1, before)
        elif is_choice(key, value):
            before = sum(_combinations(each, depth, before) for each in value)
        else:
            before *= len(value) * depth
    return before


def _check_condition(condition: Any) -> None:
    if isinstance(condition, dict):
        if len(condition) != 1:
            raise _error("Only one key allowed in match expression")
        ((operator, operand),) = condition.items()
        if operator not in _CHECKS:
            raise _error(f"Unrecognized match type {operator}")
        _CHECKS[operator](operator, operand)
    else:
        _check_value(condition)


def _check_value(value: Any) -> None:
    if not (value is None or isinstance(value, str | int | float)):
        raise _error("Match value must be String, number, true, false, or null")
    if isinstance(value, int | float) and abs(value) > MAX_NUMBER:
        raise _error(f"Match value must be between -{MAX_NUMBER} and {MAX_NUMBER}: {value}")


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_text(operator: str, operand: Any) -> None:
    if not isinstance(operand, str):
        raise _error(f"{operator} match pattern must be a string")


def _check_wildcard(operator: str, operand: Any) -> None:
    _check_text(operator, operand)
    if "**" in operand:
        raise _error(f"Consecutive wildcard characters at pos {operand.index('**') + 1}")


def _check_network(operator: str, operand: Any) -> None:
    _check_text("prefix", operand)
    address, slash, bits = operand.partition("/")
    if not slash or "/" in bits:
        raise _error("Malformed CIDR, one '/' required")
    if not bits.isdecimal():
        raise _error("Malformed CIDR, mask bits must be an integer")
    try:
        ip_network(operand, strict=False)
    except ValueError:
        raise _error(f"Nonstandard IP address: {address}") from None


def _check_exists(operator: str, operand: Any) -> None:
    if not isinstance(operand, bool):
        raise _error("exists match pattern must be either true or false.")


def _check_anything_but(operator: str, operand: Any) -> None:
    if isinstance(operand, dict):
        for inner, pattern in operand.items():
            if inner not in _BUT:
                raise _error(f"Unsupported anything-but pattern: {inner}")
            for each in pattern if isinstance(pattern, list) else [pattern]:
                _CHECKS[inner](inner, each)
        return
    for value in operand if isinstance(operand, list) else [operand]:
        _check_value(value)


def _check_numeric(operator: str, operand: Any) -> None:
    if not isinstance(operand, list) or not operand:
        raise _error("Invalid member in numeric match: ]")
    first, *rest = operand
    if not isinstance(first, str):
        raise _error(f"Invalid member in numeric match: {first}")
    if first not in _BOUNDS:
        raise _error(f"Unrecognized numeric range operator: {first}")
    _check_bound(first, rest[:1])
    if len(rest) > 1:
        _check_range(first, rest)


def _check_bound(operator: str, value: Sequence[Any]) -> None:
    if not value or not is_number(value[0]):
        raise _error(f"Value of {'equals' if operator == '=' else operator} must be numeric")
    _check_value(value[0])


def _check_range(operator: str, rest: Sequence[Any]) -> None:
    """`rest` has the bound of the first operator, the second operator, and so on."""
    low, second, *high = rest
    if operator not in (">", ">="):
        raise _error("Too many elements in numeric expression")
    if not isinstance(second, str):
        raise _error(f"Bad value in numeric range: {second}")
    if second not in _UPPER_BOUNDS:
        raise _error(f"Bad numeric range operator: {second}")
    _check_bound(second, high[:1])
    if high[0] <= low:
        raise _error("Bottom must be less than top")
    if len(high) > 1:
        raise _error("Too many terms in numeric range expression")


_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
"""Operators that `anything-but` can be turned against."""
_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "prefix": _check_text,
    "suffix": _check_text,
    "equals-ignore-case": _check_text,
    "wildcard": _check_wildcard,
    "cidr": _check_network,
    "exists": _check_exists,
    "anything-but": _check_anything_but,
    "numeric": _check_numeric,
}
