"""Periods (`5m`, `1mo`) and rounding times to them: bin(), datefloor(), dateceil().

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from __future__ import annotations

from labkit.sandbox.logs.insights.tree import Period, QueryError

_SPELLINGS = {
    "ms": ("ms", "msec", "millisecond"),
    "s": ("s", "sec", "second"),
    "m": ("m", "min", "minute"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
    "w": ("w", "week"),
    "mo": ("mo", "mon", "month"),
    "q": ("q", "qtr", "quarter"),
    "y": ("y", "yr", "year"),
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_CAPS = {"ms": 1000, "s": 60, "m": 60, "h": 24}
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_MONTHS = {"mo": 1, "q": 3, "y": 12}
_MONDAY = 4 * 86_400_000
"""The epoch was a Thursday; weeks begin on Monday."""
_MOST_MONTHS = 12_000


def rounded(time: str, period: Period, *, up: bool) -> str:
    """Return the SQL of a time rounded to a period.

    A count above its unit's cap is taken for the cap, as AWS documents: bin(300s) is bin(60s).
    """
    direction = "ceil" if up else "floor"
    count, unit = clamped(period)
    if unit in _MONTHS:
        return f"{direction}_months({time}, {min(count * _MONTHS[unit], _MOST_MONTHS)})"
    length = count * _MILLISECONDS[unit]
    if unit == "w":
        return f"({direction}_fixed({time} - {_MONDAY}, {length}) + {_MONDAY})"
    return f"{direction}_fixed({time}, {length})"


def clamped(period: Period) -> tuple[int, str]:
    """Return a period's count and unit, the count limited to its unit's cap."""
    word = period.unit
    unit = _UNITS.get(word) or _UNITS[word.removesuffix("s")]
    count = min(period.count, _CAPS.get(unit, 100_000))
    if not count:
        raise QueryError(f"a period needs a count of at least 1: {period.count}{word}", period.span)
    return count, unit


def distance(period: Period) -> int:
    """Return a duration in milliseconds for anything but rounding: no cap applies, and it may be 0."""
    unit = _UNITS.get(period.unit) or _UNITS.get(period.unit.removesuffix("s"))
    if unit is None:
        raise QueryError(f"{period.unit} is no unit of time, such as m, h or d", period.span)
    return min(period.count, 100_000) * _length(unit)


def in_months(period: Period) -> bool:
    """Tell whether a period is in months, which differ in length."""
    return clamped(period)[1] in _MONTHS


def milliseconds(period: Period) -> int:
    """Return the length of a period in milliseconds; months count 30 days, quarters 90 and years 365."""
    count, unit = clamped(period)
    return count * _length(unit)


def _length(unit: str) -> int:
    days = {"mo": 30, "q": 90, "y": 365}
    return _MILLISECONDS.get(unit) or days[unit] * _MILLISECONDS["d"]
