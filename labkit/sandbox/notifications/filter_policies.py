"""Filter policies: which messages a subscription wants.

Source: SNS Developer Guide, "Amazon SNS subscription filter policies" (sns-subscription-filter-policies.html). Whether
a policy is well formed moto knows, but for the operators that it lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any

from labkit.sandbox.moto_state import sns
from labkit.sandbox.service import ServiceError

Holds = Callable[[Any, Any], bool]
"""Whether a condition's operand holds for one value."""


def parse(policy: str, scope: str) -> dict[str, Any]:
    """A filter policy, parsed; raises SNS's error for one that it wouldn't take."""
    try:
        parsed = json.loads(policy)
    except ValueError:
        raise _invalid("failed to parse JSON.") from None
    if not isinstance(parsed, dict):
        raise _invalid("Filter is not an object")
    sns.check_filter_policy(_known_to_moto(parsed), scope)
    return parsed


def _invalid(what: str) -> ServiceError:
    return ServiceError("InvalidParameter", f"Invalid parameter: FilterPolicy: {what}")


def _known_to_moto(node: Any) -> Any:
    """The policy with a prefix in place of what moto has no word for, once that is found to be in order."""
    if isinstance(node, list):
        return [_known_to_moto(item) for item in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1 and isinstance(operand := next(iter(node.values())), str):
        operator = next(iter(node))
        if operator == "wildcard" and "**" in operand:
            raise _invalid(f"Consecutive wildcard characters at pos {operand.index('**') + 1}")
        if operator == "cidr" and not _is_network(operand):
            raise _invalid(f"Malformed CIDR, one is written as 10.0.0.0/24: {operand}")
        if operator in ("wildcard", "cidr"):
            return {"prefix": operand}
    return {name: _known_to_moto(item) for name, item in node.items()}


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def wants(policy: Mapping[str, Any], scope: str, attributes: Mapping[str, Mapping[str, str]], message: str) -> bool:
    """Whether a message passes a policy; attributes are {name: {"Type": ..., "Value": ...}}."""
    if scope == "MessageAttributes":
        return _matches(policy, {name: _attribute(item) for name, item in attributes.items()})
    try:
        body = json.loads(message)
    except ValueError:
        return False
    return any(isinstance(each, dict) and _matches(policy, each) for each in _several(body))


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
    return value if isinstance(value, list) else [value]


def _matches(policy: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    """All keys of a policy have to match."""
    return all(_key_matches(name, wanted, message) for name, wanted in policy.items())


def _key_matches(name: str, wanted: Any, message: Mapping[str, Any]) -> bool:
    if name == "$or" and all(isinstance(each, dict) for each in wanted):
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
        return values is not None and not any(_is_but(operand, value) for value in values)
    return values is not None and any(_OPERATORS[operator](operand, value) for value in values)


def _is_but(operand: Any, value: Any) -> bool:
    if isinstance(operand, dict):
        operator, inner = next(iter(operand.items()))
        return any(_OPERATORS[operator](each, value) for each in _several(inner))
    return any(_equals(each, value) for each in _several(operand))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equals(wanted: Any, value: Any) -> bool:
    """Numbers are compared to six digits after the point."""
    if _is_number(wanted) and _is_number(value):
        return int(wanted * 1_000_000) == int(value * 1_000_000)
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
    return _is_number(value) and all(_COMPARED[operator](bound, value) for operator, bound in pairs)


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
