"""Amazon S3 in moto, read and written without HTTP."""

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
    """An object as in a listing: its size in bytes, its `etag` without the quotes."""

    key: str
    size: int
    etag: str
    last_modified: datetime


def put_object(bucket: str, key: str, body: bytes | Content, account_id: str = ACCOUNT_ID) -> None:
    """Store an object as the bucket's owner; raise NoSuchBucket."""
    _bucket(bucket, account_id)  # for its error: moto's own exception is not a ServiceError
    _backend(account_id).put_object(bucket, key, body)


def get_object(bucket: str, key: str, account_id: str = ACCOUNT_ID) -> bytes:
    """Return the body of an object; raise NoSuchBucket or NoSuchKey."""
    _bucket(bucket, account_id)
    found = _backend(account_id).get_object(bucket, key)
    if found is None or isinstance(found, FakeDeleteMarker):
        raise ServiceError("NoSuchKey", f"The specified key does not exist: {key}", status=404)
    body: bytes = found.value
    return body


def delete_object(bucket: str, key: str, account_id: str = ACCOUNT_ID) -> None:
    """Delete an object; one that doesn't exist is no error, as in S3. Raise NoSuchBucket."""
    _bucket(bucket, account_id)
    _backend(account_id).delete_object(bucket, key)


def list_objects(bucket: str, prefix: str = "", account_id: str = ACCOUNT_ID) -> list[StoredObject]:
    """Return every object under a prefix, ordered by the keys' UTF-8 bytes as in S3; raise NoSuchBucket."""
    stored = [
        StoredObject(name, key.contentsize, key.etag.strip('"'), key.last_modified.replace(tzinfo=UTC))
        for name, key in _bucket(bucket, account_id).keys.items()
        # In a bucket with versions, a deleted object still has its key here, with a marker in its place.
        if name.startswith(prefix) and not isinstance(key, FakeDeleteMarker)
    ]
    return sorted(stored, key=lambda each: each.key.encode())


def bucket_exists(bucket: str, account_id: str = ACCOUNT_ID) -> bool:
    """Tell whether the account has the bucket."""
    try:
        _bucket(bucket, account_id)
    except ServiceError:
        return False
    return True


def bucket_policy(bucket: str, account_id: str = ACCOUNT_ID) -> str | None:
    """Return the bucket's policy document, or None if it has none; raise NoSuchBucket."""
    policy = _bucket(bucket, account_id).policy
    return policy.decode() if isinstance(policy, bytes) else policy


def set_bucket_policy(bucket: str, policy: str, account_id: str = ACCOUNT_ID) -> None:
    """Replace the bucket's policy document; raise NoSuchBucket."""
    _bucket(bucket, account_id).policy = policy.encode()


def _backend(account_id: str) -> Any:
    return moto_state.backend("s3", account_id, "aws")


def _bucket(bucket: str, account_id: str) -> Any:
    try:
        return _backend(account_id).get_bucket(bucket)
    except MissingBucket:
        raise ServiceError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", status=404) from None
