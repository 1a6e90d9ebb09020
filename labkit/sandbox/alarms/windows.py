"""The ranges of time that an evaluation looks at: sliding ones, and ones aligned to the wall clock.

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
    """A time zone that CloudWatch wouldn't take."""


def time_zone(name: str) -> tzinfo:
    """A time zone by its IANA name or its offset; offsets are in steps of 5 minutes.

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
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimezone(name) from None


def windows(settings: Mapping[str, Any], period: int, evaluation_periods: int, end: int) -> list[Window]:
    """The range of an evaluation at `end`, oldest first.

    A sliding window ends there, and reaches further back than the evaluation periods. One on the wall clock has the
    evaluation periods that are complete and no more; around a change to summer time they are not equally long.
    """
    wall_clock = settings.get("EvaluationWindow", {}).get("WallClockWindow")
    if wall_clock is None:
        return [Window(end - evaluation_range(period, evaluation_periods) * period, end, period)]
    bounds = _bounds(time_zone(wall_clock.get("Timezone", "UTC")), period, evaluation_periods, end)
    lengths = {later - earlier for earlier, later in pairwise(bounds)}
    if len(lengths) == 1:
        return [Window(bounds[0], bounds[-1], lengths.pop())]
    return [Window(earlier, later, later - earlier) for earlier, later in pairwise(bounds)]


def _bounds(zone: tzinfo, period: int, count: int, end: int) -> list[int]:
    """When the last `count` complete periods begin, and when the last of them ends."""
    local = datetime.fromtimestamp(end, UTC).astimezone(zone)
    if period < DAY:
        offset = local.utcoffset() or timedelta()
        seconds = int(offset.total_seconds())
        last = (end + seconds) // period * period - seconds
        return [last - back * period for back in range(count, -1, -1)]
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == WEEK:
        midnight -= timedelta(days=midnight.weekday())
    days = period // DAY
    return [int((midnight - timedelta(days=back * days)).timestamp()) for back in range(count, -1, -1)]
