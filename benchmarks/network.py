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
from labkit.sandbox.sandbox import Sandbox
from tests.sandbox.network.vpc import GROUP, REGION, Vpc

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
BUSIEST = 1000
WARM_UP_SECONDS, SECONDS = 900, 3600
MILLION = 1e6

LINES = """
    COPY (
        SELECT 2, '123456789012', 'eni-0123456789abcdef0', '198.51.100.' || n % 254, '10.0.1.10',
            32768 + n * 7919 % 28000, hash(n) % 10000, 6, 1 + n % 9, 40 + n * 31 % 4000,
            1793610000 + n // 250, 1793610000 + n // 250 + n % 8, 'REJECT', 'OK'
        FROM range($count) numbers (n)
    ) TO '$file' (FORMAT csv, DELIMITER ' ', COMPRESSION gzip)
"""


def measure() -> Iterator[Measured]:
    """Time of a million records to both destinations; memory that an hour's records take beside what they are."""
    sandbox = Sandbox(start=START, frozen=True, seed=1)
    try:
        vpc = Vpc(sandbox)
        sandbox.network.set_background(BUSIEST)
        vpc.log_to_s3()
        vpc.log_to_group()
        sandbox.clock.advance(WARM_UP_SECONDS)
        records, memory, stored = _events(sandbox), megabytes(os.getpid()), _stored_megabytes(sandbox)
        begin = time.perf_counter()
        sandbox.clock.advance(SECONDS)
        records = _events(sandbox) - records
        ours = (time.perf_counter() - begin) / records * MILLION
        memory, stored = megabytes(os.getpid()) - memory, _stored_megabytes(sandbox) - stored
    finally:
        sandbox.close()
    name = "a million records to S3 and Logs / DuckDB writing them to gzip"
    yield Measured(name, ours, _by_duckdb(records) / records * MILLION, "s", 1.5)
    yield Measured("memory of an hour's records / their text", memory, stored, "MB", 1)


def _events(sandbox: Sandbox) -> int:
    store = sandbox.logs.store
    counted = store.cursor().execute(f"SELECT count(*) FROM {store.relation(REGION, GROUP)}").fetchone()
    return int(counted[0]) if counted else 0


def _stored_megabytes(sandbox: Sandbox) -> float:
    """The log group's size, as AWS counts it."""
    return sandbox.logs.group(REGION, GROUP).stored_bytes / MILLION


def _by_duckdb(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.csv.gz"
        begin = time.perf_counter()
        duckdb.connect().execute(LINES.replace("$count", str(count)).replace("$file", str(file)))
        return time.perf_counter() - begin
