import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.flowlog import reader, writer
from labkit.flowlog.fields import FIELDS, Field
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat

TWO = pa.table(
    {
        "srcaddr": ["192.0.2.1", None],
        "dstport": pa.array([22, None], pa.int32()),
        "bytes": pa.array([40, 0], pa.int64()),
    }
)
THREE_FIELDS = LogFormat.parse("${srcaddr} ${bytes} ${dstport}")


def test_a_line_has_the_fields_in_the_formats_order_and_a_dash_for_a_null():
    assert writer.lines(TWO, THREE_FIELDS).to_pylist() == ["192.0.2.1 40 22", "- 0 -"]


def test_a_field_that_the_records_lack_is_a_dash_in_every_line():
    assert writer.lines(TWO, LogFormat.parse("${ecs-task-id} ${dstport}")).to_pylist() == ["- 22", "- -"]


def test_dictionary_columns_are_written_as_their_values():
    records = TWO.set_column(0, "srcaddr", TWO["srcaddr"].dictionary_encode())
    assert writer.lines(records, THREE_FIELDS).to_pylist() == ["192.0.2.1 40 22", "- 0 -"]


def test_a_text_has_its_header_first_and_ends_with_a_line_feed():
    assert writer.text(TWO, THREE_FIELDS) == b"srcaddr bytes dstport\n192.0.2.1 40 22\n- 0 -\n"
    assert writer.text(TWO.slice(0, 0), THREE_FIELDS) == b"srcaddr bytes dstport\n"


def test_the_same_records_give_the_same_gzip_bytes():
    data = writer.gzip_text(TWO, THREE_FIELDS)
    assert data[4:8] == b"\0\0\0\0"
    assert gzip.decompress(data) == writer.text(TWO, THREE_FIELDS)


def test_a_parquet_file_has_awss_columns_and_types_and_is_compressed_with_gzip():
    file = pq.ParquetFile(
        pa.BufferReader(writer.parquet(TWO, LogFormat.parse("${vpc-id} ${srcaddr} ${dstport} ${bytes}")))
    )
    physical = {file.schema.column(n).name: file.schema.column(n).physical_type for n in range(4)}
    assert physical == {"vpc_id": "BYTE_ARRAY", "srcaddr": "BYTE_ARRAY", "dstport": "INT32", "bytes": "INT64"}
    assert file.metadata.row_group(0).column(0).compression == "GZIP"
    assert file.read().to_pydict() == {
        "vpc_id": [None, None],
        "srcaddr": ["192.0.2.1", None],
        "dstport": [22, None],
        "bytes": [40, 0],
    }


def values(field: Field) -> st.SearchStrategy:
    if field.parquet_type == "STRING":
        return st.none() | st.from_regex(r"[A-Za-z0-9:.][A-Za-z0-9:._-]{0,20}", fullmatch=True)
    bits = 31 if field.parquet_type == "INT_32" else 63
    return st.none() | st.integers(0, 2**bits - 1)


@st.composite
def tables(draw: st.DrawFn) -> tuple[LogFormat, pa.Table]:
    fields = tuple(draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=12, unique=True)))
    rows = draw(st.lists(st.tuples(*map(values, fields)), max_size=8))
    log_format = LogFormat(fields)
    return log_format, pa.Table.from_pylist(
        [dict(zip(log_format.columns, row, strict=True)) for row in rows], schema=log_format.schema
    )


@settings(max_examples=60)
@given(tables())
def test_any_records_of_any_format_come_back_from_text_and_parquet(pair):
    log_format, records = pair
    assert reader.read(writer.gzip_text(records, log_format)).equals(records)
    assert reader.read(writer.parquet(records, log_format)).equals(records)


@pytest.mark.parametrize("write", [writer.gzip_text, writer.parquet])
def test_a_large_table_comes_back_whole(write):
    rows = 250_000
    records = writer.conform(pa.table({"start": pa.array(range(rows), pa.int64())}), DEFAULT_FORMAT)
    assert reader.read(write(records, DEFAULT_FORMAT)).equals(records)
