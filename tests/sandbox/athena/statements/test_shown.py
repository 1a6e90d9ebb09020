"""SHOW CREATE TABLE: the statement that makes a table again, as Hive writes it.

https://docs.aws.amazon.com/athena/latest/ug/show-create-table.html
"""

import pytest

from labkit.sandbox.moto_state import glue
from tests.sandbox.athena.conftest import BUCKET, WHERE

LOCATION = f"LOCATION 's3://{BUCKET}/t/'"
FORMATS = [
    (
        "STORED AS PARQUET",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    ),
    (
        "STORED AS TEXTFILE",
        "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ),
    (
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'",
        "org.openx.data.jsonserde.JsonSerDe",
        "org.apache.hadoop.mapred.TextInputFormat",
        "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    ),
]


def shown(athena, definition):
    """How a table that was made so is shown."""
    athena.lines(f"CREATE EXTERNAL TABLE t {definition} {LOCATION}")
    return athena.lines("SHOW CREATE TABLE t")


@pytest.mark.parametrize(("clause", "serde", "reads", "writes"), FORMATS, ids=[clause for clause, *_ in FORMATS])
def test_a_format_is_shown_as_its_classes(athena, clause, serde, reads, writes):
    assert shown(athena, f"(a int) {clause}")[:11] == [
        "CREATE EXTERNAL TABLE `default.t`(",
        "  `a` int)",
        "ROW FORMAT SERDE ",
        f"  '{serde}' ",
        "STORED AS INPUTFORMAT ",
        f"  '{reads}' ",
        "OUTPUTFORMAT ",
        f"  '{writes}'",
        "LOCATION",
        f"  's3://{BUCKET}/t/'",
        "TBLPROPERTIES (",
    ]


def test_properties_of_a_serde_are_shown(athena):
    lines = shown(
        athena,
        "(a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
        " WITH SERDEPROPERTIES ('separatorChar' = ';', 'quoteChar' = '`', 'escapeChar' = '\\\\')",
    )
    assert lines[4:8] == [
        "WITH SERDEPROPERTIES ( ",
        "  'escapeChar'='\\\\', ",
        "  'quoteChar'='`', ",
        "  'separatorChar'=';') ",
    ]


def test_delimiters_are_shown_as_clauses(athena):
    lines = shown(
        athena,
        "(a map<string,int>) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
        " COLLECTION ITEMS TERMINATED BY ',' MAP KEYS TERMINATED BY '\\003' NULL DEFINED AS '-'",
    )
    assert lines[2:7] == [
        "ROW FORMAT DELIMITED ",
        "  FIELDS TERMINATED BY '\\t' ",
        "  COLLECTION ITEMS TERMINATED BY ',' ",
        "  MAP KEYS TERMINATED BY '\\003' ",
        "  NULL DEFINED AS '-' ",
    ]


def test_buckets_and_comments_are_shown(athena):
    lines = shown(
        athena,
        "(a int COMMENT 'it''s a', b string) COMMENT 'about t' PARTITIONED BY (dt string COMMENT 'day')"
        " CLUSTERED BY (a, b) INTO 4 BUCKETS",
    )
    assert "  `a` int COMMENT 'it\\'s a', " in lines
    assert "COMMENT 'about t'" in lines
    assert "  `dt` string COMMENT 'day')" in lines
    assert "CLUSTERED BY ( a, b) INTO 4 BUCKETS" in lines


AGAIN = [
    "(a int, `end` string COMMENT 'say \"x\"; it''s') STORED AS PARQUET",
    "(`a-b` int) PARTITIONED BY (`date` date, `hour` int)",
    "(a array<struct<b:map<string,decimal(10,2)>>>) ROW FORMAT DELIMITED COLLECTION ITEMS TERMINATED BY '\\002'",
    "(a string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\\\' LINES TERMINATED BY '\\n'",
    "(a string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ';' ESCAPED BY '\\''",
    "(a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'"
    " WITH SERDEPROPERTIES ('input.regex' = '^(\\\\S+)\\\\t\"(.*)\"$')",
    "(a string) COMMENT 'a\\tb' CLUSTERED BY (a) INTO 2 BUCKETS STORED AS PARQUET",
]


@pytest.mark.parametrize("definition", AGAIN)
def test_what_is_shown_makes_the_same_table_again(athena, definition):
    athena.lines(f"CREATE EXTERNAL TABLE t {definition} {LOCATION} TBLPROPERTIES ('k' = 'v''s \\\\ \"w\"')")
    before = glue.table(*WHERE, "default", "t")
    statement = "\n".join(athena.lines("SHOW CREATE TABLE t"))
    athena.lines("DROP TABLE t")
    athena.lines(statement)
    after = glue.table(*WHERE, "default", "t")
    for key in ("StorageDescriptor", "PartitionKeys", "Parameters"):
        assert after[key] == before[key]


def test_a_view_is_shown_as_it_was_written(athena):
    athena.lines("CREATE VIEW v AS\nSELECT 1 AS a -- one\n;")
    assert athena.lines("SHOW CREATE VIEW v")[:2] == ["CREATE VIEW default.v AS", "SELECT 1 AS a -- one"]
    assert athena.lines("SHOW CREATE TABLE v") == athena.lines("SHOW CREATE VIEW v")
