"""Reads the input of an operation from a REST request by the model: path, query, headers, and an XML or JSON body.

Source: https://smithy.io/2.0/spec/http-bindings.html and https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request

from labkit.sandbox.kernel import bodies, moments, safe_xml

_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_LENIENT_HEADERS = {"Expires", "If-Modified-Since", "If-Unmodified-Since"}
"""Headers with dates that a server ignores, or keeps as they are, if it can't read them (as HTTP demands)."""


class MalformedValue(ValueError):
    """A value that doesn't fit the model. `member` is the top-level member of the input that contains it."""

    def __init__(self, member: str, location: str, name: str, value: str) -> None:
        super().__init__(f"{value!r:.200} is not a valid value of {name}")
        self.member = member
        self.location = location
        """Where it was: header, headers, querystring, uri or body."""
        self.name = name
        self.value = value


class EmptyBody(ValueError):
    """The body is empty, but the operation needs one."""


def parse(shape: Any, request: Request, labels: Mapping[str, str], *, xml: bool) -> dict[str, Any]:
    """Return the members of an input; raise MalformedValue, EmptyBody, or UnsafeXml for an unreadable XML body.

    A body that is a blob or a stream is not read: the model has no constraints on it.
    """
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        if location is not None:
            value = _located(name, member, location, request, labels)
            if value is not None:
                members[name] = value
    members.update(_body(shape, request, xml=xml))
    return members


def _located(name: str, member: Any, location: str, request: Request, labels: Mapping[str, str]) -> Any:
    wire_name = member.serialization.get("name", name)
    if location == "headers":
        start = wire_name.lower()
        headers = ((key.lower(), value) for key, value in request.headers.items())
        return {key.removeprefix(start): value for key, value in headers if key.startswith(start)} or None
    if location == "querystring" and member.type_name == "list":
        values = request.args.getlist(wire_name)
        return [_scalar(name, location, member.member, wire_name, value) for value in values] or None
    if location == "querystring" and member.type_name == "map":
        return None  # such a map is all parameters there are, and the model has no constraints on them
    source: Any = {"uri": labels, "querystring": request.args}.get(location, request.headers)
    if wire_name not in source:
        return None
    if member.type_name == "list":
        values = [value.strip() for value in source[wire_name].split(",")]
        return [_scalar(name, location, member.member, wire_name, value) for value in values]
    if wire_name in _LENIENT_HEADERS:
        return None
    return _scalar(name, location, member, wire_name, source[wire_name])


def _scalar(member: str, location: str, shape: Any, wire_name: str, text: str) -> Any:
    """Return the value in a text; raise MalformedValue, with where it was, if it can't be read."""
    try:
        return _value(shape, text, header=location == "header")
    except ValueError:
        raise MalformedValue(member, location, wire_name, text) from None


def _value(shape: Any, text: str, *, header: bool = False) -> Any:
    type_name = shape.type_name
    if type_name in ("integer", "long"):
        if not _INTEGER.fullmatch(text):
            raise ValueError(text)
        return int(text)
    if type_name in ("float", "double"):
        return float(text.replace("_", "x"))  # Python reads 1_000 as a number; AWS doesn't
    if type_name == "boolean":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if type_name == "timestamp":
        return moments.of_header(text) if header else moments.of_text(text)
    if type_name == "blob":
        return base64.b64decode(text, validate=True)
    return text


def _body(shape: Any, request: Request, *, xml: bool) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    if payload is None:
        unlocated = {name: each for name, each in shape.members.items() if "location" not in each.serialization}
        if not unlocated:
            return {}
        body = request.get_data()
        if not xml:
            return _json_structure(shape, bodies.read_json(body), "") if body else {}
        if not body:
            raise EmptyBody
        root = safe_xml.read(body)
        if root.name != shape.serialization.get("name", root.name):
            raise MalformedValue("", "body", shape.serialization["name"], root.name)
        return _Xml().structure(unlocated, root)
    member = shape.members[payload]
    if member.type_name == "blob":
        return {payload: b""} if payload in shape.required_members else {}
    body = request.get_data()
    if not body:
        if payload in shape.required_members:
            raise EmptyBody
        return {}
    if member.type_name == "string":
        return {payload: body.decode(errors="replace")}
    if not xml:
        return {payload: _json_structure(member, bodies.read_json(body), payload)}
    root = safe_xml.read(body)
    expected = member.serialization.get("name", member.name)
    if root.name != expected:
        raise MalformedValue(payload, "body", expected, root.name)
    return {payload: _Xml(payload).value(member, root)}


class _Xml:
    """Reads the values of an XML body; `payload` is the member of the input that the body as a whole stands for."""

    def __init__(self, payload: str = "") -> None:
        self._payload = payload

    def value(self, shape: Any, element: safe_xml.Element) -> Any:
        """Return the value of an element."""
        if shape.type_name in ("structure", "list", "map") and element.text.strip():
            raise MalformedValue(self._payload, "body", element.name, element.text)
        if shape.type_name == "structure":
            return self.structure(shape.members, element)
        if shape.type_name == "list":
            item_name = shape.member.serialization.get("name", "member")
            self._refuse_strange(element, {item_name})
            return [self.value(shape.member, each) for each in element.children]
        if shape.type_name == "map":
            return self._map(shape, element.children)
        self._refuse_strange(element, set())
        try:
            return _value(shape, element.text)
        except ValueError:
            raise MalformedValue(self._payload, "body", element.name, element.text) from None

    def structure(self, members: Mapping[str, Any], element: safe_xml.Element) -> dict[str, Any]:
        """Return the members of a structure; raise MalformedValue for a repeated or unknown element."""
        result: dict[str, Any] = {}
        names: set[str] = set()
        for name, shape in members.items():
            wire_name = self._wire_name(name, shape)
            if shape.serialization.get("xmlAttribute"):
                if (attribute := wire_name.rpartition(":")[2]) in element.attributes:
                    result[name] = element.attributes[attribute]
                continue
            names.add(wire_name)
            found = list(element.named(wire_name))
            if not found:
                continue
            if shape.type_name == "list" and shape.serialization.get("flattened"):
                result[name] = [self.value(shape.member, each) for each in found]
            elif shape.type_name == "map" and shape.serialization.get("flattened"):
                result[name] = self._map(shape, found)
            elif len(found) > 1:
                raise MalformedValue(self._payload, "body", wire_name, "given twice")
            else:
                result[name] = self.value(shape, found[0])
        self._refuse_strange(element, names)
        return result

    def _map(self, shape: Any, entries: list[safe_xml.Element]) -> dict[Any, Any]:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        pairs: dict[Any, Any] = {}
        for entry in entries:
            parts = {child.name: child for child in entry.children}
            if parts.keys() != {key_name, value_name}:
                raise MalformedValue(self._payload, "body", entry.name, "not a key and a value")
            pairs[self.value(shape.key, parts[key_name])] = self.value(shape.value, parts[value_name])
        return pairs

    def _refuse_strange(self, element: safe_xml.Element, known: set[str]) -> None:
        for child in element.children:
            if child.name not in known:
                raise MalformedValue(self._payload, "body", element.name, child.name)

    @staticmethod
    def _wire_name(name: str, shape: Any) -> str:
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            item_name = shape.member.serialization.get("name")
            if item_name:
                return str(item_name)
        return str(shape.serialization.get("name", name))


def _json_structure(shape: Any, members: Mapping[str, Any], member: str) -> dict[str, Any]:
    """Return the members of a JSON object by their names in the model, with timestamps and blobs converted."""
    result = {}
    for name, each in shape.members.items():
        wire_name = each.serialization.get("name", name)
        if "location" not in each.serialization and members.get(wire_name) is not None:
            result[name] = _json_value(each, members[wire_name], member or name)
    return result


def _json_value(shape: Any, value: Any, member: str) -> Any:
    """Return a JSON value as the model's type. A value of another type is returned as it is: validation reports it."""
    try:
        if shape.type_name == "structure" and isinstance(value, Mapping):
            return value if shape.is_document_type else _json_structure(shape, value, member)
        if shape.type_name == "list" and isinstance(value, list):
            return [_json_value(shape.member, each, member) for each in value]
        if shape.type_name == "map" and isinstance(value, Mapping):
            return {key: _json_value(shape.value, each, member) for key, each in value.items()}
        if shape.type_name == "timestamp":
            return moments.of_text(value) if isinstance(value, str) else moments.of_number(value)
        if shape.type_name == "blob":
            return base64.b64decode(value, validate=True)
    except (ValueError, TypeError):
        raise MalformedValue(member, "body", member, str(value)) from None
    return value
