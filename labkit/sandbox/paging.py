"""Cuts lists into pages; the token of the next page says where it begins.

CloudWatch Logs has tokens of its own, which are valid only for the request that they answered.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labkit.sandbox.kernel.errors import ServiceError

Refusal = Callable[[str], ServiceError]
"""Returns a service's error for an invalid token."""


def page(items: Sequence[Any], params: Mapping[str, Any], member: str, size: int, refusal: Refusal) -> dict[str, Any]:
    """Return an answer with the page that the request's NextToken stands for, of at most `size` items."""
    begin = position(params.get("NextToken"), refusal)
    answer: dict[str, Any] = {member: list(items[begin : begin + size])}
    if begin + size < len(items):
        answer["NextToken"] = token(begin + size)
    return answer


def token(begin: int) -> str:
    """Return the token of the page that begins at item `begin`."""
    return base64.urlsafe_b64encode(f"from {begin}".encode()).decode()


def position(given: str | None, refusal: Refusal) -> int:
    """Return the item at which the page of a token begins; raise the service's error for an invalid token."""
    if given is None:
        return 0
    try:
        word, begin = base64.urlsafe_b64decode(given.encode()).decode().split()
    except (ValueError, binascii.Error):
        raise refusal(given) from None
    if word != "from" or not begin.isdecimal():
        raise refusal(given)
    return int(begin)
