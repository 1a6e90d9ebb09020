"""Reads the parameters of a query or EC2 request by the service's model, in time proportional to their number.

Sources: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html and
https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.model import ServiceModel

from labkit.sandbox.kernel import moments

MAX_DEPTH = 32
"""How many parts, separated by dots, a parameter's name may have."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML doesn't allow: the answer, which is XML, couldn't return them."""


class MalformedParameter(ValueError):
    """A parameter whose value doesn't fit the model; `name` is the parameter's name in the request."""

    def __init__(self, name: str, value: str, reason: str) -> None:
        super().__init__(f"Value ({value[:200]}) for parameter {name} is invalid. {reason}")
        self.name = name


class _Node:
    """A node in the tree of parameter names: its value, if a name ends here, and the parts that follow."""

    __slots__ = ("children", "name", "value")

    def __init__(self, name: str) -> None:
        self.name = name
        self.value: str | None = None
        self.children: dict[str, _Node] = {}


_Reader = Callable[[_Node], Any]


def parse(model: ServiceModel, operation: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of an operation's input; raise MalformedParameter for a value that can't be read.

    Parameters that the model doesn't know are ignored. Timestamps become aware datetimes, blobs become bytes.
    """
    reader = _operation_reader(model, operation)
    return reader(_tree(parameters)) if reader is not None else {}


def _tree(parameters: Mapping[str, str]) -> _Node:
    # Built once: looking for each member's prefix among all parameters would take quadratic time.
    root = _Node("")
    for name, value in parameters.items():
        parts = name.split(".")
        if len(parts) > MAX_DEPTH:
            raise MalformedParameter(name[:200], value, f"A name has at most {MAX_DEPTH} parts.")
        node = root
        for part in parts:
            child = node.children.get(part)
            if child is None:
                child = node.children[part] = _Node(f"{node.name}.{part}" if node.name else part)
            node = child
        node.value = value
    return root


@cache
def _operation_reader(model: ServiceModel, operation: str) -> _Reader | None:
    shape = model.operation_model(operation).input_shape
    if shape is None:
        return None
    return _Compiler(ec2=model.metadata["protocol"] == "ec2").structure(shape)


class _Compiler:
    """Compiles shapes into readers. A recursive shape is read by the reader that is being made for it."""

    def __init__(self, *, ec2: bool) -> None:
        self._ec2 = ec2
        self._structures: dict[str, _Reader] = {}

    def compile(self, shape: Any) -> _Reader:
        if shape.type_name == "structure":
            return self.structure(shape)
        if shape.type_name == "list":
            return self._list(shape)
        if shape.type_name == "map":
            return self._map(shape)
        return _LEAVES.get(shape.type_name, _text)

    def structure(self, shape: Any) -> _Reader:
        """Return a reader for the members of a structure."""
        if shape.name in self._structures:
            return lambda node: self._structures[shape.name](node)
        members: list[tuple[str, str, _Reader]] = []
        # Registered before its members are compiled, which may lead back to it; `members` is filled afterwards.
        self._structures[shape.name] = reader = _structure_reader(members)
        for name, member in shape.members.items():
            members.append((name, self._member_name(name, member), self.compile(member)))
        return reader

    def _member_name(self, name: str, member: Any) -> str:
        """Return a member's name in the request; a flattened list has the name of its items."""
        if not self._ec2 and member.type_name == "list" and member.serialization.get("flattened"):
            return str(member.member.serialization.get("name") or self._wire_name(member, name))
        return self._wire_name(member, name)

    def _wire_name(self, shape: Any, default: str) -> str:
        serialization = shape.serialization
        if self._ec2:
            name: str = serialization.get("name", default)
            return str(serialization.get("queryName") or name[0].upper() + name[1:])
        return str(serialization.get("locationNameForQueryCompatibility") or serialization.get("name", default))

    def _list(self, shape: Any) -> _Reader:
        item = self.compile(shape.member)
        if self._ec2 or shape.serialization.get("flattened"):
            return lambda node: _items(node, item)
        wrapper = self._wire_name(shape.member, "member")

        def read(node: _Node) -> list[Any]:
            if node.value:
                raise MalformedParameter(node.name, node.value, "A list was expected.")
            return _items(node.children[wrapper], item) if wrapper in node.children else []

        return read

    def _map(self, shape: Any) -> _Reader:
        key, value = self.compile(shape.key), self.compile(shape.value)
        key_name, value_name = self._wire_name(shape.key, "key"), self._wire_name(shape.value, "value")
        flattened = bool(shape.serialization.get("flattened"))

        def read(node: _Node) -> dict[Any, Any]:
            if node.value:
                raise MalformedParameter(node.name, node.value, "Entries of a map were expected.")
            entries = node if flattened else node.children.get("entry", _Node(f"{node.name}.entry"))
            pairs = _items(entries, lambda entry: _pair(entry, key_name, value_name, key, value))
            return dict(pairs)

        return read


def _structure_reader(members: list[tuple[str, str, _Reader]]) -> _Reader:
    def read(node: _Node) -> dict[str, Any]:
        if node.value:
            raise MalformedParameter(node.name, node.value, "Members of a structure were expected.")
        children = node.children
        return {name: reader(children[wire]) for name, wire, reader in members if wire in children}

    return read


def _items(node: _Node, item: Callable[[_Node], Any]) -> list[Any]:
    """Return the items of a list, which the request numbers from 1 without gaps; raise MalformedParameter for a gap."""
    if not node.children:
        if node.value:
            raise MalformedParameter(node.name, node.value, "A list was expected.")
        return []
    numbers = sorted(map(_number_of_item, node.children.values()))
    if numbers != list(range(1, len(numbers) + 1)):
        gap = next(number for number in range(1, len(numbers) + 1) if number not in set(numbers))
        raise MalformedParameter(f"{node.name}.{numbers[-1]}", "", f"There is no {node.name}.{gap} before it.")
    return [item(node.children[str(number)]) for number in numbers]


def _number_of_item(node: _Node) -> int:
    number = node.name.rpartition(".")[2]
    if not (number.isascii() and number.isdigit() and number[0] != "0" and len(number) < 10):
        raise MalformedParameter(node.name, node.value or "", "The items of a list are numbered from 1 on.")
    return int(number)


def _pair(node: _Node, key_name: str, value_name: str, key: _Reader, value: _Reader) -> tuple[Any, Any]:
    if key_name not in node.children:
        raise MalformedParameter(f"{node.name}.{key_name}", "", "The key is missing.")
    present = value_name in node.children
    return key(node.children[key_name]), value(node.children[value_name]) if present else None


def _text(node: _Node) -> str:
    if node.value is None:
        raise MalformedParameter(node.name, f".{next(iter(node.children), '')}", "A single value was expected.")
    if _NO_XML.search(node.value):
        raise MalformedParameter(node.name, repr(node.value), "It holds characters that XML has not.")
    return node.value


def _integer(node: _Node) -> int:
    text = _text(node)
    if not _INTEGER.fullmatch(text):
        raise MalformedParameter(node.name, text, "An integer was expected.")
    return int(text)


def _float(node: _Node) -> float:
    text = _text(node)
    try:
        return float(text.replace("_", "x"))  # Python reads 1_000 as a number; AWS doesn't
    except ValueError:
        raise MalformedParameter(node.name, text, "A number was expected.") from None


def _boolean(node: _Node) -> bool:
    text = _text(node)
    if text.lower() not in ("true", "false"):
        raise MalformedParameter(node.name, text, "true or false was expected.")
    return text.lower() == "true"


def _blob(node: _Node) -> bytes:
    text = _text(node)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedParameter(node.name, text, "Base64 was expected.") from None


def _timestamp(node: _Node) -> datetime:
    text = _text(node)
    try:
        return moments.of_text(text)
    except ValueError:
        raise MalformedParameter(node.name, text, "A time in ISO 8601 was expected.") from None


_LEAVES: dict[str, _Reader] = {
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
