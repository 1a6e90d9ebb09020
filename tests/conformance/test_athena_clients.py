# ruff: noqa: E501 (SQL and commands as they are written)
"""PyAthena in its several shapes, unmodified, with the variables of `labkit sandbox env` and nothing else."""

import gzip
from datetime import datetime
from decimal import Decimal

import boto3
import pandas as pd
import pytest
from pyathena import connect
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.error import OperationalError
from pyathena.pandas.cursor import PandasCursor

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


def test_pyathena(bucket):
    def cursor(kind=None, **more):
        kinds = {"cursor_class": kind} if kind else {}
        return connect(s3_staging_dir=f"s3://{bucket}/results/", poll_interval=0.01, **kinds).cursor(**more)

    plain = cursor()
    plain.execute(TABLE.format(bucket=bucket))
    plain.execute(f"ALTER TABLE flow_logs ADD PARTITION (dt='2026-11-02') LOCATION 's3://{bucket}/flows/2026/11/02'")
    plain.execute(
        "SELECT dt, sourceaddress, destinationport FROM flow_logs WHERE action = %(action)s", {"action": "REJECT"}
    )
    assert plain.fetchall() == [("2026-11-02", "198.51.100.7", 22)]
    assert [column[:2] for column in plain.description] == [
        ("dt", "varchar"), ("sourceaddress", "varchar"), ("destinationport", "integer"),
    ]  # fmt: skip
    assert plain.data_scanned_in_bytes > 0

    by_name = cursor(DictCursor)
    by_name.execute("SELECT count(*) AS n FROM flow_logs WHERE destinationport = ?", ["443"], paramstyle="qmark")
    assert by_name.fetchall() == [{"n": 1}]

    frame = cursor(PandasCursor).execute("SELECT action, numbytes FROM flow_logs ORDER BY numbytes").as_pandas()
    assert frame["action"].tolist() == ["REJECT", "ACCEPT", "-"]
    assert frame["numbytes"].tolist() == [40, 4000, pd.NA]

    unloaded = cursor(PandasCursor, unload=True).execute("SELECT action, numbytes FROM flow_logs ORDER BY numbytes")
    assert unloaded.as_pandas()["action"].tolist() == ["REJECT", "ACCEPT", "-"]

    _, future = cursor(AsyncCursor).execute("SELECT DECIMAL '1.50', TIMESTAMP '2026-11-02 09:00:00', ARRAY[1, 2], true")
    assert future.result().fetchall() == [(Decimal("1.50"), datetime(2026, 11, 2, 9), [1, 2], True)]

    plain.execute("SHOW TABLES")
    assert plain.fetchall() == [("flow_logs",)]
    with pytest.raises(OperationalError, match="COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"):
        plain.execute("SELECT nope FROM flow_logs")


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
