"""Parts of objects: one part of a multipart object, and the range that a part is copied from.

moto answers GetObject with a part's number by the whole object, and copies from any range, or none that can be read.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import unquote

from moto.s3.exceptions import RangeNotSatisfiable

from labkit.sandbox.kernel.errors import ServiceError

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def one_part(get_object: Callable[..., Any]) -> Callable[..., Any]:
    """Answer GetObject with a part's number by that part alone, as HTTP 206."""

    @wraps(get_object)
    def get_one_part(response: Any) -> Any:
        status, headers, content = get_object(response)
        number = response._get_int_param("partNumber")
        key, _ = response._get_key()
        if status != 200 or not number or not key.multipart:
            return status, headers, content
        parts = key.multipart.parts
        if number not in parts:
            raise RangeNotSatisfiable
        begin = sum(parts[each].contentsize for each in parts if each < number)
        end = begin + parts[number].contentsize
        headers |= {
            "content-range": f"bytes {begin}-{end - 1}/{key.size}",
            "content-length": str(end - begin),
            "x-amz-mp-parts-count": str(len(parts)),
        }
        return 206, headers, content[begin:end]

    return get_one_part


def copied_range(upload_part_copy: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse UploadPartCopy from a range that can't be read, or that the source does not have."""

    @wraps(upload_part_copy)
    def copy_checked_range(response: Any) -> Any:
        wanted = response.headers.get("x-amz-copy-source-range")
        if wanted is not None:
            match = _RANGE.fullmatch(wanted)
            if match is None or int(match[1]) > int(match[2]):
                raise _invalid(
                    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are "
                    "the zero-based offsets of the first and last bytes to copy",
                    wanted,
                )
            _check_within(response, wanted, int(match[2]))
        return upload_part_copy(response)

    return copy_checked_range


def _check_within(response: Any, wanted: str, last: int) -> None:
    bucket, _, rest = response.headers.get("x-amz-copy-source", "").lstrip("/").partition("/")
    name, _, version = unquote(rest).partition("?versionId=")
    source = response.backend.get_object(bucket, name, version_id=version or None)
    if source is not None and last >= source.size:
        raise _invalid(f"Range specified is not valid for source object of size: {source.size}", wanted)


def _invalid(message: str, value: str) -> ServiceError:
    return ServiceError("InvalidArgument", message, ArgumentName="x-amz-copy-source-range", ArgumentValue=value)
