"""What DDL does to the catalog, statement by statement of https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html."""

import pytest

from labkit.sandbox.moto_state import glue, s3
from tests.sandbox.athena.conftest import BUCKET, WHERE

DDL_TASK = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
ROOT = f"s3://{BUCKET}/orders"


def locations(name="orders"):
    found = glue.partitions(*WHERE, "default", name)
    return {"/".join(each["Values"]): each["StorageDescriptor"]["Location"] for each in found}


def add(athena, *partitions):
    athena.lines("ALTER TABLE orders ADD " + " ".join(f"PARTITION ({each})" for each in partitions))


# --- databases


def test_database_and_schema_are_one_word(athena):
    """create-database.html, drop-database.html"""
    athena.lines("CREATE SCHEMA clickstreams")
    assert athena.lines("SHOW DATABASES") == ["clickstreams", "default"]
    athena.lines("DROP SCHEMA clickstreams")
    athena.lines("CREATE DATABASE IF NOT EXISTS clickstreams")
    athena.lines("DROP DATABASE clickstreams RESTRICT")
    assert athena.lines("SHOW DATABASES") == ["default"]


def test_a_database_keeps_all_that_it_was_given(athena):
    """create-database.html, the database `clickstreams`."""
    athena.lines(
        "CREATE DATABASE IF NOT EXISTS clickstreams\n  COMMENT 'Site Foo clickstream data aggregates'\n"
        f"  LOCATION 's3://{BUCKET}/clickstreams/'\n"
        "  WITH DBPROPERTIES ('creator'='Jane D.', 'Dept.'='Marketing analytics')"
    )
    entry = glue.database(*WHERE, "clickstreams")
    assert entry["Description"] == "Site Foo clickstream data aggregates"
    assert entry["Parameters"] == {"creator": "Jane D.", "Dept.": "Marketing analytics"}


def test_an_alter_keeps_a_databases_other_properties(athena):
    """alter-database-set-dbproperties.html"""
    athena.lines(f"CREATE DATABASE d COMMENT 'c' LOCATION 's3://{BUCKET}/d/' WITH DBPROPERTIES ('a'='1', 'b'='2')")
    athena.lines("ALTER DATABASE d SET DBPROPERTIES ('creator'='John Doe', 'b'='3')")
    entry = glue.database(*WHERE, "d")
    assert entry["Parameters"] == {"a": "1", "b": "3", "creator": "John Doe"}
    assert (entry["Description"], entry["LocationUri"]) == ("c", f"s3://{BUCKET}/d/")


@pytest.mark.parametrize("sql", ["ALTER DATABASE nope SET DBPROPERTIES ('a'='b')", "DROP SCHEMA nope"])
def test_a_database_that_is_not_there(athena, sql):
    assert athena.error(sql) == "FAILED: SemanticException [Error 10072]: Database does not exist: nope"


def test_a_database_with_tables_goes_with_them_or_not_at_all(athena):
    athena.lines("CREATE DATABASE logs")
    athena.lines("CREATE VIEW logs.v AS SELECT 1 AS a")
    assert athena.error("DROP DATABASE logs RESTRICT").startswith(DDL_TASK + "InvalidOperationException")
    assert athena.lines("SHOW TABLES IN logs") == ["v"]
    athena.lines("DROP DATABASE IF EXISTS logs CASCADE")
    assert athena.lines("SHOW DATABASES") == ["default"]


# --- tables


def test_a_dropped_table_leaves_its_data(orders):
    """drop-table.html: "removes the metadata table definition"; for an external table the data stays."""
    add(orders, "dt='1', country='IN'")
    orders.put("orders/dt=1/country=IN/x", "1,2.5\n")
    orders.lines("DROP TABLE orders")
    assert orders.lines("SHOW TABLES") == []
    assert [each.key for each in s3.list_objects(BUCKET, "orders/")] == ["orders/dt=1/country=IN/x"]


def test_a_table_made_again_has_no_partitions_of_before(orders):
    add(orders, "dt='1', country='IN'")
    again = "\n".join(orders.lines("SHOW CREATE TABLE orders"))
    orders.lines("DROP TABLE orders")
    orders.lines(again)
    assert orders.lines("SHOW PARTITIONS orders") == []


def test_drop_if_exists_minds_nothing_that_is_not_there(athena):
    athena.lines("DROP TABLE IF EXISTS nope")
    athena.lines("DROP VIEW IF EXISTS nope")
    athena.lines("DROP DATABASE IF EXISTS nope CASCADE")
    assert athena.lines("SHOW DATABASES") == ["default"]


def test_a_view_is_dropped_as_a_view_and_a_table_as_a_table(orders):
    orders.lines("CREATE VIEW v AS SELECT id FROM orders")
    assert orders.error("DROP TABLE v").startswith("FAILED: SemanticException [Error 10217]: Cannot drop a view")
    assert orders.error("DROP VIEW orders").startswith("FAILED: SemanticException [Error 10218]: Cannot drop a base")
    assert orders.lines("SHOW TABLES") == ["orders", "v"]


def test_a_view_shows_what_its_table_holds_when_it_is_asked(orders):
    """create-view.html: "the query specified by the view runs each time you reference the view"."""
    orders.lines("CREATE VIEW busy AS SELECT country, sum(total) AS total FROM orders GROUP BY country")
    assert orders.rows("SELECT * FROM busy") == []
    orders.put("orders/dt=1/country=IN/x", "1,2.5\n2,4\n")
    orders.lines("MSCK REPAIR TABLE orders")
    assert orders.rows("SELECT * FROM busy") == [["IN", "6.5"]]


def test_a_view_of_a_table_that_is_gone_fails_by_name(orders):
    orders.lines("CREATE VIEW v AS SELECT id FROM orders")
    orders.lines("DROP TABLE orders")
    assert "orders" in orders.error("SELECT * FROM v")


# --- ALTER TABLE


def test_properties_given_again_are_replaced_and_others_stay(orders):
    """alter-table-set-tblproperties.html"""
    orders.lines("ALTER TABLE orders SET TBLPROPERTIES ('notes'=\"Please don't drop this table.\", 'a'='1')")
    orders.lines("ALTER TABLE orders SET TBLPROPERTIES ('a'='2')")
    parameters = glue.table(*WHERE, "default", "orders")["Parameters"]
    assert (parameters["notes"], parameters["a"]) == ("Please don't drop this table.", "2")
    assert parameters["EXTERNAL"] == "TRUE"


def test_projection_can_be_turned_on_and_off(orders):
    """partition-projection-setting-up.html: "You can disable partition projection on this table at any time"."""
    orders.put("orders/dt=1/country=IN/x", "7,1\n")
    properties = {"dt.type": "enum", "dt.values": "1,2", "country.type": "enum", "country.values": "IN,US"}
    listed = ", ".join(f"'projection.{key}'='{value}'" for key, value in properties.items())
    orders.lines(f"ALTER TABLE orders SET TBLPROPERTIES ('projection.enabled'='true', {listed})")
    assert orders.rows("SELECT id, dt, country FROM orders") == [["7", "1", "IN"]]
    orders.lines("ALTER TABLE orders SET TBLPROPERTIES ('projection.enabled'='false')")
    assert orders.rows("SELECT * FROM orders") == []


def test_a_location_of_no_bucket_is_refused(orders):
    reason = orders.error("ALTER TABLE orders SET LOCATION '/data/orders'")
    assert reason.startswith("FAILED: SemanticException")
    assert "/data/orders" in reason
    assert glue.table(*WHERE, "default", "orders")["StorageDescriptor"]["Location"] == f"{ROOT}/"


def test_added_columns_are_null_in_older_rows(athena):
    """alter-table-add-columns.html: new columns come after the existing ones, before the partitions'."""
    athena.numbers("t", "1\n")
    athena.lines("ALTER TABLE t ADD COLUMNS (b string, c array<int>)")
    assert athena.run("SELECT * FROM t").rows == [["a", "b", "c"], ["1", None, None]]


def test_replaced_columns_are_the_only_ones(athena):
    """alter-table-replace-columns.html: "removes all existing columns ... and replaces them"."""
    athena.lines(f"CREATE EXTERNAL TABLE names_cities (a int, b int) LOCATION 's3://{BUCKET}/t/'")
    athena.lines("ALTER TABLE names_cities REPLACE COLUMNS (first_name string, last_name string, city string)")
    shown = [line.strip() for line in athena.lines("SHOW COLUMNS IN names_cities")]
    assert shown == ["first_name", "last_name", "city"]


@pytest.mark.parametrize("change", ["ADD COLUMNS (dt int)", "REPLACE COLUMNS (id int, country string)"])
def test_a_column_is_not_named_as_one_of_the_partitions(orders, change):
    assert orders.error(f"ALTER TABLE orders {change}").startswith(
        "FAILED: SemanticException [Error 10036]: Duplicate column name"
    )
    shown = [line.strip() for line in orders.lines("SHOW COLUMNS IN orders")]
    assert shown == ["id", "total", "dt", "country"]


# --- partitions


def test_a_partition_lies_in_hives_folder_unless_told_otherwise(orders):
    """alter-table-add-partition.html"""
    orders.lines(
        "ALTER TABLE orders ADD PARTITION (dt = '2016-05-14', country = 'IN')"
        " PARTITION (dt = '2016-05-15', country = 'IN') LOCATION 's3://elsewhere/INDIA_15_May_2016/'"
    )
    assert locations() == {
        "2016-05-14/IN": f"{ROOT}/dt=2016-05-14/country=IN",
        "2016-05-15/IN": "s3://elsewhere/INDIA_15_May_2016/",
    }


def test_if_not_exists_adds_what_is_missing_and_leaves_the_rest(orders):
    orders.lines("ALTER TABLE orders ADD PARTITION (dt='1', country='IN') LOCATION 's3://first/'")
    orders.lines(
        "ALTER TABLE orders ADD IF NOT EXISTS PARTITION (dt='1', country='IN') LOCATION 's3://second/'"
        " PARTITION (dt='2', country='IN') LOCATION 's3://second/'"
    )
    assert locations() == {"1/IN": "s3://first/", "2/IN": "s3://second/"}


def test_the_same_partition_twice_in_a_statement_is_added_once(orders):
    orders.lines(
        "ALTER TABLE orders ADD IF NOT EXISTS PARTITION (dt='1', country='IN') PARTITION (country='IN', dt='1')"
    )
    assert list(locations()) == ["1/IN"]


WRONG = [
    ("ADD PARTITION (dt='1')", "partition spec {dt=1} doesn't contain all (2) partition columns"),
    ("ADD PARTITION (dt='1', region='x')", "Partition spec {dt=1, region=x} contains non-partition columns"),
    ("ADD PARTITION (dt='1', id='2')", "Partition spec {dt=1, id=2} contains non-partition columns"),
    ("PARTITION (dt='1') RENAME TO PARTITION (dt='2')", "partition spec {dt=1} doesn't contain all (2)"),
    ("PARTITION (dt='9', country='IN') SET LOCATION 's3://x/'", "[Error 10006]: Partition not found"),
    ("PARTITION (dt='9', country='IN') RENAME TO PARTITION (dt='8', country='IN')", "[Error 10006]: Partition not"),
    ("ADD PARTITION (dt='1', country='IN') LOCATION 'x'", "The location is invalid: x"),
]


@pytest.mark.parametrize(("change", "why"), WRONG, ids=[change for change, _ in WRONG])
def test_what_is_wrong_with_a_partition_is_said(orders, change, why):
    reason = orders.error(f"ALTER TABLE orders {change}")
    assert reason.startswith("FAILED: SemanticException")
    assert why in reason
    assert locations() == {}


def test_a_renamed_partition_keeps_its_data_where_it_was(orders):
    """alter-table-rename-partition.html"""
    orders.put("orders/dt=2014-05-14/country=IN/x", "7,1\n")
    add(orders, "dt='2014-05-14', country='IN'")
    orders.lines(
        "ALTER TABLE orders PARTITION (dt = '2014-05-14', country = 'IN') RENAME TO"
        " PARTITION (dt = '2014-05-15', country = 'IN')"
    )
    assert locations() == {"2014-05-15/IN": f"{ROOT}/dt=2014-05-14/country=IN"}
    assert orders.rows("SELECT id, dt FROM orders") == [["7", "2014-05-15"]]


def test_a_partition_is_not_renamed_to_one_that_is_there(orders):
    add(orders, "dt='1', country='IN'", "dt='2', country='IN'")
    change = "PARTITION (dt='1', country='IN') RENAME TO PARTITION (dt='2', country='IN')"
    assert orders.error(f"ALTER TABLE orders {change}").startswith(DDL_TASK + "InvalidOperationException")
    assert list(locations()) == ["1/IN", "2/IN"]


DROPS = [
    ("(dt='1', country='IN')", ["1/US", "2/IN", "10/IN"]),
    ("(country='IN')", ["1/US"]),
    ("(dt='1', country='IN'), PARTITION (dt='2', country='IN')", ["1/US", "10/IN"]),
    ("(dt > '1')", ["1/IN", "1/US"]),
    ("(dt <= 2, country <> 'US')", ["1/US", "10/IN"]),
    ("(country != 'IN')", ["1/IN", "2/IN", "10/IN"]),
]


@pytest.mark.parametrize(("spec", "left"), DROPS, ids=[spec for spec, _ in DROPS])
def test_which_partitions_a_drop_takes_away(orders, spec, left):
    """alter-table-drop-partition.html"""
    add(orders, "dt='1', country='IN'", "dt='1', country='US'", "dt='2', country='IN'", "dt='10', country='IN'")
    orders.lines(f"ALTER TABLE orders DROP PARTITION {spec}")
    assert sorted(locations()) == sorted(left)


def test_a_drop_of_a_partition_that_is_not_there(orders):
    add(orders, "dt='1', country='IN'")
    assert "Partition not found" in orders.error("ALTER TABLE orders DROP PARTITION (dt='2')")
    assert "is not a partition column" in orders.error("ALTER TABLE orders DROP PARTITION (id='1')")
    orders.lines("ALTER TABLE orders DROP IF EXISTS PARTITION (dt='2')")
    assert list(locations()) == ["1/IN"]


# --- MSCK REPAIR TABLE: https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html


def test_repair_adds_what_lies_in_hives_folders_and_says_so(orders):
    orders.put("orders/dt=1/country=IN/x", "1,1\n")
    orders.put("orders/dt=1/country=US/deeper/x", "2,2\n")
    assert orders.lines("MSCK REPAIR TABLE orders") == [
        "Partitions not in metastore:\torders:dt=1/country=IN\torders:dt=1/country=US",
        "Repair: Added partition to metastore orders:dt=1/country=IN",
        "Repair: Added partition to metastore orders:dt=1/country=US",
    ]
    assert orders.rows("SELECT id, country FROM orders ORDER BY id") == [["1", "IN"], ["2", "US"]]


PASSED_OVER = [
    "orders/Dt=1/country=IN/x",  # "if your S3 path is in camel case, MSCK REPAIR TABLE doesn't add the partitions"
    "orders/dt=1/Country=IN/x",
    "orders/country=IN/dt=1/x",
    "orders/dt=1/x",
    "orders/2026/11/02/x",
    "orders/dt=/country=IN/x",
    "orders/dt=1/country=IN",
    "orders/dt=1/country=IN/_SUCCESS",
    "orders-of-others/dt=1/country=IN/x",
]


@pytest.mark.parametrize("key", PASSED_OVER)
def test_repair_passes_over_folders_that_are_not_hives(orders, key):
    orders.put(key, "1,1\n")
    assert orders.lines("MSCK REPAIR TABLE orders") == []
    assert locations() == {}


def test_repair_removes_no_partition_but_says_that_its_folder_is_gone(orders):
    """ "You may receive the error message Partitions missing from filesystem"."""
    add(orders, "dt='1', country='IN'")
    orders.put("orders/dt=2/country=IN/x", "1,1\n")
    assert orders.lines("MSCK REPAIR TABLE orders") == [
        "Partitions not in metastore:\torders:dt=2/country=IN",
        "Partitions missing from filesystem:\torders:dt=1/country=IN",
        "Repair: Added partition to metastore orders:dt=2/country=IN",
    ]
    assert list(locations()) == ["1/IN", "2/IN"]


def test_repair_leaves_partitions_that_lie_elsewhere(orders):
    orders.put("elsewhere/x", "1,1\n")
    orders.lines(f"ALTER TABLE orders ADD PARTITION (dt='1', country='IN') LOCATION 's3://{BUCKET}/elsewhere/'")
    orders.put("orders/dt=1/country=IN/x", "1,1\n")
    assert orders.lines("MSCK REPAIR TABLE orders") == []
    assert locations() == {"1/IN": f"s3://{BUCKET}/elsewhere/"}


def test_a_partition_in_a_bucket_that_is_gone_is_missing_too(orders):
    orders.lines("ALTER TABLE orders ADD PARTITION (dt='1', country='IN') LOCATION 's3://no-such-bucket-here/x/'")
    assert orders.lines("MSCK REPAIR TABLE orders") == ["Partitions missing from filesystem:\torders:dt=1/country=IN"]


def test_repair_of_a_table_without_partitions_does_nothing(athena):
    athena.lines(f"CREATE EXTERNAL TABLE t (a int) LOCATION 's3://{BUCKET}/t/'")
    assert athena.lines("MSCK REPAIR TABLE t") == []


def test_repair_of_a_table_in_a_bucket_that_is_not_there(athena):
    athena.lines("CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (d int) LOCATION 's3://no-such-bucket-here/t/'")
    assert "no-such-bucket-here" in athena.error("MSCK REPAIR TABLE t")
