"""SHOW and DESCRIBE, page by page of https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html."""

import pytest

from tests.sandbox.athena.conftest import BUCKET, Athena, make_athena

TABLES = ["alb_logs", "cloudfront_logs", "elb_logs", "flights_2016", "flights_parquet"]
DDL_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


@pytest.fixture(scope="module")
def sampledb():
    """The database that the guide's examples show, and some others."""
    athena = make_athena()
    for name in ("sampledb", "sales_analytics", "web2analytics"):
        athena.lines(f"CREATE DATABASE {name}")
    for name in TABLES:
        athena.lines(f"CREATE EXTERNAL TABLE sampledb.{name} (a int, b string) LOCATION 's3://{BUCKET}/{name}/'")
    athena.lines("CREATE VIEW sampledb.view_2016_flights_dfw AS SELECT a, upper(b) AS big FROM sampledb.flights_2016")
    athena.lines("CREATE VIEW sampledb.view_logs AS SELECT 1 AS one")
    yield athena
    athena.sandbox.close()


def stripped(athena: Athena, sql: str, **params) -> list[str]:
    return [(line or "").strip() for line in athena.lines(sql, **params)]


SHOWN_TABLES = [
    ("SHOW TABLES IN sampledb", [*TABLES, "view_2016_flights_dfw", "view_logs"]),
    ("SHOW TABLES IN sampledb '*flights*'", ["flights_2016", "flights_parquet", "view_2016_flights_dfw"]),
    ("SHOW TABLES IN sampledb '.*flights.*'", ["flights_2016", "flights_parquet", "view_2016_flights_dfw"]),
    ("SHOW TABLES IN sampledb '*logs'", ["alb_logs", "cloudfront_logs", "elb_logs", "view_logs"]),
    ("SHOW TABLES IN sampledb 'alb_logs|elb_logs'", ["alb_logs", "elb_logs"]),
    ("SHOW TABLES FROM SAMPLEDB LIKE 'ALB*'", ["alb_logs"]),
    ("SHOW TABLES IN sampledb 'logs'", []),
    ("SHOW TABLES", []),
    ("SHOW VIEWS IN sampledb", ["view_2016_flights_dfw", "view_logs"]),
    ("SHOW VIEWS FROM sampledb LIKE '*flights*'", ["view_2016_flights_dfw"]),
    ("SHOW VIEWS IN sampledb 'alb*'", []),
    ("SHOW DATABASES", ["default", "sales_analytics", "sampledb", "web2analytics"]),
    ("SHOW SCHEMAS", ["default", "sales_analytics", "sampledb", "web2analytics"]),
    ("SHOW DATABASES LIKE '[a-z0-9]*analytics'", ["sales_analytics", "web2analytics"]),
    ("SHOW DATABASES LIKE 'def*|sampledb'", ["default", "sampledb"]),
]


@pytest.mark.parametrize(("sql", "names"), SHOWN_TABLES, ids=[sql for sql, _ in SHOWN_TABLES])
def test_what_show_lists(sampledb, sql, names):
    """show-tables.html, show-views.html, show-databases.html"""
    assert sampledb.lines(sql) == names


def test_show_looks_in_the_database_of_the_query(sampledb):
    context = {"QueryExecutionContext": {"Database": "sampledb"}}
    assert sampledb.lines("SHOW TABLES '*parquet'", **context) == ["flights_parquet"]
    assert sampledb.lines("SHOW VIEWS '*dfw'", **context) == ["view_2016_flights_dfw"]


COLUMNS = [
    "SHOW COLUMNS FROM sampledb.alb_logs",
    "SHOW COLUMNS IN sampledb.alb_logs",
    "SHOW COLUMNS FROM alb_logs FROM sampledb",
    "SHOW COLUMNS IN alb_logs IN sampledb",
    "SHOW COLUMNS IN `alb_logs` FROM `sampledb`",
]


@pytest.mark.parametrize("sql", COLUMNS)
def test_the_forms_of_show_columns_are_one(sampledb, sql):
    """show-columns.html"""
    assert stripped(sampledb, sql) == ["a", "b"]


def test_columns_of_a_view(sampledb):
    """show-columns.html, describe-view.html"""
    assert stripped(sampledb, "SHOW COLUMNS IN sampledb.view_2016_flights_dfw") == ["a", "big"]
    lines = sampledb.lines("DESCRIBE VIEW sampledb.view_2016_flights_dfw")
    assert [[part.strip() for part in line.split("\t")][:2] for line in lines] == [["a", "int"], ["big", "string"]]


def test_the_statement_of_a_view(sampledb):
    """show-create-view.html"""
    assert sampledb.lines("SHOW CREATE VIEW sampledb.view_2016_flights_dfw") == [
        "CREATE VIEW sampledb.view_2016_flights_dfw AS",
        "SELECT a, upper(b) AS big FROM sampledb.flights_2016",
    ]


NOT_THERE = [
    ("SHOW TABLES IN nope", "FAILED: SemanticException [Error 10072]: Database does not exist: nope"),
    ("SHOW VIEWS IN nope", "FAILED: SemanticException [Error 10072]: Database does not exist: nope"),
    ("SHOW COLUMNS IN nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("SHOW COLUMNS IN alb_logs IN nope", "FAILED: SemanticException [Error 10072]: Database does not exist: nope"),
    ("SHOW PARTITIONS nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("SHOW TBLPROPERTIES nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("SHOW CREATE TABLE nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("SHOW CREATE VIEW nope", "FAILED: SemanticException [Error 10001]: Table not found default.nope"),
    ("SHOW CREATE VIEW sampledb.alb_logs", DDL_TASK + "sampledb.alb_logs is not a view"),
    ("SHOW PARTITIONS sampledb.alb_logs", DDL_TASK + "Table alb_logs is not a partitioned table"),
    ("DESCRIBE sampledb.nope", "FAILED: SemanticException [Error 10001]: Table not found sampledb.nope"),
    ("DESCRIBE sampledb.alb_logs c", DDL_TASK + "cannot find field c from"),
    ("DESCRIBE sampledb.alb_logs a.x", DDL_TASK + "cannot find field x from"),
]


@pytest.mark.parametrize(("sql", "reason"), NOT_THERE, ids=[sql for sql, _ in NOT_THERE])
def test_what_is_not_there_is_named(sampledb, sql, reason):
    assert sampledb.error(sql).startswith(reason)


FUNCTIONS = [("year", {"bigint"}), ("is_nan", {"boolean"}), ("now", {"timestamp(3) with time zone"})]


@pytest.mark.parametrize(("name", "results"), FUNCTIONS, ids=[name for name, _ in FUNCTIONS])
def test_functions_are_shown_with_what_they_return(sampledb, name, results):
    lines = [line.split("\t") for line in sampledb.lines(f"SHOW FUNCTIONS LIKE '{name}'")]
    assert {line[0] for line in lines} == {name}
    assert {line[1] for line in lines} == results
    assert {line[3] for line in lines} == {"scalar"}


RESULT_COLUMNS = [
    ("SHOW TABLES IN sampledb", ["tab_name"]),
    ("SHOW DATABASES", ["database_name"]),
    ("SHOW COLUMNS IN sampledb.alb_logs", ["field"]),
    ("SHOW TBLPROPERTIES sampledb.alb_logs", ["prpt_name", "prpt_value"]),
    ("SHOW CREATE TABLE sampledb.alb_logs", ["createtab_stmt"]),
    ("SHOW CREATE VIEW sampledb.view_logs", ["Create View"]),
    ("DESCRIBE sampledb.alb_logs", ["col_name", "data_type", "comment"]),
]


@pytest.mark.parametrize(("sql", "names"), RESULT_COLUMNS, ids=[sql for sql, _ in RESULT_COLUMNS])
def test_columns_of_what_utilities_answer(sampledb, sql, names):
    """Rows have no header: each is one line of text, whatever columns it is said to have."""
    done = sampledb.run(sql)
    assert [column["Name"] for column in done.columns] == names
    assert {column["Type"] for column in done.columns} == {"string"}
    assert all(len(row) == 1 for row in done.rows)


def test_lines_of_a_utility_come_in_pages(sampledb):
    done = sampledb.run("SHOW TABLES IN sampledb")
    first = sampledb.call("GetQueryResults", QueryExecutionId=done.id, MaxResults=4)
    rest = sampledb.call("GetQueryResults", QueryExecutionId=done.id, MaxResults=4, NextToken=first["NextToken"])
    pages = [[row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]] for page in (first, rest)]
    assert pages == [TABLES[:4], [TABLES[4], "view_2016_flights_dfw", "view_logs"]]
    assert "NextToken" not in rest


# --- tables of a test's own: a sandbox that starts empties the one before it


def test_partitions_are_shown_in_order_of_their_values(orders):
    """show-partitions.html"""
    days = " ".join(f"PARTITION (dt='{day}', country='{country}')" for day in "321" for country in ("US", "IN"))
    orders.lines(f"ALTER TABLE orders ADD {days}")
    wanted = [f"dt={day}/country={country}" for day in "123" for country in ("IN", "US")]
    assert orders.lines("SHOW PARTITIONS orders") == wanted


def test_projected_partitions_are_not_shown(orders):
    """show-partitions.html: "It does not list partitions that are projected by Athena but not registered"."""
    properties = {
        "enabled": "true",
        "dt.type": "enum",
        "dt.values": "1",
        "country.type": "enum",
        "country.values": "IN",
    }
    listed = ", ".join(f"'projection.{key}'='{value}'" for key, value in properties.items())
    orders.put("orders/dt=1/country=IN/x", "7,1\n")
    orders.lines(f"ALTER TABLE orders SET TBLPROPERTIES ({listed})")
    assert orders.rows("SELECT id FROM orders") == [["7"]]
    assert orders.lines("SHOW PARTITIONS orders") == []
    assert orders.rows('SELECT * FROM "orders$partitions"') == []


def test_properties_of_a_table_all_and_one(orders):
    """show-tblproperties.html"""
    orders.lines("ALTER TABLE orders SET TBLPROPERTIES ('notes'='keep', 'classification'='csv')")
    assert orders.lines("SHOW TBLPROPERTIES orders") == [
        "EXTERNAL\tTRUE",
        "classification\tcsv",
        "notes\tkeep",
        "transient_lastDdlTime\t1793610000",
    ]
    assert orders.lines("SHOW TBLPROPERTIES orders('notes')") == ["notes\tkeep"]
    (line,) = orders.lines("SHOW TBLPROPERTIES orders('nope')")
    assert line == "nope\tTable orders does not have property: nope"
