import gzip
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from labkit.flowlog import reader, writer
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.flowlog.reader import RecordError

DOCUMENTED = json.loads((Path(__file__).parent / "documented_records.json").read_text())["examples"]
REJECT = (
    "2 123456789010 eni-1235b8ca123456789 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK"
)
NODATA = "2 123456789010 eni-1235b8ca123456789 - - - - - - - 1431280876 1431280934 - NODATA"


@pytest.mark.parametrize("example", DOCUMENTED, ids=[f"{n}-{e['kind']}" for n, e in enumerate(DOCUMENTED)])
def test_each_record_of_awss_guide_is_read_and_written_again(example):
    log_format = LogFormat.of(example["format"].split())
    records = reader.read_lines([example["record"]], log_format)
    values = records.to_pylist()[0]
    expected = [None if value == "-" else value for value in example["record"].split()]
    assert [None if (v := values[column]) is None else str(v) for column in log_format.columns] == expected
    assert writer.lines(records, log_format).to_pylist() == [example["record"]]


def test_numbers_are_numbers_and_a_dash_is_null():
    reject, nodata = reader.read_lines([REJECT, NODATA]).to_pylist()
    assert (reject["dstport"], reject["bytes"], reject["account_id"]) == (3389, 4249, "123456789010")
    assert (nodata["dstport"], nodata["srcaddr"], nodata["action"], nodata["start"]) == (None, None, None, 1431280876)


def test_a_text_file_is_read_by_its_header_whatever_the_order():
    table = reader.read(b"dstport srcaddr\n22 192.0.2.1\n")
    assert table.to_pydict() == {"dstport": [22], "srcaddr": ["192.0.2.1"]}


def test_a_gzip_file_is_read_as_the_text_in_it():
    data = gzip.compress(f"{DEFAULT_FORMAT.header}\n{REJECT}\n".encode())
    assert reader.read(data).equals(reader.read_lines([REJECT]))


def test_text_without_a_header_needs_its_format():
    data = f"{REJECT}\n".encode()
    assert reader.read(data, DEFAULT_FORMAT).num_rows == 1
    with pytest.raises(
        RecordError, match=r"line 1 is no header .* '2' is no field of a record; .* give its log_format"
    ):
        reader.read(data)


def test_a_file_with_a_header_alone_has_no_records():
    assert reader.read(f"{DEFAULT_FORMAT.header}\n".encode()).num_rows == 0


def test_a_repeated_field_is_read_once():
    table = reader.read(b"srcaddr bytes srcaddr\n192.0.2.1 7 192.0.2.1\n")
    assert table.to_pydict() == {"srcaddr": ["192.0.2.1"], "bytes": [7]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 123456789010 eni-1", r"line 3 has 3 fields where the format has 14: '2 123456789010 eni-1'"),
        (f"{REJECT} more", r"line 3 has 15 fields"),
        (REJECT.replace("3389", "rdp"), r"line 3: dstport is 'rdp', not a whole number"),
        (REJECT.replace(" 20 ", " 2e1 "), r"line 3: packets is '2e1', not a whole number"),
        (REJECT.replace("3389", "99999999999"), r"line 3: dstport is '99999999999', not a whole number"),
    ],
)
def test_a_line_that_does_not_fit_is_named(line, message):
    with pytest.raises(RecordError, match=message):
        reader.read(f"{DEFAULT_FORMAT.header}\n{REJECT}\n{line}\n".encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "line 1 is no header of a flow log file: it is empty"),
        (gzip.compress(b"srcaddr\n192.0.2.1\n", mtime=0)[:-9], "the gzip file is cut off or damaged"),
        (b"\x1f\x8b not gzip", "the gzip file is cut off or damaged"),
        (b"PAR1 not parquet", "the Parquet file is cut off or damaged"),
        (b"\xff\xfe\n", "line 1 is no header"),
    ],
)
def test_damaged_files_are_named_as_such(data, message):
    with pytest.raises(RecordError, match=message):
        reader.read(data)


def test_the_error_for_a_file_names_the_file(tmp_path):
    path = tmp_path / "cut_off.log.gz"
    path.write_bytes(gzip.compress(b"srcaddr\n", mtime=0)[:-4])
    with pytest.raises(RecordError, match=r"^cut_off\.log\.gz: the gzip file is cut off"):
        reader.read_file(path)


def test_a_parquet_file_of_something_else_is_refused():
    sink = pa.BufferOutputStream()
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"colour": ["red"]}), sink)
    with pytest.raises(RecordError, match="its column 'colour' is no field of a record"):
        reader.read(sink.getvalue().to_pybytes())


def test_a_frame_has_times_in_utc_and_whole_numbers_even_where_some_are_missing():
    data = reader.frame(reader.read_lines([REJECT, NODATA]))
    assert data["start"][0] == pd.Timestamp("2014-12-14T04:06:50Z")
    assert str(data["dstport"].dtype) == "Int32"
    assert data["dstport"].isna().tolist() == [False, True]
    assert data.loc[0, "bytes"] == 4249


def test_a_file_of_several_gzip_members_is_read_to_its_end():
    parts = [f"{DEFAULT_FORMAT.header}\n{REJECT}\n", f"{NODATA}\n", f"{REJECT}\n"]
    data = b"".join(gzip.compress(part.encode()) for part in parts)
    assert reader.read(data)["log_status"].to_pylist() == ["OK", "NODATA", "OK"]


@pytest.mark.parametrize("text", ["{0}\n{1}\n{1}\n", "{0}\n{1}\n{1}", "{0}\r\n{1}\r\n{1}\r\n", "{0}\n\n{1}\n\n{1}\n\n"])
def test_line_ends_and_empty_lines_make_no_difference(text):
    table = reader.read(text.format(DEFAULT_FORMAT.header, REJECT).encode())
    assert table.equals(reader.read_lines([REJECT, REJECT]))


def test_what_looks_like_a_number_stays_text_where_the_field_is_text():
    table = reader.read(b"account-id interface-id\n012345678901 NaN\n")
    assert table.to_pydict() == {"account_id": ["012345678901"], "interface_id": ["NaN"]}


@pytest.mark.parametrize(
    ("field", "value", "fits"),
    [
        ("dstport", "65535", True),
        ("dstport", "2147483647", True),
        ("dstport", "2147483648", False),
        ("bytes", "2147483648", True),
        ("bytes", "9223372036854775807", True),
        ("bytes", "9223372036854775808", False),
        ("packets", "-", True),
        ("packets", "1.0", False),
        ("packets", "1,000", False),
        ("packets", "0x10", False),
        ("packets", "0X1F", False),
        ("packets", "\u0663", False),
        ("start", "2018-08-20", False),
    ],
)
def test_a_number_fits_the_type_of_its_field(field, value, fits):
    data = f"srcaddr {field}\n192.0.2.1 {value}\n".encode()
    if fits:
        assert reader.read(data)[field].to_pylist() == [None if value == "-" else int(value)]
    else:
        with pytest.raises(RecordError, match=value.replace(".", "\\.")):
            reader.read(data)


def test_a_text_may_begin_like_a_hexadecimal_number():
    assert reader.read(b"instance-tag bytes\n0x10 16\n").to_pydict() == {"instance_tag": ["0x10"], "bytes": [16]}


def test_the_first_of_several_faults_is_the_one_that_is_named():
    lines = [REJECT, "too short", REJECT.replace("3389", "rdp")]
    with pytest.raises(RecordError, match=r"^line 2 has 2 fields where the format has 14"):
        reader.read_lines(lines)


def test_a_frame_of_records_without_times_has_none():
    data = reader.frame(reader.read(b"srcaddr bytes\n192.0.2.1 40\n- -\n"))
    assert list(data.columns) == ["srcaddr", "bytes"]
    assert data["bytes"].sum() == 40
    assert str(data["bytes"].dtype) == "Int64"


def test_no_lines_are_no_records_with_all_their_columns():
    table = reader.read_lines([])
    assert (table.num_rows, tuple(table.column_names)) == (0, DEFAULT_FORMAT.columns)
    assert len(reader.frame(table)) == 0


def test_a_file_that_is_not_there_is_the_system_s_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        reader.read_file(tmp_path / "none.log.gz")
