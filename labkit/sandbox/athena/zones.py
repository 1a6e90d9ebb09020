"""Time zones in DuckDB's SQL: names go to ICU, which knows no fixed offsets like `+05:30`; those are added here."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from labkit.sandbox.athena.errors import QueryError

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")


def zone_name(text: str) -> str:
    """Return a time zone as Trino writes it; raise INVALID_FUNCTION_ARGUMENT for an unknown one.

    >>> [zone_name(text) for text in ("Z", "+02", "-0530", "Asia/Tokyo")]
    ['UTC', '+02:00', '-05:30', 'Asia/Tokyo']
    """
    offset = _OFFSET.fullmatch(text)
    if offset and int(offset[2]) <= 14:
        sign, hours, minutes = offset.groups()
        name = f"{sign}{hours}:{minutes or '00'}"
        return "UTC" if name[1:] == "00:00" else name
    if text.upper() in ("Z", "UTC", "GMT", "UT"):
        return "UTC"
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{text}' is not a valid time zone") from None
    return text


def local(instant: str, zone: str) -> str:
    """Return the SQL of an instant's local time in a zone: a TIMESTAMP of DuckDB's."""
    minutes = _minutes(zone)
    if minutes is None:
        return f"timezone('{zone}', {instant})"
    return f"(timezone('UTC', {instant}) + to_minutes({minutes}))"


def instant(clock: str, zone: str) -> str:
    """Return the SQL of the instant of a local time in a zone."""
    minutes = _minutes(zone)
    if minutes is None:
        return f"timezone('{zone}', {clock})"
    return f"timezone('UTC', {clock} - to_minutes({minutes}))"


def offset_minutes(instant: str, zone: str) -> str:
    """Return the SQL of a zone's offset from UTC at an instant, in minutes."""
    minutes = _minutes(zone)
    if minutes is not None:
        return f"{minutes}::BIGINT"
    return f"date_diff('minute', timezone('UTC', {instant}), {local(instant, zone)})"


def _minutes(zone: str) -> int | None:
    offset = _OFFSET.fullmatch(zone)
    if not offset:
        return None
    minutes = int(offset[2]) * 60 + int(offset[3] or 0)
    return -minutes if offset[1] == "-" else minutes
