"""Writes the answers of the query and EC2 protocols with moto's serializers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from moto.core.serialize import EC2Serializer, QuerySerializer, SerializationContext
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
    """Return the XML response with an operation's output."""
    serializer_class = EC2Serializer if service == "ec2" else QuerySerializer
    serializer = serializer_class(_operation(service, operation), SerializationContext(request_id))
    serialized = serializer.serialize(result)
    return Response(serialized["body"], serialized["status_code"], content_type="text/xml")


def serialize_error(
    service: str, code: str, message: str, status: int, request_id: str, members: Mapping[str, Any] | None = None
) -> Response:
    """Return the XML response with an error; for S3, `members` become elements beside the message."""
    fields = f"<Code>{escape(code)}</Code><Message>{_text(message)}</Message>"
    if service == "ec2":
        body = f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    elif service == "s3":
        more = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in (members or {}).items())
        body = f"<Error>{fields}{more}<RequestId>{request_id}</RequestId></Error>"
    else:
        fault = "Receiver" if status >= 500 else "Sender"
        error = f"<Error><Type>{fault}</Type>{fields}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, content_type="text/xml")


def _text(value: Any) -> str:
    """Return a value as the text of an element, with the characters replaced that XML doesn't allow."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", escape(str(value)))


def _operation(service: str, operation: str) -> Any:
    return get_service_model(service).operation_model(operation)
