"""Requests and responses of the AWS protocols that the sandbox's own services speak, by botocore's service models.

JSON, RPC v2 CBOR, query and EC2. The shapes of a model are compiled once into small converters, so that a batch of ten
thousand log events costs little more than its JSON.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import cbor2
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel
from botocore.session import get_session
from werkzeug.wrappers import Request, Response

from labkit.sandbox.kernel import bodies, moments, query_form
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import query_wire

Converter = Callable[[Any], Any]

SIGNING_NAMES = {
    "email": "ses",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
"""botocore's name of a service by the name that requests are signed with, if the two differ."""

_S3_CONTROL_PATH = "/v20180820/"

DETAIL_HEADER = "x-sandbox-detail"
"""What the sandbox has to say of an error beside AWS's message, for those who look: `labkit.show` does."""

REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@cache
def service_model(service: str) -> ServiceModel:
    """botocore's model of a service."""
    return get_session().get_service_model(service)


def service_name(signing_name: str, request: Request) -> str:
    """botocore's name of the service that a request is for, by the name that it is signed with."""
    if signing_name == "s3" and request.path.startswith(_S3_CONTROL_PATH) and "x-amz-account-id" in request.headers:
        return "s3control"
    return SIGNING_NAMES.get(signing_name, signing_name)


def rest_protocol(service: str) -> str:
    """Return the REST protocol that a service speaks, `rest-xml` or `rest-json`; empty if it speaks another one."""
    protocol = str(_model(service).metadata.get("protocol", ""))
    return protocol if protocol.startswith("rest-") else ""


def has_model(service: str) -> bool:
    """Whether botocore knows a service by this name."""
    return bool(_model(service).metadata)


def answer_protocol(request: Request, service: str) -> str:
    """The protocol in which a client that made the request reads an error of the service."""
    rest = rest_protocol(service)
    if rest:
        return "json" if rest == "rest-json" else "query"
    protocol = protocol_of(request)
    spoken = _model(service).metadata.get("protocols", ["query"])
    return "json" if protocol == "query" and spoken == ["json"] and "Action" not in request.args else protocol


@cache
def _model(service: str) -> ServiceModel:
    """botocore's model of a service; an empty one where the name that a request is signed with is no model's."""
    try:
        return service_model(service)
    except UnknownServiceError:
        return ServiceModel({"metadata": {}, "shapes": {}})


def protocol_of(request: Request) -> str:
    """The protocol a request is in: cbor, json or query (EC2's among them)."""
    if request.headers.get("smithy-protocol") == "rpc-v2-cbor":
        return "cbor"
    return "json" if "X-Amz-Target" in request.headers else "query"


def operation_name(request: Request) -> str:
    """Return the operation of a request; empty in protocols that tell it by method and path (S3)."""
    protocol = protocol_of(request)
    if protocol == "cbor":
        return request.path.rpartition("/operation/")[2]
    if protocol == "json":
        return request.headers["X-Amz-Target"].rpartition(".")[2]
    return str(request.values.get("Action", ""))


def query_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a request in the query protocol as it wrote them."""
    return request.values.to_dict()


def parse(request: Request, service: str, operation: str) -> dict[str, Any]:
    """Return the members of the operation's input, with timestamps as aware datetimes and blobs as bytes.

    Raise AWS's error for a body that can't be read.
    """
    protocol = protocol_of(request)
    if protocol == "query":
        return _parse_query(service, operation, query_parameters(request))
    body = request.get_data()
    try:
        members = (bodies.read_cbor(body) if protocol == "cbor" else bodies.read_json(body)) if body else {}
        return dict(_reader(service, operation, protocol)(members))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ServiceError("SerializationException", f"Could not parse the request: {error}") from error


def _parse_query(service: str, operation: str, values: Mapping[str, str]) -> dict[str, Any]:
    try:
        return query_form.parse(service_model(service), operation, values)
    except query_form.MalformedParameter as error:
        code = "InvalidParameterValue" if service == "ec2" else "MalformedInput"
        raise ServiceError(code, str(error)) from error


def check_operation(request: Request, service: str, operation: str) -> None:
    """Raise AWS's error for a request without an operation, or with an unknown one.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and
    https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
    """
    if operation in service_model(service).operation_names:
        return
    protocol = protocol_of(request)
    if protocol != "query":
        status = 404 if protocol == "cbor" else 400
        raise ServiceError("UnknownOperationException", f"There is no operation {service}:{operation}.", status=status)
    if not operation:
        raise ServiceError("MissingAction", "The request is missing an action or a required parameter.")
    raise ServiceError("InvalidAction", f"The action {operation} is not valid for this web service.")


def serialize(protocol: str, service: str, operation: str, result: Mapping[str, Any]) -> Response:
    """The HTTP response that carries an operation's output."""
    if protocol == "query":
        return query_wire.serialize(service, operation, result, REQUEST_ID)
    return _respond(protocol, service, _writer(service, operation, protocol)(result), 200)


def serialize_error(protocol: str, service: str, error: ServiceError) -> Response:
    """The HTTP response that carries an error, with the sandbox's own words on it in a header."""
    response = _error_response(protocol, service, error)
    if error.detail:
        response.headers[DETAIL_HEADER] = error.detail.encode("ascii", "backslashreplace").decode().replace("\n", "\\n")
    return response


def _error_response(protocol: str, service: str, error: ServiceError) -> Response:
    shape = _error_shape(service, error.code)
    if protocol == "query":
        code, status = _query_code(shape, error.code), _status(shape, error.status)
        return query_wire.serialize_error(service, code, error.message, status, REQUEST_ID, error.members)
    name, members = (shape.name, shape.members) if shape is not None else (error.code, {})
    message_key = "Message" if "Message" in members else "message"
    body = {"__type": name, message_key: error.message, **error.members}
    response = _respond(protocol, service, body, _status(shape, error.status))
    if "awsQueryCompatible" in _model(service).metadata:
        fault = "Receiver" if error.status >= 500 else "Sender"
        response.headers["x-amzn-query-error"] = f"{_query_code(shape, error.code)};{fault}"
    return response


def _respond(protocol: str, service: str, body: Mapping[str, Any], status: int) -> Response:
    headers = {"x-amzn-RequestId": REQUEST_ID}
    if protocol == "cbor":
        headers["smithy-protocol"] = "rpc-v2-cbor"
        return Response(cbor2.dumps(body), status, headers, content_type="application/cbor")
    version = _model(service).metadata.get("jsonVersion") or "1.1"
    content = json.dumps(body, ensure_ascii=False, allow_nan=False)
    return Response(content, status, headers, content_type=f"application/x-amz-json-{version}")


@cache
def _error_shape(service: str, code: str) -> Any:
    """The shape of an error, by its name or by the code that the query protocol gives it."""
    shapes = _model(service).error_shapes
    by_name = {_query_code(shape, shape.name): shape for shape in reversed(shapes)}
    by_name.update((shape.name, shape) for shape in shapes)
    return by_name.get(code)


def _query_code(shape: Any, default: str) -> str:
    return str((shape.metadata.get("error") or {}).get("code", default)) if shape is not None else default


def _status(shape: Any, default: int) -> int:
    return int((shape.metadata.get("error") or {}).get("httpStatusCode", default)) if shape is not None else default


class Compiler:
    """Compiles shapes of a model into converters; None stands for a shape whose values need no conversion.

    `leaves` has the converters of the shapes that have no members. A structure may lead back to itself (a stage of a
    query plan): the inner occurrence is converted through the outer one.
    """

    def __init__(self, leaves: Mapping[str, Converter], *, refuse_unknown: bool) -> None:
        self._leaves = leaves
        self._refuse_unknown = refuse_unknown
        self._structures: dict[str, Converter] = {}

    def compile(self, shape: Any) -> Converter | None:
        """The converter of a shape's values."""
        if shape.type_name == "list":
            member = self.compile(shape.member)
            return (lambda values: [member(value) for value in _listed(values)]) if member else None
        if shape.type_name == "map":
            item = self.compile(shape.value)
            return (lambda values: {key: item(value) for key, value in values.items()}) if item else None
        if shape.type_name == "structure":
            return self._structure(shape)
        return self._leaves.get(shape.type_name)

    def _structure(self, shape: Any) -> Converter | None:
        structures = self._structures
        if shape.name in structures:
            return lambda value: structures[shape.name](value)
        members: dict[str, Converter | None] = {}
        self._structures[shape.name] = self._convert_structure(shape.name, members)
        members.update((name, self.compile(member)) for name, member in shape.members.items())
        if self._refuse_unknown or any(members.values()):
            return self._structures[shape.name]
        return None

    def _convert_structure(self, name: str, members: Mapping[str, Converter | None]) -> Converter:
        def convert(value: Mapping[str, Any]) -> dict[str, Any]:
            if not isinstance(value, Mapping):
                raise TypeError(f"{name} is not an object: {value!r:.80}")
            if self._refuse_unknown and (unknown := value.keys() - members.keys()):
                raise KeyError(f"{name} has no member {sorted(unknown)}")
            return {
                key: convert_member(item) if (convert_member := members.get(key)) else item
                for key, item in value.items()
                if item is not None
            }

        return convert


def _listed(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):  # a text would be taken for a list of its characters
        raise TypeError(f"not a list: {values!r:.80}")
    return list(values)


def _number(value: Any) -> Any:
    """Return a number; JSON spells NaN and the infinities as strings."""
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


_READING: dict[str, dict[str, Converter]] = {
    "json": {
        "timestamp": moments.of_number,
        "blob": lambda value: base64.b64decode(value, validate=True),
        "double": _number,
        "float": _number,
    },
    "cbor": {"timestamp": moments.of_number},
}
_WRITING: dict[str, dict[str, Converter]] = {
    "json": {
        "timestamp": lambda moment: round(moment.timestamp(), 3),
        "blob": lambda value: base64.b64encode(value).decode(),
    },
    "cbor": {"timestamp": lambda moment: cbor2.CBORTag(1, round(moment.timestamp(), 3))},
}


@cache
def _reader(service: str, operation: str, protocol: str) -> Converter:
    """What turns a decoded body into the members of an operation's input."""
    shape = service_model(service).operation_model(operation).input_shape
    return (Compiler(_READING[protocol], refuse_unknown=False).compile(shape) if shape else None) or dict


@cache
def _writer(service: str, operation: str, protocol: str) -> Converter:
    """What turns the members of an operation's output into a body; members without a value are left out."""
    shape = service_model(service).operation_model(operation).output_shape
    return (Compiler(_WRITING[protocol], refuse_unknown=True).compile(shape) if shape else None) or dict
