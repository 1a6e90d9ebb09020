"""Checks the members of a call against the constraints in the service's model, in the words of AWS's services."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.wire import service_model

CODES = {
    "athena": "InvalidRequestException",
    "autoscaling": "ValidationError",
    "cloudformation": "ValidationError",
    "cloudwatch": "ValidationError",
    "ec2": "InvalidParameterValue",
    "elb": "ValidationError",
    "elbv2": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "rds": "ValidationError",
    "redshift": "ValidationError",
    "ses": "ValidationError",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
    "sts": "ValidationError",
}
"""The code a service answers a malformed call with; ValidationException unless listed."""

MAX_SHOWN = 2000
"""Characters of a value that a message quotes."""

Predicate = Callable[[Any], bool]

_CONSTRAINTS = {"list": ("min", "max"), "string": ("min", "max", "pattern", "enum"), "integer": ("min", "max")}
_CONSTRAINTS |= dict.fromkeys(("long", "float", "double", "map"), ("min", "max"))
_PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "boolean": bool,
    "list": list,
    "map": dict,
    "structure": dict,
    "timestamp": datetime,
    "blob": (bytes, str),
}

_RANGES = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def check(service: str, operation: str, params: dict[str, Any]) -> None:
    """Raise the service's validation error, which names every value that breaks a constraint of the model.

    A batch of log events has thousands of values and is nearly always valid. So a compiled predicate is asked first,
    and the invalid values are searched for only if it says no.
    """
    shape, is_sound = _input(service, operation)
    if shape is None or is_sound(params):
        return
    found = list(_faults(shape, params, ""))
    if service in ("ec2", "sqs"):
        _refuse_missing(shape, params)
    faults = [f"Value {_shown(value)} at '{path}' failed to satisfy constraint: {rule}" for path, value, rule in found]
    if faults:
        count = f"{len(faults)} validation error{'s' if len(faults) > 1 else ''} detected: "
        raise ServiceError(CODES.get(service, "ValidationException"), count + "; ".join(faults))


NEEDED = {
    ("ec2", "AllocateHosts"): (("Quantity",), ()),
    ("ec2", "AssociateVpcCidrBlock"): (
        ("CidrBlock", "AmazonProvidedIpv6CidrBlock"),
        ("Ipv4IpamPoolId", "Ipv6CidrBlock", "Ipv6IpamPoolId", "Ipv6Pool"),
    ),
    ("ec2", "CreateSubnet"): (("CidrBlock",), ("Ipv4IpamPoolId", "Ipv6CidrBlock", "Ipv6IpamPoolId")),
    ("ec2", "CreateVpc"): (("CidrBlock",), ("Ipv4IpamPoolId",)),
}
"""For each operation, the members of which a request must have one although the model calls them all optional, and the
alternatives that AWS accepts and the sandbox doesn't support."""


MOST_AT_ONCE = 1000
"""How many things one request may make: moto makes them one by one, and all other requests wait."""

COUNTS = {
    "Quantity": "HostLimitExceeded",
    "MinCount": "InstanceLimitExceeded",
    "MaxCount": "InstanceLimitExceeded",
    "InstanceCount": "InstanceLimitExceeded",
    "TargetCapacity": "MaxSpotInstanceCountExceeded",
    "TotalTargetCapacity": "InstanceLimitExceeded",
    "SecondaryPrivateIpAddressCount": "PrivateIpAddressLimitExceeded",
    "Ipv4PrefixCount": "PrivateIpAddressLimitExceeded",
    "Ipv6AddressCount": "PrivateIpAddressLimitExceeded",
    "Ipv6PrefixCount": "PrivateIpAddressLimitExceeded",
    "ShardCount": "LimitExceededException",
    "TargetShardCount": "LimitExceededException",
}
"""Members that say how many, and the errors of numbers past any quota. The models have no bounds for them."""


def check_counts(params: Any) -> None:
    """Raise a quota error for a request that asks for more than MOST_AT_ONCE things."""
    for value in params if isinstance(params, list) else params.values():
        if isinstance(value, dict | list):
            check_counts(value)
    for name, code in COUNTS.items() if isinstance(params, dict) else ():
        if isinstance(params.get(name), int) and params[name] > MOST_AT_ONCE:
            raise ServiceError(code, f"{name} is {params[name]}; your quota allows for no more than {MOST_AT_ONCE}.")


def check_needed(service: str, operation: str, params: dict[str, Any]) -> None:
    """Raise an error for a request that lacks all of the members of which the operation needs one."""
    names, elsewhere = NEEDED.get((service, operation), ((), ()))
    if not names or any(params.get(name) for name in names):
        return
    for name in elsewhere:
        if name in params:
            raise not_here(f"{service}:{operation} with {name} alone")
    raise ServiceError("MissingParameter", f"The request must contain the parameter {names[0]}")


def first_fault(service: str, operation: str, params: dict[str, Any]) -> tuple[str, Any] | None:
    """Return the path and the value of the first member that breaks a constraint of the model, or None."""
    shape, is_sound = _input(service, operation)
    if shape is None or is_sound(params):
        return None
    return next(((path, value) for path, value, _ in _faults(shape, params, "")), None)


def _refuse_missing(shape: Any, params: dict[str, Any]) -> None:
    """Amazon EC2 and SQS have an error of their own for a required parameter that is missing, named as in the query."""
    for name in shape.required_members:
        if params.get(name) is None:
            parameter = shape.members[name].serialization.get("name", name)
            raise ServiceError("MissingParameter", f"The request must contain the parameter {parameter}")


@cache
def _input(service: str, operation: str) -> tuple[Any, Predicate]:
    shape = service_model(service).operation_model(operation).input_shape
    return shape, _compile(shape, {}) if shape is not None else bool


def _compile(shape: Any, structures: dict[str, Predicate]) -> Predicate:
    """Tells whether a value of the shape is sound, and all that it holds.

    `structures` has those that are being compiled: one that holds itself is looked up there when a value is seen.
    """
    if shape.type_name == "structure":
        if shape.name in structures:
            return lambda value: structures[shape.name](value)
        members: dict[str, Predicate] = {}
        structures[shape.name] = is_sound = _structure(frozenset(shape.required_members), members)
        members.update((name, _compile(member, structures)) for name, member in shape.members.items())
        return is_sound
    is_sound = _scalar(shape)
    if shape.type_name == "list":
        items = _items(shape.member, structures)
        return lambda values: is_sound(values) and items(values)
    if shape.type_name == "map":
        key, item = _compile(shape.key, structures), _compile(shape.value, structures)
        return lambda values: is_sound(values) and all(map(key, values)) and all(map(item, values.values()))
    return is_sound


def _items(shape: Any, structures: dict[str, Predicate]) -> Predicate:
    """Tells whether all values of a list are sound; objects that have just the required members, member by member.

    To ask one question of a column of values costs a quarter of what it costs to ask each object.
    """
    nested = shape.name in structures
    item = _compile(shape, structures)
    if nested or shape.type_name != "structure" or not shape.required_members:
        return _column(shape) or (lambda values: all(map(item, values)))
    required = shape.required_members
    columns = {name: _items(shape.members[name], structures) for name in required}

    def are_sound(values: list[Any]) -> bool:
        if set(map(type, values)) != {dict} or set(map(len, values)) != {len(required)}:
            return all(map(item, values))
        try:
            return all(is_sound([value[name] for value in values]) for name, is_sound in columns.items())
        except KeyError:
            return False

    return are_sound


def _column(shape: Any) -> Predicate | None:
    """Tells whether all values of a list are sound texts or whole numbers; None for shapes that need more."""
    type_name, (low, high) = shape.type_name, _bounds(shape)
    if type_name == "string" and not ("pattern" in shape.metadata or getattr(shape, "enum", None)):
        return lambda values: set(map(type, values)) <= {str} and _within(low, high, list(map(len, values)))
    if type_name in ("integer", "long"):
        return lambda values: set(map(type, values)) <= {int} and _within(low, high, values)
    return None


def _within(low: float, high: float, values: list[int]) -> bool:
    return not values or (low <= min(values) and max(values) <= high)


def _bounds(shape: Any) -> tuple[float, float]:
    least, most = _RANGES.get(shape.type_name, (float("-inf"), float("inf")))
    return shape.metadata.get("min", least), shape.metadata.get("max", most)


def _scalar(shape: Any) -> Predicate:
    type_name = shape.type_name
    if not _is_constrained(shape):
        return lambda value: _has_type(type_name, value)
    low, high = _bounds(shape)
    if type_name == "string" and not ("pattern" in shape.metadata or getattr(shape, "enum", None)):
        return lambda value: isinstance(value, str) and low <= len(value) <= high
    if type_name in ("integer", "long"):
        return lambda value: type(value) is int and low <= value <= high
    tests = [holds for _, holds in _rules(shape)]
    return lambda value: _has_type(type_name, value) and all(holds(value) for holds in tests)


def _structure(required: frozenset[str], members: dict[str, Predicate]) -> Predicate:
    def is_sound(value: Any) -> bool:
        if not isinstance(value, dict) or not required <= value.keys():
            return False
        return all(
            name not in members or (members[name](item) if item is not None else name not in required)
            for name, item in value.items()
        )

    return is_sound


def _is_constrained(shape: Any) -> bool:
    return any(name in shape.metadata for name in _CONSTRAINTS.get(shape.type_name, ()))


def _shown(value: Any) -> str:
    """A value as AWS shows it; of ten thousand log events, the first."""
    is_map = isinstance(value, dict) and value
    text = f"{{{', '.join(f'{name}={item}' for name, item in value.items())}}}" if is_map else str(value)
    return "null" if value is None else f"'{text[:MAX_SHOWN]}{'...' * (len(text) > MAX_SHOWN)}'"


def _faults(shape: Any, value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    if not _has_type(shape.type_name, value):
        raise ServiceError("SerializationException", f"'{path}' must be of type {shape.type_name}, not {value!r:.80}")
    yield from ((path, value, rule) for rule, holds in _rules(shape) if not holds(value))
    if shape.type_name == "structure":
        yield from (
            (_join(path, name), None, "Member must not be null")
            for name in shape.required_members
            if value.get(name) is None
        )
        for name, member in shape.members.items():
            if value.get(name) is not None:
                yield from _faults(member, value[name], _join(path, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _faults(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from _faults_of_map(shape, value, path)


def _faults_of_map(shape: Any, value: dict[str, Any], path: str) -> Iterator[tuple[str, Any, str]]:
    """Of the keys of a map all rules are named at once, and so of its values where those are scalars."""
    for noun, part, items in (("keys", shape.key, value), ("value", shape.value, value.values())):
        if part.type_name in ("structure", "list", "map"):
            for item in items:
                yield from _faults(part, item, f"{path}.value")
        elif not all(_has_type(part.type_name, item) for item in items):
            raise ServiceError("SerializationException", f"the {noun} of '{path}' must be of type {part.type_name}")
        elif not all(holds(item) for _, holds in _rules(part) for item in items):
            rules = ", ".join(rule for rule, _ in _rules(part))
            yield path, value, f"Map {noun} must satisfy constraint: [{rules}]"


def _has_type(type_name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return type_name == "boolean"
    if not isinstance(value, _PYTHON_TYPES.get(type_name, object)):
        return False
    least, most = _RANGES.get(type_name, (None, None))
    return least is None or most is None or least <= value <= most


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name


def _rules(shape: Any) -> Iterator[tuple[str, Predicate]]:
    """The constraints of a shape in AWS's words, each with what tells whether a value meets it."""
    metadata = shape.metadata
    if not _is_constrained(shape):
        return
    sized = shape.type_name in ("string", "list", "map")
    noun = "length" if sized else "value"
    if "max" in metadata:
        yield (
            f"Member must have {noun} less than or equal to {metadata['max']}",
            lambda value: (len(value) if sized else value) <= metadata["max"],
        )
    if "min" in metadata:
        yield (
            f"Member must have {noun} greater than or equal to {metadata['min']}",
            lambda value: (len(value) if sized else value) >= metadata["min"],
        )
    if shape.type_name == "string" and "pattern" in metadata:
        rule = f"Member must satisfy regular expression pattern: {metadata['pattern']}"
        yield rule, lambda value: _matches(metadata["pattern"], value)
    if getattr(shape, "enum", None):
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", lambda value: value in shape.enum


_UNICODE_CLASSES = {
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
    r"\ud800\udc00-\udbff\udfff": r"\U00010000-\U0010ffff",
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}
"""What Java's patterns have within brackets, as Python has it: classes, and characters past 16 bits in halves."""


@cache
def _pattern(pattern: str) -> re.Pattern[str] | None:
    for java, python in _UNICODE_CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:  # a pattern in Java's dialect that Python does not share: left to the service's own check
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _pattern(pattern)
    return compiled is None or compiled.fullmatch(value) is not None
