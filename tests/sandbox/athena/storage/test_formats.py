"""The SerDes' properties and errors, as their pages under
https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html have them."""

import gzip
import json
from itertools import count

import pytest

from labkit.sandbox.moto_state import s3
from tests.sandbox.athena.conftest import BUCKET

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
NUMBERS = count()


@pytest.fixture
def read(shared_athena):
    """Reads a text through a table made for it: its rows, or why there are none."""

    def read(serde, columns, text, properties="", table_properties=""):
        name = f"t{next(NUMBERS)}"
        shared_athena.put(f"{name}/x", text)
        with_ = f"WITH SERDEPROPERTIES ({properties})" if properties else ""
        more = f"TBLPROPERTIES ({table_properties})" if table_properties else ""
        shared_athena.lines(
            f"CREATE EXTERNAL TABLE {name} ({columns}) ROW FORMAT SERDE '{serde}' {with_}"
            f" LOCATION 's3://{BUCKET}/{name}/' {more}"
        )
        done = shared_athena.run(f"SELECT * FROM {name}")
        return done.rows[1:] if done.state == "SUCCEEDED" else done.reason

    return read


# --- CSV: csv-serde.html


def test_dates_are_days_and_timestamps_milliseconds(read):
    text = '"unixvalue creationdate 18276 creationdatetime 1579059880000","18276","1579059880000"\n'
    assert read(CSV, "profile_id string, creationdate date, creationdatetime timestamp", text) == [
        ["unixvalue creationdate 18276 creationdatetime 1579059880000", "2020-01-15", "2020-01-15 03:44:40.000"]
    ]


NOT_OF_THEIR_TYPE = [("int", ""), ("bigint", "many"), ("int", "5.5"), ("int", " 5"), ("double", ""),
                     ("date", "2020-01-15"), ("timestamp", "2020-01-15 03:44:40")]  # fmt: skip


@pytest.mark.parametrize(("kind", "field"), NOT_OF_THEIR_TYPE)
def test_a_field_that_is_not_of_its_columns_type_is_bad_data(read, kind, field):
    assert read(CSV, f"a string, b {kind}", f'"x","{field}"\n') == (
        f"HIVE_BAD_DATA: Error parsing field value '{field}' for field 1: For input string: \"{field}\""
    )
    null = "'use.null.for.invalid.data'='TRUE'"
    assert read(CSV, f"a string, b {kind}", f'"x","{field}"\n', table_properties=null) == [["x", None]]


def test_characters_of_csv_may_be_others(read):
    properties = "'separatorChar'=';', 'quoteChar'='`', 'escapeChar'='!'"
    assert read(CSV, "a string, b string", '`a;b`;"c"\n`d!`e`;f\n', properties) == [["a;b", '"c"'], ["d`e", "f"]]


# --- JSON: openx-json-serde.html, hive-json-serde.html

GOOD, CUT_OFF = '{"a":1}\n', '{"a":\n'


@pytest.mark.parametrize("serde", [OPENX, HIVE_JSON])
def test_a_line_that_is_no_json_fails_the_query(read, serde):
    reason = read(serde, "a int", GOOD + CUT_OFF)
    assert reason.startswith("HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: ")
    assert '{"a":' in reason


def test_openx_passes_over_malformed_lines_if_told_to(read):
    assert read(OPENX, "a int", GOOD + CUT_OFF, "'ignore.malformed.json'='TRUE'") == [["1"], [None]]
    reason = read(HIVE_JSON, "a int", GOOD + CUT_OFF, "'ignore.malformed.json'='TRUE'")
    assert reason.startswith("HIVE_CURSOR_ERROR")


def test_a_blank_line_is_a_row_of_nulls_to_openx(read):
    assert read(OPENX, "a int", "\n" + GOOD) == [[None], ["1"]]


def test_dots_in_keys_are_underscores_if_told_so(read):
    assert read(OPENX, "a_b int", '{"a.b":1}\n', "'dots.in.keys'='TRUE'") == [["1"]]
    assert read(OPENX, "a_b int", '{"a.b":1}\n') == [[None]]


def test_two_keys_that_are_the_same_in_lower_case(read):
    line = '{"URL":"x","Url":"y"}\n'
    assert read(OPENX, "url string", line) == (
        'HIVE_CURSOR_ERROR: Row is not a valid JSON Object - JSONException: Duplicate key "url"'
    )
    apart = "'case.insensitive'='FALSE', 'mapping.url1'='URL', 'mapping.url2'='Url'"
    assert read(OPENX, "url1 string, url2 string", line, apart) == [["x", "y"]]


def test_case_counts_if_told_so(read):
    assert read(OPENX, "userid int", '{"userId":7}\n') == [["7"]]
    assert read(OPENX, "userid int", '{"userId":7}\n', "'case.insensitive'='FALSE'") == [[None]]
    mapped = "'case.insensitive'='FALSE', 'mapping.userid'='userId'"
    assert read(OPENX, "userid int", '{"userId":7}\n', mapped) == [["7"]]


def test_a_key_may_be_mapped_to_a_column_of_another_name(read):
    assert read(OPENX, "ts string", '{"timestamp":"now"}\n', "'mapping.ts'='timestamp'") == [["now"]]


@pytest.mark.parametrize("key", ["*", 'say "x"', "$.a", "a.b[0]"])
def test_a_mapped_key_is_taken_as_it_is(read, key):
    line = json.dumps({"a": 1, key: "now"}) + "\n"
    assert read(OPENX, "ts string", line, f"'mapping.ts'='{key}'") == [["now"]]


def test_nested_json(read):
    columns = (
        "docid string, `user` struct<id:int,name:string,address:struct<line1:string,line2:string>,"
        "orders:array<struct<itemid:int,orderdate:string>>>"
    )
    text = (
        '{"DocId":"AWS","User":{"Id":1234,"Name":"Bob","Address":{"Line1":"123 Main St.","Line2":null},'
        '"Orders":[{"ItemId":6789,"OrderDate":"11/11/2017"},{"ItemId":4352,"OrderDate":"12/12/2017"}]}}\n'
    )
    user = "{id=1234, name=Bob, address={line1=123 Main St., line2=null}, orders=[{itemid=6789, orderdate=11/11/2017}, "
    assert read(OPENX, columns, text) == [["AWS", user + "{itemid=4352, orderdate=12/12/2017}]}"]]


PARTS = [
    ("array<int>", "[1,null,2]", "[1, null, 2]"),
    ("array<string>", '["x",5,{"y":1}]', '[x, 5, {"y":1}]'),
    ("array<array<string>>", '[["x"],[]]', "[[x], []]"),
    ("map<string,int>", '{"K":1,"l":null}', "{K=1, l=null}"),
    ("map<string,struct<a:int>>", '{"k":{"A":1}}', "{k={a=1}}"),
    ("map<int,array<string>>", '{"7":["x"]}', "{7=[x]}"),
    ("struct<a:int,b:string>", '{"B":"x"}', "{a=null, b=x}"),
    ("struct<a:int>", "[1]", None),
    ("array<int>", '{"a":1}', None),
    ("map<string,int>", "null", None),
    ("int", '"7"', "7"),
    ("int", '"x"', None),
    ("boolean", "true", "true"),
]


@pytest.mark.parametrize(("kind", "value", "shown"), PARTS, ids=[f"{kind} {value}" for kind, value, _ in PARTS])
def test_parts_of_json_are_of_their_types(read, kind, value, shown):
    assert read(HIVE_JSON, f"v {kind}", f'{{"v":{value}}}\n') == [[shown]]


# --- properties of several SerDes


@pytest.mark.parametrize(("serde", "line"), [(LAZY, "abc\n"), (CSV, '"abc"\n'), (OPENX, '{"a":"abc"}\n')])
def test_a_text_is_cut_where_its_column_ends(read, serde, line):
    assert read(serde, "a varchar(2)", line) == [["ab"]]


def test_timestamps_in_the_formats_that_a_table_names(read):
    formats = "'timestamp.formats'='yyyy-MM-dd''T''HH:mm:ss.SSS''Z'',dd.MM.yyyy H:mm'"
    wanted = [["2026-11-02 09:00:00.500"], ["2026-11-02 09:05:00.000"], ["2026-11-02 00:00:00.000"], [None]]
    texts = ["2026-11-02T09:00:00.500Z", "02.11.2026 9:05", "2026-11-02 00:00:00", "no"]
    assert read(HIVE_JSON, "t timestamp", "".join(f'{{"t":"{text}"}}\n' for text in texts), formats) == wanted
    assert read(LAZY, "t timestamp", "".join(f"{text}\n" for text in texts), formats) == wanted


@pytest.mark.parametrize("value", ["x", "-1", "1.5"])
def test_lines_of_a_header_are_a_number(read, value):
    reason = read(LAZY, "a int", "1\n", table_properties=f"'skip.header.line.count'='{value}'")
    assert reason == f"HIVE_INVALID_METADATA: Invalid value for 'skip.header.line.count' property: {value}"


def test_a_footer_is_said_to_be_missing(read):
    reason = read(LAZY, "a int", "1\n", table_properties="'skip.footer.line.count'='1'")
    assert reason.startswith("NOT_SUPPORTED: the table property skip.footer.line.count")


def test_an_ending_in_upper_case_is_no_codec(shared_athena):
    """compression-formats.html: "uppercase file extensions such as .GZ or .BZIP2 are not recognized"."""
    s3.put_object(BUCKET, "upper/x.GZ", gzip.compress(b"1\n", mtime=0))
    shared_athena.lines(f"CREATE EXTERNAL TABLE upper_ (a int) LOCATION 's3://{BUCKET}/upper/'")
    assert ["1"] not in shared_athena.rows("SELECT a FROM upper_")


def test_projection_needs_a_type_for_each_partition_column(shared_athena):
    """partition-projection-setting-up.html"""
    shared_athena.lines(
        f"CREATE EXTERNAL TABLE unset (a int) PARTITIONED BY (d string, h int) LOCATION 's3://{BUCKET}/unset/'"
        " TBLPROPERTIES ('projection.enabled'='true', 'projection.d.type'='enum', 'projection.d.values'='1')"
    )
    assert shared_athena.error("SELECT * FROM unset") == (
        "HIVE_METASTORE_ERROR: Table default.unset is configured for partition projection, but the following"
        " partition columns are missing projection configuration: [h] (table default.unset)"
    )
