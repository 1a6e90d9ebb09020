"""Corrects how moto's S3 makes buckets and reads their notifications, for requests of clients and of stacks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.s3.exceptions import InvalidBucketName

from labkit.sandbox.kernel import s3_rules
from labkit.sandbox.kernel.errors import ServiceError


def naming_by_the_rules(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's `create_bucket` so that it rejects the names that a new bucket can't have."""

    @wraps(function)
    def create(backend: Any, bucket_name: str, *arguments: Any, **named: Any) -> Any:
        try:
            s3_rules.check_new_bucket(bucket_name)
        except ServiceError:
            raise InvalidBucketName from None  # moto's own error, which its handlers turn into S3's answer
        return function(backend, bucket_name, *arguments, **named)

    return create


def taking_no_notifications(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's reader of a notification configuration so that it accepts an empty element, which means none."""

    @wraps(function)
    def read(response: Any) -> Any:
        return {} if response.body.rstrip().endswith(b"<NotificationConfiguration/>") else function(response)

    return read
