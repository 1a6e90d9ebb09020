"""Reads a request before anything acts on it: its operation, its members, and whether they satisfy the model.

Every request is read by its service's model, whether the sandbox or moto answers it. So moto, which accepts anything,
is given only members of the right type and within the model's bounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from werkzeug.wrappers import Request

from labkit.sandbox import rest_operations, validation, wire
from labkit.sandbox.kernel import rest_request, s3_request, s3_rules, safe_xml
from labkit.sandbox.kernel.errors import ServiceError, not_here


class Inspected(NamedTuple):
    """A valid request: the operation by its AWS name, and the members of its input."""

    operation: str
    params: dict[str, Any]


def inspect(request: Request, service: str, operation: str, region: str) -> Inspected:
    """Return the operation and members of a request; raise AWS's error for a malformed one.

    `operation` is empty in REST protocols, where the method and the path determine it.
    """
    if not _has_model(request, service):
        return Inspected(operation, {})
    if wire.rest_protocol(service):
        return _inspect_rest(request, service, region)
    wire.check_operation(request, service, operation)
    params = wire.parse(request, service, operation)
    validation.check(service, operation, params)
    validation.check_needed(service, operation, params)
    # Their requests say how many things to make, and moto makes them one by one, under the lock.
    if service in ("ec2", "kinesis"):
        validation.check_counts(params)
    return Inspected(operation, params)


def _has_model(request: Request, service: str) -> bool:
    """Tell whether the model describes requests like this one, well-formed or not.

    It doesn't describe a browser's requests (a form that uploads to S3, a CORS preflight). For SQS it describes only
    JSON, while older clients use the query protocol.
    """
    if service == "s3":
        is_form = request.method == "POST" and request.mimetype == "multipart/form-data"
        return request.method != "OPTIONS" and not is_form
    return wire.has_model(service) and not (service == "sqs" and wire.protocol_of(request) == "query")


def _inspect_rest(request: Request, service: str, region: str) -> Inspected:
    _check_path(request)
    match = rest_operations.match(service, request)
    if match is None and service != "s3":
        raise not_here(f"this {service} request")
    if match is None:
        message = "The specified method is not allowed against this resource."
        raise ServiceError("MethodNotAllowed", message, status=405, Method=request.method)
    if service == "s3":
        return Inspected(match.name, _inspect_s3(request, match, region))
    shape = wire.service_model(service).operation_model(match.name).input_shape
    if shape is None:
        return Inspected(match.name, {})
    try:
        params = rest_request.parse(shape, request, match.labels, xml=wire.rest_protocol(service) == "rest-xml")
    except rest_request.EmptyBody:
        params = {}
    except safe_xml.UnsafeXml as error:
        raise ServiceError("MalformedInput", f"Could not parse the request: {error}") from error
    except ValueError as error:
        raise ServiceError("SerializationException", f"Could not parse the request: {error}") from error
    validation.check(service, match.name, params)
    return Inspected(match.name, params)


def _inspect_s3(request: Request, match: rest_operations.Match, region: str) -> dict[str, Any]:
    s3_request.forget_unreadable_headers(request)  # before moto sees them, which fails on them instead
    params = s3_request.read(wire.service_model("s3"), match, request)
    broken = validation.first_fault("s3", match.name, params)
    if broken is not None:
        raise s3_request.broken(wire.service_model("s3").operation_model(match.name).input_shape, *broken)
    if match.name == "CreateBucket":
        configuration = params.get("CreateBucketConfiguration", {})
        s3_rules.check_location(configuration.get("LocationConstraint"), region)
    return params


def _check_path(request: Request) -> None:
    try:
        request.environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeDecodeError as error:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI.") from error
