"""Parquet objects: columns and fields by name, whatever their order, and the types that a table may give them.

https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html and handling-schema-updates-chapter.html
"""

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.sandbox.athena.conftest import BUCKET

NUMBERS = count()
ROW = pa.struct([("B", pa.string()), ("A", pa.int32())])
MOMENT = datetime(2026, 11, 2, 9, 0, 0, 123456)


@pytest.fixture
def read(shared_athena):
    """Reads columns of an object through a table made for them: the first row, or why there is none."""

    def read(columns, **data):
        name = f"parquet{next(NUMBERS)}"
        buffer = io.BytesIO()
        pq.write_table(pa.table(data), buffer)
        shared_athena.put(f"{name}/x.parquet", buffer.getvalue())
        shared_athena.lines(
            f"CREATE EXTERNAL TABLE {name} ({columns}) STORED AS PARQUET LOCATION 's3://{BUCKET}/{name}/'"
        )
        done = shared_athena.run(f"SELECT * FROM {name}")
        return done.rows[1] if done.state == "SUCCEEDED" else done.reason

    return read


VALUES = [
    ("boolean", pa.array([True]), "true"),
    ("tinyint", pa.array([5], pa.int8()), "5"),
    ("smallint", pa.array([5], pa.int16()), "5"),
    ("bigint", pa.array([5], pa.int32()), "5"),
    ("float", pa.array([1.1], pa.float32()), "1.1"),
    ("double", pa.array([1.5], pa.float32()), "1.5"),
    ("decimal(10,2)", pa.array([Decimal("1.50")], pa.decimal128(10, 2)), "1.50"),
    ("date", pa.array([date(2026, 11, 2)]), "2026-11-02"),
    ("timestamp", pa.array([MOMENT], pa.timestamp("us")), "2026-11-02 09:00:00.123"),
    ("timestamp", pa.array([MOMENT], pa.timestamp("ms")), "2026-11-02 09:00:00.123"),
    ("timestamp", pa.array([MOMENT.replace(tzinfo=UTC)], pa.timestamp("ns", "UTC")), "2026-11-02 09:00:00.123"),
    ("string", pa.array(["é"]), "é"),
    ("varchar(2)", pa.array(["abc"]), "ab"),
    ("binary", pa.array([b"hi"]), "68 69"),
    ("array<int>", pa.array([[1, None]], pa.list_(pa.int32())), "[1, null]"),
    ("map<string,int>", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())), "{k=1}"),
    ("struct<a:int,b:string>", pa.array([{"B": "x", "A": 1}], ROW), "{a=1, b=x}"),
    ("struct<a:int>", pa.array([{"B": "x", "A": 1}], ROW), "{a=1}"),
    ("struct<a:int,c:int>", pa.array([{"B": "x", "A": 1}], ROW), "{a=1, c=null}"),
    ("array<struct<a:int,b:string>>", pa.array([[{"B": "x", "A": 1}]], pa.list_(ROW)), "[{a=1, b=x}]"),
]


@pytest.mark.parametrize(("kind", "values", "shown"), VALUES, ids=[f"{kind} of {v.type}" for kind, v, _ in VALUES])
def test_a_value_is_read_as_its_columns_type(read, kind, values, shown):
    assert read(f"v {kind}", v=values) == [shown]


OTHERS = [
    ("string", pa.array([5], pa.int32()), "INT32", "varchar"),
    ("int", pa.array(["5"]), "BYTE_ARRAY", "integer"),
    ("double", pa.array([5], pa.int64()), "INT64", "double"),
    ("boolean", pa.array([1], pa.int32()), "INT32", "boolean"),
    ("float", pa.array([1.5]), "DOUBLE", "real"),
]


@pytest.mark.parametrize(("kind", "values", "physical", "shown"), OTHERS, ids=[f"{k} of {p}" for k, _, p, _ in OTHERS])
def test_another_type_than_the_tables_is_bad_data(read, kind, values, physical, shown):
    reason = read(f"v {kind}", v=values)
    assert reason.startswith(f"HIVE_BAD_DATA: Field v's type {physical} in parquet file s3://{BUCKET}/parquet")
    assert reason.endswith(f"is incompatible with type {shown} defined in table schema")


def test_columns_are_found_by_name_in_any_case_and_order(read):
    assert read("first int, second string, third int", SECOND=["x"], First=pa.array([1], pa.int32())) == [
        "1",
        "x",
        None,
    ]
