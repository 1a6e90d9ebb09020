"""Amazon S3 as moto holds it, read and written without going through HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from moto.s3.exceptions import MissingBucket
from moto.s3.models import FakeDeleteMarker

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.account import ACCOUNT_ID
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state.object_bodies import Content


class StoredObject(NamedTuple):
    """An object as a listing shows it; `etag` is without its quotes."""

    key: str
    size: int
    etag: str
    last_modified: datetime


def put_object(bucket: str, key: str, body: bytes | Content, account_id: str = ACCOUNT_ID) -> None:
    """Stores an object, as its owner would; raises NoSuchBucket."""
    _bucket(bucket, account_id)
    _backend(account_id).put_object(bucket, key, body)


def get_object(bucket: str, key: str, account_id: str = ACCOUNT_ID) -> bytes:
    """The body of an object; raises NoSuchBucket or NoSuchKey."""
    _bucket(bucket, account_id)
    found = _backend(account_id).get_object(bucket, key)
    if found is None or isinstance(found, FakeDeleteMarker):
        raise ServiceError("NoSuchKey", f"The specified key does not exist: {key}", status=404)
    body: bytes = found.value
    return body


def delete_object(bucket: str, key: str, account_id: str = ACCOUNT_ID) -> None:
    """Deletes an object; one that does not exist is no error, as in S3."""
    _bucket(bucket, account_id)
    _backend(account_id).delete_object(bucket, key)


def list_objects(bucket: str, prefix: str = "", account_id: str = ACCOUNT_ID) -> list[StoredObject]:
    """Every object under a prefix, in the order of the keys' UTF-8 bytes, as S3 lists them."""
    stored = [
        StoredObject(name, key.contentsize, key.etag.strip('"'), key.last_modified.replace(tzinfo=UTC))
        for name, key in _bucket(bucket, account_id).keys.items()
        if name.startswith(prefix) and not isinstance(key, FakeDeleteMarker)
    ]
    return sorted(stored, key=lambda each: each.key.encode())


def bucket_exists(bucket: str, account_id: str = ACCOUNT_ID) -> bool:
    """Whether the account has the bucket."""
    try:
        _bucket(bucket, account_id)
    except ServiceError:
        return False
    return True


def bucket_policy(bucket: str, account_id: str = ACCOUNT_ID) -> str | None:
    """The bucket's policy document, or None where it has none; raises NoSuchBucket."""
    policy = _bucket(bucket, account_id).policy
    return policy.decode() if isinstance(policy, bytes) else policy


def set_bucket_policy(bucket: str, policy: str, account_id: str = ACCOUNT_ID) -> None:
    """Replaces the bucket's policy document; raises NoSuchBucket."""
    _bucket(bucket, account_id).policy = policy.encode()


def _backend(account_id: str) -> Any:
    return moto_state.backend("s3", account_id, "aws")


def _bucket(bucket: str, account_id: str) -> Any:
    try:
        return _backend(account_id).get_bucket(bucket)
    except MissingBucket:
        raise ServiceError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", status=404) from None
