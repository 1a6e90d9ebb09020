"""Time zones: as Trino names them, and what DuckDB makes of them."""

import pytest

from labkit.sandbox.athena import zones
from labkit.sandbox.athena.errors import QueryError

NOON = "TIMESTAMPTZ '2026-07-01 12:00:00+00'"
ZONES = [
    ("UTC", "2026-07-01 12:00:00", 0),
    ("+05:30", "2026-07-01 17:30:00", 330),
    ("-03:15", "2026-07-01 08:45:00", -195),
    ("Europe/Berlin", "2026-07-01 14:00:00", 120),
    ("America/New_York", "2026-07-01 08:00:00", -240),
]


@pytest.mark.parametrize(("zone", "clock", "minutes"), ZONES)
def test_a_clock_in_a_zone_and_back(shared_athena, zone, clock, minutes):
    cursor = shared_athena.sandbox.athena.runner.engine.cursor()
    local = zones.local(NOON, zone)
    sql = f"SELECT CAST({local} AS VARCHAR), {zones.offset_minutes(NOON, zone)}, {zones.instant(local, zone)} = {NOON}"
    assert cursor.execute(sql).fetchall() == [(clock, minutes, True)]


@pytest.mark.parametrize("text", ["Mars/Base", "+15:00", "1", "../etc/passwd", "UTC'; DROP"])
def test_what_is_no_zone(text):
    with pytest.raises(QueryError, match="is not a valid time zone"):
        zones.zone_name(text)
