"""Amazon S3's rules for the names of buckets and keys, and its errors for names that break them.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re

from labkit.sandbox.kernel.errors import ServiceError

MAX_KEY_BYTES = 1024

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_ANY_TIME = re.compile(r"[A-Za-z0-9._-]{3,255}")
"""The names that buckets in us-east-1 could have in the past. A request for one gets NoSuchBucket, not a bad name."""


def check_new_bucket(name: str) -> None:
    """Raise InvalidBucketName for a name that a new bucket can't have.

    >>> check_new_bucket("192.168.5.4")
    Traceback (most recent call last):
    labkit.sandbox.kernel.errors.ServiceError: InvalidBucketName: The specified bucket is not valid.
    """
    if (
        _NAME.fullmatch(name) is None
        or ".." in name
        or _ADDRESS.fullmatch(name)
        or name.startswith(_RESERVED_PREFIXES)
        or name.endswith(_RESERVED_SUFFIXES)
    ):
        raise _invalid_bucket_name(name)


def check_bucket(name: str) -> None:
    """Raise InvalidBucketName for a name that no existing bucket can have."""
    if _ANY_TIME.fullmatch(name) is None:
        raise _invalid_bucket_name(name)


def _invalid_bucket_name(name: str) -> ServiceError:
    return ServiceError("InvalidBucketName", "The specified bucket is not valid.", BucketName=name)


def check_key(key: str) -> None:
    """Raise KeyTooLongError for a key of more than 1024 bytes in UTF-8."""
    size = len(key.encode(errors="surrogatepass"))
    if size > MAX_KEY_BYTES:
        raise ServiceError("KeyTooLongError", "Your key is too long", Size=size, MaxSizeAllowed=MAX_KEY_BYTES)


def check_location(constraint: str | None, region: str) -> None:
    """Raise S3's error for a new bucket in a location that the endpoint of `region` doesn't serve.

    The endpoint of us-east-1 makes buckets anywhere. That of another region makes them only there, and the constraint
    must say so.
    """
    # EU is the name that eu-west-1 had before there were other regions in Europe.
    if region != "us-east-1" and constraint != region and not (constraint == "EU" and region == "eu-west-1"):
        raise ServiceError(
            "IllegalLocationConstraintException",
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific endpoint "
            "this request was sent to.",
        )
