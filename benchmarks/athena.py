# ruff: noqa: E501 (SQL and commands as they are written)
"""The sandbox's Athena beside plain DuckDB on the same gzip files: first query of a table, later queries, SELECT 1.

    python benchmarks/athena.py [MILLIONS]

Prints ratios of one run; docs/sandbox/athena.md says what they were.
"""

import gzip
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import duckdb

from labkit.sandbox import moto_state
from labkit.sandbox.moto_state import s3
from labkit.sandbox.sandbox import Sandbox
from labkit.sandbox.service import Call

BUCKET = "benchmark-bucket"
RECORDS_A_FILE = 250_000
COLUMNS = (
    "version int, account_id string, interface_id string, srcaddr string, dstaddr string, srcport int, dstport int,"
    " protocol bigint, packets bigint, bytes bigint, start bigint, `end` bigint, action string, log_status string"
)
QUERY = "SELECT srcaddr, count(*) AS flows, sum(bytes) AS total FROM logs WHERE action = 'REJECT' GROUP BY srcaddr ORDER BY 2 DESC, 1 LIMIT 10"


def records(random: Random) -> str:
    """One file's worth of default-format records."""
    lines = [
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    ]
    for number in range(RECORDS_A_FILE):
        source = f"198.51.{random.randrange(100, 104)}.{random.randrange(256)}"
        action = "REJECT" if random.random() < 0.3 else "ACCEPT"
        lines.append(
            f"2 123456789012 eni-0{random.randrange(4)} {source} 10.0.0.{random.randrange(256)} {random.randrange(65536)}"
            f" {random.choice((22, 80, 443))} 6 {random.randrange(1, 100)} {random.randrange(40, 90000)}"
            f" {1793610000 + number} {1793610060 + number} {action} OK"
        )
    return "\n".join(lines) + "\n"


def timed(action: Callable[[], object]) -> float:
    """How many seconds something takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def plain(directory: Path) -> float:
    """DuckDB alone with SQL written by hand."""
    connection = duckdb.connect(config={"threads": 2})
    names = [each.split()[0].strip("`") for each in COLUMNS.split(", ")]
    kinds = {"int": "INTEGER", "string": "VARCHAR", "bigint": "BIGINT"}
    columns = ", ".join(
        f"'{name}': '{kinds[each.split()[1]]}'" for name, each in zip(names, COLUMNS.split(", "), strict=True)
    )
    source = f"read_csv('{directory}/*.gz', delim=' ', header=false, skip=1, auto_detect=false, nullstr='-', columns={{{columns}}})"
    return timed(lambda: connection.execute(QUERY.replace("FROM logs", f"FROM {source}")).fetchall())


class Athena:
    """The sandbox's Athena, called as its server does."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC))
        moto_state.backend("s3", self.sandbox.account_id, "aws").create_bucket(BUCKET, "eu-west-1")

    def call(self, operation: str, **params: object) -> dict:
        """One operation."""
        service = self.sandbox.athena
        call = Call("athena", operation, "eu-west-1", self.sandbox.account_id, "", params, None)
        with self.sandbox.change():
            return type(service).handlers[operation](service, call)

    def run(self, sql: str) -> None:
        """A statement, until it has succeeded."""
        output = {"OutputLocation": f"s3://{BUCKET}/results/"}
        identity = self.call("StartQueryExecution", QueryString=sql, ResultConfiguration=output)["QueryExecutionId"]
        while True:
            status = self.call("GetQueryExecution", QueryExecutionId=identity)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.005)
        assert status["State"] == "SUCCEEDED", status


def main(millions: float) -> None:
    """Measures, and prints the ratios."""
    random = Random(1)
    athena = Athena()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for number in range(max(1, round(millions * 1_000_000 / RECORDS_A_FILE))):
            body = gzip.compress(records(random).encode(), 6)
            (directory / f"{number}.log.gz").write_bytes(body)
            s3.put_object(BUCKET, f"logs/{number}.log.gz", body)
        athena.run("SELECT 1")
        athena.run(
            f"CREATE EXTERNAL TABLE logs ({COLUMNS}) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
            f" LOCATION 's3://{BUCKET}/logs/' TBLPROPERTIES ('skip.header.line.count'='1')"
        )
        baseline = min(plain(directory) for _ in range(2))
        first = timed(lambda: athena.run(QUERY))
        later = min(timed(lambda: athena.run(QUERY)) for _ in range(3))
        one = min(timed(lambda: athena.run("SELECT 1")) for _ in range(5))
    athena.sandbox.close()
    print(f"{millions} million records: plain DuckDB {baseline:.2f} s")
    print(f"first query  {first:.2f} s, {first / baseline:.2f} of plain")
    print(f"later query  {later:.3f} s, {baseline / later:.1f} times as fast as plain")
    print(f"SELECT 1     {one * 1000:.1f} ms")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 4)
