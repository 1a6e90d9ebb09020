"""`s3://` addresses, and the objects under them."""

from __future__ import annotations

import bisect
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.moto_state import s3


@dataclass(frozen=True)
class ScannedObject:
    """An object that a query reads, with the values of its partition's columns."""

    bucket: str
    key: str
    etag: str
    size: int
    modified: datetime
    values: tuple[str | None, ...] = ()

    @property
    def path(self) -> str:
        """What `"$path"` shows."""
        return f"s3://{self.bucket}/{self.key}"


def split(location: str) -> tuple[str, str]:
    """The bucket and key prefix of an address.

    >>> split("s3://amzn-s3-demo-bucket/AWSLogs")
    ('amzn-s3-demo-bucket', 'AWSLogs/')
    """
    scheme, separator, rest = location.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme not in ("s3", "s3a", "s3n") or not separator or not bucket:
        raise QueryError("", f"FAILED: SemanticException [Error 10072]: The location is invalid: {location}")
    return bucket, prefix if prefix.endswith("/") or not prefix else prefix + "/"


def split_object(address: str) -> tuple[str, str]:
    """The bucket and key of an object's address.

    >>> split_object("s3://amzn-s3-demo-bucket/AWSLogs/log.gz")
    ('amzn-s3-demo-bucket', 'AWSLogs/log.gz')
    """
    bucket, _ = split(address)
    return bucket, address.split("/", 3)[3]


class Listing:
    """The objects of the buckets that a query looks at, each bucket listed once under the shortest prefix asked for."""

    def __init__(self, lock: AbstractContextManager[Any] | None = None) -> None:
        self._lock = lock or nullcontext()
        self._listed: dict[tuple[str, str], tuple[list[str], list[s3.StoredObject]]] = {}

    def under(self, location: str, root: str, values: tuple[str | None, ...] = ()) -> list[ScannedObject]:
        """The data objects at a location; `root` is a location that it and others like it lie under.

        Names that start with `_` or `.` are hidden, as for Hive, and objects without a byte are folders.
        """
        bucket, prefix = split(location)
        root_bucket, root_prefix = split(root) if root else (bucket, prefix)
        if root_bucket != bucket or not prefix.startswith(root_prefix):
            root_prefix = prefix
        keys, objects = self._under(bucket, root_prefix)
        first = bisect.bisect_left(keys, prefix)
        found = []
        for number in range(first, len(keys)):
            if not keys[number].startswith(prefix):
                break
            each = objects[number]
            name = each.key[len(prefix) :].rsplit("/", 1)[-1]
            if each.size and not name.startswith(("_", ".")):
                found.append(ScannedObject(bucket, each.key, each.etag, each.size, each.last_modified, values))
        return found

    def _under(self, bucket: str, prefix: str) -> tuple[list[str], list[s3.StoredObject]]:
        if (bucket, prefix) not in self._listed:
            if not s3.bucket_exists(bucket):
                raise QueryError(
                    "HIVE_METASTORE_ERROR" if not bucket else "PERMISSION_DENIED",
                    "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code:"
                    " NoSuchBucket;"
                    f" Bucket: {bucket})",
                )
            with self._lock:
                objects = s3.list_objects(bucket, prefix)
            objects.sort(key=lambda each: each.key)
            self._listed[bucket, prefix] = ([each.key for each in objects], objects)
        return self._listed[bucket, prefix]
