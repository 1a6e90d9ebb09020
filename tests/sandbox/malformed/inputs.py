"""Inputs of operations made from botocore's models: sound ones, and variants of them that break a constraint.

All of it is a function of the model and the known ids, so that a run can be repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

MOMENT = 1793610000
DEPTH = 4
"""How deep structures are filled in; those that hold themselves would have no end."""

ODD_TEXTS = [
    "",
    " ",
    "\0",
    "a" * 5000,
    "../..",
    "arn:aws:",
    "s3://",
    "http://[::1",
    "${x}",
    "%s%n",
    "é\N{GRINNING FACE}",
]
ODD_NUMBERS = [0, -1, 2**31 - 1, -(2**31)]


class Variant(NamedTuple):
    """An input that something is wrong with."""

    what: str
    params: Any
    member: str
    """The top member that is changed."""
    breaks: bool | None
    """Whether AWS's model forbids it; None stands for: in JSON and CBOR, which have types."""


def sound(shape: Any, known: Mapping[str, str], *, optional: bool) -> dict[str, Any]:
    """Return an input with its required members, or with all of them."""
    if shape is None:
        return {}
    value = _value(shape, "", known, optional, ())
    return value if isinstance(value, dict) else {}


def _value(shape: Any, name: str, known: Mapping[str, str], optional: bool, path: tuple[str, ...]) -> Any:
    if shape.type_name == "structure":
        if shape.name in path or len(path) > DEPTH:
            return {}
        inner = (*path, shape.name)
        if shape.metadata.get("union") or getattr(shape, "is_tagged_union", False):
            members = list(shape.members.items())[:1]
        else:
            members = [each for each in shape.members.items() if optional or each[0] in shape.required_members]
        return {key: _value(member, key, known, optional, inner) for key, member in members}
    if shape.type_name == "list":
        if len(path) > DEPTH or (shape.member.type_name == "structure" and shape.member.name in path):
            return []
        count = min(max(1, shape.metadata.get("min", 1)), 3)
        return [_value(shape.member, name.removesuffix("s"), known, optional, path)] * count
    if shape.type_name == "map":
        return {_value(shape.key, "key", known, optional, path): _value(shape.value, "value", known, optional, path)}
    return _scalar(shape, name, known)


def _scalar(shape: Any, name: str, known: Mapping[str, str]) -> Any:
    for key in (name.lower(), shape.name.lower()):
        if key in known and shape.type_name == "string":
            return known[key]
    if shape.type_name == "string":
        return shape.enum[0] if getattr(shape, "enum", None) else _text(shape)
    if shape.type_name in ("integer", "long"):
        return max(1, shape.metadata.get("min", 1))
    if shape.type_name in ("float", "double"):
        return float(shape.metadata.get("min", 1.0))
    return {"boolean": False, "timestamp": MOMENT, "blob": "YQ=="}.get(shape.type_name)


def _text(shape: Any) -> str:
    """Return a text of the shape's length that its pattern has, if one is easily found."""
    pattern = shape.metadata.get("pattern")
    low = shape.metadata.get("min", 1)
    texts = [
        "a" * max(1, low),
        "1" * max(1, low),
        "arn:aws:iam::123456789012:role/name",
        "name-1",
        "0" * 12,
        "2026-11-02",
    ]
    if pattern is None:
        return texts[0]
    try:
        return next((text for text in texts if re.fullmatch(pattern, text) and len(text) >= low), texts[0])
    except re.error:
        return texts[0]


def variants(shape: Any, base: dict[str, Any], full: dict[str, Any]) -> Iterator[Variant]:
    """Return the variants of an input, those that break the model first member by first member."""
    if shape is None:
        return
    for name in shape.required_members:
        yield Variant(f"without {name}", {key: value for key, value in base.items() if key != name}, name, True)
    for path, member in _paths(shape, full, ()):
        start = base if path[0] in base and _reaches(base, path) else full
        if start is full and len(path) == 1:
            start = {**base, path[0]: full[path[0]]}
        for what, value, breaks in _wrong(member):
            yield Variant(f"{'.'.join(map(str, path))} {what}", _replaced(start, path, value), path[0], breaks)
        if member.type_name == "structure":
            for name in member.required_members:
                holder = _at(start, path)
                if isinstance(holder, dict) and name in holder:
                    less = {key: value for key, value in holder.items() if key != name}
                    yield Variant(
                        f"{'.'.join(map(str, path))} without {name}", _replaced(start, path, less), path[0], True
                    )


def _paths(shape: Any, value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if path:
        yield path, shape
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, item in value.items():
            yield from _paths(shape.members[name], item, (*path, name))
    elif shape.type_name == "list" and value:
        yield from _paths(shape.member, value[0], (*path, 0))


def _wrong(shape: Any) -> Iterator[tuple[str, Any, bool | None]]:
    kind, metadata = shape.type_name, shape.metadata
    if kind in ("structure", "list", "map"):
        yield "is a text", "text", True
        if kind == "list":
            if metadata.get("max", 10**9) < 200:
                yield "has too many", [Ellipsis] * (metadata["max"] + 1), True
            if metadata.get("min", 0) > 0:
                yield "is empty", [], True
        return
    if kind == "string":
        yield from _wrong_texts(shape)
        return
    yield "is a word", "word", kind not in ("blob",)
    if kind in ("integer", "long"):
        yield "is a fraction", 1.5, True
        yield "is 2^63", 2**63, True
        if "max" in metadata:
            yield "is too large", metadata["max"] + 1, True
        if "min" in metadata:
            yield "is too small", metadata["min"] - 1, True
        for number in ODD_NUMBERS:
            yield f"is {number}", number, False
    elif kind == "timestamp":
        yield "is 2^63", 2**63, True
        yield "is far ago", -(2**40), False
    elif kind in ("float", "double"):
        yield "is huge", 1e308, False
        yield "is negative", -1.0, False


def _wrong_texts(shape: Any) -> Iterator[tuple[str, Any, bool | None]]:
    metadata = shape.metadata
    yield "is a number", 7, None
    yield "is an object", {"a": 1}, True
    if getattr(shape, "enum", None):
        yield "is no such word", "no-such-word", True
        return
    if metadata.get("min", 0) > 0:
        yield "is too short", "a" * (metadata["min"] - 1), True
    if metadata.get("max", 10**9) < 100_000:
        yield "is too long", "a" * (metadata["max"] + 1), True
    for text in ODD_TEXTS:
        yield f"is {text[:12]!r}", text, False


def _reaches(value: Any, path: tuple[Any, ...]) -> bool:
    try:
        _at(value, path)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _replaced(params: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    result = deepcopy(params)
    holder = _at(result, path[:-1])
    if isinstance(value, list) and value and value[0] is Ellipsis:
        old = holder[path[-1]]
        value = [old[0] if old else "a"] * len(value)
    holder[path[-1]] = value
    return result
