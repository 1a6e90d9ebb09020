"""The properties of CREATE TABLE AS, INSERT INTO and UNLOAD: what may be asked, and what comes of it.

https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html, insert-into.html, unload.html and
compression-formats.html
"""

import bz2
import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labkit.sandbox.moto_state import glue, s3
from tests.sandbox.athena.conftest import BUCKET, COLUMNS, REJECTED, WHERE

OUT = f"s3://{BUCKET}/out/"
TWO = "SELECT 1 AS a, 'x' AS b"


def stored(prefix="out/"):
    return {each.key: s3.get_object(BUCKET, each.key) for each in s3.list_objects(BUCKET, prefix)}


def make_text_table(athena, columns="a int, b string", more=""):
    athena.lines(
        f"CREATE EXTERNAL TABLE t ({columns}) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{OUT}' {more}"
    )


# --- how text is compressed


def plain(body):
    return body


def zstd(body):
    return pa.CompressedInputStream(pa.BufferReader(body), "zstd").read()


TEXT_CODECS = [
    ("GZIP", ".gz", gzip.decompress),
    ("gzip", ".gz", gzip.decompress),
    ("BZIP2", ".bz2", bz2.decompress),
    ("ZSTD", ".zst", zstd),
    ("NONE", "", plain),
]


@pytest.mark.parametrize(("codec", "ending", "read"), TEXT_CODECS, ids=[codec for codec, _, _ in TEXT_CODECS])
def test_create_table_as_compresses_text_and_names_it_so(athena, codec, ending, read):
    properties = (
        f"format = 'TEXTFILE', field_delimiter = ',', write_compression = '{codec}', external_location = '{OUT}'"
    )
    athena.run(f"CREATE TABLE made WITH ({properties}) AS {TWO}")
    ((key, body),) = stored().items()
    assert (key.removeprefix("out/")[36:], read(body)) == (ending, b"1,x\n")
    assert athena.rows("SELECT * FROM made") == [["1", "x"]]


@pytest.mark.parametrize(("codec", "ending", "read"), TEXT_CODECS, ids=[codec for codec, _, _ in TEXT_CODECS])
def test_insert_compresses_as_the_table_says(athena, codec, ending, read):
    make_text_table(athena, more=f"TBLPROPERTIES ('write.compression' = '{codec}')")
    athena.run(f"INSERT INTO t {TWO}")
    ((key, body),) = stored().items()
    assert (key.removeprefix("out/")[36:], read(body)) == (ending, b"1,x\n")
    assert athena.rows("SELECT * FROM t") == [["1", "x"]]


def test_insert_writes_gzip_where_the_table_says_nothing(athena):
    """ "GZIP is the default write compression format for files in the Parquet and text file storage formats"."""
    make_text_table(athena)
    athena.run(f"INSERT INTO t {TWO}")
    ((key, body),) = stored().items()
    assert key.endswith(".gz")
    assert gzip.decompress(body) == b"1,x\n"


PARQUET_CODECS = [("parquet_compression = 'SNAPPY'", "SNAPPY"), ("write_compression = 'ZSTD'", "ZSTD"),
                  ("write_compression = 'NONE'", "UNCOMPRESSED"), ("format = 'parquet'", "GZIP")]  # fmt: skip


@pytest.mark.parametrize(("given", "codec"), PARQUET_CODECS, ids=[given for given, _ in PARQUET_CODECS])
def test_create_table_as_compresses_parquet(athena, given, codec):
    athena.run(f"CREATE TABLE made WITH (external_location = '{OUT}', {given}) AS {TWO}")
    (body,) = stored().values()
    assert pq.read_metadata(io.BytesIO(body)).row_group(0).column(0).compression == codec


@pytest.mark.parametrize("properties", ["'parquet.compression'='SNAPPY'", "'write.compression'='SNAPPY'"])
def test_insert_compresses_parquet_as_the_table_says(athena, properties):
    athena.lines(
        f"CREATE EXTERNAL TABLE t (a int, b string) STORED AS PARQUET LOCATION '{OUT}' TBLPROPERTIES ({properties})"
    )
    athena.run(f"INSERT INTO t {TWO}")
    (body,) = stored().values()
    assert pq.read_metadata(io.BytesIO(body)).row_group(0).column(0).compression == "SNAPPY"


NOT_WRITTEN = [("JSON", "SNAPPY"), ("TEXTFILE", "LZ4"), ("PARQUET", "BZIP2"), ("PARQUET", "LZO"), ("JSON", "RAR")]


@pytest.mark.parametrize(("name", "codec"), NOT_WRITTEN)
def test_a_codec_that_a_format_is_not_written_with_is_named(athena, name, codec):
    properties = f"format = '{name}', write_compression = '{codec}', external_location = '{OUT}'"
    assert athena.error(f"CREATE TABLE made WITH ({properties}) AS {TWO}").startswith(
        f"NOT_SUPPORTED: compression = '{codec}' of {name}"
    )
    assert stored() == {}


# --- CREATE TABLE AS


def test_a_location_without_slash_is_a_folder_too(athena):
    athena.run(f"CREATE TABLE made WITH (external_location = 's3://{BUCKET}/out') AS {TWO}")
    assert glue.table(*WHERE, "default", "made")["StorageDescriptor"]["Location"] == OUT
    assert athena.rows("SELECT * FROM made") == [["1", "x"]]


def test_types_of_a_made_table_are_the_querys(athena):
    """considerations-ctas.html: "Column data types for a CTAS query are the same as ... for the original query"."""
    columns = {
        "i": ("1", "int"),
        "l": ("BIGINT '1'", "bigint"),
        "s": ("'x'", "varchar(1)"),
        "w": ("CAST('x' AS varchar)", "string"),
        "c": ("CAST('x' AS char(3))", "char(3)"),
        "d": ("DECIMAL '1.50'", "decimal(3,2)"),
        "f": ("1e0", "double"),
        "o": ("true", "boolean"),
        "t": ("TIMESTAMP '2026-11-02 09:00:00'", "timestamp"),
        "y": ("DATE '2026-11-02'", "date"),
        "b": ("X'00'", "binary"),
        "a": ("ARRAY[1]", "array<int>"),
        "m": ("MAP(ARRAY['k'], ARRAY[1])", "map<varchar(1),int>"),
        "r": ("CAST(ROW(1, 'x') AS ROW(n integer, s varchar))", "struct<n:int,s:string>"),
    }
    selected = ", ".join(f"{value} AS {name}" for name, (value, _) in columns.items())
    athena.run(f"CREATE TABLE made AS SELECT {selected}")
    kept = glue.table(*WHERE, "default", "made")["StorageDescriptor"]["Columns"]
    assert {each["Name"]: each["Type"] for each in kept} == {name: kind for name, (_, kind) in columns.items()}


REFUSED = [
    ("SELECT NULL AS a", "", "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown at position 1"),
    ("SELECT 1 AS a, ARRAY[NULL] AS b", "", "NOT_SUPPORTED: Unsupported Hive type: unknown"),
    ("SELECT TIME '09:00:00' AS a", "", "NOT_SUPPORTED: Unsupported Hive type: time"),
    ("SELECT JSON '1' AS a", "", "NOT_SUPPORTED: Unsupported Hive type: json"),
    ("SELECT INTERVAL '1' DAY AS a", "", "NOT_SUPPORTED: Unsupported Hive type: interval day to second"),
    ("SELECT 1 AS a, 2 AS a", "", "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more than once"),
    ("SELECT 1 AS a, 2", "", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 2"),
    (TWO, "partitioned_by = ARRAY['c']", "INVALID_TABLE_PROPERTY: Partition columns [c] not present in schema"),
    (TWO, "partitioned_by = ARRAY['a', 'b']", "INVALID_TABLE_PROPERTY: Table contains only partition columns"),
    (TWO, "partitioned_by = ARRAY['a']", "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns"),
    (TWO, "format = 'TEXTFILE', field_delimiter = '||'", "INVALID_TABLE_PROPERTY: field_delimiter '||' must be"),
    (TWO, "format = 'CSV'", "NOT_SUPPORTED: format = 'CSV'"),
    (TWO, "colour = 'red'", "NOT_SUPPORTED: the property colour"),
    (TWO, "external_location = 's3://no-such-bucket-here/x/'", "Could not write to s3://no-such-bucket-here/x/"),
    (TWO, "external_location = '/tmp/x'", "FAILED: SemanticException"),
]


@pytest.mark.parametrize(("query", "properties", "reason"), REFUSED, ids=[f"{q} {p}" for q, p, _ in REFUSED])
def test_a_table_that_can_not_be_made_is_not_begun(athena, query, properties, reason):
    with_ = f"WITH ({properties})" if properties else ""
    assert athena.error(f"CREATE TABLE made {with_} AS {query}").startswith(reason)
    assert glue.table(*WHERE, "default", "made") is None
    assert stored("results/tables/") == {}


def test_a_table_or_view_of_a_database_that_is_not_there(athena):
    reason = "SCHEMA_NOT_FOUND: line 1:1: Schema 'nope' does not exist"
    assert athena.error(f"CREATE TABLE nope.made AS {TWO}") == reason
    assert athena.error(f"CREATE VIEW nope.v AS {TWO}") == reason


def test_a_view_needs_types_too(athena):
    assert athena.error("CREATE VIEW v AS SELECT NULL AS a").startswith("COLUMN_TYPE_UNKNOWN: line 1:1: Column type")


def test_a_made_table_has_metadata_and_a_manifest_beside_its_folder(athena):
    """querying-finding-output-files.html: "Files associated with a CTAS query are stored in a tables sub-folder"."""
    done = athena.run(f"CREATE TABLE made AS {TWO}")
    root = f"results/tables/{done.id}"
    keys = sorted(stored("results/"))
    assert keys[:2] == [f"{root}-manifest.csv", f"{root}.metadata"]
    assert keys[2].startswith(f"{root}/")
    assert done.execution["Statistics"]["DataManifestLocation"] == f"s3://{BUCKET}/{root}-manifest.csv"


# --- INSERT INTO


def test_columns_that_an_insert_does_not_name_are_null(athena):
    make_text_table(athena, "id int, city string, state string")
    athena.run("INSERT INTO t (state, id) VALUES ('MI', 1), ('ID', 3)")
    assert athena.rows("SELECT * FROM t ORDER BY id") == [["1", None, "MI"], ["3", None, "ID"]]


def test_each_insert_makes_a_new_object(athena):
    """ "Each INSERT operation creates a new file, rather than appending to an existing file"."""
    make_text_table(athena)
    for _ in range(2):
        athena.run(f"INSERT INTO t {TWO}")
    assert len(stored()) == 2
    assert athena.rows("SELECT count(*) FROM t") == [["2"]]


WRONG = [
    ("t SELECT 1", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer, varchar]"),
    ("t SELECT 'x', 1", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types"),
    (
        "t (a) SELECT 1, 2",
        "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer], Query:",
    ),
    ("t (c) SELECT 1", "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target table: c"),
    ("t (a, a) SELECT 1, 2", "DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: a"),
    ("v SELECT 1", "NOT_SUPPORTED: line 1:1: Inserting into views is not supported"),
    ("bucketed SELECT 1", "NOT_SUPPORTED: Inserting into bucketed tables is not supported"),
    ("nope SELECT 1", "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.default.nope' does not exist"),
    ("csv SELECT 'x'", "NOT_SUPPORTED: INSERT INTO a table with the SerDe org.apache.hadoop.hive.serde2.OpenCSVSerde"),
]


@pytest.mark.parametrize(("rest", "reason"), WRONG, ids=[rest for rest, _ in WRONG])
def test_an_insert_that_can_not_be_writes_nothing(athena, rest, reason):
    make_text_table(athena)
    athena.lines("CREATE VIEW v AS SELECT a FROM t")
    athena.lines(f"CREATE EXTERNAL TABLE bucketed (a int) CLUSTERED BY (a) INTO 4 BUCKETS LOCATION '{OUT}'")
    csv = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    athena.lines(f"CREATE EXTERNAL TABLE csv (a string) {csv} LOCATION '{OUT}'")
    assert athena.error(f"INSERT INTO {rest}").startswith(reason)
    assert stored() == {}


def test_a_text_that_is_too_long_for_its_column_is_refused_when_it_is_written(athena):
    make_text_table(athena, "a varchar(3), b char(2)")
    athena.run("INSERT INTO t VALUES ('abc   ', 'x'), (NULL, 'yz')")
    assert athena.rows("SELECT a FROM t WHERE b = 'x'") == [["abc"]]
    assert athena.error("INSERT INTO t VALUES ('abcd', 'x')") == (
        "INVALID_CAST_ARGUMENT: Cannot truncate non-space characters when casting from varchar(4) to varchar(3)"
        " on INSERT"
    )
    assert len(stored()) == 1


def test_an_insert_from_a_flow_logs_table_into_parquet(athena):
    athena.put("logs/x.gz", REJECTED * 3)
    text = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
    athena.lines(f"CREATE EXTERNAL TABLE logs ({COLUMNS}) {text} LOCATION 's3://{BUCKET}/logs/'")
    athena.lines(f"CREATE EXTERNAL TABLE ports (dstport int, n bigint) STORED AS PARQUET LOCATION '{OUT}'")
    done = athena.run("INSERT INTO ports SELECT dstport, count(*) FROM logs WHERE action = 'REJECT' GROUP BY dstport")
    assert done.reason == ""
    assert athena.rows("SELECT * FROM ports") == [["22", "3"]]


# --- UNLOAD


def test_unload_puts_the_octal_1_between_fields_unless_told_otherwise(athena):
    """ "If you do not specify a field delimiter, the octal character \\001 (^A) is used"."""
    athena.run(f"UNLOAD ({TWO}) TO '{OUT}' WITH (format = 'TEXTFILE')")
    (body,) = stored().values()
    assert gzip.decompress(body) == b"1\x01x\n"


def test_unload_needs_a_format(athena):
    assert "format" in athena.error(f"UNLOAD ({TWO}) TO '{OUT}'")
    assert stored() == {}


def test_unload_into_partitions(athena):
    rows = "SELECT * FROM (VALUES ('n1', 'k1'), ('n2', 'k2'), ('n3', 'k1')) AS t (name1, key1)"
    athena.run(f"UNLOAD ({rows}) TO '{OUT}' WITH (format = 'TEXTFILE', partitioned_by = ARRAY['key1'])")
    folders = {key.rsplit("/", 1)[0]: sorted(gzip.decompress(body).split()) for key, body in stored().items()}
    assert folders == {"out/key1=k1": [b"n1", b"n3"], "out/key1=k2": [b"n2"]}


def test_unload_leaves_no_table_and_a_manifest(athena):
    done = athena.run(f"UNLOAD ({TWO}) TO '{OUT}' WITH (format = 'JSON')")
    assert sorted(stored("results/")) == [f"results/{done.id}-manifest.csv", f"results/{done.id}.metadata"]
    assert athena.lines("SHOW TABLES") == []
    assert athena.get(done.execution["Statistics"]["DataManifestLocation"]).decode().split() == [
        f"s3://{BUCKET}/{key}" for key in stored()
    ]


def test_at_most_100_partitions(athena):
    numbers = "SELECT n AS a, n AS k FROM UNNEST(sequence(1, {})) AS u (n)"
    unload = f"UNLOAD ({numbers}) TO '{OUT}' WITH (format = 'JSON', partitioned_by = ARRAY['k'])"
    assert athena.error(unload.format(101)).startswith("HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open")
    assert stored() == {}
    assert athena.run(unload.format(100)).state == "SUCCEEDED"
    assert len(stored()) == 100


# --- what GetQueryResults says of a query that writes


WRITERS = [
    f"CREATE TABLE made AS {TWO}",
    f"INSERT INTO t {TWO}",
    f"UNLOAD ({TWO}) TO 's3://{BUCKET}/unloaded/' WITH (format = 'JSON')",
]


@pytest.mark.parametrize("sql", WRITERS, ids=[sql.split()[0] for sql in WRITERS])
def test_a_query_that_writes_says_how_many_rows_and_lists_its_objects(athena, sql):
    """GetQueryResults: "If set to DATA_MANIFEST, it returns the manifest file in rows"."""
    make_text_table(athena)
    done = athena.run(sql)
    result = athena.call("GetQueryResults", QueryExecutionId=done.id)
    assert (result["UpdateCount"], result["ResultSet"]["Rows"]) == (1, [])
    (column,) = result["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert (column["Name"], column["Type"]) == ("rows", "bigint")
    listed = athena.call("GetQueryResults", QueryExecutionId=done.id, QueryResultType="DATA_MANIFEST")
    ((written,),) = [[cell["VarCharValue"] for cell in row["Data"]] for row in listed["ResultSet"]["Rows"]]
    assert written.removeprefix(f"s3://{BUCKET}/") in stored("")


def test_a_manifest_comes_in_pages(athena):
    rows = "SELECT n AS a, n AS k FROM UNNEST(sequence(1, 5)) AS u (n)"
    done = athena.run(f"UNLOAD ({rows}) TO '{OUT}' WITH (format = 'JSON', partitioned_by = ARRAY['k'])")
    asked = {"QueryExecutionId": done.id, "QueryResultType": "DATA_MANIFEST", "MaxResults": 3}
    first = athena.call("GetQueryResults", **asked)
    rest = athena.call("GetQueryResults", **asked, NextToken=first["NextToken"])
    assert [len(page["ResultSet"]["Rows"]) for page in (first, rest)] == [3, 2]
    assert "NextToken" not in rest


@pytest.mark.parametrize("sql", ["SELECT 1", "SHOW TABLES", "CREATE DATABASE d"])
def test_other_queries_have_no_manifest(athena, sql):
    done = athena.run(sql)
    refusal = athena.refused("GetQueryResults", QueryExecutionId=done.id, QueryResultType="DATA_MANIFEST")
    assert refusal.startswith("InvalidRequestException: ")
    assert "manifest" in refusal
