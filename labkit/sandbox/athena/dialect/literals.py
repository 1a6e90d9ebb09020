"""Literals of dates, times and intervals; an invalid one is an error with its place before anything runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, time

from labkit.sandbox.athena import zones
from labkit.sandbox.athena.dialect.scope import Value
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.types import DATE, DAY_TO_SECOND, TIME, TIME_TZ, TIMESTAMP, TIMESTAMP_TZ, YEAR_TO_MONTH, Type

_DATE = r"(\d{4,})-(\d{1,2})-(\d{1,2})"
_TIME = r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?"
_MOMENT = re.compile(rf"\s*{_DATE}(?: {_TIME})?\s*(.*?)\s*")
_FIELDS = ("day", "hour", "minute", "second")
_SECONDS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}


def moment(text: str) -> tuple[str, str] | None:
    """Return the date and time of a text as Trino reads them, and the time zone after them; None if it isn't one.

    >>> moment("2026-11-2 9:05 Asia/Tokyo")
    ('2026-11-02 09:05:00.0', 'Asia/Tokyo')
    >>> moment("2026-02-30") is None
    True
    """
    found = _MOMENT.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        day_ = date(int(year), int(month), int(day))
        time_ = time(int(hour or 0), int(minute or 0), int(second or 0))
    except ValueError:
        return None
    # DuckDB keeps microseconds: further digits are cut here, and the type's digits pad zeros when it is shown.
    return f"{day_.isoformat()} {time_.isoformat()}.{(fraction or '0')[:6]}", zone


def temporal(text: str, kind: Type, where: str) -> Value:
    """Compile DATE '...', TIME '...' and TIMESTAMP '...', the latter with a time zone if its text has one."""
    value = _READERS[kind.name](text)
    if value is None:
        name = kind.name.upper().partition(" ")[0]
        raise QueryError("INVALID_LITERAL", f"{where}: '{text}' is not a valid {name} literal")
    return value


def _date(text: str) -> Value | None:
    found = moment(text) if re.fullmatch(rf"\s*{_DATE}\s*", text) else None
    return Value(f"'{found[0][:-11]}'::DATE", DATE) if found else None


def _time(text: str) -> Value | None:
    found = moment(f"1970-01-01 {text.strip()}")
    if not found or ":" not in text:
        return None
    if re.fullmatch(r"[+-]\d\d:\d\d", found[1]):
        return Value(f"'{found[0][11:]}{found[1]}'::TIMETZ", replace(TIME_TZ, digits=digits(text)))
    if found[1]:
        return None
    return Value(f"'{found[0][11:]}'::TIME", replace(TIME, digits=digits(text)))


def _timestamp(text: str) -> Value | None:
    found = moment(text)
    if found is None:
        return None
    if not found[1]:
        return Value(f"'{found[0]}'::TIMESTAMP", replace(TIMESTAMP, digits=digits(text)))
    try:
        return zoned(found, digits(text))
    except QueryError:
        return None


def zoned(found: tuple[str, str], places: int = 3) -> Value:
    """Return a date and time with its zone, UTC if it has none; `places` is the number of fractional digits."""
    zone = zones.zone_name(found[1] or "UTC")
    kind = replace(TIMESTAMP_TZ, zone=zone, digits=places)
    return Value(zones.instant(f"'{found[0]}'::TIMESTAMP", zone), kind)


def digits(text: str) -> int:
    """Return how many fractional digits of a second a text has.

    >>> [digits(text) for text in ("01:02", "2026-11-02 01:02:03.45 UTC")]
    [0, 2]
    """
    found = re.search(r":\d{1,2}\.(\d+)", text)
    return len(found[1]) if found else 0


_READERS: dict[str, Callable[[str], Value | None]] = {
    "date": _date, "time": _time, "time with time zone": _time,
    "timestamp": _timestamp, "timestamp with time zone": _timestamp,
}  # fmt: skip


def interval(text: str, start: str, end: str) -> Value | None:
    """Compile INTERVAL '1 02:03:04.5' DAY TO SECOND or INTERVAL '2-3' YEAR TO MONTH; None if the text doesn't fit.

    >>> interval("1 02", "day", "hour").sql
    'to_microseconds(93600000000)'
    """
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if (start, end) == ("year", "month"):
        parts = re.fullmatch(r"(\d+)-(\d+)", digits)
        return Value(f"to_months({sign * (int(parts[1]) * 12 + int(parts[2]))})", YEAR_TO_MONTH) if parts else None
    if start not in _FIELDS or end not in _FIELDS[_FIELDS.index(start) + 1 :]:
        return None
    fields = _FIELDS[_FIELDS.index(start) : _FIELDS.index(end) + 1]
    patterns = [r"(\d+(?:\.\d{1,6})?)" if field == "second" else r"(\d+)" for field in fields]
    separators = [" " if field == "day" else ":" for field in fields[:-1]]
    parts = re.fullmatch("".join(a + b for a, b in zip(patterns, [*separators, ""], strict=True)), digits)
    if not parts:
        return None
    seconds = sum(float(part) * _SECONDS[field] for part, field in zip(parts.groups(), fields, strict=True))
    # In microseconds alone: this interval is one number in Trino, while DuckDB's keeps days apart.
    return Value(f"to_microseconds({sign * round(seconds * 1_000_000)})", DAY_TO_SECOND)
