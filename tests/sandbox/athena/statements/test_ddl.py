"""How statements of DDL are read, and where Hive says that one can't be."""

import json
from pathlib import Path

import pytest

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements import ddl
from labkit.sandbox.athena.types import hive_name

ERRORS = json.loads(Path(__file__).with_name("parse_errors.json").read_text())
TYPES = json.loads(Path(__file__).with_name("types.json").read_text())
LOCATION = "LOCATION 's3://bucket/t/'"


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["sql"][:60])
def test_a_statement_that_can_not_be_read_says_where(case):
    with pytest.raises(QueryError) as error:
        ddl.parse(case["sql"])
    assert str(error.value).startswith(case["error"])


@pytest.mark.parametrize("case", TYPES, ids=lambda case: case["written"])
def test_types_of_columns(case):
    """https://docs.aws.amazon.com/athena/latest/ug/data-types.html"""
    statement = ddl.parse(f"CREATE EXTERNAL TABLE t (a {case['written']}) {LOCATION}")
    assert hive_name(statement.columns[0].type) == case["kept"]


def test_reserved_words_are_names_in_backticks():
    """https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html, the example with `partition` and `date`."""
    statement = ddl.parse(
        "CREATE EXTERNAL TABLE `partition` (\n`date` INT,\ncol2 STRING\n)\nPARTITIONED BY (year STRING)\n"
        "STORED AS TEXTFILE\nLOCATION 's3://amzn-s3-demo-bucket/test_examples/';"
    )
    assert statement.table == ("partition",)
    assert [column.name for column in statement.columns] == ["date", "col2"]
    added = ddl.parse("ALTER TABLE test_table ADD PARTITION (`date` = '2018-05-14')")
    assert added.partitions == (((("date", "2018-05-14"),), ""),)


def test_names_with_an_underscore_first_are_in_backticks():
    """https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html"""
    statement = ddl.parse(
        "CREATE EXTERNAL TABLE IF NOT EXISTS `_myunderscoretable`(\n  `_id` string, `_index` string)\n" + LOCATION
    )
    assert statement.table == ("_myunderscoretable",)
    assert [column.name for column in statement.columns] == ["_id", "_index"]


NAMES = [
    ("MyTable", ("mytable",)),
    ("Logs.Flow", ("logs", "flow")),
    ("`Logs`.`Flow`", ("logs", "flow")),
    ("`logs.flow`", ("logs", "flow")),
    ("awsdatacatalog.logs.flow", ("logs", "flow")),
    ("`my-db`.t", ("my-db", "t")),
    ("2026_flows", ("2026_flows",)),
    ('"table123"', ("table123",)),
    ("`a``b`", ("a`b",)),
]


@pytest.mark.parametrize(("written", "name"), NAMES, ids=[written for written, _ in NAMES])
def test_names_of_tables_are_in_lower_case_with_their_database(written, name):
    assert ddl.parse(f"DROP TABLE {written}").table == name


STRINGS = [
    (r"'a\tb'", "a\tb"),
    (r"'\\'", "\\"),
    (r"'\001'", "\x01"),
    (r"'\073'", ";"),
    ("'it''s'", "it's"),
    (r"'it\'s'", "it's"),
    ('"say ""x"""', 'say "x"'),
    (r"'\|'", "|"),
    ("''", ""),
]


@pytest.mark.parametrize(("written", "value"), STRINGS, ids=[written for written, _ in STRINGS])
def test_strings_have_hives_escapes(written, value):
    assert ddl.unquoted(written) == value


def test_the_clauses_of_create_table():
    statement = ddl.parse(
        "CREATE EXTERNAL TABLE IF NOT EXISTS logs.flow (a int COMMENT 'first', b string)\n"
        "COMMENT 'flow logs' PARTITIONED BY (dt string COMMENT 'day') CLUSTERED BY (a) INTO 4 BUCKETS\n"
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '\\002'\n"
        "MAP KEYS TERMINATED BY ':' LINES TERMINATED BY '\\n' NULL DEFINED AS '-'\n"
        f"STORED AS TEXTFILE {LOCATION} TBLPROPERTIES ('skip.header.line.count' = '1', \"classification\"=\"csv\")"
    )
    assert (statement.table, statement.external, statement.quiet) == (("logs", "flow"), True, True)
    assert (statement.comment, statement.columns[0].comment, statement.partitions[0].comment) == (
        "flow logs",
        "first",
        "day",
    )
    assert statement.buckets == (("a",), 4)
    assert statement.serde_properties == {
        "field.delim": ",",
        "escape.delim": "\\",
        "collection.delim": "\x02",
        "mapkey.delim": ":",
        "line.delim": "\n",
        "serialization.null.format": "-",
    }
    assert statement.properties == {"skip.header.line.count": "1", "classification": "csv"}


def test_a_serde_with_its_properties():
    statement = ddl.parse(
        "CREATE EXTERNAL TABLE t (a string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n"
        "WITH SERDEPROPERTIES (\"case.insensitive\" = \"FALSE\", 'mapping.userid' = 'userId')\n"
        f"STORED AS INPUTFORMAT 'in' OUTPUTFORMAT 'out' {LOCATION}"
    )
    assert statement.serde == "org.openx.data.jsonserde.JsonSerDe"
    assert statement.serde_properties == {"case.insensitive": "FALSE", "mapping.userid": "userId"}
    assert statement.formats == ("in", "out")


OPTIONS = [
    ("format = 'PARQUET'", {"format": "PARQUET"}),
    ("partitioned_by = ARRAY['a', 'b']", {"partitioned_by": ["a", "b"]}),
    ("partitioned_by = ARRAY[]", {"partitioned_by": []}),
    ("bucket_count = 3, is_external = false", {"bucket_count": 3, "is_external": False}),
    ("FORMAT = 'JSON', field_delimiter = ';'", {"format": "JSON", "field_delimiter": ";"}),
]


@pytest.mark.parametrize(("written", "options"), OPTIONS, ids=[written for written, _ in OPTIONS])
def test_the_properties_of_create_table_as(written, options):
    statement = ddl.parse(f"CREATE TABLE IF NOT EXISTS t WITH ({written}) AS SELECT 1 AS a")
    assert (statement.options, statement.quiet, statement.query) == (options, True, "SELECT 1 AS a")


CONDITIONS = [
    ("dt = '2014-05-14', country = 'IN'", (("dt", "=", "2014-05-14"), ("country", "=", "IN"))),
    ("dt >= DATE '2026-11-02'", (("dt", ">=", "2026-11-02"),)),
    ("year <> 2025, month < 7", (("year", "<>", "2025"), ("month", "<", "7"))),
    ("a!=-1", (("a", "!=", "-1"),)),
]


@pytest.mark.parametrize(("written", "wanted"), CONDITIONS, ids=[written for written, _ in CONDITIONS])
def test_the_conditions_of_drop_partition(written, wanted):
    statement = ddl.parse(f"ALTER TABLE t DROP IF EXISTS PARTITION ({written}), PARTITION ({written})")
    assert statement.conditions == (wanted, wanted)
    assert statement.quiet


def test_partitions_with_and_without_a_location():
    statement = ddl.parse(
        "ALTER TABLE orders ADD IF NOT EXISTS\n PARTITION (dt = '2016-05-31', country = 'IN')\n"
        " PARTITION (dt = '2016-06-01', country = 'IN') LOCATION 's3://amzn-s3-demo-bucket/INDIA_01_June_2016/'"
    )
    first, second = statement.partitions
    assert first == ((("dt", "2016-05-31"), ("country", "IN")), "")
    assert second[1] == "s3://amzn-s3-demo-bucket/INDIA_01_June_2016/"


SHOWN = [
    ("SHOW TABLES IN logs LIKE 'f*'", ("logs", "f*")),
    ("SHOW TABLES FROM logs 'f*'", ("logs", "f*")),
    ("SHOW TABLES 'f*'", ("", "f*")),
    ("SHOW VIEWS IN logs", ("logs", "")),
    ("SHOW DATABASES LIKE 'l*'", ("", "l*")),
    ("SHOW COLUMNS IN flow FROM logs", ("logs", "")),
]


@pytest.mark.parametrize(("sql", "wanted"), SHOWN, ids=[sql for sql, _ in SHOWN])
def test_where_show_looks_and_for_what(sql, wanted):
    statement = ddl.parse(sql)
    assert (statement.database, statement.pattern) == wanted


DESCRIBED = [
    ("DESCRIBE t", "", ()),
    ("DESC EXTENDED t", "extended", ()),
    ("DESCRIBE FORMATTED logs.t", "formatted", ()),
    ("DESCRIBE t timers.times.'$elem$'", "", ("timers", "times", "$elem$")),
    ("DESCRIBE t m.'$value$'.n", "", ("m", "$value$", "n")),
]


@pytest.mark.parametrize(("sql", "detail", "path"), DESCRIBED, ids=[sql for sql, _, _ in DESCRIBED])
def test_what_describe_is_asked_for(sql, detail, path):
    statement = ddl.parse(sql)
    assert (statement.detail, statement.path) == (detail, path)
