"""Twenty learners on one sandbox at once, beside one of them alone: the slowest twentieth of their requests."""

from __future__ import annotations

import http.client
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.measured import Measured
from labkit.sandbox import process
from labkit.sandbox.process import Server

FROZEN_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
CLIENTS = 20
REQUESTS = 100
PAUSE = 0.2
"""The pause between a client's requests: twenty clients make a hundred a second, far more than people do."""
JSON = {"Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def measure() -> Iterator[Measured]:
    """The goal: nobody waits noticeably for the others."""
    with tempfile.TemporaryDirectory() as folder:
        server = process.start(Path(folder), frozen_at=FROZEN_AT)
        try:
            alone = _slowest_twentieth(server, 1)
            together = _slowest_twentieth(server, CLIENTS)
        finally:
            process.stop(Path(folder))
    yield Measured("p95 of 20 clients' requests at once / of one client's", together * 1000, alone * 1000, "ms", 10)


def _slowest_twentieth(server: Server, clients: int) -> float:
    """The 95th percentile of the seconds that a request took."""
    taken: list[float] = []
    threads = [threading.Thread(target=_work, args=(server, number, taken)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return float(np.percentile(taken, 95))


def _work(server: Server, number: int, taken: list[float]) -> None:
    """One client's requests: it looks four times as often as it changes something."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    time.sleep(PAUSE * number / CLIENTS)
    for count in range(REQUESTS):
        request = _request(server, number, count)
        begin = time.perf_counter()
        connection.request(
            request.method, request.url.removeprefix(server.endpoint), request.data, dict(request.headers)
        )
        answer = connection.getresponse()
        body = answer.read()
        taken.append(time.perf_counter() - begin)
        if answer.status >= 400:
            raise RuntimeError(f"{request.method} {request.url} was answered with {answer.status}: {body!r:.300}")
        time.sleep(max(0.0, PAUSE - taken[-1]))


def _request(server: Server, number: int, count: int) -> AWSRequest:
    group = f"client-{number}"
    match count % 5:
        case 0:
            return _logs(server, "CreateLogGroup", {"logGroupName": f"{group}-{time.monotonic_ns()}"})
        case 1:
            return _ec2(server, "DescribeInstances")
        case 2:
            return _logs(server, "DescribeLogGroups", {"logGroupNamePrefix": group, "limit": 10})
        case 3:
            return _ec2(server, "DescribeFlowLogs")
        case _:
            return _signed(server, "s3", "GET", "/", b"", {})


def _logs(server: Server, operation: str, members: dict[str, object]) -> AWSRequest:
    headers = JSON | {"X-Amz-Target": f"Logs_20140328.{operation}"}
    return _signed(server, "logs", "POST", "/", json.dumps(members).encode(), headers)


def _ec2(server: Server, action: str) -> AWSRequest:
    return _signed(server, "ec2", "POST", "/", urlencode({"Action": action, "Version": "2016-11-15"}).encode(), FORM)


def _signed(server: Server, service: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> AWSRequest:
    request = AWSRequest(method=method, url=server.endpoint + path, data=body, headers=headers)
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(server.access_key_id, server.secret_access_key), service, "eu-west-1").add_auth(request)
    return request
