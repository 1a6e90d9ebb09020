from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb
import pytest

from labkit.sandbox.logs.insights import engine, periods
from labkit.sandbox.logs.insights.tree import Period, QueryError, Span

MACROS = Path(engine.__file__).with_name("macros.sql").read_text(encoding="utf-8")


def period(text):
    count = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return Period(Span(0, 0), int(count), text[len(count) :])


@cache
def connection():
    made = duckdb.connect()
    made.execute(MACROS)
    return made


def rounded(time, text, *, up=False):
    milliseconds = int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp() * 1000)
    sql = f"SELECT time_text({periods.rounded(str(milliseconds), period(text), up=up)})"
    return connection().execute(sql).fetchall()[0][0].removesuffix(".000")


FLOORS = [
    ("2026-11-04 10:59:59", "1h", "2026-11-04 10:00:00"),
    ("2026-11-04 10:59:59", "5m", "2026-11-04 10:55:00"),
    ("2026-11-04 10:59:59", "45s", "2026-11-04 10:59:15"),
    ("2026-11-04 10:59:59", "3d", "2026-11-03 00:00:00"),
    ("2026-11-04 10:59:59", "1w", "2026-11-02 00:00:00"),
    ("2026-11-08 23:59:59", "1week", "2026-11-02 00:00:00"),
    ("2026-11-04 10:59:59", "1mo", "2026-11-01 00:00:00"),
    ("2026-11-04 10:59:59", "2mons", "2026-11-01 00:00:00"),
    ("2026-12-31 10:59:59", "1qtr", "2026-10-01 00:00:00"),
    ("2026-12-31 10:59:59", "1yr", "2026-01-01 00:00:00"),
    ("2026-12-31 10:59:59", "10y", "2020-01-01 00:00:00"),
]
CEILS = [
    ("2026-11-04 10:00:01", "1h", "2026-11-04 11:00:00"),
    ("2026-11-04 10:00:00", "1h", "2026-11-04 10:00:00"),
    ("2026-11-04 10:00:00", "1w", "2026-11-09 00:00:00"),
    ("2026-12-31 10:00:00", "1mo", "2027-01-01 00:00:00"),
    ("2026-12-01 00:00:00", "1mo", "2026-12-01 00:00:00"),
    ("2026-02-01 00:00:00", "1y", "2027-01-01 00:00:00"),
]


@pytest.mark.parametrize(("time", "text", "expected"), FLOORS)
def test_a_time_is_rounded_down(time, text, expected):
    assert rounded(time, text) == expected


@pytest.mark.parametrize(("time", "text", "expected"), CEILS)
def test_a_time_is_rounded_up(time, text, expected):
    assert rounded(time, text, up=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1ms", (1, "ms")),
        ("5000msecs", (1000, "ms")),
        ("300s", (60, "s")),
        ("61minutes", (60, "m")),
        ("48hrs", (24, "h")),
        ("40d", (40, "d")),
        ("3quarters", (3, "q")),
    ],
)
def test_counts_are_capped_by_their_units(text, expected):
    assert periods.clamped(period(text)) == expected


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1m", 60_000), ("30m", 1_800_000), ("2h", 7_200_000), ("1d", 86_400_000), ("1mo", 2_592_000_000)],
)
def test_a_period_has_a_length(text, milliseconds):
    assert periods.milliseconds(period(text)) == milliseconds


def test_a_period_of_nothing_is_refused():
    with pytest.raises(QueryError, match="at least 1: 0s"):
        periods.clamped(period("0s"))
