"""Reads the timestamps of requests. A year that Python's calendar lacks is the client's mistake, so a ValueError."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


def of_number(value: Any) -> datetime:
    """Return the moment `value` seconds after the epoch, in UTC; raise ValueError if there is no such moment.

    >>> of_number(2**63)
    Traceback (most recent call last):
    ValueError: 9223372036854775808 is not a time in seconds
    """
    if isinstance(value, datetime):  # cbor2 may have read it already
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r:.80} is not a time in seconds")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"{value!r:.80} is not a time in seconds") from error


def of_text(text: str) -> datetime:
    """Return the moment in a text, as ISO 8601 or seconds since the epoch, in UTC; raise ValueError for other texts."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r:.80} is not a time") from error
    except (ValueError, TypeError):
        return of_number(_number(text))


def of_header(text: str) -> datetime:
    """Return the moment in a header, in HTTP's format or in one of `of_text`; raise ValueError for other texts."""
    try:
        return of_text(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(text: Any) -> float:
    if not isinstance(text, str) or "_" in text:  # Python's float takes 1_000, which no protocol has
        raise ValueError(f"{text!r:.80} is not a time")
    return float(text)
