# ruff: noqa: E501 (statements as they are written)
"""The statements for flow logs that AWS's guides and samples give, old forms too, as they are written there."""

import json
import re
from pathlib import Path

import pytest

from tests.sandbox.athena.conftest import BUCKET


def read_cases() -> list[dict[str, str]]:
    """The cases of the file, where a statement of several lines is the list of them."""
    cases = json.loads(Path(__file__).with_name("flow_log_statements.json").read_text())
    return [case | {"sql": case["sql"] if isinstance(case["sql"], str) else "\n".join(case["sql"])} for case in cases]


CASES = read_cases()
BY_NAME = {case["name"]: case for case in CASES}
DEFINITIONS = [case for case in CASES if "CREATE EXTERNAL TABLE" in case["sql"]]
PARTITIONS = [case for case in CASES if case["sql"].startswith(("ALTER", "MSCK"))]
QUERIES = [case for case in CASES if case["kind"] == "query"]
TABLES = {"vpc_flow_logs": "ath-text-ddl", "test_table_vpclogs": "ath-2023-proj-ddl", "vpcflow": "boot-ddl",
          "vpc_flow_logs_parquet": "ath-parquet-ddl"}  # fmt: skip


def filled_in(sql: str) -> str:
    """A statement with a bucket, a day and a region for what its reader has to fill in."""
    sql = re.sub(r"s3://[^/']+/", f"s3://{BUCKET}/", sql).replace("$LOCATION_OF_LOGS", f"s3://{BUCKET}/AWSLogs/")
    for placeholder, value in {
        "YYYY-MM-dd": "2020-05-04",
        "YYYY/MM/dd": "2020/05/04",
        "<YYYY>/<MM>/<DD>": "2026/06/01",
        "$START_RANGE": "2021/01/01",
        "<account_num_1>,<account_num_2>,...": "111122223333",
    }.items():
        sql = sql.replace(placeholder, value)
    return sql


@pytest.mark.parametrize("case", DEFINITIONS, ids=lambda case: case["name"])
def test_definition(athena, case):
    done = athena.run(filled_in(case["sql"]))
    assert done.reason == case.get("error", "")
    if "error" not in case:
        name = re.search(r"EXISTS `?(\w+)`?", case["sql"])[1]
        assert athena.lines("SHOW TABLES") == [name]
        again = "\n".join(athena.lines(f"SHOW CREATE TABLE {name}"))
        athena.lines(f"DROP TABLE {name}")
        athena.lines(again)


@pytest.mark.parametrize("case", PARTITIONS, ids=lambda case: case["name"])
def test_partition_statement(athena, case):
    athena.lines(
        "CREATE EXTERNAL TABLE orders (a int) PARTITIONED BY (dt string, country string)"
        f" LOCATION 's3://{BUCKET}/orders/'"
    )
    definition = "ath-2018-08-ddl" if "dt='" in case["sql"] else "ath-text-ddl"
    athena.lines(filled_in(BY_NAME[definition]["sql"]))
    athena.lines(filled_in(BY_NAME["ath-parquet-ddl"]["sql"]))
    athena.lines(filled_in(case["sql"]))


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case["name"])
def test_query(athena, case):
    table = re.search(r"FROM (\w+)", case["sql"], re.IGNORECASE)[1]
    athena.lines(filled_in(BY_NAME[TABLES[table]]["sql"]))
    assert athena.run(case["sql"]).reason.startswith(case.get("error", ""))


def test_private_and_public_addresses(athena):
    lines = [
        "2 111122223333 eni-1 10.0.0.5 198.51.100.7 1 2 6 1 1 1 1 ACCEPT OK",
        "2 111122223333 eni-1 10.0.0.5 10.0.0.6 1 2 6 1 1 1 1 ACCEPT OK",
        "2 111122223333 eni-1 203.0.113.9 172.16.0.5 1 2 6 1 1 1 1 ACCEPT OK",
        "2 111122223333 eni-1 - - - - - - - 1 1 - NODATA",
    ]
    athena.put("optional/AWSLogs/111122223333/vpcflowlogs/us-east-1/2020/07/04/x.log.gz", "header\n" + "\n".join(lines))
    definition = filled_in(BY_NAME["boot-ddl"]["sql"]).replace("<optional_prefix>", "optional")
    athena.lines(definition.replace("2026/06/01,NOW", "2020/07/01,2020/07/31"))
    rows = athena.rows(BY_NAME["boot-private-public"]["sql"])
    assert sorted(row[3] for row in rows) == ["10.0.0.5", "203.0.113.9"]


def test_parquet_in_hives_folders_by_the_hour(athena):
    folders = "AWSLogs/aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=11/day=02/hour=09"
    athena.lines(
        f"UNLOAD (SELECT 2 AS version, '198.51.100.7' AS srcaddr) TO 's3://{BUCKET}/prefix/{folders}/' WITH (format = 'PARQUET')"
    )
    athena.lines(filled_in(BY_NAME["ath-parquet-ddl"]["sql"]))
    athena.lines("MSCK REPAIR TABLE vpc_flow_logs_parquet")
    sql = "SELECT version, srcaddr, dstaddr, \"aws-region\", year, hour FROM vpc_flow_logs_parquet WHERE month = '11'"
    assert athena.rows(sql) == [["2", "198.51.100.7", None, "eu-west-1", "2026", "09"]]
