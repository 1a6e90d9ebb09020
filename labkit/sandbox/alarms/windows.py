"""The ranges of time that an evaluation looks at: sliding windows, and windows aligned to the wall clock.

Source: CloudWatch User Guide, "Alarm evaluation window" (alarm-evaluation-window.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from labkit.sandbox.alarms.evaluation import evaluation_range
from labkit.sandbox.alarms.queries import Window
from labkit.sandbox.alarms.samples import DAY, HOUR, MINUTE

WEEK = 7 * DAY
WALL_CLOCK_PERIODS = (MINUTE, 5 * MINUTE, HOUR, DAY, WEEK)

_OFFSET = re.compile(r"(?:UTC)?([+-])(\d{2}):(\d{2})")


class UnknownTimezone(ValueError):
    """A time zone that CloudWatch rejects."""


def time_zone(name: str) -> tzinfo:
    """Return the time zone of an IANA name or an offset; raise UnknownTimezone for anything else.

    Offsets are in steps of 5 minutes.

    >>> print(time_zone("+05:30"), time_zone("UTC-03:00"), time_zone("Europe/Dublin"))
    UTC+05:30 UTC-03:00 Europe/Dublin
    """
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes = match.groups()
        if int(minutes) % 5 == 0 and int(minutes) < 60 and int(hours) < 24:
            return timezone((1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
        raise UnknownTimezone(name)
    try:
        return ZoneInfo(name)
    # ZoneInfo opens a file of that name: a directory ("Europe") is an OSError, "../x" a ValueError.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimezone(name) from None


def windows(settings: Mapping[str, Any], period: int, evaluation_periods: int, end: int) -> list[Window]:
    """Return the ranges of an evaluation at `end` (seconds since the epoch), oldest first.

    A sliding window ends at `end` and reaches further back than the evaluation periods. A wall-clock window has the
    last complete evaluation periods and no more; around a daylight saving change they differ in length, so there is
    one range per period.
    """
    wall_clock = settings.get("EvaluationWindow", {}).get("WallClockWindow")
    if wall_clock is None:
        return [Window(end - evaluation_range(period, evaluation_periods) * period, end, period)]
    bounds = _bounds(time_zone(wall_clock.get("Timezone", "UTC")), period, evaluation_periods, end)
    # A day of 23 or 25 hours can't be cut by one step: each period becomes a window of its own.
    lengths = {later - earlier for earlier, later in pairwise(bounds)}
    if len(lengths) == 1:
        return [Window(bounds[0], bounds[-1], lengths.pop())]
    return [Window(earlier, later, later - earlier) for earlier, later in pairwise(bounds)]


def _bounds(zone: tzinfo, period: int, count: int, end: int) -> list[int]:
    """Return the starts of the last `count` complete periods, and the end of the last one."""
    local = datetime.fromtimestamp(end, UTC).astimezone(zone)
    if period < DAY:
        # Up to an hour, only the offset matters: zones such as +05:30 start their hours at half past UTC's.
        offset = local.utcoffset() or timedelta()
        seconds = int(offset.total_seconds())
        last = (end + seconds) // period * period - seconds
        return [last - back * period for back in range(count, -1, -1)]
    # From a day on, the arithmetic is on local dates, never on seconds: midnight moves with daylight saving.
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == WEEK:
        midnight -= timedelta(days=midnight.weekday())
    days = period // DAY
    return [int((midnight - timedelta(days=back * days)).timestamp()) for back in range(count, -1, -1)]
