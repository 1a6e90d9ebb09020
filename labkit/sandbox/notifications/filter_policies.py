"""Filter policies: which messages a subscription wants.

Source: SNS Developer Guide, "Amazon SNS subscription filter policies" (sns-subscription-filter-policies.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from labkit.sandbox.notifications.filter_policy_checks import is_choice, is_number

BY_ATTRIBUTES = "MessageAttributes"
"""The scope of a policy on the attributes of messages: that of one without a scope."""
Holds = Callable[[Any, Any], bool]
"""Whether a condition's operand holds for one value."""


def wants(policy: Mapping[str, Any], scope: str, attributes: Mapping[str, Mapping[str, str]], message: str) -> bool:
    """Whether a message passes a policy; attributes are {name: {"Type": ..., "Value": ...}}."""
    if scope == BY_ATTRIBUTES:
        return _matches(policy, {name: _attribute(item) for name, item in attributes.items()})
    try:
        body = json.loads(message)
    except ValueError:
        return False
    return isinstance(body, dict) and _matches(policy, body)


def _attribute(attribute: Mapping[str, str]) -> Any:
    """The value of a message attribute: a text, a number or, of a String.Array, a list."""
    kind, value = attribute["Type"], attribute["Value"]
    try:
        if kind.startswith("Number"):
            return float(value)
        return json.loads(value) if kind == "String.Array" else value
    except ValueError:
        return value


def _several(value: Any) -> list[Any]:
    """A value, or those of an array and of the arrays in it."""
    return [inner for each in value for inner in _several(each)] if isinstance(value, list) else [value]


def _matches(policy: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """All keys of a policy have to match."""
    return all(_key_matches(name, wanted, message) for name, wanted in policy.items())


def _key_matches(name: str, wanted: Any, message: Mapping[str, Any]) -> bool:
    if is_choice(name, wanted):
        return any(_matches(each, message) for each in wanted)
    if isinstance(wanted, dict):
        return any(isinstance(each, dict) and _matches(wanted, each) for each in _several(message.get(name, {})))
    values = _several(message[name]) if name in message else None
    return any(_holds(condition, values) for condition in wanted)


def _holds(condition: Any, values: Sequence[Any] | None) -> bool:
    """Whether a condition holds for any of the values; None stands for a key that is not there."""
    operator, operand = next(iter(condition.items())) if isinstance(condition, dict) else ("equals", condition)
    if operator == "exists":
        return (values is not None) == bool(operand)
    if operator == "anything-but":
        return values is not None and any(not _is_but(operand, value) for value in values)
    return values is not None and any(_OPERATORS[operator](operand, value) for value in values)


def _is_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        operator, inner = next(iter(operand.items()))
        return any(_OPERATORS[operator](each, value) for each in _several(inner))
    return any(_equals(each, value) for each in _several(operand))


def _equals(wanted: Any, value: Any) -> bool:
    """Numbers are compared to five digits after the point."""
    if is_number(wanted) and is_number(value):
        return bool(round(wanted * 100_000) == round(value * 100_000))
    return type(wanted) is type(value) and bool(wanted == value)


_COMPARED: dict[str, Holds] = {
    "=": lambda bound, value: _equals(bound, value),
    "<": lambda bound, value: value < bound,
    "<=": lambda bound, value: value <= bound,
    ">": lambda bound, value: value > bound,
    ">=": lambda bound, value: value >= bound,
}


def _in_ranges(ranges: Sequence[Any], value: Any) -> bool:
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return is_number(value) and all(_COMPARED[operator](bound, value) for operator, bound in pairs)


@cache
def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def _of_text(holds: Callable[[str, str], bool]) -> Holds:
    return lambda operand, value: isinstance(value, str) and holds(operand, value)


def _in_network(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


_OPERATORS: dict[str, Holds] = {
    "equals": _equals,
    "prefix": _of_text(lambda start, text: text.startswith(start)),
    "suffix": _of_text(lambda end, text: text.endswith(end)),
    "equals-ignore-case": _of_text(lambda wanted, text: text.casefold() == wanted.casefold()),
    "wildcard": _of_text(lambda pattern, text: _wildcard(pattern).fullmatch(text) is not None),
    "cidr": _of_text(_in_network),
    "numeric": _in_ranges,
}
