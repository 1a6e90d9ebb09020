"""Lists in pages: the token of the next page says where it begins.

CloudWatch Logs alone has tokens of its own, which are good for the request that they were an answer to.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from labkit.sandbox.kernel.errors import ServiceError

Refusal = Callable[[str], ServiceError]
"""A service's error for a token that is none."""


def page(items: Sequence[Any], params: Mapping[str, Any], member: str, size: int, refusal: Refusal) -> dict[str, Any]:
    """The page that the request's NextToken stands for, as the member of an answer."""
    begin = position(params.get("NextToken"), refusal)
    answer: dict[str, Any] = {member: list(items[begin : begin + size])}
    if begin + size < len(items):
        answer["NextToken"] = token(begin + size)
    return answer


def token(begin: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"from {begin}".encode()).decode()


def position(given: str | None, refusal: Refusal) -> int:
    """Where the page of a token begins."""
    if given is None:
        return 0
    try:
        word, begin = base64.urlsafe_b64decode(given.encode()).decode().split()
    except (ValueError, binascii.Error):
        raise refusal(given) from None
    if word != "from" or not begin.isdecimal():
        raise refusal(given)
    return int(begin)
