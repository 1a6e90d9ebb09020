# ruff: noqa: E501 (SQL and commands as they are written)
"""Clients of Athena, unmodified, with the variables of `labkit sandbox env` and nothing else."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import awswrangler as wr
import boto3
import pandas as pd
import polars as pl
import pyathena
import pytest
import sqlalchemy
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor
from pyathena.polars.cursor import PolarsCursor
from pyathena.s3fs.cursor import S3FSCursor

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
RECORDS = [
    "2 123456789012 eni-0a 198.51.100.7 10.0.0.5 40000 22 6 1 40 1793610000 1793610060 REJECT OK",
    "2 123456789012 eni-0a 203.0.113.9 10.0.0.5 40001 443 6 12 4000 1793610000 1793610060 ACCEPT OK",
    "2 123456789012 eni-0a - - - - - - - 1793610000 1793610060 - NODATA",
]
TABLE = (
    "CREATE EXTERNAL TABLE IF NOT EXISTS flow_logs (version int, account string, interfaceid string, sourceaddress string,"
    " destinationaddress string, sourceport int, destinationport int, protocol int, numpackets int, numbytes bigint,"
    " starttime int, endtime int, action string, logstatus string) PARTITIONED BY (dt string)"
    " ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION 's3://{bucket}/flows/'"
    " TBLPROPERTIES ('skip.header.line.count'='1')"
)


@pytest.fixture
def bucket(server, monkeypatch) -> str:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    boto3.setup_default_session()
    s3 = boto3.session.Session().client("s3")
    s3.create_bucket(Bucket="clients-of-athena", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    body = gzip.compress("\n".join([HEADER, *RECORDS]).encode())
    s3.put_object(Bucket="clients-of-athena", Key="flows/2026/11/02/x.log.gz", Body=body)
    return "clients-of-athena"


REJECTED = "SELECT dt, sourceaddress, destinationport, numbytes FROM flow_logs WHERE action = 'REJECT'"
TALKERS = "SELECT action, numbytes FROM flow_logs ORDER BY numbytes"
EVERY_TYPE = (
    "SELECT DECIMAL '1.50' AS d, TIMESTAMP '2026-11-02 09:00:00' AS t, DATE '2026-11-02' AS day, ARRAY[1, 2] AS a,"
    " true AS b, 1.5e0 AS x, CAST(NULL AS varchar) AS n, '' AS e"
)


def cursor(bucket, kind=None, **more):
    kinds = {"cursor_class": kind} if kind else {}
    return pyathena.connect(s3_staging_dir=f"s3://{bucket}/results/", poll_interval=0.01, **kinds).cursor(**more)


@pytest.fixture
def flow_logs(bucket) -> str:
    """The bucket, with a table over its records."""
    plain = cursor(bucket)
    plain.execute(TABLE.format(bucket=bucket))
    plain.execute(f"ALTER TABLE flow_logs ADD PARTITION (dt='2026-11-02') LOCATION 's3://{bucket}/flows/2026/11/02'")
    return bucket


# --- PyAthena


def test_plain_cursor(flow_logs):
    plain = cursor(flow_logs)
    plain.execute(
        "SELECT dt, sourceaddress, destinationport FROM flow_logs WHERE action = %(action)s", {"action": "REJECT"}
    )
    assert plain.fetchall() == [("2026-11-02", "198.51.100.7", 22)]
    assert [column[:2] for column in plain.description] == [
        ("dt", "varchar"), ("sourceaddress", "varchar"), ("destinationport", "integer"),
    ]  # fmt: skip
    assert plain.data_scanned_in_bytes > 0
    plain.execute("SHOW TABLES")
    assert plain.fetchall() == [("flow_logs",)]
    with pytest.raises(OperationalError, match="COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"):
        plain.execute("SELECT nope FROM flow_logs")


def test_every_type_as_python_has_it(flow_logs):
    plain = cursor(flow_logs)
    plain.execute(EVERY_TYPE)
    assert plain.fetchall() == [
        (Decimal("1.50"), datetime(2026, 11, 2, 9), date(2026, 11, 2), [1, 2], True, 1.5, None, "")
    ]


def test_dict_cursor(flow_logs):
    by_name = cursor(flow_logs, DictCursor)
    by_name.execute("SELECT count(*) AS n FROM flow_logs WHERE destinationport = ?", ["443"], paramstyle="qmark")
    assert by_name.fetchall() == [{"n": 1}]


def test_async_cursor_of_threads(flow_logs):
    _, future = cursor(flow_logs, AsyncCursor).execute(REJECTED)
    assert future.result().fetchall() == [("2026-11-02", "198.51.100.7", 22, 40)]


def test_cursor_of_asyncio(flow_logs):
    async def talkers():
        connection = await pyathena.aio_connect(s3_staging_dir=f"s3://{flow_logs}/results/", poll_interval=0.01)
        async with connection.cursor() as own:
            await own.execute(TALKERS)
            return await own.fetchall()

    assert asyncio.run(talkers()) == [("REJECT", 40), ("ACCEPT", 4000), ("-", None)]


@pytest.mark.parametrize("unload", [False, True])
def test_pandas_cursor(flow_logs, unload):
    frame = cursor(flow_logs, PandasCursor, unload=unload).execute(TALKERS).as_pandas()
    assert frame["action"].tolist() == ["REJECT", "ACCEPT", "-"]
    assert frame["numbytes"].dropna().tolist() == [40, 4000]
    assert frame["numbytes"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("unload", [False, True])
def test_polars_cursor(flow_logs, unload):
    frame = cursor(flow_logs, PolarsCursor, unload=unload).execute(TALKERS).as_polars()
    assert frame.rows() == [("REJECT", 40), ("ACCEPT", 4000), ("-", None)]
    assert frame.schema == {"action": pl.String, "numbytes": pl.Int64}


def test_s3fs_cursor(flow_logs):
    assert cursor(flow_logs, S3FSCursor).execute(TALKERS).fetchall() == [("REJECT", 40), ("ACCEPT", 4000), ("-", None)]


def test_arrow_cursor(flow_logs):
    """pyarrow's own S3 client asks no variable for its endpoint; in a work group with managed results it is not needed."""
    boto3.client("athena").create_work_group(
        Name="managed", Configuration={"ManagedQueryResultsConfiguration": {"Enabled": True}}
    )
    connection = pyathena.connect(work_group="managed", poll_interval=0.01, cursor_class=ArrowCursor)
    table = connection.cursor().execute(TALKERS).as_arrow()
    assert table.to_pydict() == {"action": ["REJECT", "ACCEPT", "-"], "numbytes": [40, 4000, None]}
    assert [str(kind) for kind in table.schema.types] == ["string", "int64"]


def test_sqlalchemy(flow_logs):
    engine = sqlalchemy.create_engine(
        "awsathena+rest://@athena.eu-west-1.amazonaws.com:443/default"
        f"?s3_staging_dir=s3://{flow_logs}/results/&poll_interval=0.01"
    )
    table = sqlalchemy.Table("flow_logs", sqlalchemy.MetaData(), autoload_with=engine)
    assert [column.name for column in table.columns][-3:] == ["action", "logstatus", "dt"]
    wanted = (
        sqlalchemy.select(table.c.action, sqlalchemy.func.count().label("n"))
        .where(table.c.destinationport.is_not(None))
        .group_by(table.c.action)
        .order_by(table.c.action)
    )
    with engine.connect() as connection:
        assert connection.execute(wanted).fetchall() == [("ACCEPT", 1), ("REJECT", 1)]
        frame = pd.read_sql(wanted, connection)
    assert frame.to_dict("list") == {"action": ["ACCEPT", "REJECT"], "n": [1, 1]}
    assert sqlalchemy.inspect(engine).get_table_names() == ["flow_logs"]


# --- awswrangler

MODES = [
    {"ctas_approach": True},
    {"ctas_approach": False, "unload_approach": True},
    {"ctas_approach": False, "unload_approach": False},
]


@pytest.mark.parametrize("mode", MODES, ids=["ctas", "unload", "plain"])
def test_awswrangler_reads_a_query(flow_logs, mode):
    frame = wr.athena.read_sql_query(TALKERS, database="default", s3_output=f"s3://{flow_logs}/wrangler/", **mode)
    assert sorted(frame["action"]) == ["-", "ACCEPT", "REJECT"]
    assert int(frame["numbytes"].sum()) == 4040
    assert wr.catalog.does_table_exist("default", "flow_logs")
    assert len(wr.catalog.tables(database="default")) == 1  # the temporary table of CTAS is gone


def test_awswrangler_reads_in_chunks_and_with_parameters(flow_logs):
    chunks = wr.athena.read_sql_query(
        "SELECT numbytes FROM flow_logs WHERE action = :action",
        database="default",
        s3_output=f"s3://{flow_logs}/wrangler/",
        ctas_approach=False,
        params={"action": "ACCEPT"},
        paramstyle="named",
        chunksize=1,
    )
    assert [frame["numbytes"].tolist() for frame in chunks] == [[4000]]


def test_awswrangler_writes_a_dataset_and_its_catalog(flow_logs):
    frame = pd.DataFrame({"port": [22, 443], "name": ["ssh", "https"], "protocol": ["tcp", "tcp"]})
    wr.s3.to_parquet(
        frame,
        path=f"s3://{flow_logs}/ports/",
        dataset=True,
        database="default",
        table="ports",
        partition_cols=["protocol"],
    )
    assert wr.catalog.get_table_types("default", "ports") == {"port": "bigint", "name": "string", "protocol": "string"}
    assert wr.catalog.get_partitions("default", "ports") == {f"s3://{flow_logs}/ports/protocol=tcp/": ["tcp"]}
    joined = wr.athena.read_sql_query(
        "SELECT p.name, f.numbytes FROM flow_logs AS f JOIN ports AS p ON p.port = f.destinationport ORDER BY 1",
        database="default",
        s3_output=f"s3://{flow_logs}/wrangler/",
        ctas_approach=False,
    )
    assert joined.values.tolist() == [["https", 4000], ["ssh", 40]]
    assert wr.athena.describe_table("flow_logs", database="default")["Column Name"].tolist()[0] == "version"
    assert wr.athena.show_create_table("ports", database="default").startswith("CREATE EXTERNAL TABLE `default.ports`(")
    repaired = wr.athena.repair_table("flow_logs", database="default", s3_output=f"s3://{flow_logs}/wrangler/")
    assert repaired == "SUCCEEDED"


# --- the AWS CLI


def aws(*arguments):
    """The answer to a command of the AWS CLI that is installed beside the tests."""
    command = [str(Path(sys.executable).with_name("aws")), "--output", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "AWS_PAGER": ""})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout or "null")


def test_aws_cli(flow_logs, tmp_path):
    started = aws(
        "athena", "start-query-execution", "--query-string", REJECTED,
        "--result-configuration", f"OutputLocation=s3://{flow_logs}/cli/",
    )  # fmt: skip
    identity = started["QueryExecutionId"]
    execution = aws("athena", "get-query-execution", "--query-execution-id", identity)["QueryExecution"]
    assert execution["Status"]["State"] == "SUCCEEDED"
    results = aws("athena", "get-query-results", "--query-execution-id", identity)["ResultSet"]
    rows = [[cell["VarCharValue"] for cell in row["Data"]] for row in results["Rows"]]
    assert rows == [
        ["dt", "sourceaddress", "destinationport", "numbytes"],
        ["2026-11-02", "198.51.100.7", "22", "40"],
    ]
    copied = tmp_path / "result.csv"
    subprocess.run(
        [Path(sys.executable).with_name("aws"), "s3", "cp", "--quiet", f"s3://{flow_logs}/cli/{identity}.csv", copied],
        check=True,
    )
    assert copied.read_text().splitlines()[1] == '"2026-11-02","198.51.100.7","22","40"'


# --- boto3


def test_glue_and_athena_see_the_same_tables(bucket):
    athena, glue = boto3.client("athena"), boto3.client("glue")
    started = athena.start_query_execution(
        QueryString=TABLE.format(bucket=bucket), ResultConfiguration={"OutputLocation": f"s3://{bucket}/results/"}
    )
    execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
    assert execution["Status"]["State"] == "SUCCEEDED"
    (table,) = glue.get_tables(DatabaseName="default")["TableList"]
    assert table["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    metadata = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="default", TableName="flow_logs")
    assert metadata["TableMetadata"]["Columns"][0] == {"Name": "version", "Type": "int"}
