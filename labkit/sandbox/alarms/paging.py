"""Answers in pages: the token of the next page is where it begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from labkit.sandbox.service import ServiceError


def page(items: Sequence[Any], params: Mapping[str, Any], member: str, size: int) -> dict[str, Any]:
    """The page that the request's NextToken stands for."""
    begin = position(params.get("NextToken"))
    answer: dict[str, Any] = {member: list(items[begin : begin + size])}
    if begin + size < len(items):
        answer["NextToken"] = token(begin + size)
    return answer


def token(begin: int) -> str:
    """The token of the page that begins there."""
    return base64.urlsafe_b64encode(f"from {begin}".encode()).decode()


def position(given: str | None) -> int:
    """Where the page of a token begins."""
    if given is None:
        return 0
    try:
        word, begin = base64.urlsafe_b64decode(given.encode()).decode().split()
        if word == "from":
            return int(begin)
    except (ValueError, binascii.Error):
        pass
    raise ServiceError("InvalidNextToken", f"Invalid nextToken: {given}")
