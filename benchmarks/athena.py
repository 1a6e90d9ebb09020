"""The sandbox's Athena beside plain DuckDB on the same gzip files: first query of a table, later ones, `SELECT 1`.

Plain DuckDB reads the files from disk with SQL written by hand, two threads. LABKIT_BENCHMARK_RECORDS has the sizes in
millions of records; "4,40" if it is not set.
"""

from __future__ import annotations

import gzip
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from benchmarks.measured import Measured, seconds
from labkit.sandbox import moto_state
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.moto_state import s3
from labkit.sandbox.service import Call

BUCKET = "benchmark-bucket"
RECORDS_A_FILE = 250_000
DIFFERENT_FILES = 16
CLIENTS = 16
MOST_MEGABYTES = 1536
NULLS = (r"\N", "none", "nil", "null")
COLUMNS = {
    "version": "int", "account_id": "string", "interface_id": "string", "srcaddr": "string", "dstaddr": "string",
    "srcport": "int", "dstport": "int", "protocol": "bigint", "packets": "bigint", "bytes": "bigint", "start": "bigint",
    "end": "bigint", "action": "string", "log_status": "string",
}  # fmt: skip
DUCKDB_TYPES = {"int": "INTEGER", "bigint": "BIGINT", "string": "VARCHAR"}
QUERY = (
    "SELECT srcaddr, count(*) AS flows, sum(bytes) AS total FROM {} WHERE action = 'REJECT'"
    " GROUP BY srcaddr ORDER BY 2 DESC, 1 LIMIT 10"
)


def measure() -> Iterator[Measured]:
    """Each size's ratios, and what ten times the records cost; then statements that read nothing."""
    sizes = [float(each) for each in os.environ.get("LABKIT_BENCHMARK_RECORDS", "4,40").split(",")]
    with tempfile.TemporaryDirectory() as folder:
        firsts: dict[float, float] = {}
        written = 0
        for millions in sorted(sizes):
            wanted = round(millions * 1_000_000 / RECORDS_A_FILE)
            _write_files(Path(folder), written, wanted)
            written = wanted
            yield from _size(Path(folder), millions, firsts)
    small, large = min(firsts), max(firsts)
    if large > small:
        yield Measured(
            f"first query: {large:g} M records / {small:g} M", firsts[large], firsts[small], "s", 1.1 * large / small
        )
    yield from _statements()


def _size(folder: Path, millions: float, firsts: dict[float, float]) -> Iterator[Measured]:
    athena = Athena()
    try:
        for file in sorted(folder.iterdir()):
            s3.put_object(BUCKET, f"logs/{file.name}", file.read_bytes())
        plains, firsts_here = [], []
        for number, null in enumerate(NULLS):  # each table is read in its own way: another's copy does not help
            athena.create_table(f"logs_{number}", null)
            sql = QUERY.format(f"logs_{number}")
            firsts_here.append(seconds(lambda sql=sql: athena.run(sql), times=1))
            plains.append(_plain(folder))
        first, plain = min(firsts_here), min(plains)
        firsts[millions] = first
        later = seconds(lambda: athena.run(QUERY.format("logs_0")))
    finally:
        athena.sandbox.close()
    label = f"{millions:g} M records"
    yield Measured(f"{label}: first query / plain DuckDB", first, plain, "s", 1.1)
    yield Measured(f"{label}: later query / plain DuckDB", later, plain, "s", 0.1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Measured(f"{label}: memory at its highest / {MOST_MEGABYTES} MiB", peak, MOST_MEGABYTES, "MiB", 1)


def _statements() -> Iterator[Measured]:
    athena = Athena()
    try:
        athena.run("SELECT 1")
        own = seconds(lambda: duckdb.connect().execute("SELECT 1").fetchall(), times=9)
        ours = seconds(lambda: athena.run("SELECT 1"), times=9)
        yield Measured("SELECT 1 beyond DuckDB's own time / 30 ms", 1000 * (ours - own), 30, "ms", 1)
        lost = CLIENTS - _at_once(athena)
        yield Measured(f"queries lost of {CLIENTS} clients at once, and one / one", lost + 1, 1, "", 1)
    finally:
        athena.sandbox.close()


def _at_once(athena: Athena) -> int:
    """Return how many clients get the answer to their query when all ask at once."""
    answered: list[int] = []

    def one(number: int) -> None:
        athena.run(f"SELECT count(*) + {number} FROM UNNEST(sequence(1, 10000)) AS t (n)")
        answered.append(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(answered)


def _plain(folder: Path) -> float:
    """Seconds that DuckDB alone takes."""
    columns = ", ".join(f"'{name}': '{DUCKDB_TYPES[kind]}'" for name, kind in COLUMNS.items())
    source = (
        f"read_csv('{folder}/*.gz', delim=' ', header=false, skip=1, auto_detect=false, nullstr='-',"
        f" columns={{{columns}}})"
    )
    with duckdb.connect(config={"threads": 2}) as connection:
        return seconds(lambda: connection.execute(QUERY.format(source)).fetchall(), times=1)


def _write_files(folder: Path, first: int, end: int) -> None:
    """Files of a quarter of a million records; each differs from the others, as flow log files do."""
    random = Random(1)
    texts = [gzip.compress(_records(random).encode(), 6) for _ in range(min(DIFFERENT_FILES, end))]
    for number in range(first, end):
        last = f"2 123456789012 eni-0a 192.0.2.1 10.0.0.1 {number} 22 6 1 40 1793610000 1793610060 ACCEPT OK\n"
        (folder / f"{number:04}.log.gz").write_bytes(texts[number % len(texts)] + gzip.compress(last.encode()))


def _records(random: Random) -> str:
    lines = [" ".join(COLUMNS)]
    for number in range(RECORDS_A_FILE - 1):
        source = f"198.51.{random.randrange(100, 104)}.{random.randrange(256)}"
        action = "REJECT" if random.random() < 0.3 else "ACCEPT"
        lines.append(
            f"2 123456789012 eni-0{random.randrange(4)} {source} 10.0.0.{random.randrange(256)}"
            f" {random.randrange(65536)} {random.choice((22, 80, 443))} 6 {random.randrange(1, 100)}"
            f" {random.randrange(40, 90000)} {1793610000 + number} {1793610060 + number} {action} OK"
        )
    return "\n".join(lines) + "\n"


class Athena:
    """The sandbox's Athena, called as its server does."""

    def __init__(self) -> None:
        self.sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
        moto_state.backend("s3", self.sandbox.account_id, "aws").create_bucket(BUCKET, "eu-west-1")

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """One operation."""
        service = self.sandbox.athena
        call = Call("athena", operation, "eu-west-1", self.sandbox.account_id, "", params, lambda: (200, {}, b""))
        with self.sandbox.change():
            return dict(type(service).handlers[operation](service, call) or {})

    def create_table(self, name: str, null: str) -> None:
        """A table over the files."""
        columns = ", ".join(f"`{column}` {kind}" for column, kind in COLUMNS.items())
        self.run(
            f"CREATE EXTERNAL TABLE {name} ({columns}) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
            f" NULL DEFINED AS '{null}' LOCATION 's3://{BUCKET}/logs/' TBLPROPERTIES ('skip.header.line.count'='1')"
        )

    def run(self, sql: str) -> None:
        """A statement, until it has succeeded."""
        output = {"OutputLocation": f"s3://{BUCKET}/results/"}
        identity = self.call("StartQueryExecution", QueryString=sql, ResultConfiguration=output)["QueryExecutionId"]
        begin = time.perf_counter()
        while True:
            status = self.call("GetQueryExecution", QueryExecutionId=identity)["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
            time.sleep(0.005 + (time.perf_counter() - begin) / 50)  # asking takes time from the query
        if status["State"] != "SUCCEEDED":
            raise AssertionError(status)
