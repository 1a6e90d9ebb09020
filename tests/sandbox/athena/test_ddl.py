# ruff: noqa: E501 (tables of cases: a case a line)
"""DDL and utility statements: what they do to the Glue Data Catalog, what they answer, and how they fail."""

import pytest

from labkit.sandbox.moto_state import glue
from tests.sandbox.athena.conftest import BUCKET, WHERE

LOCATION = f"LOCATION 's3://{BUCKET}/t/'"
DDL_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


@pytest.fixture
def table(athena):
    athena.lines(
        "CREATE EXTERNAL TABLE t (a int COMMENT 'an a', b array<struct<c:string,d:decimal(10,2)>>) COMMENT 'about t'"
        " PARTITIONED BY (dt string, hour int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'"
        f" {LOCATION} TBLPROPERTIES ('k'='v')"
    )
    return athena


def test_create_table_is_in_glue(table):
    entry = glue.table(*WHERE, "default", "t")
    assert entry["TableType"] == "EXTERNAL_TABLE"
    assert entry["Parameters"] | {"transient_lastDdlTime": "1793610000"} == {
        "EXTERNAL": "TRUE", "k": "v", "comment": "about t", "transient_lastDdlTime": "1793610000",
    }  # fmt: skip
    assert entry["PartitionKeys"] == [{"Name": "dt", "Type": "string"}, {"Name": "hour", "Type": "int"}]
    storage = entry["StorageDescriptor"]
    assert storage["Columns"] == [
        {"Name": "a", "Type": "int", "Comment": "an a"},
        {"Name": "b", "Type": "array<struct<c:string,d:decimal(10,2)>>"},
    ]
    assert storage["Location"] == f"s3://{BUCKET}/t/"
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    assert storage["SerdeInfo"]["Parameters"] == {"field.delim": "\t", "serialization.format": "\t"}


def test_a_table_made_in_glue_can_be_queried(athena):
    athena.put("t/x", "1,a\n")
    athena.lines("SHOW DATABASES")
    glue.create_table(*WHERE, "default", {
        "Name": "g",
        "StorageDescriptor": {
            "Columns": [{"Name": "a", "Type": "int"}, {"Name": "b", "Type": "string"}],
            "Location": f"s3://{BUCKET}/t/",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"field.delim": ","},
            },
        },
    })  # fmt: skip
    assert athena.rows("SELECT * FROM g") == [["1", "a"]]


TEXT_STORAGE = {
    "Columns": [{"Name": "a", "Type": "int"}, {"Name": "b", "Type": "string", "Comment": "a 'b'"}],
    "Location": f"s3://{BUCKET}/t/",
    "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "SerdeInfo": {
        "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
        "Parameters": {"field.delim": ","},
    },
}


def make_in_glue(athena, **more):
    athena.lines("SHOW DATABASES")
    glue.create_table(*WHERE, "default", {"Name": "g", "StorageDescriptor": TEXT_STORAGE, **more})


def test_partitions_made_in_glue_are_read_and_pruned(athena):
    sizes = [athena.put(f"p/{day}/x", f"{day},x\n" * day) for day in (1, 2)]
    make_in_glue(athena, PartitionKeys=[{"Name": "day", "Type": "int"}], TableType="EXTERNAL_TABLE")
    for day in (1, 2):
        storage = {**TEXT_STORAGE, "Location": f"s3://{BUCKET}/p/{day}/"}
        glue.create_partition(*WHERE, "default", "g", {"Values": [str(day)], "StorageDescriptor": storage})
    assert athena.rows("SELECT a, day FROM g ORDER BY day, a") == [["1", "1"], ["2", "2"], ["2", "2"]]
    assert athena.run("SELECT a FROM g WHERE day = 2").scanned == sizes[1]
    assert athena.lines("SHOW PARTITIONS g") == ["day=1", "day=2"]


def test_a_table_made_in_glue_without_properties_can_be_made_again(athena):
    make_in_glue(athena, TableType="EXTERNAL_TABLE")
    lines = athena.lines("SHOW CREATE TABLE g")
    assert "TBLPROPERTIES (" not in lines
    athena.lines("\n".join(lines).replace("default.g", "default.again"))
    assert glue.table(*WHERE, "default", "again")["StorageDescriptor"]["Columns"] == TEXT_STORAGE["Columns"]


@pytest.mark.parametrize("statement", ["SHOW CREATE TABLE g", "MSCK REPAIR TABLE g"])
def test_a_table_made_in_glue_needs_a_table_type_for_some_ddl(athena, statement):
    make_in_glue(athena, PartitionKeys=[{"Name": "day", "Type": "int"}])
    assert athena.error(statement) == "FAILED: NullPointerException Name is null"


@pytest.mark.parametrize(
    ("storage", "reason"),
    [
        ({}, "HIVE_UNSUPPORTED_FORMAT: Table StorageDescriptor is null for table 'default' g"),
        ({"Location": f"s3://{BUCKET}/t/"}, "HIVE_INVALID_METADATA: Table storage descriptor is missing SerDe info"),
    ],
)
def test_a_table_made_in_glue_without_storage_says_what_is_missing(athena, storage, reason):
    make_in_glue(athena, StorageDescriptor=storage)
    assert athena.error("SELECT * FROM g") == reason


def test_names_are_in_lower_case_in_glue(athena):
    athena.put("t/x", "1,a\n")
    glue.create_database(*WHERE, {"Name": "Logs"})
    glue.create_table(*WHERE, "LOGS", {"Name": "Flow", "StorageDescriptor": TEXT_STORAGE})
    assert athena.rows("SELECT A FROM logs.FLOW") == [["1"]]
    assert [each["Name"] for each in glue.tables(*WHERE, "logs")] == ["flow"]
    glue.update_table(*WHERE, "Logs", {"Name": "Flow", "StorageDescriptor": TEXT_STORAGE, "Description": "new"})
    assert glue.table(*WHERE, "logs", "flow")["Description"] == "new"
    glue.delete_table(*WHERE, "Logs", "FLOW")
    assert athena.lines("SHOW TABLES IN logs") == []


def test_show_create_table_can_be_run_again(table):
    statement = "\n".join(table.lines("SHOW CREATE TABLE t"))
    before = glue.table(*WHERE, "default", "t")
    table.lines("DROP TABLE t")
    table.lines(statement, QueryExecutionContext={"Database": "elsewhere"})
    after = glue.table(*WHERE, "default", "t")
    for key in ("StorageDescriptor", "PartitionKeys", "Parameters", "TableType"):
        assert after[key] == before[key]


def test_show_create_table_looks_as_hive_writes_it(table):
    assert table.lines("SHOW CREATE TABLE t")[:12] == [
        "CREATE EXTERNAL TABLE `default.t`(",
        "  `a` int COMMENT 'an a', ",
        "  `b` array<struct<c:string,d:decimal(10,2)>>)",
        "COMMENT 'about t'",
        "PARTITIONED BY ( ",
        "  `dt` string, ",
        "  `hour` int)",
        "ROW FORMAT DELIMITED ",
        "  FIELDS TERMINATED BY '\\t' ",
        "STORED AS INPUTFORMAT ",
        "  'org.apache.hadoop.mapred.TextInputFormat' ",
        "OUTPUTFORMAT ",
    ]


def test_describe(table):
    assert table.lines("DESCRIBE t") == [
        "a                   \tint                 \tan a                ",
        "b                   \tarray<struct<c:string,d:decimal(10,2)>>\t                    ",
        "dt                  \tstring              \t                    ",
        "hour                \tint                 \t                    ",
        "\t \t ",
        "# Partition Information\t \t ",
        "# col_name            \tdata_type           \tcomment             ".replace(
            "col_name            ", "col_name          "
        ),
        "\t \t ",
        "dt                  \tstring              \t                    ",
        "hour                \tint                 \t                    ",
    ]
    assert table.lines("DESCRIBE t a") == ["a                   \tint                 \tfrom deserializer   "]
    assert f"Location:           \ts3://{BUCKET}/t/" in "\n".join(table.lines("DESCRIBE FORMATTED default.t"))


def test_results_of_utilities_are_text(table):
    done = table.run("SHOW TABLES")
    assert done.output.endswith(f"{done.id}.txt")
    assert table.get(done.output) == b"t\n"
    assert (done.columns[0]["Name"], done.columns[0]["Type"]) == ("tab_name", "string")
    assert (done.execution["StatementType"], done.execution["SubstatementType"]) == ("UTILITY", "SHOW_TABLES")
    assert table.run("DROP TABLE t").execution["StatementType"] == "DDL"


# --- databases


def test_databases(athena):
    athena.lines(
        f"CREATE DATABASE IF NOT EXISTS logs COMMENT 'flow logs' LOCATION 's3://{BUCKET}/db/' WITH DBPROPERTIES ('a'='b')"
    )
    entry = glue.database(*WHERE, "logs")
    assert (entry["Description"], entry["LocationUri"], entry["Parameters"]) == (
        "flow logs",
        f"s3://{BUCKET}/db/",
        {"a": "b"},
    )
    athena.lines("CREATE SCHEMA IF NOT EXISTS logs")
    athena.lines("ALTER DATABASE logs SET DBPROPERTIES ('c'='d')")
    assert glue.database(*WHERE, "logs")["Parameters"] == {"a": "b", "c": "d"}
    athena.lines(f"CREATE EXTERNAL TABLE logs.t (a int) {LOCATION}")
    assert athena.error("DROP DATABASE logs") == (
        DDL_TASK + "InvalidOperationException(message:Database logs is not empty. One or more tables exist.)"
    )
    athena.lines("DROP DATABASE logs CASCADE")
    athena.lines("DROP DATABASE IF EXISTS logs")
    assert glue.database(*WHERE, "logs") is None


def test_the_database_of_a_query_is_where_names_are_looked_up(athena):
    athena.lines("CREATE DATABASE logs")
    context = {"QueryExecutionContext": {"Database": "logs", "Catalog": "AwsDataCatalog"}}
    athena.lines(f"CREATE EXTERNAL TABLE t (a int) {LOCATION}", **context)
    assert athena.rows("SELECT * FROM t", **context) == []
    assert athena.rows("SELECT * FROM awsdatacatalog.logs.t") == []
    assert athena.error("SELECT * FROM t").startswith("TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.t'")


# --- partitions


def add(values, more=""):
    return f"ALTER TABLE t ADD {more} PARTITION ({values})"


def test_partitions(table):
    table.lines(
        add("dt='2026-11-01', hour=7") + f" LOCATION 's3://{BUCKET}/elsewhere/' PARTITION (hour='8', dt='2026-11-01')"
    )
    assert [
        (each["Values"], each["StorageDescriptor"]["Location"]) for each in glue.partitions(*WHERE, "default", "t")
    ] == [
        (["2026-11-01", "7"], f"s3://{BUCKET}/elsewhere/"),
        (["2026-11-01", "8"], f"s3://{BUCKET}/t/dt=2026-11-01/hour=8"),
    ]
    table.lines(add("dt='2026-11-01', hour=7", "IF NOT EXISTS"))
    assert table.lines("SHOW PARTITIONS t") == ["dt=2026-11-01/hour=7", "dt=2026-11-01/hour=8"]
    assert table.rows('SELECT * FROM "t$partitions"') == [["2026-11-01", "7"], ["2026-11-01", "8"]]
    table.lines("ALTER TABLE t PARTITION (dt='2026-11-01', hour=7) RENAME TO PARTITION (dt='2026-11-02', hour=7)")
    table.lines(f"ALTER TABLE t PARTITION (dt='2026-11-02', hour=7) SET LOCATION 's3://{BUCKET}/new/'")
    assert glue.partitions(*WHERE, "default", "t")[1]["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/new/"
    table.lines("ALTER TABLE t DROP PARTITION (dt > '2026-11-01'), PARTITION (dt = '2026-11-01', hour >= '8')")
    assert table.lines("SHOW PARTITIONS t") == []


def test_a_failing_add_adds_nothing(table):
    table.lines(add("dt='1', hour=1"))
    both = add("dt='2', hour=1") + " PARTITION (dt='1', hour=1)"
    assert table.error(both) == DDL_TASK + "AlreadyExistsException(message:Partition already exists.)"
    assert table.lines("SHOW PARTITIONS t") == ["dt=1/hour=1"]


def test_alter_table(table):
    table.lines("ALTER TABLE t ADD COLUMNS (c map<string,int>)")
    table.lines(f"ALTER TABLE t SET LOCATION 's3://{BUCKET}/moved/'")
    table.lines("ALTER TABLE t SET TBLPROPERTIES ('k'='w', 'skip.header.line.count'='1')")
    entry = glue.table(*WHERE, "default", "t")
    assert [each["Name"] for each in entry["StorageDescriptor"]["Columns"]] == ["a", "b", "c"]
    assert entry["StorageDescriptor"]["Location"] == f"s3://{BUCKET}/moved/"
    assert entry["Parameters"]["k"] == "w"
    table.lines("ALTER TABLE t REPLACE COLUMNS (z string)")
    assert [each["Name"] for each in glue.table(*WHERE, "default", "t")["StorageDescriptor"]["Columns"]] == ["z"]


def test_change_column(athena):
    """https://docs.aws.amazon.com/athena/latest/ug/alter-table-change-column.html"""
    athena.lines(f"CREATE EXTERNAL TABLE example_table (area string COMMENT 'c', id int, x int) {LOCATION}")
    athena.lines("ALTER TABLE example_table CHANGE COLUMN area zip int AFTER id")
    athena.lines("ALTER TABLE example_table CHANGE x x bigint FIRST")
    athena.lines("ALTER TABLE example_table CHANGE COLUMN id id int COMMENT 'USA zipcode'")
    columns = glue.table(*WHERE, "default", "example_table")["StorageDescriptor"]["Columns"]
    assert columns == [
        {"Name": "x", "Type": "bigint"},
        {"Name": "id", "Type": "int", "Comment": "USA zipcode"},
        {"Name": "zip", "Type": "int", "Comment": "c"},
    ]


def test_columns_of_one_partition(athena):
    """https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-columns.html"""
    athena.lines(f"CREATE EXTERNAL TABLE events (a int) PARTITIONED BY (awsregion string) {LOCATION}")
    athena.lines("ALTER TABLE events ADD PARTITION (awsregion='us-west-2') LOCATION 's3://x/there/'")
    athena.lines("ALTER TABLE events PARTITION (awsregion='us-west-2') ADD COLUMNS (event string)")
    (partition,) = glue.partitions(*WHERE, "default", "events")
    assert [each["Name"] for each in partition["StorageDescriptor"]["Columns"]] == ["a", "event"]
    assert partition["StorageDescriptor"]["Location"] == "s3://x/there/"
    athena.lines("ALTER TABLE events PARTITION (awsregion='us-west-2') REPLACE COLUMNS (b int)")
    (partition,) = glue.partitions(*WHERE, "default", "events")
    assert [each["Name"] for each in partition["StorageDescriptor"]["Columns"]] == ["b"]
    assert athena.lines("SHOW COLUMNS IN events") == ["a                   ", "awsregion           "]


def test_describe_in_its_forms(athena):
    """https://docs.aws.amazon.com/athena/latest/ug/describe-table.html, the table impressions."""
    athena.lines(
        "CREATE EXTERNAL TABLE impressions (ip string COMMENT 'c', timers struct<lookup:string,times:array<int>>)"
        f" PARTITIONED BY (dt string) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' {LOCATION}"
    )
    athena.lines("ALTER TABLE impressions ADD PARTITION (dt='1')")
    plain = athena.lines("DESCRIBE impressions")
    assert plain[0] == "ip                  \tstring              \tfrom deserializer   "
    assert plain[2] == "dt                  \tstring              \t                    "
    formatted = [line.split("\t") for line in athena.lines("DESCRIBE FORMATTED impressions")[len(plain) :]]
    said = {name.strip(): rest[0].strip() for name, *rest in formatted}
    assert said["CreateTime:"] == "Mon Nov 02 09:00:00 UTC 2026"
    assert (said["LastAccessTime:"], said["Protect Mode:"], said["Num Buckets:"]) == ("UNKNOWN", "None", "-1")
    assert "Storage Desc Params:" in said
    extended = athena.lines("DESCRIBE EXTENDED impressions")
    assert extended[: len(plain)] == plain
    assert extended[-1].startswith(
        "Detailed Table Information\tTable(tableName:impressions, dbName:default, owner:hadoop"
    )
    of_partition = athena.lines("DESCRIBE FORMATTED impressions PARTITION (dt='1')")
    assert "Partition Value:    \t[1]                 \t " in of_partition
    assert athena.lines("DESCRIBE impressions timers.times.'$elem$'")[0].split("\t")[1].strip() == "int"


def test_views(athena):
    athena.lines("CREATE VIEW v AS SELECT 1 AS x, 'a' AS y -- with a comment")
    assert athena.rows("SELECT y, x FROM v") == [["a", "1"]]
    athena.lines("CREATE OR REPLACE VIEW v AS SELECT x + 1 AS z FROM (VALUES 1) AS t (x)")
    assert athena.rows("SELECT * FROM v") == [["2"]]
    entry = glue.table(*WHERE, "default", "v")
    assert entry["TableType"] == "VIRTUAL_VIEW"
    assert entry["ViewOriginalText"].startswith("/* Presto View: ")
    assert athena.error("CREATE VIEW v AS SELECT 1 AS a").startswith("TABLE_ALREADY_EXISTS")
    assert athena.error("CREATE VIEW w AS SELECT nope FROM v").startswith("COLUMN_NOT_FOUND: line 1:25")
    assert athena.error("CREATE VIEW w AS SELECT 1").startswith("MISSING_COLUMN_NAME: line 1:1")
    assert athena.error("CREATE VIEW w AS SELECT 1 AS a, 2 AS A").startswith("DUPLICATE_COLUMN_NAME: line 1:1")
    assert athena.error("DROP TABLE v").startswith("FAILED: SemanticException")
    athena.lines("DROP VIEW v")
    assert athena.lines("SHOW VIEWS") == []


ERRORS = [
    (f"CREATE EXTERNAL TABLE t (z int) {LOCATION}", DDL_TASK + "AlreadyExistsException(message:Table t already exists)"),
    (f"CREATE EXTERNAL TABLE nope.x (a int) {LOCATION}", "FAILED: SemanticException [Error 10072]: Database does not exist: nope"),
    (f"CREATE EXTERNAL TABLE x (a int, a int) {LOCATION}", "FAILED: SemanticException [Error 10036]: Duplicate column name: a"),
    (f"CREATE EXTERNAL TABLE x (r int) PARTITIONED BY (r int) {LOCATION}", "FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns"),
    ("CREATE EXTERNAL TABLE x (a int) LOCATION '/tmp/x'", "FAILED: SemanticException Cannot make location absolute: /tmp/x"),
    ("CREATE EXTERNAL TABLE x (a int)", "FAILED: SemanticException External table needs a LOCATION"),
    (f"CREATE TABLE x (a int) {LOCATION}", "FAILED: SemanticException Unsupported table type"),
    (f"CREATE TABLE x (a int) {LOCATION} TBLPROPERTIES ('table_type'='ICEBERG')", "NOT_SUPPORTED: Iceberg tables"),
    (f"CREATE EXTERNAL TABLE x (a int) STORED AS ORC {LOCATION}", "NOT_SUPPORTED: STORED AS ORC"),
    (f"CREATE EXTERNAL TABLE x (end int) {LOCATION}", "FAILED: ParseException line 1:25 cannot recognize input near 'end'"),
    (f"CREATE EXTERNAL TABLE x (a whole) {LOCATION}", "FAILED: ParseException line 1:27 cannot recognize input near 'whole' in column type"),
    ("CREATE EXTERNAL TABLE x\n(a int", "FAILED: ParseException line 2:6 cannot recognize input near '<EOF>'"),
    ("CREATE TABEL x (a int)", "FAILED: ParseException line 1:7 cannot recognize input near 'TABEL'"),
    ("ALTER TABLE nope ADD PARTITION (a='1')", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("ALTER TABLE t ADD PARTITION (dt='1')", "FAILED: SemanticException partition spec {dt=1} doesn't contain all (2) partition columns"),
    ("ALTER TABLE t ADD PARTITION (x='1', hour=2)", "FAILED: SemanticException Partition spec {x=1, hour=2} contains non-partition columns"),
    ("ALTER TABLE flat ADD PARTITION (dt='1')", "FAILED: SemanticException table is not partitioned but partition spec exists: {dt=1}"),
    ("ALTER TABLE t DROP PARTITION (dt='9')", "FAILED: SemanticException [Error 10006]: Partition not found (dt = '9')"),
    ("ALTER TABLE t ADD COLUMNS (a int)", "FAILED: SemanticException [Error 10036]: Duplicate column name: a"),
    ("DROP TABLE nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("DROP DATABASE nope", "FAILED: SemanticException [Error 10072]: Database does not exist: nope"),
    ("CREATE DATABASE default", DDL_TASK + "AlreadyExistsException(message:Database default already exists)"),
    ("SHOW PARTITIONS flat", DDL_TASK + "Table flat is not a partitioned table"),
    ("DESCRIBE nope", "FAILED: SemanticException [Error 10001]: Table not found nope"),
    ("DESCRIBE TABLE t", "FAILED: SemanticException [Error 10001]: Table not found table"),
    ("DESCRIBE t PARTITION (dt='9', hour=9)", "FAILED: SemanticException [Error 10006]: Partition not found {dt=9, hour=9}"),
    ("DESCRIBE t nope", DDL_TASK + "cannot find field nope from"),
    ("SHOW CREATE VIEW t", DDL_TASK + "default.t is not a view"),
    ("DROP DATABASE my-db", "FAILED: ParseException line 1:16 missing EOF at '-' near 'my'"),
    (f"CREATE EXTERNAL TABLE x (a varchar) {LOCATION}", "FAILED: ParseException line 1:34 mismatched input ')' expecting ( near 'varchar' in primitive type specification"),
    (f"CREATE EXTERNAL TABLE x (a varchar(70000)) {LOCATION}", "FAILED: SemanticException Varchar length 70000 out of allowed range [1, 65535]"),
    (f"CREATE EXTERNAL TABLE x (a decimal(40,2)) {LOCATION}", "FAILED: SemanticException Decimal precision out of allowed range [1,38]"),
    (f"CREATE EXTERNAL TABLE x (a struct<b:uuid>) {LOCATION}", "FAILED: ParseException line 1:36 cannot recognize input near 'uuid' in column type"),
    ("ALTER TABLE t CHANGE COLUMN nope x int", "FAILED: SemanticException [Error 10002]: Invalid column reference nope"),
    ("ALTER TABLE t CHANGE COLUMN a a int AFTER nope", "FAILED: SemanticException [Error 10002]: Invalid column reference nope"),
    ("ALTER TABLE t CHANGE COLUMN a dt int", "FAILED: SemanticException [Error 10036]: Duplicate column name: dt"),
    ("ALTER TABLE t PARTITION (dt='9', hour=9) ADD COLUMNS (z int)", "FAILED: SemanticException [Error 10006]: Partition not found {dt=9, hour=9}"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "reason"), ERRORS, ids=[case[0] for case in ERRORS])
def test_error(table, sql, reason):
    table.lines(f"CREATE EXTERNAL TABLE flat (a int) {LOCATION}")
    assert table.error(sql).startswith(reason)


QUIET = [
    f"CREATE EXTERNAL TABLE IF NOT EXISTS t (z int) {LOCATION}",
    "DROP TABLE IF EXISTS nope",
    "CREATE DATABASE IF NOT EXISTS default",
    "ALTER TABLE t DROP IF EXISTS PARTITION (dt='9')",
    "-- a comment\nSHOW /* another */ TABLES;",
    "CREATE EXTERNAL TABLE IF NOT EXISTS `q`.`t` (`date` date, `a``b` int) LOCATION 's3://x/y/'".replace(
        "`q`.", "`default`."
    ),
]


@pytest.mark.parametrize("sql", QUIET)
def test_statements_that_succeed(table, sql):
    before = glue.table(*WHERE, "default", "t")
    assert table.run(sql).reason == ""
    assert glue.table(*WHERE, "default", "t") == before
