"""Requests as they stand, well-formed or not, for any value of any member: no client would send most of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

import cbor2
from botocore.model import OperationModel

from labkit.sandbox.wire import service_model

SIGNING_NAMES = {"cloudwatch": "monitoring", "resourcegroupstaggingapi": "tagging", "service-quotas": "servicequotas",
                 "s3control": "s3"}  # fmt: skip
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
CBOR = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


class Raw(NamedTuple):
    """A request before it is signed."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def protocol(service: str) -> str:
    """The protocol that the requests of a service are made in: json, cbor, query, ec2, rest-xml."""
    spoken = str(service_model(service).metadata["protocol"])
    return "cbor" if spoken == "smithy-rpc-v2-cbor" else spoken


def make(service: str, operation: str, params: Any) -> Raw:
    """Return the request of an operation with these members."""
    model = service_model(service).operation_model(operation)
    spoken = protocol(service)
    if spoken == "json":
        return json_request(service, operation, json.dumps(params).encode())
    if spoken == "cbor":
        return cbor_request(service, operation, cbor2.dumps(params))
    if spoken in ("query", "ec2"):
        pairs = [("Action", operation), ("Version", service_model(service).api_version)]
        if model.input_shape is not None:
            pairs += _flat(model.input_shape, params, "", ec2=spoken == "ec2")
        return Raw("POST", "/", FORM, urlencode(pairs, errors="surrogatepass").encode())
    return _rest(model, params)


def json_request(service: str, operation: str, body: bytes) -> Raw:
    """Return a JSON request with any body."""
    metadata = service_model(service).metadata
    headers = {"Content-Type": f"application/x-amz-json-{metadata.get('jsonVersion', '1.1')}"}
    return Raw("POST", "/", {**headers, "X-Amz-Target": f"{metadata['targetPrefix']}.{operation}"}, body)


def cbor_request(service: str, operation: str, body: bytes) -> Raw:
    """Return a CBOR request with any body."""
    prefix = service_model(service).metadata["targetPrefix"]
    return Raw("POST", f"/service/{prefix}/operation/{operation}", CBOR, body)


def broken_bodies(service: str, operation: str) -> Iterator[tuple[str, Raw]]:
    """Return requests of an operation whose body has no meaning at all."""
    spoken = protocol(service)
    if spoken == "json":
        for body in (b"{", b"[]", b"null", b"7", b"\xff\xfe", b'{"a":NaN}', b'{"a":' + b"[" * 9000, b"<a/>",
                     b'{"a":"\\ud800"}', b'{"a":' + b"9" * 5000 + b"}", b"{}" + b"{}"):  # fmt: skip
            yield f"body {body[:12]!r}", json_request(service, operation, body)
    elif spoken == "cbor":
        for body in (b"\xa1", b"\x80", b"\xf6", b"{}", b"\xa1\x61a\x9b" + b"\xff" * 8, b"\xa1\x61a" + b"\x81" * 9000,
                     b"\xa1\x01\x01", b"\xa1\x61a\xd8\x23\x61(", b"\xbf", b"\xa1\x61a\x61\xff",
                     b"\xa1\x61a\xd8\x1c\x81\xd8\x1d\x00"):  # fmt: skip
            yield f"body {body[:12]!r}", cbor_request(service, operation, body)
    elif spoken == "rest-xml":
        yield from _broken_xml(service, operation)


def odd_forms(service: str, operation: str) -> Iterator[tuple[str, Raw]]:
    """Return requests in the query protocol with parameters that no operation has."""
    if protocol(service) not in ("query", "ec2"):
        return
    start = f"Action={operation}&Version={service_model(service).api_version}"
    many = "&".join(f"P.{number}=x" for number in range(100))
    for more in ("&&&", "=x", "x", "%FF=%FE", "%00=%00", "A=1&A=2", "P.member.999999999=x", f"{'A.' * 500}A=1",
                 f"{'n' * 5000}=x", many, "a[b]=c", "é=\N{GRINNING FACE}"):  # fmt: skip
        yield f"form {more[:20]!r}", Raw("POST", "/", FORM, f"{start}&{more}".encode())


def _broken_xml(service: str, operation: str) -> Iterator[tuple[str, Raw]]:
    model = service_model(service).operation_model(operation)
    payload = model.input_shape.serialization.get("payload") if model.input_shape else None
    if payload is None or model.input_shape.members[payload].type_name != "structure":
        return
    root = model.input_shape.members[payload].serialization.get("name", payload)
    for body in ("<", "text", f"<{root}>", f"<!DOCTYPE a [<!ENTITY b 'c'>]><{root}>&b;</{root}>", "<other/>", "\0",
                 f"<{root}><unknown/></{root}>", f"<{root}>&nope;</{root}>", f"<{root}/><{root}/>",
                 "<a>" * 500 + "</a>" * 500, f"{{{root}}}"):  # fmt: skip
        raw = make(service, operation, {"Bucket": "lab-bucket", "Key": "key", "Id": "id", "AccountId": "123456789012"})
        yield f"body {body[:14]!r}", raw._replace(body=body.encode())


def _flat(shape: Any, value: Any, prefix: str, *, ec2: bool) -> Iterator[tuple[str, str]]:
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, item in value.items():
            member = shape.members.get(name)
            wire_name = _wire_name(member, name, ec2=ec2) if member is not None else name
            yield from _flat(member, item, f"{prefix}.{wire_name}" if prefix else wire_name, ec2=ec2)
    elif shape.type_name == "list" and isinstance(value, list):
        if not value and not ec2:
            yield prefix, ""
        if not ec2 and shape.serialization.get("flattened"):
            item_name = shape.member.serialization.get("name")
            prefix = ".".join([*prefix.split(".")[:-1], item_name]) if item_name else prefix
        elif not ec2:
            prefix = f"{prefix}.{shape.member.serialization.get('name', 'member')}"
        for number, item in enumerate(value, 1):
            yield from _flat(shape.member, item, f"{prefix}.{number}", ec2=ec2)
    elif shape.type_name == "map" and isinstance(value, dict):
        prefix = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        for number, (key, item) in enumerate(value.items(), 1):
            yield f"{prefix}.{number}.{shape.key.serialization.get('name', 'key')}", str(key)
            name = shape.value.serialization.get("name", "value")
            yield from _flat(shape.value, item, f"{prefix}.{number}.{name}", ec2=ec2)
    elif isinstance(value, dict):
        yield from ((f"{prefix}.{key}", str(item)) for key, item in value.items())
    else:
        yield prefix, _plain(value)


def _wire_name(shape: Any, name: str, *, ec2: bool) -> str:
    serialization = shape.serialization
    if not ec2:
        return str(serialization.get("name", name))
    given = serialization.get("name", name)
    return str(serialization.get("queryName") or given[0].upper() + given[1:])


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rest(model: OperationModel, params: dict[str, Any]) -> Raw:
    shape = model.input_shape
    path, _, query = model.http["requestUri"].partition("?")
    pairs = [(part.partition("=")[0], part.partition("=")[2]) for part in query.split("&") if part]
    headers: dict[str, str] = {}
    body = b""
    payload = shape.serialization.get("payload") if shape else None
    unlocated = []
    for name, value in params.items():
        member = shape.members.get(name) if shape else None
        if member is None:
            continue
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                path = re.sub(rf"\{{{wire_name}\+?\}}", quote(_plain(value)).replace("\\", "%5C"), path)
            case "querystring":
                pairs.append((wire_name, _plain(value)))
            case "header":
                headers[wire_name] = re.sub(
                    r"[^ -~]", "?", _plain(value[0] if isinstance(value, list) and value else value)
                )
            case "headers" if isinstance(value, dict):
                headers |= {f"{wire_name}{key}": re.sub(r"[^ -~]", "?", str(item)) for key, item in value.items()}
            case None if name == payload and member.type_name in ("blob", "string"):
                body = _plain(value).encode()
            case None if name == payload:
                body = _xml(member, value, wire_name).encode()
            case None:
                unlocated.append(_xml(member, value, wire_name))
    if unlocated:
        root = shape.serialization.get("name", "Request")
        body = f"<{root}>{''.join(unlocated)}</{root}>".encode()
    path = re.sub(r"\{[^}]+\}", "lab", path)
    return Raw(str(model.http["method"]), f"{path}?{urlencode(pairs)}" if pairs else path, headers, body)


def _xml(shape: Any, value: Any, name: str) -> str:
    if shape.type_name == "structure" and isinstance(value, dict):
        attributes, inner = "", ""
        for key, item in value.items():
            member = shape.members.get(key)
            if member is None:
                continue
            wire_name = member.serialization.get("name", key)
            if member.serialization.get("xmlAttribute"):
                attributes += (
                    f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {wire_name}={quoteattr(str(item))}'
                )
            else:
                inner += _xml(member, item, wire_name)
        return f"<{name}{attributes}>{inner}</{name}>"
    if shape.type_name == "list" and isinstance(value, list):
        item_name = shape.member.serialization.get("name")
        if shape.serialization.get("flattened"):
            return "".join(_xml(shape.member, item, item_name or name) for item in value)
        return f"<{name}>{''.join(_xml(shape.member, item, item_name or 'member') for item in value)}</{name}>"
    if isinstance(value, dict):
        return f"<{name}>{''.join(f'<{key}>{item}</{key}>' for key, item in value.items())}</{name}>"
    return f"<{name}>{escape(_plain(value))}</{name}>"


def can_hold(service: str, operation: str, params: Any) -> bool:
    """Tell whether a request can say what the members are: a header or a path holds texts and no objects."""
    if protocol(service) != "rest-xml":
        return True
    shape = service_model(service).operation_model(operation).input_shape
    return all(_can_be(shape.members[name], value) for name, value in params.items()) and all(
        params.get(name) not in (None, "")
        for name, member in shape.members.items()
        if member.serialization.get("location") == "uri"
    )


def _can_be(member: Any, value: Any) -> bool:
    location = member.serialization.get("location")
    if location == "headers":
        return isinstance(value, dict)
    return location is None or not isinstance(value, dict)


def tells_operations_apart(service: str, operation: str, name: str) -> bool:
    """Tell whether a request without a member is one of another operation: a copy without its source is a put."""
    if protocol(service) != "rest-xml":
        return False
    member = service_model(service).operation_model(operation).input_shape.members[name]
    return member.serialization.get("location") is not None


def is_lenient(service: str, operation: str, name: str) -> bool:
    """Tell whether HTTP has a server ignore or keep a value that it can't read: dates of conditions and `Expires`."""
    if protocol(service) != "rest-xml":
        return False
    member = service_model(service).operation_model(operation).input_shape.members[name]
    return (
        member.type_name == "timestamp"
        and member.serialization.get("location") == "header"
        and "lock" not in str(member.serialization.get("name"))
    )
