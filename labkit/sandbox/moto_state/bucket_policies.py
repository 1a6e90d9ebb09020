"""Checks bucket policies as Amazon S3 does; moto would keep any bytes at all.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from labkit.sandbox.policies import several

_put_bucket_policy = S3Backend.put_bucket_policy
_REQUIRED = ("Effect", "Principal", "Action", "Resource")


def check(bucket: str, document: bytes | str) -> None:
    """Raise MalformedPolicy, in S3's words, for a document that isn't a policy, or not one of this bucket."""
    try:
        policy = json.loads(document)
    except ValueError:
        policy = None
    if not isinstance(policy, dict):
        raise _malformed("Policies must be valid JSON and the first byte must be '{'")
    if "Statement" not in policy:
        raise _malformed("Missing required field Statement")
    for statement in several(policy["Statement"]):
        _check_statement(bucket, statement)


def _check_statement(bucket: str, statement: Any) -> None:
    if not isinstance(statement, Mapping):
        raise _malformed("Statement is not an object")
    for name in _REQUIRED:
        # NotPrincipal, NotAction and NotResource stand in place of the element.
        if name not in statement and f"Not{name}" not in statement:
            raise _malformed(f"Missing required field {name}")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement.get('Effect')}")
    for resource in several(statement.get("Resource", statement.get("NotResource"))):
        name = str(resource).partition(":::")[2].partition("/")[0]
        if name != bucket:
            raise _malformed("Policy has invalid resource")


def _malformed(message: str) -> S3ClientError:
    return S3ClientError("MalformedPolicy", message)


def put(backend: S3Backend, bucket_name: str, policy: bytes) -> None:
    """Replace moto's method: check the policy before it is kept."""
    backend.get_bucket(bucket_name)  # first: NoSuchBucket is the error even if the policy is wrong too
    check(bucket_name, policy)
    _put_bucket_policy(backend, bucket_name, policy)
