"""When people and machines are awake: how many flows an hour each of them starts.

People live by the clock on their wall, flow logs by UTC. The shop's customers are in Ireland, where clocks go back on
25 October 2026: from then on the same habits show an hour later in the records.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from labkit.flowlog.story.flows import Numbers, Truths

HOUR, DAY = 3600, 86400
CLOCKS_GO_BACK = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()


def seconds_of(day: date) -> float:
    """The start of a day in UTC, in seconds since the epoch."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def hours_of(first_day: date, days: int) -> Numbers:
    """The starts of all hours of a period, in seconds since the epoch."""
    return seconds_of(first_day) + HOUR * np.arange(24.0 * days)


def irish_time(moments: Numbers) -> Numbers:
    """Moments as an Irish wall clock shows them: an hour ahead of UTC until the clocks go back."""
    return moments + np.where(moments < CLOCKS_GO_BACK, HOUR, 0)


def hour_of_day(moments: Numbers) -> Numbers:
    """0 to 23."""
    return moments % DAY // HOUR


def is_weekend(moments: Numbers) -> Truths:
    """Saturday or Sunday; the epoch began on a Thursday."""
    weekday = (moments // DAY + 3) % 7
    return weekday >= 5


def bump(hours: Numbers, *, peak: float, width: float) -> Numbers:
    """A bell over the hours of the day, 1 at its peak; it knows that 23:00 is close to 01:00."""
    distance = np.abs(hours - peak)
    bell: Numbers = np.exp(-((np.minimum(distance, 24 - distance) / width) ** 2))
    return bell


def at_work(moments: Numbers) -> Numbers:
    """The staff: nine to half past five with a lunch break, Monday to Friday."""
    local = irish_time(moments)
    hours = hour_of_day(local)
    working = ~is_weekend(local) & (hours >= 9) & (hours < 18)
    return np.where(working, 150.0, 0.5) * np.where(working & (hours == 13), 0.5, 1.0)


def at_home(moments: Numbers) -> Numbers:
    """Customers at home: in the evening, and from mid-morning at weekends."""
    local = irish_time(moments)
    hours = hour_of_day(local)
    weekend = bump(hours, peak=11, width=3) + bump(hours, peak=20, width=3)
    return 4 + 110 * np.where(is_weekend(local), 0.7 * weekend, bump(hours, peak=20.5, width=2.5))


def on_the_move(moments: Numbers) -> Numbers:
    """Customers on their phones: on the way to work, at lunch and on the way home."""
    local = irish_time(moments)
    hours = hour_of_day(local)
    commute = bump(hours, peak=8, width=1) + 1.4 * bump(hours, peak=13, width=1) + bump(hours, peak=18, width=1.5)
    return 3 + 80 * np.where(is_weekend(local), 0.3, 1.0) * commute


def on_night_shift(moments: Numbers) -> Numbers:
    """The password guessers: from 21:00 to 05:00 UTC, and around the clock at weekends."""
    hours = hour_of_day(moments)
    night = (hours >= 21) | (hours < 5)
    return np.where(is_weekend(moments), 55.0, np.where(night, 38.0, 0.0))
