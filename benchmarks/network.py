"""A busy VPC's flow logs, simulated, aggregated and delivered, beside plain DuckDB that only writes as many lines."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks.measured import Measured, megabytes
from labkit.sandbox.assembly import AssembledSandbox
from tests.sandbox.network.vpc import GROUP, REGION, Vpc

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BUSIEST = 1000
WARM_UP_SECONDS, HOUR = 900, 3600
HALF_A_DAY = 6
MILLION = 1e6
MEGABYTES_ALLOWED = 500

LINES = """
    COPY (
        SELECT 2, '123456789012', 'eni-0123456789abcdef0', '198.51.100.' || n % 254, '10.0.1.10',
            32768 + n * 7919 % 28000, hash(n) % 10000, 6, 1 + n % 9, 40 + n * 31 % 4000,
            1793610000 + n // 250, 1793610000 + n // 250 + n % 8, 'REJECT', 'OK'
        FROM range($count) numbers (n)
    ) TO '$file' (FORMAT csv, DELIMITER ' ', COMPRESSION gzip)
"""


def measure() -> Iterator[Measured]:
    """Time of a million records to both destinations; resident memory as hours of such traffic pass.

    The event store fills its 256 MB in the first hours; from then on memory must not grow.
    """
    sandbox = AssembledSandbox(start=START, frozen=True, seed=1)
    try:
        vpc = Vpc(sandbox)
        sandbox.network.set_background(BUSIEST)
        vpc.log_to_s3()
        vpc.log_to_group()
        sandbox.clock.advance(WARM_UP_SECONDS)
        records = _events(sandbox)
        begin, begin_cpu = time.perf_counter(), time.process_time()
        sandbox.clock.advance(HOUR)
        records = _events(sandbox) - records
        ours = (time.perf_counter() - begin) / records * MILLION
        ours_cpu = (time.process_time() - begin_cpu) / records * MILLION
        sandbox.clock.advance((HALF_A_DAY - 1) * HOUR)
        first = megabytes(os.getpid())
        sandbox.clock.advance(HALF_A_DAY * HOUR)
        last = megabytes(os.getpid())
    finally:
        sandbox.close()
    yield Measured("a million records to S3 and Logs / 2 s of the processor", ours_cpu, 2, "s", 1)
    name = "a million records to S3 and Logs / DuckDB writing them to gzip"
    yield Measured(name, ours, _by_duckdb(records) / records * MILLION, "s", 1)
    yield Measured("memory after twelve busy hours / after six", last, first, "MB", 1.1)
    yield Measured("memory after twelve busy hours / 500 MB", last, MEGABYTES_ALLOWED, "MB", 1)


def _events(sandbox: AssembledSandbox) -> int:
    store = sandbox.logs.store
    counted = store.cursor().execute(f"SELECT count(*) FROM {store.relation(REGION, GROUP)}").fetchone()
    return int(counted[0]) if counted else 0


def _by_duckdb(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.csv.gz"
        begin = time.perf_counter()
        duckdb.connect().execute(LINES.replace("$count", str(count)).replace("$file", str(file)))
        return time.perf_counter() - begin
