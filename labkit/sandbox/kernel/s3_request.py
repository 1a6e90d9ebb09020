"""Checks requests to Amazon S3 before anything acts on them, and words their errors as S3 does.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from botocore.model import ServiceModel
from werkzeug import http
from werkzeug.wrappers import Request

from labkit.sandbox.kernel import rest_request, s3_rules, safe_xml
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.rest_operations import Match

_MALFORMED_XML = "The XML you provided was not well-formed or did not validate against our published schema"
_OWN_ERRORS = {
    "x-amz-storage-class": ("InvalidStorageClass", "The storage class you specified is not valid"),
    "x-amz-server-side-encryption": (
        "InvalidEncryptionAlgorithmError",
        "The encryption request that you specified is not valid. The valid value is AES256 or aws:kms.",
    ),
    "Content-MD5": ("InvalidDigest", "The Content-MD5 you specified was invalid."),
    "Content-Length": ("InvalidArgument", "Content-Length is not a number."),
}
_WORDS = {
    "encoding-type": "Invalid Encoding Method specified in Request",
    "partNumber": "Part number must be an integer between 1 and 10000, inclusive",
    "x-amz-metadata-directive": "Unknown metadata directive.",
    "x-amz-tagging-directive": "Unknown tagging directive.",
    "x-amz-object-lock-mode": "Unknown wormMode directive.",
    "x-amz-object-lock-legal-hold": "Legal Hold must be either of 'ON' or 'OFF'",
    "x-amz-object-lock-retain-until-date": "The retain until date must be provided in ISO 8601 format",
    "x-amz-object-attributes": "Invalid attribute name specified.",
}
_NUMBERS = {
    "max-keys": "max-keys",
    "max-parts": "max-parts",
    "max-uploads": "max-uploads",
    "max-buckets": "max-buckets",
}
MAX_PART_NUMBER = 10_000
_MAY_BE_EMPTY = ("CreateBucket", "PutBucketNotificationConfiguration", "RestoreObject")
_GRANTEE = re.compile('(id|uri|emailAddress)="?[^"]+"?', re.IGNORECASE)
_RANGE = re.compile(r"bytes=([0-9]{1,19}-[0-9]{0,19}|-[0-9]{1,19})(,\s*([0-9]{1,19}-[0-9]{0,19}|-[0-9]{1,19}))*")


def read(model: ServiceModel, match: Match, request: Request) -> dict[str, Any]:
    """Return the members of a request to S3; raise S3's error for one that can't be read."""
    _check_names(match)
    if match.strange:
        raise _argument("This operation does not accept a query-string.", "ResourceType", match.strange[0])
    if match.missing:
        raise _missing(match.missing[0])
    shape = model.operation_model(match.name).input_shape
    if shape is None:
        return {}
    try:
        params = rest_request.parse(shape, request, match.labels, xml=True)
    except rest_request.EmptyBody:
        raise ServiceError("MissingRequestBodyError", "Request Body is empty") from None
    except safe_xml.TooLongXml:
        raise ServiceError("MaxMessageLengthExceeded", "Your request was too big.") from None
    except safe_xml.UnsafeXml as error:
        raise ServiceError("MalformedXML", _MALFORMED_XML, detail=str(error)) from error
    except rest_request.MalformedValue as error:
        raise _invalid(error.location, error.name, error.value) from error
    _check_numbers(params, shape)
    _check_texts(params, shape)
    if match.name not in _MAY_BE_EMPTY:
        _check_body(shape, params, request)
    return params


def _check_names(match: Match) -> None:
    bucket, key = match.labels.get("Bucket"), match.labels.get("Key")
    if bucket is not None and match.name != "CreateBucket":
        s3_rules.check_bucket(bucket)
    elif bucket is not None:
        s3_rules.check_new_bucket(bucket)
    if key is not None:
        s3_rules.check_key(key)


def _check_numbers(params: dict[str, Any], shape: Any) -> None:
    """Check the bounds that S3 has but its model lacks."""
    if not 1 <= params.get("PartNumber", 1) <= MAX_PART_NUMBER:
        raise _argument(_WORDS["partNumber"], "partNumber", str(params["PartNumber"]))
    for name in ("MaxKeys", "MaxParts", "MaxUploads"):
        if name in params and not 0 <= params[name] < 2**31:
            wire_name = shape.members[name].serialization["name"]
            raise _argument(
                f"Argument {name[0].lower()}{name[1:]} must be an integer between 0 and 2147483647",
                wire_name,
                str(params[name]),
            )


def _check_texts(params: dict[str, Any], shape: Any) -> None:
    """Check the formats that S3 demands of texts and its model doesn't mention."""
    if "CopySource" in params:
        bucket, _, key = unquote(params["CopySource"]).removeprefix("/").partition("/")
        if not key or (":" in bucket and not bucket.startswith("arn:")):
            message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
            raise _argument(message, "x-amz-copy-source", params["CopySource"])
    grants = {name: value for name, value in params.items() if name.startswith("Grant")}
    for name, value in grants.items():
        if not all(_GRANTEE.fullmatch(each.strip()) for each in value.split(",")):
            raise _argument("Argument format not recognized", shape.members[name].serialization["name"], value)


def _check_body(shape: Any, params: dict[str, Any], request: Request) -> None:
    """Raise S3's error for an empty body, which S3 rejects although its model calls the body optional."""
    payload = shape.serialization.get("payload")
    if payload is None or payload in params or shape.members[payload].type_name != "structure":
        return
    if payload != "AccessControlPolicy":
        raise ServiceError("MissingRequestBodyError", "Request Body is empty")
    if not any(name in params for name in shape.members if name == "ACL" or name.startswith("Grant")):
        raise ServiceError("MissingSecurityHeader", "Your request was missing a required header")


def forget_unreadable_headers(request: Request) -> None:
    """Remove the headers that a server must ignore if it can't read them: dates and ranges.

    Source: RFC 9110, sections 13.1.3 and 14.2.
    """
    for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"):
        if name in request.environ:
            moment = http.parse_date(request.environ.pop(name))
            if moment is not None:
                request.environ[name] = http.http_date(moment)
    if not _RANGE.fullmatch(request.environ.get("HTTP_RANGE", "bytes=0-")):
        del request.environ["HTTP_RANGE"]


def broken(shape: Any, path: str, value: Any) -> ServiceError:
    """Return S3's error for the member at `path`: missing, if `value` is None, or against the model's constraints."""
    top = path.partition(".")[0]
    member = next(each for name, each in shape.members.items() if name[0].lower() + name[1:] == top)
    location = member.serialization.get("location", "body")
    name = member.serialization.get("name", top)
    if location == "body" and value is not None and path.endswith("locationConstraint"):
        message = "The specified location-constraint is not valid"
        return ServiceError("InvalidLocationConstraint", message, LocationConstraint=value)
    return _missing(name) if value is None and location != "body" else _invalid(location, name, str(value))


def _invalid(location: str, name: str, value: str) -> ServiceError:
    if location == "body":
        return ServiceError("MalformedXML", _MALFORMED_XML, detail=f"{name}: {value[:200]}")
    if name in _OWN_ERRORS:
        code, message = _OWN_ERRORS[name]
        return ServiceError(code, message)
    if name in _NUMBERS:
        return _argument(f"Provided {name} not an integer or within integer range", name, value)
    if name.startswith("x-amz-checksum-") or name == "x-amz-sdk-checksum-algorithm":
        return ServiceError("InvalidRequest", f"Value for {name} header is invalid.")
    return _argument(_WORDS.get(name, f"The value of {name} is not valid"), name, value)


def _missing(name: str) -> ServiceError:
    return _argument(f"Your request was missing the required parameter {name}", name, "")


def _argument(message: str, name: str, value: str) -> ServiceError:
    return ServiceError("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
