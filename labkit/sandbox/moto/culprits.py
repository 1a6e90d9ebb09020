"""Finds the member of a request that moto failed on, if the exception shows it: an id, a token, a network, a name.

moto looks most ids up in dictionaries, and parses tokens as numbers and networks with `ipaddress`. An exception that
contains a value of the request is the client's mistake, not the sandbox's.
"""

from __future__ import annotations

import binascii
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

from labkit.sandbox import wire

_TOKENS = ("NextToken", "nextToken", "Marker", "ShardIterator")
_INVALID_TOKEN = {
    "cloudformation": "ValidationError",
    "ec2": "InvalidParameterValue",
    "iam": "ValidationError",
    "kinesis": "InvalidArgumentException",
    "organizations": "InvalidInputException",
    "secretsmanager": "InvalidNextTokenException",
    "sns": "InvalidParameter",
    "ssm": "InvalidNextToken",
}
_NOT_FOUND = {
    "cloudformation": "ValidationError",
    "glue": "EntityNotFoundException",
    "iam": "NoSuchEntity",
    "kms": "NotFoundException",
    "sns": "NotFound",
    "ssm": "DoesNotExistException",
}
_INVALID = {
    "cloudformation": "ValidationError",
    "ec2": "InvalidParameterValue",
    "iam": "ValidationError",
    "s3": "InvalidArgument",
    "secretsmanager": "InvalidParameterException",
    "sns": "InvalidParameter",
    "sqs": "InvalidParameterValue",
}
"""Each service's error code; the usual ones are ResourceNotFoundException and ValidationException."""

_OWN_NAMES = {"ImageId": "InvalidAMIID.NotFound", "TransitGatewayRouteTableId": "InvalidRouteTableID.NotFound"}
"""EC2's codes that differ from the member's name; https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-errors.html"""

_REQUIRED_OF_STACKS = {
    "CreateChangeSet": ("TemplateBody", "TemplateURL", "UsePreviousTemplate"),
    "CreateStack": ("TemplateBody", "TemplateURL"),
    "GetTemplateSummary": ("TemplateBody", "TemplateURL", "StackName", "StackSetName"),
    "UpdateStack": ("TemplateBody", "TemplateURL", "UsePreviousTemplate"),
}


def find(service: str, operation: str, params: Mapping[str, Any], error: Exception) -> tuple[str, str] | None:
    """Return code and message of AWS's error for the request; None if the exception doesn't show whose fault it is."""
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return _of_key(service, operation, params, error.args[0])
    if isinstance(error, ValueError):
        return _of_value(service, params, error)
    if service == "cloudformation" and isinstance(error, AttributeError):
        names = _REQUIRED_OF_STACKS.get(operation, ())
        if names and not any(params.get(name) for name in names):
            return "ValidationError", "Either Template URL or Template Body must be specified."
    return None


def _of_key(service: str, operation: str, params: Mapping[str, Any], key: str) -> tuple[str, str] | None:
    # Values before names: a request may well hold a text that is also the name of a member.
    for name, value in _texts(params, ""):
        if value == key:
            return _not_found(service, name, value)
    shape = wire.service_model(service).operation_model(operation).input_shape
    if shape is not None and key in _members(shape, set()):
        return _INVALID.get(service, "ValidationException"), f"The request must contain the parameter {key}"
    return None


def _not_found(service: str, name: str, value: str) -> tuple[str, str]:
    if service != "ec2":
        code = _NOT_FOUND.get(service, "ResourceNotFoundException")
        return code, f"There is no resource of the {name} '{value[:200]}'."
    if not name.endswith("Id"):
        return "InvalidParameterValue", f"Value ({value[:200]}) for parameter {name} is invalid."
    code = _OWN_NAMES.get(name, f"Invalid{name.removesuffix('Id')}ID.NotFound")
    return code, f"The {name} '{value[:200]}' does not exist"


def _of_value(service: str, params: Mapping[str, Any], error: ValueError) -> tuple[str, str] | None:
    token = next((params[name] for name in _TOKENS if params.get(name)), None)
    # Python quotes the value in its message as `repr` does, and may cut a long one off: the beginning is enough.
    if token is not None and (isinstance(error, binascii.Error) or repr(token)[1:-1][:60] in str(error)):
        return _INVALID_TOKEN.get(service, "InvalidNextTokenException"), "The token is not valid."
    # Its messages don't always quote the whole value, but the place of the error is certain.
    if traceback.extract_tb(error.__traceback__)[-1].filename.endswith("ipaddress.py"):
        return _INVALID.get(service, "ValidationException"), f"This is not a valid CIDR block or address: {error}"
    return None


def _texts(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a request with the name of its member, in the singular for a list (`VpcIds`: `VpcId`)."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name.removesuffix("s"))


def _members(shape: Any, seen: set[str]) -> set[str]:
    """Return the names of all members of a shape, nested ones included."""
    if shape.type_name == "list":
        return _members(shape.member, seen)
    if shape.type_name != "structure" or shape.name in seen:
        return set()
    seen.add(shape.name)
    return set(shape.members).union(*(_members(member, seen) for member in shape.members.values()))
