# ruff: noqa: E501 (tables of cases: a case a line)
"""CREATE TABLE AS, INSERT INTO and UNLOAD: the objects that they leave, and the catalog after them."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labkit.sandbox.moto_state import glue, s3
from tests.sandbox.athena.conftest import BUCKET, WHERE

ROWS = "SELECT * FROM (VALUES (1, 'x', 'a'), (2, NULL, 'b'), (3, 'é', 'a')) AS t (n, s, k)"


def keys(prefix):
    return [each.key for each in s3.list_objects(BUCKET, prefix)]


def test_create_table_as(athena):
    done = athena.run(f"CREATE TABLE made AS {ROWS}")
    assert (done.state, done.rows) == ("SUCCEEDED", [])
    assert (done.execution["StatementType"], done.execution["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert athena.call("GetQueryResults", QueryExecutionId=done.id)["UpdateCount"] == 3
    assert athena.rows("SELECT * FROM made ORDER BY n") == [["1", "x", "a"], ["2", None, "b"], ["3", "é", "a"]]
    entry = glue.table(*WHERE, "default", "made")
    assert entry["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/results/tables/{done.id}/"
    manifest = done.execution["Statistics"]["DataManifestLocation"]
    (written,) = athena.get(manifest).decode().split()
    assert written.startswith(entry["StorageDescriptor"]["Location"])


FORMATS = [
    ("PARQUET", lambda body: pq.read_table(io.BytesIO(body)).to_pylist()[0], {"n": 1, "s": "x", "k": "a"}),
    ("JSON", lambda body: json.loads(gzip.decompress(body).splitlines()[0]), {"n": 1, "s": "x", "k": "a"}),
    ("TEXTFILE", lambda body: gzip.decompress(body).splitlines()[0], b"1\x01x\x01a"),
]


@pytest.mark.parametrize(("name", "first_row", "wanted"), FORMATS)
def test_formats(athena, name, first_row, wanted):
    athena.run(
        f"CREATE TABLE made WITH (format = '{name}', external_location = 's3://{BUCKET}/made/') AS {ROWS} ORDER BY n"
    )
    (key,) = keys("made/")
    assert first_row(s3.get_object(BUCKET, key)) == wanted
    assert athena.rows("SELECT * FROM made ORDER BY n")[1] == ["2", None, "b"]


EVERY_TYPE = [
    # value, in JSON, in text, in a result
    ("DECIMAL '1.50'", "1.50", "1.50", "1.50"),
    ("REAL '1.1'", "1.1", "1.1", "1.1"),
    ("1e10", "1.0E10", "1.0E10", "1.0E10"),
    ("nan()", '"NaN"', "NaN", "NaN"),
    ("-infinity()", '"-Infinity"', "-Infinity", "-Infinity"),
    ("DATE '2026-01-02'", '"2026-01-02"', "2026-01-02", "2026-01-02"),
    ("TIMESTAMP '2026-01-02 03:04:05.600'", '"2026-01-02 03:04:05.6"', "2026-01-02 03:04:05.6", "2026-01-02 03:04:05.600"),
    ("TIMESTAMP '2026-01-02 03:04:50'", '"2026-01-02 03:04:50"', "2026-01-02 03:04:50", "2026-01-02 03:04:50.000"),
    ("to_utf8('é')", '"é"', "w6k=", "c3 a9"),
    ("CAST('x' AS char(3))", '"x  "', "x  ", "x  "),
    ("'\"é'", r'"\"é"', '"é', '"é'),
    ("CAST(NULL AS integer)", "null", r"\N", None),
    ("ARRAY[DECIMAL '1.50', NULL]", "[1.50,null]", "1.50\x02\\N", "[1.50, null]"),
    ("map(ARRAY['a', 'b'], ARRAY[DECIMAL '2.50', NULL])", '{"a":2.50,"b":null}', "a\x032.50\x02b\x03\\N", "{a=2.50, b=null}"),
    ("map(ARRAY[DATE '2026-01-02'], ARRAY[1])", '{"2026-01-02":1}', "2026-01-02\x031", "{2026-01-02=1}"),
    ("CAST(ROW(TIMESTAMP '2026-01-02 03:04:05', NULL, ARRAY[1, 2]) AS ROW(t timestamp, s varchar, n array(integer)))", '{"t":"2026-01-02 03:04:05","s":null,"n":[1,2]}', "2026-01-02 03:04:05\x02\\N\x021\x032", "{t=2026-01-02 03:04:05.000, s=null, n=[1, 2]}"),
    ("ARRAY[map(ARRAY['k'], ARRAY[ARRAY[1, NULL]])]", '[{"k":[1,null]}]', "k\x041\x05\\N", "[{k=[1, null]}]"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "in_json", "in_text", "shown"), EVERY_TYPE, ids=[case[0] for case in EVERY_TYPE])
def test_values_in_json_and_text(athena, value, in_json, in_text, shown):
    for name, line in (("JSON", f'{{"x":{in_json}}}\n'), ("TEXTFILE", f"{in_text}\n")):
        athena.run(
            f"CREATE TABLE in_{name} WITH (format = '{name}', external_location = 's3://{BUCKET}/{name}/') AS SELECT {value} AS x"
        )
        (key,) = keys(f"{name}/")
        assert gzip.decompress(s3.get_object(BUCKET, key)).decode() == line
        assert athena.rows(f"SELECT x FROM in_{name}") == [[shown]]


def test_insert_into_text_writes_the_delimiters_that_the_table_has(athena):
    athena.lines(
        "CREATE EXTERNAL TABLE made (s string, m map<string,int>) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|'"
        r" ESCAPED BY '\\' COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY ':' NULL DEFINED AS '-'"
        f" LOCATION 's3://{BUCKET}/made/'"
    )
    athena.run(
        "INSERT INTO made VALUES ('a|b', map(ARRAY['x', 'y'], ARRAY[1, 2])), (NULL, map(ARRAY['z'], ARRAY[NULL]))"
    )
    (key,) = keys("made/")
    assert gzip.decompress(s3.get_object(BUCKET, key)).decode().splitlines() == [r"a\|b|x:1,y:2", "-|z:-"]
    assert athena.rows("SELECT s, m['x'] FROM made WHERE s IS NOT NULL") == [["a|b", "1"]]


def test_partitions(athena):
    athena.run(
        f"CREATE TABLE made WITH (external_location = 's3://{BUCKET}/made/', partitioned_by = ARRAY['k']) AS {ROWS}"
    )
    assert [key.rsplit("/", 1)[0] for key in keys("made/")] == ["made/k=a", "made/k=b"]
    assert athena.lines("SHOW PARTITIONS made") == ["k=a", "k=b"]
    assert athena.rows("SELECT n, k FROM made WHERE k = 'b'") == [["2", "b"]]
    athena.run("INSERT INTO made VALUES (4, 'n', 'c'), (5, 'm', 'a')")
    assert athena.lines("SHOW PARTITIONS made") == ["k=a", "k=b", "k=c"]
    assert athena.rows("SELECT n FROM made WHERE k = 'a' ORDER BY n") == [["1"], ["3"], ["5"]]


def test_physical_types_of_parquet(athena):
    sql = (
        "SELECT CAST(1 AS tinyint) AS i8, CAST(1 AS smallint) AS i16, CAST(1 AS real) AS f, DECIMAL '1.5' AS d,"
        " TIMESTAMP '2026-11-02 09:00:00' AS ts, DATE '2026-11-02' AS day, X'31' AS b, ARRAY[1] AS list"
    )
    athena.run(f"CREATE TABLE made WITH (external_location = 's3://{BUCKET}/made/') AS {sql}")
    (key,) = keys("made/")
    file = pq.ParquetFile(io.BytesIO(s3.get_object(BUCKET, key)))
    assert [file.schema.column(n).physical_type for n in (0, 1, 4)] == ["INT32", "INT32", "INT96"]
    assert [str(kind) for kind in file.schema_arrow.types[:4]] == ["int8", "int16", "float", "decimal128(2, 1)"]
    assert file.metadata.row_group(0).column(0).compression == "GZIP"
    assert athena.rows("SELECT * FROM made") == [
        ["1", "1", "1.0", "1.5", "2026-11-02 09:00:00.000", "2026-11-02", "31", "[1]"]
    ]  # fmt: skip
    assert file.schema_arrow.field("list").type.value_type == pa.int32()


def test_insert_into_text(athena):
    athena.put("t/x", "1,a\n")
    athena.lines(
        "CREATE EXTERNAL TABLE t (n int, s string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
        f" LOCATION 's3://{BUCKET}/t/'"
    )
    done = athena.run("INSERT INTO t (s, n) SELECT 'b', 2")
    assert (done.execution["StatementType"], done.execution["SubstatementType"]) == ("DML", "INSERT")
    athena.run("INSERT INTO t (n) VALUES 3")
    assert athena.rows("SELECT * FROM t ORDER BY n") == [["1", "a"], ["2", "b"], ["3", None]]


def test_unload(athena):
    done = athena.run(
        f"UNLOAD ({ROWS} ORDER BY n) TO 's3://{BUCKET}/out/' WITH (format = 'TEXTFILE', field_delimiter = '|')"
    )
    assert (done.execution["StatementType"], done.execution["SubstatementType"]) == ("DML", "UNLOAD")
    (key,) = keys("out/")
    assert key.endswith(".gz")
    assert gzip.decompress(s3.get_object(BUCKET, key)).decode() == "1|x|a\n2|\\N|b\n3|é|a\n"
    manifest = athena.get(done.execution["Statistics"]["DataManifestLocation"]).decode()
    assert manifest == f"s3://{BUCKET}/{key}\n"


def test_nothing_to_write_is_no_object(athena):
    athena.run(f"CREATE TABLE made WITH (external_location = 's3://{BUCKET}/made/') AS SELECT 1 AS n WHERE false")
    assert keys("made/") == []
    assert athena.rows("SELECT * FROM made") == []


ERRORS = [
    ("CREATE TABLE made AS SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
    ("CREATE TABLE made AS SELECT now() AS t", "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone"),
    ("CREATE TABLE made AS SELECT x FROM nope", "TABLE_NOT_FOUND"),
    ("CREATE TABLE made WITH (format = 'ORC') AS SELECT 1 AS a", "NOT_SUPPORTED: format = 'ORC'"),
    ("CREATE TABLE made WITH (bucketed_by = ARRAY['a']) AS SELECT 1 AS a", "NOT_SUPPORTED: the property bucketed_by"),
    ("CREATE TABLE made WITH (table_type = 'ICEBERG') AS SELECT 1 AS a", "NOT_SUPPORTED: table_type"),
    (f"CREATE TABLE made WITH (external_location = 's3://{BUCKET}/full/') AS SELECT 1 AS a", "HIVE_PATH_ALREADY_EXISTS"),
    ("CREATE TABLE made WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b", "HIVE_COLUMN_ORDER_MISMATCH"),
    ("CREATE TABLE there AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
    ("INSERT INTO nope VALUES 1", "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.default.nope' does not exist"),
    ("INSERT INTO there VALUES 'a'", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer], Query: [varchar(1)]"),
    ("INSERT INTO there (b) VALUES 1", "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: b"),
    (f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/full/' WITH (format = 'JSON')", "HIVE_PATH_ALREADY_EXISTS"),
    (f"UNLOAD (SELECT 1 AS a) TO 's3://{BUCKET}/out/' WITH (format = 'AVRO')", "NOT_SUPPORTED: format = 'AVRO'"),
    ("CREATE TABLE made WITH (partitioned_by = ARRAY['n']) AS SELECT 1 AS a, n FROM UNNEST(sequence(1, 101)) AS u (n)", "HIVE_TOO_MANY_OPEN_PARTITIONS"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "reason"), ERRORS, ids=[case[0] for case in ERRORS])
def test_error(athena, sql, reason):
    athena.put("full/x", "1\n")
    athena.lines(f"CREATE EXTERNAL TABLE there (a int) LOCATION 's3://{BUCKET}/there/'")
    assert athena.error(sql).startswith(reason)
    assert glue.table(*WHERE, "default", "made") is None


def test_with_no_data_makes_an_empty_table_of_the_same_columns(athena):
    """https://docs.aws.amazon.com/athena/latest/ug/ctas-examples.html, an empty copy of an existing table."""
    athena.lines("CREATE TABLE full_ AS SELECT 1 AS x, 'a' AS y WITH DATA")
    done = athena.run("CREATE TABLE empty_ AS SELECT *\nFROM full_\nWITH NO DATA;")
    assert (done.reason, done.scanned) == ("", 0)
    assert athena.rows("SELECT count(*) FROM full_") == [["1"]]
    assert athena.rows("SELECT * FROM empty_") == []
    assert athena.lines("SHOW COLUMNS IN empty_") == ["x                   ", "y                   "]


def test_places_in_a_query_that_writes_are_those_of_the_whole_statement(athena):
    assert athena.error("CREATE TABLE c AS\nSELECT nope").startswith("COLUMN_NOT_FOUND: line 2:8")
    assert athena.error("CREATE TABLE c AS SELECT 1 AS x, 2 AS x").startswith("DUPLICATE_COLUMN_NAME")


def test_if_not_exists_leaves_the_table(athena):
    athena.run("CREATE TABLE made AS SELECT 1 AS a")
    assert athena.run("CREATE TABLE IF NOT EXISTS made AS SELECT 2 AS a").state == "SUCCEEDED"
    assert athena.rows("SELECT a FROM made") == [["1"]]
