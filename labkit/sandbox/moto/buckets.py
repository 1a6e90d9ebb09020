"""Buckets of moto's S3, made and notified as AWS has it, whoever asks: a client, or a stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.s3.exceptions import InvalidBucketName

from labkit.sandbox.kernel import s3_rules
from labkit.sandbox.kernel.errors import ServiceError


def naming_by_the_rules(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make moto's `create_bucket` one that refuses the names that no new bucket can have."""

    @wraps(function)
    def create(backend: Any, bucket_name: str, *arguments: Any, **named: Any) -> Any:
        try:
            s3_rules.check_new_bucket(bucket_name)
        except ServiceError:
            raise InvalidBucketName from None
        return function(backend, bucket_name, *arguments, **named)

    return create


def taking_no_notifications(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make moto's reader of a notification configuration one that takes an empty element, which asks for none."""

    @wraps(function)
    def read(response: Any) -> Any:
        return {} if response.body.rstrip().endswith(b"<NotificationConfiguration/>") else function(response)

    return read
