"""Reads the documents in a request before anything else does: one rejected here reaches neither moto nor journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from werkzeug.wrappers import Request

from labkit.sandbox import wire
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto import json_text

_DOCUMENT = re.compile(r"(Policy|Document|Pattern|Content)$")
"""The members whose texts moto reads as JSON. Others are a client's own data, which may be nested to any depth."""

_MALFORMED = {
    "events": ("InvalidEventPatternException", "Event pattern is not valid. Reason: {}"),
    "iam": ("MalformedPolicyDocument", "Syntax errors in policy."),
    "kms": ("MalformedPolicyDocumentException", "The new key policy is not valid: {}"),
    "s3": ("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{{'"),
    "secretsmanager": ("MalformedPolicyDocumentException", "This resource policy contains invalid Json: {}"),
    "sqs": ("InvalidAttributeValue", "Invalid value for the parameter Policy."),
    "ssm": ("InvalidDocumentContent", "The content for the document is not valid."),
    "sts": ("MalformedPolicyDocument", "Syntax errors in policy."),
}
"""Each service's code and message for a document that it can't read."""


def check(request: Request, service: str) -> None:
    """Raise AWS's error for a request with a document that can't be read safely."""
    if service == "cloudformation":
        # Imported here, because moto's CloudFormation takes long to import and many sandboxes never use it.
        from labkit.sandbox.moto import stacks

        stacks.check_request(wire.query_parameters(request))


_OBJECTS = {
    "events": ("EventPattern",),
    "sqs": ("Policy", "RedriveAllowPolicy", "RedrivePolicy"),
}
"""The members whose texts have to be JSON objects, where moto reads them and fails on anything else."""


def check_depth(service: str, params: dict[str, Any]) -> None:
    """Raise the service's error for a document on which moto would fail: nested too deeply, or not an object."""
    for name, text in _texts(params) if service in _OBJECTS else ():
        if name in _OBJECTS[service] and text.strip() and not _is_object(text):
            code, message = _MALFORMED[service]
            if service == "sqs":
                message = f"Invalid value for the parameter {name}."
            raise ServiceError(code, message.format("Filter is not an object"))
    for text in _documents(params):
        try:
            json_text.check_depth(text)
        except json_text.JsonError as error:
            code, message = _MALFORMED.get(service, ("ValidationException", "The document is not valid: {}"))
            raise ServiceError(code, message.format(error)) from error


def _is_object(text: str) -> bool:
    try:
        return isinstance(json_text.loads(text), dict)
    except json_text.JsonError:
        return False


def _texts(params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts among a request's members, and among its attributes."""
    for name, value in {**params, **(params.get("Attributes") or {})}.items():
        if isinstance(value, str):
            yield str(name), value


def _documents(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _documents(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _documents(item, name)
    elif isinstance(value, str) and _DOCUMENT.search(name) and value.lstrip()[:1] in ("{", "["):
        yield value
