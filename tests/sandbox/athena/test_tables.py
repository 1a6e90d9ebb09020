# ruff: noqa: E501 (tables of cases: a case a line)
"""Tables on S3: how their objects become rows, which of them a query reads, and how many bytes that is."""

import gzip
import io
import json
from itertools import repeat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labkit.sandbox.moto_state import s3
from tests.sandbox.athena.conftest import ACCEPTED, BUCKET, COLUMNS, HEADER, NODATA, REJECTED

ROOT = f"s3://{BUCKET}/AWSLogs/123456789012/vpcflowlogs/eu-west-1"
KEYS = "AWSLogs/123456789012/vpcflowlogs/eu-west-1"
TEXT = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
SKIP = 'TBLPROPERTIES ("skip.header.line.count"="1")'


def make_table(
    athena, columns=COLUMNS, *, name="logs", partitioned="", row_format=TEXT, location=f"{ROOT}/", more=SKIP
):
    athena.lines(f"CREATE EXTERNAL TABLE {name} ({columns}) {partitioned} {row_format} LOCATION '{location}' {more}")


def test_the_labs_table(athena):
    sizes = {}
    for day in ("05", "06"):
        sizes[day] = athena.put(f"{KEYS}/2026/10/{day}/x.log.gz", HEADER + REJECTED + ACCEPTED + NODATA)
    make_table(athena, partitioned="PARTITIONED BY (dt string)")
    for day in ("05", "06"):
        athena.lines(f"ALTER TABLE default.logs ADD PARTITION (dt='2026-10-{day}') LOCATION '{ROOT}/2026/10/{day}'")
    done = athena.run(
        "SELECT day_of_week(from_iso8601_timestamp(dt)) AS day, dt, srcaddr, dstport, action, protocol FROM logs"
        " WHERE action = 'REJECT' AND protocol = 6 ORDER BY dt LIMIT 100"
    )
    assert done.rows == [
        ["day", "dt", "srcaddr", "dstport", "action", "protocol"],
        ["1", "2026-10-05", "198.51.100.7", "22", "REJECT", "6"],
        ["2", "2026-10-06", "198.51.100.7", "22", "REJECT", "6"],
    ]
    assert done.scanned == sum(sizes.values())
    assert athena.run("SELECT count(*) FROM logs WHERE dt = '2026-10-05'").scanned == sizes["05"]


def test_no_data_fields_are_null_in_numbers_and_text_in_strings(athena):
    athena.put(f"{KEYS}/x.log", HEADER + NODATA)
    make_table(athena)
    assert athena.rows("SELECT srcaddr, srcport, protocol, action, log_status FROM logs") == [
        ["-", None, None, "-", "NODATA"]
    ]


LAZY = [
    ("1 b c\n", [["1", "b", "c"]]),
    ("1 b\n", [["1", "b", None]]),
    ("1 b c d e\n", [["1", "b", "c"]]),
    ("x b c\n", [[None, "b", "c"]]),
    ("1.9 b c\n", [["1", "b", "c"]]),
    ("99999999999 b c\n", [[None, "b", "c"]]),
    ("1  c\n", [["1", "", "c"]]),
    (r"1 \N c" + "\n", [["1", None, "c"]]),
    ('1 "b c"\n', [["1", '"b', 'c"']]),
    ("1 b c", [["1", "b", "c"]]),
    ("1 é 😀\n", [["1", "é", "😀"]]),
    ("1 b c\r\n", [["1", "b", "c"]]),
    ("1 b c\r2 d e\r\r\n3 f g\n", [["1", "b", "c"], ["2", "d", "e"], [None, None, None], ["3", "f", "g"]]),
    ("\ufeff1 b c\n", [["1", "b", "c"]]),
    ("- - -\n", [[None, "-", "-"]]),
    ("- \\N -\n1 b c\n", [[None, None, "-"], ["1", "b", "c"]]),
    ("1 b c\n2 b\n3 b c d\n\\N x y\n", [["1", "b", "c"], ["2", "b", None], ["3", "b", "c"], [None, "x", "y"]]),
    ("1 0x10 c\n0x10 b 0X\n", [["1", "0x10", "c"], [None, "b", "0X"]]),
    ("1 b\0 c\n", [["1", "b\0", "c"]]),
    (b"1 b\xff \xc3\xa9\n", [["1", "b\ufffd", "é"]]),
]


@pytest.mark.parametrize(("text", "rows"), LAZY)
def test_fields_as_the_lazy_simple_serde_reads_them(athena, text, rows):
    athena.put("t/x.txt", text)
    make_table(athena, "a int, b string, c string", location=f"s3://{BUCKET}/t", more="")
    assert athena.rows("SELECT * FROM logs") == rows
    assert athena.rows("SELECT count(*) FROM logs") == [[str(len(rows))]]
    make_table(athena, "a int, b varchar(9), c string", name="other", location=f"s3://{BUCKET}/t", more="")
    assert athena.rows("SELECT * FROM other") == rows  # a type that takes another way


def test_a_table_of_more_columns_than_its_text(athena):
    athena.put("t/x.txt", "a,1\n")
    row_format = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
    make_table(athena, "a string, b int, c int, d string", row_format=row_format, location=f"s3://{BUCKET}/t", more="")
    assert athena.rows("SELECT d, c, b, a FROM logs") == [[None, None, "1", "a"]]


def test_null_is_what_the_table_says(athena):
    athena.put("t/x.txt", "-,-\nNONE,NONE\n,\n")
    rows = {"-": [[None, None], [None, "NONE"], [None, ""]], "NONE": [[None, "-"], [None, None], [None, ""]]}
    rows[""] = [[None, "-"], [None, "NONE"], [None, None]]
    for number, (null, expected) in enumerate(rows.items()):
        row_format = f"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' NULL DEFINED AS '{null}'"
        location, name = f"s3://{BUCKET}/t", f"t{number}"
        make_table(athena, "a int, b string", name=name, row_format=row_format, location=location, more="")
        assert athena.rows(f"SELECT a, b FROM {name}") == expected


READ_AS = [
    # a type, the text of a field, what it is read as
    ("int", "5", "5"),
    ("int", "+5", "5"),
    ("int", "-0", "0"),
    ("int", "007", "7"),
    ("int", "5.0", "5"),
    ("int", "5.", "5"),
    ("int", "-5.99", "-5"),
    ("int", ".5", "0"),
    ("int", "2147483647", "2147483647"),
    ("int", "2147483647.9", "2147483647"),
    ("int", "2147483648", None),
    ("int", "-2147483648", "-2147483648"),
    ("tinyint", "128", None),
    ("smallint", "32768", None),
    ("bigint", "9223372036854775807", "9223372036854775807"),
    ("bigint", "9223372036854775808", None),
    *(("int", text, None) for text in (" 5", "5 ", "1e3", "1e2", "0x10", "0b11", "1_000", "5.x", "5,0", "-", "+", "", "٣")),
    ("double", "1e3", "1000.0"),
    ("double", " 1.5 ", "1.5"),
    ("double", "1.5f", "1.5"),
    ("double", "NaN", "NaN"),
    ("double", "-Infinity", "-Infinity"),
    *(("double", text, None) for text in ("nan", "inf", "1_0.5", "1e", ".", "-", "")),
    ("float", "0.1", "0.1"),
    ("decimal(5,2)", "1.255", "1.26"),
    ("decimal(5,2)", "1e2", "100.00"),
    ("decimal(5,2)", "1000", None),
    ("decimal(5,2)", " 1", None),
    ("boolean", "true", "true"),
    ("boolean", "TRUE", "true"),
    ("boolean", "False", "false"),
    *(("boolean", text, None) for text in ("t", "1", "0", "yes", "true ", "")),
    ("date", "2026-11-02", "2026-11-02"),
    ("date", "2026-1-2", "2026-01-02"),
    ("date", "2026-11-02 09:00:00", "2026-11-02"),
    *(("date", text, None) for text in ("2026/11/02", "20261102", "epoch", "infinity", "2026-11-02x", "02.11.2026", "")),
    ("timestamp", "2026-11-02 09:00:00", "2026-11-02 09:00:00.000"),
    ("timestamp", "2026-11-02 09:00:00.123456789", "2026-11-02 09:00:00.123"),
    ("timestamp", "2026-11-02", "2026-11-02 00:00:00.000"),
    *(("timestamp", text, None) for text in ("2026-11-02T09:00:00Z", "2026-11-02 09:00:00+01", "1793610000", "")),
    ("binary", "aGk=", "68 69"),
    ("binary", "!", "21"),
    ("string", "", ""),
    ("string", r"\N", None),
    ("char(2)", "abc", "ab"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), READ_AS, ids=[f"{kind} {text!r}" for kind, text, _ in READ_AS])
def test_a_field_is_read_as_its_column_s_type(shared_athena, kind, text, value):
    name = f"read_as_{READ_AS.index((kind, text, value))}"
    shared_athena.put(f"{name}/x", f"{text}|z\n")
    row_format = "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'"
    location = f"s3://{BUCKET}/{name}/"
    make_table(shared_athena, f"a {kind}, b string", name=name, row_format=row_format, location=location, more="")
    assert shared_athena.rows(f"SELECT a, b FROM {name}") == [[value, "z"]]


BLANK = [
    ("\n1 b\n", [["", None], ["1", "b"]]),
    ("1 b\n\n\n2 c\n", [["1", "b"], ["", None], ["", None], ["2", "c"]]),
    ("1 b\n\n", [["1", "b"], ["", None]]),
    ("1 b\r\n\r\n2 c\r\n", [["1", "b"], ["", None], ["2", "c"]]),
]


@pytest.mark.parametrize(("text", "rows"), BLANK)
@pytest.mark.parametrize("key", ["t/x.gz", "t/x.txt"])
def test_a_line_with_nothing_in_it_is_a_row(athena, key, text, rows):
    athena.put(key, text)
    make_table(athena, "a string, b string", location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT a, b FROM logs") == rows
    assert athena.rows("SELECT count(*) FROM logs") == [[str(len(rows))]]
    make_table(athena, "a int", name="numbers", location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT a FROM numbers") == [[row[0] or None] for row in rows]


def test_blank_lines_where_pieces_of_a_text_meet(athena, monkeypatch):
    monkeypatch.setattr("labkit.sandbox.athena.storage.lines._CHUNK", 3)
    text = "a\n\n\r\nbcdefg\n\n\nh"
    athena.put("t/x", text)
    make_table(athena, "a string", location=f"s3://{BUCKET}/t/", more="")
    assert [row[0] for row in athena.rows("SELECT a FROM logs")] == ["a", "", "", "bcdefg", "", "", "h"]


def test_a_header_s_blank_line_is_skipped_with_it(athena):
    athena.put("t/x", "\na\n1\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more='TBLPROPERTIES ("skip.header.line.count"="2")')
    assert athena.rows("SELECT a FROM logs") == [["1"]]


def test_an_escaped_delimiter_is_part_of_its_field(athena):
    athena.put("t/x", "a\\,b,1,c\\\\d\n,2\n\n\\N,3,e\\\n")
    row_format = r"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\'"
    make_table(athena, "a string, b int, c string", row_format=row_format, location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT a, b, c FROM logs") == [
        ["a,b", "1", "c\\d"],
        ["", "2", None],
        ["", None, None],
        [None, "3", "e\\"],
    ]


def test_nested_text_with_missing_parts(athena):
    athena.put("t/x", "|\n1;\\N;x|k:1;k:2;m\n\\N|\\N\n")
    row_format = (
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ';' MAP KEYS TERMINATED BY ':'"
    )
    columns = "a array<int>, b map<string,int>"
    make_table(athena, columns, row_format=row_format, location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT a, b FROM logs") == [
        ["[]", "{}"],
        ["[1, null, null]", "{k=2, m=null}"],
        [None, None],
    ]


def test_types_of_text(athena):
    athena.put("t/x", "true|2026-11-02|2026-11-02 09:00:00.5|1.25|2.5|a,b|k:1,l:2|7,z\n")
    columns = "a boolean, b date, c timestamp, d decimal(5,2), e double, f array<string>, g map<string,int>, h struct<i:int,j:string>"
    row_format = (
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY ':'"
    )
    make_table(athena, columns, row_format=row_format, location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT *, g['l'], h.j FROM logs") == [
        ["true", "2026-11-02", "2026-11-02 09:00:00.500", "1.25", "2.5", "[a, b]", "{k=1, l=2}", "{i=7, j=z}", "2", "z"]
    ]


def test_a_location_without_slash_is_the_same_folder(athena):
    athena.put("logs/x", "1\n")
    athena.put("logs-other/x", "2\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/logs", more="")
    assert athena.rows("SELECT a FROM logs") == [["1"]]


def test_hidden_objects_and_folders_are_no_data(athena):
    size = athena.put("t/x.gz", "1\n")
    for key in ("t/", "t/_SUCCESS", "t/.hidden"):
        athena.put(key, "" if key == "t/" else "9\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    done = athena.run("SELECT a FROM logs")
    assert (done.rows[1:], done.scanned) == ([["1"]], size)


def test_results_inside_the_tables_folder_become_its_data(athena):
    athena.put("t/x", "1 a\n")
    make_table(athena, "a int, b string", location=f"s3://{BUCKET}/t/", more="")
    inside = {"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/t/"}}
    assert athena.rows("SELECT count(*) FROM logs", **inside) == [["1"]]
    assert int(athena.rows("SELECT count(*) FROM logs")[0][0]) > 1


def test_objects_changed_or_gone_are_read_anew(athena):
    athena.put("t/a", "1\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows("SELECT sum(a) FROM logs") == [["1"]]
    athena.put("t/a", "5\n")
    athena.put("t/b", "7\n")
    assert athena.rows("SELECT sum(a) FROM logs") == [["12"]]
    athena.put("t/b", "")
    assert athena.rows("SELECT sum(a) FROM logs") == [["5"]]


def test_the_same_bytes_in_two_partitions_are_two_objects(athena):
    for day in "12":
        athena.put(f"t/d={day}/x", "1\n")
    make_table(athena, "a int", partitioned="PARTITIONED BY (d int)", location=f"s3://{BUCKET}/t/", more="")
    athena.lines("MSCK REPAIR TABLE logs")
    assert athena.rows("SELECT d, sum(a) FROM logs GROUP BY d ORDER BY d") == [["1", "1"], ["2", "1"]]


def test_pseudo_columns(athena):
    size = athena.put("t/x", "1\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    assert athena.rows('SELECT "$path", "$file_size", "$file_modified_time", a FROM logs') == [
        [f"s3://{BUCKET}/t/x", str(size), "2026-11-02 09:00:00.000 UTC", "1"]
    ]
    assert athena.rows("SELECT * FROM logs") == [["1"]]


# --- partitions

DAYS = ("2026-10-31", "2026-11-01", "2026-11-02")
PRUNED = [
    ("d = DATE '2026-11-01'", 1),
    ("d >= DATE '2026-11-01'", 2),
    ("d BETWEEN DATE '2026-10-31' AND DATE '2026-11-01' AND a = 1", 2),
    ("d IN (DATE '2026-11-02', DATE '2030-01-01')", 1),
    ("d = current_date", 1),
    ("month(d) = 11 AND region = 'eu-west-1'", 2),
    ("region = 'elsewhere'", 0),
    ("d = DATE '2026-11-01' OR a = 1", 3),
    ("(d > DATE '2026-10-31' AND d < DATE '2026-11-02')", 1),
    ("a = 1", 3),
]


@pytest.fixture(scope="module")
def partitioned(shared_athena):
    for day in DAYS:
        shared_athena.put(f"p/{day}/x", "1\n")
    make_table(
        shared_athena, "a int", name="p", partitioned="PARTITIONED BY (region string, d date)",
        location=f"s3://{BUCKET}/p/", more="",
    )  # fmt: skip
    parts = " ".join(f"PARTITION (d='{d}', region='eu-west-1') LOCATION 's3://{BUCKET}/p/{d}/'" for d in DAYS)
    shared_athena.lines(f"ALTER TABLE p ADD {parts}")
    shared_athena.lines("CREATE VIEW v AS SELECT d, region, count(*) AS c FROM p GROUP BY d, region")
    return shared_athena


@pytest.mark.parametrize(("condition", "objects"), PRUNED)
def test_only_the_partitions_that_are_needed_are_read(partitioned, condition, objects):
    assert partitioned.run(f"SELECT * FROM p WHERE {condition}").scanned == 2 * objects


def test_partitions_are_left_out_through_views_and_joins(partitioned):
    assert partitioned.run("SELECT * FROM v WHERE d = DATE '2026-11-01'").scanned == 2
    assert partitioned.run("WITH q AS (SELECT * FROM p) SELECT * FROM q WHERE d = DATE '2026-11-01'").scanned == 2
    joined = "SELECT * FROM p JOIN (VALUES 1) AS t (a) ON p.a = t.a AND p.d = DATE '2026-11-01'"
    assert partitioned.run(joined).scanned == 2


def test_an_outer_join_keeps_what_a_condition_would_lose(partitioned):
    sql = "SELECT t.x, p.d FROM (VALUES 1, 2) AS t (x) LEFT JOIN p ON p.a = t.x WHERE p.d IS NULL"
    assert partitioned.rows(sql) == [["2", None]]


def test_a_limit_inside_keeps_its_rows(partitioned):
    sql = "SELECT count(*) FROM (SELECT * FROM p ORDER BY d LIMIT 1) WHERE d = DATE '2026-11-02'"
    assert partitioned.rows(sql) == [["0"]]


def test_a_partitions_value_has_to_be_of_its_type(athena):
    athena.put("p/x", "1\n")
    make_table(athena, "a int", partitioned="PARTITIONED BY (d date)", location=f"s3://{BUCKET}/p/", more="")
    athena.lines(f"ALTER TABLE logs ADD PARTITION (d='someday') LOCATION 's3://{BUCKET}/p/'")
    reason = "HIVE_INVALID_PARTITION_VALUE: Invalid partition value 'someday' for DATE partition key: d=someday"
    assert athena.error("SELECT * FROM logs WHERE d = DATE '2026-11-01'") == reason


PROJECTED = [
    ("region = 'eu-west-1' AND day = '2026/11/01'", 1),
    ("day >= '2026/11/01' AND day < '2026/11/02'", 2),
    ("region IN ('eu-west-1', 'us-east-1')", 4),
    ("day = '2031/01/01'", 0),
]


@pytest.fixture(scope="module")
def projected(shared_athena):
    for region in ("eu-west-1", "us-east-1"):
        for day in ("2026/11/01", "2026/11/02", "2026/11/03"):
            shared_athena.put(f"q/{region}/{day}/x", "1\n")
    properties = {
        "projection.enabled": "true",
        "projection.region.type": "enum",
        "projection.region.values": "us-east-1,us-west-2,eu-west-1",
        "projection.day.type": "date",
        "projection.day.range": "2026/10/01,NOW",
        "projection.day.format": "yyyy/MM/dd",
        "storage.location.template": f"s3://{BUCKET}/q/${{region}}/${{day}}",
    }
    listed = ", ".join(f"'{key}'='{value}'" for key, value in properties.items())
    make_table(
        shared_athena, "a int", name="q", partitioned="PARTITIONED BY (region string, day string)",
        location=f"s3://{BUCKET}/q/", more=f"TBLPROPERTIES ({listed})",
    )  # fmt: skip
    return shared_athena


@pytest.mark.parametrize(("condition", "objects"), PROJECTED)
def test_projected_partitions(projected, condition, objects):
    done = projected.run(f"SELECT region, day, a FROM q WHERE {condition}")
    assert (done.state, done.scanned, len(done.rows) - 1) == ("SUCCEEDED", 2 * objects, objects)


def test_integers_are_projected_with_their_digits_and_injected_values_are_taken_from_the_query(athena):
    for hour in ("07", "08"):
        athena.put(f"h/x1/{hour}/x", "1\n")
    properties = (
        "'projection.enabled'='true', 'projection.id.type'='injected', 'projection.hour.type'='integer',"
        " 'projection.hour.range'='00,23', 'projection.hour.digits'='2',"
        f" 'storage.location.template'='s3://{BUCKET}/h/${{id}}/${{hour}}/'"
    )
    make_table(
        athena, "a int", partitioned="PARTITIONED BY (id string, hour string)", location=f"s3://{BUCKET}/h/",
        more=f"TBLPROPERTIES ({properties})",
    )  # fmt: skip
    assert athena.rows("SELECT hour FROM logs WHERE id = 'x1' ORDER BY 1") == [["07"], ["08"]]
    assert athena.rows("SELECT hour FROM logs WHERE id IN ('x0', 'x1') AND hour = '08'") == [["08"]]
    assert athena.error("SELECT * FROM logs").startswith(
        "CONSTRAINT_VIOLATION: For the injected projected partition column id"
    )


INJECTED = [
    ("id = 'x1'", ["x1"]),
    ("'x1' = id", ["x1"]),
    ("('x1' = (id))", ["x1"]),
    ("id = 'it''s'", ["it's"]),
    ("id = 'a = b'", ["a = b"]),
    ("id IN ('it''s', 'a'', ''b', 'a = b', 'none')", ["a = b", "a', 'b", "it's"]),
    ("id = 'x1' OR 'a = b' = id", ["a = b", "x1"]),
    ("id = 'x' || '1'", ["x1"]),
    ("id IN ('x1', 'x1', NULL)", ["x1"]),
    ("id = 'x1' AND id = 'a = b'", []),
    ("id = 'x1' AND id <> 'x2'", ["x1"]),
]


@pytest.fixture(scope="module")
def injected(shared_athena):
    for value in ("x1", "it's", "a = b", "a', 'b"):
        shared_athena.put(f"i/{value}/x", "1\n")
    properties = (
        "'projection.enabled'='true', 'projection.id.type'='injected',"
        f" 'storage.location.template'='s3://{BUCKET}/i/${{id}}/'"
    )
    make_table(
        shared_athena, "a int", name="injected", partitioned="PARTITIONED BY (id string)",
        location=f"s3://{BUCKET}/i/", more=f"TBLPROPERTIES ({properties})",
    )  # fmt: skip
    return shared_athena


@pytest.mark.parametrize(("condition", "wanted"), INJECTED, ids=[case[0] for case in INJECTED])
def test_the_values_of_an_injected_column_are_those_that_the_where_names(injected, condition, wanted):
    assert injected.rows(f"SELECT id FROM injected WHERE {condition} ORDER BY 1") == [[each] for each in wanted]


@pytest.mark.parametrize(
    "condition",
    [
        "id > 'x'",
        "lower(id) = 'x1'",
        "id = 'x1' OR a = 1",
        "NOT id = 'x1'",
        "id = id",
        "'x1' IN (id, 'x1')",
        "id IN ('x1', lower(id))",
    ],
)
def test_other_conditions_name_no_value_of_an_injected_column(injected, condition):
    assert injected.error(f"SELECT id FROM injected WHERE {condition}").startswith(
        "CONSTRAINT_VIOLATION: For the injected projected partition column id"
    )


def test_a_value_that_can_not_be_worked_out_says_why(injected):
    assert (
        injected.error("SELECT id FROM injected WHERE id = CAST(1 / 0 AS varchar)")
        == "DIVISION_BY_ZERO: Division by zero"
    )


def test_injected_integers_and_dates_come_as_their_column_writes_them(athena):
    athena.put("j/7/2026-11-02/x", "1\n")
    properties = (
        "'projection.enabled'='true', 'projection.n.type'='injected', 'projection.day.type'='injected',"
        f" 'storage.location.template'='s3://{BUCKET}/j/${{n}}/${{day}}/'"
    )
    make_table(
        athena, "a int", partitioned="PARTITIONED BY (n int, day date)", location=f"s3://{BUCKET}/j/",
        more=f"TBLPROPERTIES ({properties})",
    )  # fmt: skip
    wanted = [["7", "2026-11-02"]]
    assert athena.rows("SELECT n, day FROM logs WHERE n = 7 AND day = DATE '2026-11-02'") == wanted
    assert (
        athena.rows("WITH l AS (SELECT * FROM logs) SELECT n, day FROM l WHERE 7 = n AND day IN (current_date)")
        == wanted
    )
    assert athena.rows("SELECT n FROM logs WHERE n IN (7, 9999999999) AND day = DATE '2026-11-02'") == [["7"]]


# --- other SerDes


def test_regex_serde(athena):
    athena.put("r/x", "2026-11-02T09:00:00 2 REJECT\nno match\n")
    row_format = (
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
        r""" WITH SERDEPROPERTIES ("input.regex" = "^([^ ]+)\\s+([0-9]+)\\s+([^ ]+)$")"""
    )
    make_table(
        athena, "ts string, version int, action string", row_format=row_format, location=f"s3://{BUCKET}/r/", more=""
    )
    assert athena.rows("SELECT * FROM logs") == [["2026-11-02T09:00:00", "2", "REJECT"], [None, None, None]]


def test_a_group_that_took_no_part_is_null(athena):
    athena.put("r/x", "a 1\na\n\n")
    row_format = (
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
        r""" WITH SERDEPROPERTIES ("input.regex" = "(\\w+)(?: (\\d+))?( *)")"""
    )
    make_table(athena, "a string, b string, c string", row_format=row_format, location=f"s3://{BUCKET}/r/", more="")
    assert athena.rows("SELECT * FROM logs") == [["a", "1", ""], ["a", None, ""], [None, None, None]]


def test_open_csv_serde(athena):
    athena.put("c/x.gz", 'a,b\n"x, ""y""","1"\nz,2\n')
    row_format = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    make_table(athena, "a string, b int", row_format=row_format, location=f"s3://{BUCKET}/c/")
    assert athena.rows("SELECT a, b FROM logs ORDER BY b") == [['x, "y"', "1"], ["z", "2"]]
    athena.put("c/y", "a,b\nz,many\n")
    assert "many" in athena.error("SELECT b FROM logs")


OPEN_CSV = [
    ('"a\\"b","c\\\\d"\n', [['a"b', "c\\d"]]),
    ("a\n\nb,c,d\n", [["a", None], [None, None], ["b", "c"]]),
    ('"a, b", c\n', [["a, b", " c"]]),
    ('"a","b\nc","d"\n', [["a", None], [None, None]]),
    ('a,b"c"d\nab "c",d\nabc,  "d"\n', [["a", 'b"c"d'], ['ab "c', "d"], ["abc", "d"]]),
    ("C:\\temp,x\\,y\n", [["C:temp", "x"]]),
    ('"",""""\n', [["", '"']]),
]


@pytest.mark.parametrize(("text", "rows"), OPEN_CSV)
def test_fields_as_the_open_csv_serde_reads_them(athena, text, rows):
    athena.put("c/x", text)
    row_format = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    make_table(athena, "a string, b string", row_format=row_format, location=f"s3://{BUCKET}/c/", more="")
    assert athena.rows("SELECT a, b FROM logs") == rows


def test_json_serde(athena):
    lines = [{"Name": "x", "tags": ["a", "b"], "n": {"m": 1}}, {"name": "y", "count": 7}]
    athena.put("j/x", "".join(json.dumps(line) + "\n" for line in lines))
    row_format = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
    make_table(
        athena, "name string, tags array<string>, n struct<m:int>, count bigint", row_format=row_format,
        location=f"s3://{BUCKET}/j/", more="",
    )  # fmt: skip
    assert athena.rows("SELECT name, tags, n.m, count FROM logs ORDER BY 1") == [
        ["x", "[a, b]", "1", None],
        ["y", None, None, "7"],
    ]


def parquet(**columns) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


PARQUET = "STORED AS PARQUET"


def test_parquet_counts_the_columns_that_are_read(athena):
    body = parquet(
        Version=pa.array([2, 2], pa.int32()), srcaddr=["198.51.100.7", None], bytes=pa.array([1, 2], pa.int64())
    )
    athena.put("q/x.parquet", body)
    make_table(
        athena,
        "version int, srcaddr string, bytes bigint, later string",
        row_format=PARQUET,
        location=f"s3://{BUCKET}/q/",
        more="",
    )
    assert athena.rows("SELECT * FROM logs ORDER BY bytes") == [
        ["2", "198.51.100.7", "1", None],
        ["2", None, "2", None],
    ]
    group = pq.read_metadata(io.BytesIO(body)).row_group(0)
    assert athena.run("SELECT srcaddr FROM logs").scanned == group.column(1).total_compressed_size
    assert athena.run("SELECT count(*) FROM logs").scanned == 0


def test_parquet_of_another_type_is_bad_data(athena):
    athena.put("q/x.parquet", parquet(a=["text"]))
    make_table(athena, "a bigint", row_format=PARQUET, location=f"s3://{BUCKET}/q/", more="")
    assert athena.error("SELECT a FROM logs") == (
        f"HIVE_BAD_DATA: Field a's type BYTE_ARRAY in parquet file s3://{BUCKET}/q/x.parquet is incompatible with type bigint"
        " defined in table schema"
    )
    athena.put("q/x.parquet", "no parquet")
    assert athena.error("SELECT a FROM logs").startswith("HIVE_BAD_DATA: Not valid Parquet file")


def test_parquet_objects_of_different_schemas(athena):
    athena.put("q/1.parquet", parquet(a=pa.array([1], pa.int32())))
    athena.put("q/2.parquet", parquet(b=["x"], a=pa.array([2], pa.int32())))
    make_table(athena, "a int, b string", row_format=PARQUET, location=f"s3://{BUCKET}/q/", more="")
    assert athena.rows("SELECT a, b FROM logs ORDER BY a") == [["1", None], ["2", "x"]]


def test_codecs(athena):
    import bz2

    athena.put("t/a.gz", "1\n")
    athena.put("t/b.bz2", bz2.compress(b"2\n"))
    athena.put("t/c.txt", gzip.compress(b"x")[:0] + b"3\n")
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    frames = [pa.Codec("zstd").compress(text, asbytes=True) for text in (b"4\n", b"5\n")]
    athena.put("t/e.zst", b"".join(frames))
    assert athena.rows("SELECT a FROM logs ORDER BY 1") == [["1"], ["2"], ["3"], ["4"], ["5"]]
    athena.put("t/f.zst", frames[0][:-3])
    assert athena.error("SELECT a FROM logs").startswith(
        f"HIVE_CURSOR_ERROR: Failed to read file: s3://{BUCKET}/t/f.zst"
    )
    athena.put("t/f.zst", "no zstd\n")
    assert athena.error("SELECT a FROM logs").startswith(
        f"HIVE_CURSOR_ERROR: Failed to read file: s3://{BUCKET}/t/f.zst"
    )
    athena.put("t/f.zst", frames[0])
    athena.put("t/d.snappy", "4\n")
    assert athena.error("SELECT a FROM logs").startswith("NOT_SUPPORTED: objects compressed as .snappy")


def test_a_missing_bucket_is_said(athena):
    make_table(athena, "a int", location="s3://no-such-bucket-here/t/", more="")
    assert "no-such-bucket-here" in athena.error("SELECT a FROM logs")


def test_an_unread_serde_is_refused(athena):
    make_table(
        athena, "a int", row_format="ROW FORMAT SERDE 'com.example.OtherSerDe'", location=f"s3://{BUCKET}/t/", more=""
    )
    athena.put("t/x", "1\n")
    assert athena.error("SELECT a FROM logs").startswith("NOT_SUPPORTED: the SerDe com.example.OtherSerDe")


def test_gzip_in_several_members(athena):
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    athena.put("t/x.gz.gz", b"")
    body = gzip.compress(b"1\n2\n") + gzip.compress(b"3\n")
    s3.put_object(BUCKET, "t/y.gz", body)
    assert athena.rows("SELECT a FROM logs ORDER BY a") == [["1"], ["2"], ["3"]]


@pytest.mark.parametrize("body", [b"1\n2\n", gzip.compress(b"1\n" * 1000)[:-9]], ids=["not gzip", "cut off"])
def test_damaged_gzip_is_named(athena, body):
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    athena.put("t/good.txt", "1\n")
    s3.put_object(BUCKET, "t/bad.gz", body)
    assert athena.error("SELECT a FROM logs").startswith(
        f"HIVE_CURSOR_ERROR: Failed to read file: s3://{BUCKET}/t/bad.gz"
    )
    assert list((athena.sandbox.athena.runner.engine.directory / "objects").iterdir()) == []
    s3.put_object(BUCKET, "t/bad.gz", gzip.compress(b"2\n"))
    assert athena.rows("SELECT a FROM logs ORDER BY a") == [["1"], ["2"]]


@pytest.mark.parametrize("looked_up", [0, 256])
def test_what_is_known_of_objects(athena, monkeypatch, looked_up):
    monkeypatch.setattr("labkit.sandbox.athena.storage.store.MOST_LOOKED_UP", looked_up)
    make_table(athena, "a int", partitioned="PARTITIONED BY (d date)", location=f"s3://{BUCKET}/t/", more="")
    for day in (1, 2, 3):
        athena.put(f"t/d=2026-11-0{day}/x", f"{day}\n" if day != 3 else "1\n")
    athena.lines("MSCK REPAIR TABLE logs")
    assert athena.rows("SELECT a, d FROM logs ORDER BY d") == [
        ["1", "2026-11-01"],
        ["2", "2026-11-02"],
        ["1", "2026-11-03"],
    ]
    assert athena.rows("SELECT count(*) FROM logs WHERE d > DATE '2026-11-01'") == [["2"]]
    assert athena.rows("SELECT count(*), min(\"$file_size\") FROM logs WHERE d = DATE '2026-11-02'") == [["1", "2"]]
    assert athena.rows('SELECT DISTINCT "$file_modified_time" FROM logs') == [["2026-11-02 09:00:00.000 UTC"]]


def test_objects_in_several_files_of_a_copy_keep_their_order(athena, monkeypatch):
    monkeypatch.setattr("labkit.sandbox.athena.storage.store.PART_BYTES", 10)
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    for number in range(6):
        athena.put(f"t/{number}", f"{number}0\n{number}1\n")
    wanted = [[f"{number}{line}", f"s3://{BUCKET}/t/{number}"] for number in range(6) for line in range(2)]
    assert athena.rows('SELECT a, "$path" FROM logs') == [[str(int(a)), path] for a, path in wanted]


def test_the_copies_used_longest_ago_are_dropped(athena, monkeypatch):
    for number in range(3):
        athena.put(f"t{number}/x", "1,2\n3,4\n")
        athena.lines(
            f"CREATE EXTERNAL TABLE t{number} (a int, b int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
            f" NULL DEFINED AS 'n{number}' LOCATION 's3://{BUCKET}/t{number}/'"
        )
    folder = athena.sandbox.athena.runner.engine.directory / "objects"
    seen = []
    for number in (0, 1, 0, 2, 0, 1):
        assert athena.rows(f"SELECT sum(a), sum(b) FROM t{number}") == [["4", "6"]]
        (one, *_) = sorted(folder.iterdir())
        monkeypatch.setattr("labkit.sandbox.athena.storage.store.KEPT_BYTES", 2.5 * one.stat().st_size)
        seen.append(sorted(path.name for path in folder.iterdir()))
    assert seen[0] == ["copy_1.0.parquet"]
    assert seen[2] == ["copy_1.0.parquet", "copy_2.0.parquet"]
    assert seen[3] == ["copy_1.0.parquet", "copy_3.0.parquet"]  # t1's went first
    assert seen[5] == ["copy_1.0.parquet", "copy_4.0.parquet"]


def test_a_query_reads_the_text_of_new_objects_alone(athena, monkeypatch):
    from labkit.sandbox.athena.storage import lines

    read = []
    real = lines.blocks
    monkeypatch.setattr(lines, "blocks", lambda each, skipped: read.append(each.key) or real(each, skipped))
    make_table(athena, "a int", location=f"s3://{BUCKET}/t/", more="")
    athena.put("t/1", "1\n")
    for _ in range(2):
        assert athena.rows("SELECT sum(a) FROM logs") == [["1"]]
    athena.put("t/2", "2\n")
    assert athena.rows("SELECT sum(a) FROM logs") == [["3"]]
    athena.put("t/1", "5\n")
    assert athena.rows("SELECT sum(a) FROM logs") == [["7"]]
    assert read == ["t/1", "t/2", "t/1"]


def test_a_query_that_is_stopped_while_it_reads_text_leaves_nothing(athena, monkeypatch):
    from labkit.sandbox.athena.storage import lines

    for name in ("endless", "other"):
        athena.put(f"{name}/x", "1\n")
        make_table(athena, "a int", name=name, location=f"s3://{BUCKET}/{name}/", more="")
    real = lines.blocks
    monkeypatch.setattr(
        lines, "blocks", lambda each, skipped: repeat(b"1\n") if "endless" in each.key else real(each, skipped)
    )
    query = athena.start("SELECT sum(a) FROM endless")
    athena.call("StopQueryExecution", QueryExecutionId=query)
    assert athena.wait(query).state == "CANCELLED"
    assert athena.rows("SELECT sum(a) FROM other") == [["1"]]  # which waits until the first lets the copies go
    assert len(list((athena.sandbox.athena.runner.engine.directory / "objects").iterdir())) == 1
