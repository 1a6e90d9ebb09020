"""CloudWatch Logs: ingest through HTTP and by delivery, the lab's filter pattern beside a Python loop, and memory."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.measured import Measured, seconds
from labkit.phases.metric_filter import PATTERN
from labkit.sandbox import process
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.logs.filter_patterns import compile_pattern
from labkit.sandbox.process import Server
from labkit.sandbox.service import Call

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
REGION = "eu-west-1"
EVENTS = 1_000_000
BATCH_EVENTS = 7_000
"""Flow log records that fit into the megabyte that a PutLogEvents call may have."""
DELIVERED_EVENTS = 20_000
SSH_REJECT = re.compile(r"^\S+ \S+ \S+ \S+ \S+ \S+ 22 6 \S+ \S+ \S+ \S+ REJECT \S+$")
"""The lab's filter pattern as one would write it by hand."""


def measure() -> Iterator[Measured]:
    """The goals: 100,000 events/s through HTTP, 500,000/s delivered, 2 million/s matched; 300 MB for a million."""
    lines = records(EVENTS)
    taken, megabytes = _put_through_http(lines)
    yield Measured("a million events by PutLogEvents / 10 s", taken, EVENTS / 100_000, "s", 1)
    yield Measured("memory of a million events / 300 MB", megabytes, 300, "MB", 1)
    sandbox = AssembledSandbox(start=NOW, frozen=True, seed=1)
    try:
        yield Measured("a million events delivered / 2 s", _deliver(sandbox, lines), EVENTS / 500_000, "s", 1)
        ours, theirs = _match(sandbox, lines)
        yield Measured("the lab's pattern over a million events / 0.5 s", ours, EVENTS / 2_000_000, "s", 1)
        yield Measured("the lab's pattern / a Python loop over a regex", ours, theirs, "s", 0.25)
    finally:
        sandbox.close()


def records(count: int) -> list[str]:
    """Flow log records in the default format: a third rejected, a fifth to port 22."""
    random = np.random.default_rng(1)
    columns = (
        random.integers(0, 2**16, count),
        random.integers(1024, 65536, count),
        random.choice([22, 23, 80, 443, 3389], count),
        random.integers(1, 100, count),
        random.integers(40, 90_000, count),
        np.arange(count) // 100 + round(NOW.timestamp()) - 3600 * 3,
        random.choice(["ACCEPT", "ACCEPT", "REJECT"], count),
    )
    return [
        f"2 123456789012 eni-0a1b2c3d4e5f67890 198.51.{source >> 8}.{source & 255} 10.0.1.25 {port} {destination} 6"
        f" {packets} {size} {start} {start + 60} {action} OK"
        for source, port, destination, packets, size, start, action in zip(
            *map(np.ndarray.tolist, columns), strict=True
        )
    ]


def _put_through_http(lines: list[str]) -> tuple[float, float]:
    """The server's seconds and megabytes; what a client does for a request is done beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        server = process.start(Path(folder), frozen_at=NOW)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            for operation, name in (("CreateLogGroup", {}), ("CreateLogStream", {"logStreamName": "eni-1"})):
                _send(connection, *_signed(server, operation, {"logGroupName": "g", **name}))
            requests = [_signed(server, "PutLogEvents", batch) for batch in _batches(lines)]
            before = _megabytes(server.pid)
            begin = time.perf_counter()
            for request in requests:
                _send(connection, *request)
            taken = time.perf_counter() - begin
            return taken, _megabytes(server.pid) - before
        finally:
            process.stop(Path(folder))


def _batches(lines: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(lines), BATCH_EVENTS):
        part = lines[start : start + BATCH_EVENTS]
        events = [{"timestamp": int(line.split()[10]) * 1000, "message": line} for line in part]
        yield {"logGroupName": "g", "logStreamName": "eni-1", "logEvents": events}


def _signed(server: Server, operation: str, params: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    body = json.dumps(params).encode()
    headers = {"X-Amz-Target": f"Logs_20140328.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", f"{server.endpoint}/", data=body, headers=headers)
    SigV4Auth(Credentials(server.access_key_id, server.secret_access_key), "logs", REGION).add_auth(request)
    return dict(request.headers.items()), body


def _send(connection: http.client.HTTPConnection, headers: dict[str, str], body: bytes) -> None:
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(answer.decode())


def _megabytes(pid: int) -> float:
    """Resident memory of a process."""
    out = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(out.stdout) / 1000


def _deliver(sandbox: AssembledSandbox, lines: list[str]) -> float:
    """Seconds that flow log delivery takes into a group with the lab's metric filter, until all can be read."""
    transformation = {"metricName": "ssh-rejects", "metricNamespace": "Lab", "metricValue": "1", "defaultValue": 0}
    _call(sandbox, "CreateLogGroup", logGroupName="g")
    _call(
        sandbox,
        "PutMetricFilter",
        logGroupName="g",
        filterName="ssh",
        filterPattern=PATTERN,
        metricTransformations=[transformation],
    )
    messages = pa.array(lines)
    times = pa.array([int(line.split()[10]) * 1000 for line in lines])
    begin = time.perf_counter()
    for start in range(0, len(lines), DELIVERED_EVENTS):
        part = slice(start, start + DELIVERED_EVENTS)
        sandbox.logs.deliver(REGION, "g", "eni-1-all", times[part], messages[part])
    sandbox.logs.store.relation(REGION, "g")
    return time.perf_counter() - begin


def _match(sandbox: AssembledSandbox, lines: list[str]) -> tuple[float, float]:
    """Seconds of the pattern over the store, and of the loop, which have to find the same events."""
    table, condition = sandbox.logs.store.relation(REGION, "g"), compile_pattern(PATTERN).condition
    cursor = sandbox.logs.store.cursor()

    def ours() -> int:
        return int(cursor.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchall()[0][0])

    def theirs() -> int:
        return sum(1 for line in lines if SSH_REJECT.match(line))

    if ours() != theirs():
        raise AssertionError("the pattern and the loop do not find the same events")
    return seconds(ours), seconds(theirs)


def _call(sandbox: AssembledSandbox, operation: str, **params: Any) -> None:
    call = Call("logs", operation, REGION, sandbox.account_id, "", params, _not_forwarded)
    with sandbox.change():
        type(sandbox.logs).handlers[operation](sandbox.logs, call)


def _not_forwarded() -> Any:
    raise AssertionError("CloudWatch Logs is the sandbox's own")
