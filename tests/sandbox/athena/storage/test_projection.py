# ruff: noqa: E501 (tables of cases: a case a line)
"""Partitions worked out from properties, as
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html has them."""

from datetime import UTC, datetime

import pytest

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.storage import projection

NOW = datetime(2026, 11, 15, 9, 30, 20, tzinfo=UTC)


def table(columns=("p",), **properties):
    parameters = {key.replace("__", "."): value for key, value in properties.items()}
    return Table(
        "db",
        "t",
        {
            "Parameters": {"projection.enabled": "true", **parameters},
            "PartitionKeys": [{"Name": name, "Type": "string"} for name in columns],
            "StorageDescriptor": {"Location": "s3://bucket/t/", "Columns": []},
        },
    )


def values(**properties):
    one = table(**{f"projection__p__{key}": value for key, value in properties.items()})
    return [each.values[0] for each in projection.partitions(one, NOW, {})]


VALUES = [
    ({"type": " Enum ", "values": "A,B, C,Unknown"}, ["A", "B", " C", "Unknown"]),
    ({"type": "integer", "range": "0,3"}, ["0", "1", "2", "3"]),
    ({"type": "integer", "range": " -1 , 1 "}, ["-1", "0", "1"]),
    ({"type": "integer", "range": "1,3", "interval": "2"}, ["1", "3"]),
    ({"type": "integer", "range": "1,3", "digits": "2"}, ["01", "02", "03"]),
    ({"type": "integer", "range": "0008,0010", "digits": "4"}, ["0008", "0009", "0010"]),
    ({"type": "date", "range": "201711,201802", "format": "yyyyMM"}, ["201711", "201712", "201801", "201802"]),
    ({"type": "date", "range": "30-12-2017,01-01-2018", "format": "dd-MM-yyyy"}, ["30-12-2017", "31-12-2017", "01-01-2018"]),
    ({"type": "date", "range": "2017-01,2017-06", "format": "yyyy-MM", "interval": "2", "interval.unit": "MONTHS"}, ["2017-01", "2017-03", "2017-05"]),
    ({"type": "date", "range": "2020-01-31,2020-04-30", "format": "yyyy-MM-dd", "interval": "1", "interval.unit": "months"}, ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]),
    ({"type": "date", "range": "NOW-2DAYS,NOW", "format": "yyyy/MM/dd"}, ["2026/11/13", "2026/11/14", "2026/11/15"]),
    ({"type": "date", "range": "NOW - 1 MONTH, NOW-30days", "format": "yyyy-MM-dd"}, ["2026-10-15", "2026-10-16"]),
    ({"type": "date", "range": "NOW-1YEARS,2025-11-16", "format": "yyyy-MM-dd"}, ["2025-11-15", "2025-11-16"]),
    ({"type": "date", "range": "2026-11,NOW+1MONTH", "format": "yyyy-MM"}, ["2026-11", "2026-12"]),
    ({"type": "date", "range": "2026/11/15/08,NOW", "format": "yyyy/MM/dd/HH", "interval": "1", "interval.unit": "HOURS"}, ["2026/11/15/08", "2026/11/15/09"]),
    ({"type": "date", "range": "2026-11-15T09-29,NOW", "format": "yyyy-MM-dd'T'HH-mm", "interval": "1", "interval.unit": "minute"}, ["2026-11-15T09-29", "2026-11-15T09-30"]),
    ({"type": "date", "range": "2026-9-30,2026-10-1", "format": "yyyy-M-d"}, ["2026-9-30", "2026-10-1"]),
    ({"type": "date", "range": "2024,NOW", "format": "yyyy", "interval": "1", "interval.unit": "YEARS"}, ["2024", "2025", "2026"]),
    ({"type": "date", "range": "09.000,09.250", "format": "ss.SSS", "interval": "125", "interval.unit": "MILLISECONDS"}, ["09.000", "09.125", "09.250"]),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "wanted"), VALUES)
def test_values(properties, wanted):
    assert values(**properties) == wanted


WRONG = [
    ({"type": "list"}, "projection.p.type is list"),
    ({"type": "enum"}, "projection.p.values is missing"),
    ({"type": "integer", "range": "1"}, "projection.p.range is 1"),
    ({"type": "integer", "range": "a,b"}, "projection.p.range has 'a'"),
    ({"type": "integer", "range": "1,2", "interval": "0"}, "projection.p.interval is 0"),
    ({"type": "integer", "range": "0,99999999999"}, "projection.p.range has more than"),
    ({"type": "date", "range": "2020-01-01,NOW"}, "projection.p.format is missing"),
    ({"type": "date", "range": "2020/01/01,NOW", "format": "yyyy-MM-dd"}, "projection.p.range has 2020/01/01"),
    ({"type": "date", "range": "2020,NOW", "format": "YYYY"}, "projection.p.format has YYYY"),
    ({"type": "date", "range": "2020-01-01-00,NOW", "format": "yyyy-MM-dd-HH"}, "projection.p.interval.unit is missing"),
    ({"type": "date", "range": "2020-01-01-00,NOW", "format": "yyyy-MM-dd-HH", "interval.unit": "HOURS"}, "projection.p.interval is missing"),
    ({"type": "date", "range": "2020-01-01,NOW", "format": "yyyy-MM-dd", "interval.unit": "AGES"}, "projection.p.interval.unit is AGES"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "why"), WRONG)
def test_wrong_properties_are_named(properties, why):
    with pytest.raises(QueryError, match="invalid projection properties") as error:
        values(**properties)
    assert error.value.name == "INVALID_TABLE_PROPERTY"
    assert f"The table db.t has invalid projection properties: {why}" in error.value.message


def two(**more):
    return table(
        ("region", "day"),
        projection__region__type="enum",
        projection__region__values="eu,us",
        projection__day__type="injected",
        **more,
    )


def test_locations_are_hives_or_the_templates():
    found = list(projection.partitions(two(), NOW, {"day": ["x"]}))
    assert [each.location for each in found] == ["s3://bucket/t/region=eu/day=x", "s3://bucket/t/region=us/day=x"]
    templated = two(storage__location__template="s3://bucket/${day}/${region}/")
    found = list(projection.partitions(templated, NOW, {"day": ["x"]}))
    assert [each.location for each in found] == ["s3://bucket/x/eu/", "s3://bucket/x/us/"]


def test_a_template_has_every_partition_column():
    with pytest.raises(QueryError, match=r"storage.location.template has no \$\{day\}"):
        list(projection.partitions(two(storage__location__template="s3://bucket/${region}/"), NOW, {"day": ["x"]}))


def test_an_injected_column_needs_its_value():
    with pytest.raises(QueryError, match="For the injected projected partition column day, the WHERE clause must"):
        list(projection.partitions(two(), NOW, {}))
