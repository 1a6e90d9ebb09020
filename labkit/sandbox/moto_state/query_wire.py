"""The query and EC2 protocols, by moto's parsers and serializers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from moto.core.parse import EC2QueryParser, QueryParser, default_timestamp_parser
from moto.core.serialize import EC2Serializer, QuerySerializer, SerializationContext
from moto.core.utils import get_service_model
from werkzeug.wrappers import Response


def parse(service: str, operation: str, values: Mapping[str, str]) -> dict[str, Any]:
    """The members of an operation's input, from the form's values."""
    parser_class = EC2QueryParser if service == "ec2" else QueryParser
    parser: Any = parser_class(_operation(service, operation), timestamp_parser=_aware_time)
    parsed: dict[str, Any] = parser.parse({"values": values})
    return parsed


def _aware_time(text: str) -> datetime:
    return default_timestamp_parser(text).replace(tzinfo=UTC)


def serialize(service: str, operation: str, result: Mapping[str, Any], request_id: str) -> Response:
    """The XML response that carries an operation's output."""
    serializer_class = EC2Serializer if service == "ec2" else QuerySerializer
    serializer = serializer_class(_operation(service, operation), SerializationContext(request_id))
    serialized = serializer.serialize(result)
    return Response(serialized["body"], serialized["status_code"], content_type="text/xml")


def serialize_error(service: str, code: str, message: str, status: int, request_id: str) -> Response:
    """The XML response that carries an error."""
    fields = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "ec2":
        body = f"<Response><Errors><Error>{fields}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    elif service == "s3":
        body = f"<Error>{fields}<RequestId>{request_id}</RequestId></Error>"
    else:
        fault = "Receiver" if status >= 500 else "Sender"
        error = f"<Error><Type>{fault}</Type>{fields}</Error>"
        body = f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', status, content_type="text/xml")


def _operation(service: str, operation: str) -> Any:
    return get_service_model(service).operation_model(operation)
