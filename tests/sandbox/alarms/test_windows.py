from datetime import UTC, datetime

import pytest

from labkit.sandbox.alarms.windows import UnknownTimezone, time_zone, windows

DAY = 86400


def at(*moment):
    return int(datetime(*moment, tzinfo=UTC).timestamp())


def shown(found):
    """The beginnings of the periods and the end of the last, as text."""
    moments = [begin for window in found for begin in window.timestamps()] + [found[-1].end]
    return [f"{datetime.fromtimestamp(moment, UTC):%d %H:%M}" for moment in moments]


def on_the_wall_clock(period, periods, end, timezone=None):
    wall_clock = {} if timezone is None else {"Timezone": timezone}
    return windows({"EvaluationWindow": {"WallClockWindow": wall_clock}}, period, periods, end)


@pytest.mark.parametrize("settings", [{}, {"EvaluationWindow": {"SlidingWindow": {}}}])
def test_a_sliding_window_ends_now_and_reaches_further_back(settings):
    assert shown(windows(settings, 300, 3, at(2026, 11, 2, 9, 3))) == [
        "02 08:33",
        "02 08:38",
        "02 08:43",
        "02 08:48",
        "02 08:53",
        "02 08:58",
        "02 09:03",
    ]


@pytest.mark.parametrize(
    ("period", "periods", "timezone", "expected"),
    [
        (300, 3, None, ["02 08:45", "02 08:50", "02 08:55", "02 09:00"]),
        (3600, 1, None, ["02 08:00", "02 09:00"]),
        (3600, 1, "+05:30", ["02 07:30", "02 08:30"]),
        (DAY, 2, None, ["31 00:00", "01 00:00", "02 00:00"]),
        (DAY, 1, "America/New_York", ["01 04:00", "02 05:00"]),
        (DAY, 2, "America/New_York", ["31 04:00", "01 04:00", "02 05:00"]),
        (7 * DAY, 1, None, ["26 00:00", "02 00:00"]),
    ],
)
def test_a_wall_clock_window_has_its_complete_periods_and_no_more(period, periods, timezone, expected):
    assert shown(on_the_wall_clock(period, periods, at(2026, 11, 2, 9, 3), timezone)) == expected


def test_a_day_that_winter_time_begins_on_has_25_hours():
    (longer,) = on_the_wall_clock(DAY, 1, at(2026, 11, 2, 9), "America/New_York")
    assert longer.period == 25 * 3600


@pytest.mark.parametrize("name", ["Mars/Olympus", "+05:33", "+24:00", "", "../etc/passwd", "UTC+5"])
def test_a_time_zone_that_is_none(name):
    with pytest.raises(UnknownTimezone):
        time_zone(name)


def test_a_daily_job_at_changing_times_is_good_on_each_calendar_day(cloudwatch):
    """Backups 30 hours apart: a sliding day misses one, calendar days don't (the example of the User Guide)."""
    settings = {"Period": DAY, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching"}
    cloudwatch.put_alarm(AlarmName="calendar", EvaluationWindow={"WallClockWindow": {}}, **settings)
    for hour in (16, 46):
        cloudwatch.to_minute(60 * hour)
        cloudwatch.sample(60 * hour)
    cloudwatch.to_minute(60 * 63)
    assert cloudwatch.transitions("calendar")[-1][1] == "OK"
    cloudwatch.to_minute(60 * 88)
    assert cloudwatch.transitions("calendar")[-1] == (60 * 87, "ALARM")
