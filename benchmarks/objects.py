"""A large object put into the sandbox's S3 and read again, beside copying it as a file; and the memory that takes."""

from __future__ import annotations

import http.client
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import boto3

from benchmarks.measured import Measured, megabytes, seconds_in_turn
from labkit.sandbox import process

SIZE = 1 << 30
CHUNK = 1 << 20
GROWTH = 64
"""Megabytes."""


def measure() -> Iterator[Measured]:
    """Put and get an object of 1 GiB through presigned URLs, so that the client only sends and receives."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        with source.open("wb") as file:
            for _ in range(SIZE // CHUNK):
                file.write(os.urandom(CHUNK))
        server = process.start(Path(folder, "home"), provision=False)
        put, get = _addresses(server)
        _put(put, Path(__file__))  # loads what S3 needs
        with _peak_of(server.pid) as peak:
            copying, putting, getting = seconds_in_turn(
                [lambda: shutil.copy(source, Path(folder, "copy")), lambda: _put(put, source), lambda: _get(get)],
                times=2,
            )
        process.stop(Path(folder, "home"))
    yield Measured("memory that 1 GiB put and read takes / 64 MB", max(peak[-1] - peak[0], 0), GROWTH, "MB", 1)
    yield Measured("1 GiB put into S3 / copied as a file", putting, copying, "s", 40)
    yield Measured("1 GiB read from S3 / copied as a file", getting, copying, "s", 10)


def _addresses(server: process.Server) -> tuple[str, str]:
    s3 = boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="eu-west-1",
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
    )
    where = {"Bucket": "large-objects", "Key": "object"}
    s3.create_bucket(Bucket=where["Bucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return tuple(s3.generate_presigned_url(each, Params=where) for each in ("put_object", "get_object"))


def _put(address: str, path: Path) -> None:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.netloc, timeout=600, blocksize=CHUNK)
    with path.open("rb") as file:
        connection.request("PUT", f"{url.path}?{url.query}", file, {"Content-Length": str(path.stat().st_size)})
        response = connection.getresponse()
    assert response.status == 200, response.read()


def _get(address: str) -> None:
    url = urlsplit(address)
    connection = http.client.HTTPConnection(url.netloc, timeout=600, blocksize=CHUNK)
    connection.request("GET", f"{url.path}?{url.query}")
    response = connection.getresponse()
    size = 0
    while piece := response.read(CHUNK):
        size += len(piece)
    assert size == SIZE, f"{response.status}: {size} bytes"


@contextmanager
def _peak_of(pid: int) -> Iterator[list[float]]:
    """Return the memory of a process before, and its peak meanwhile."""
    seen = [megabytes(pid)]
    ended = threading.Event()

    def watch() -> None:
        most = seen[0]
        while not ended.wait(0.1):
            most = max(most, megabytes(pid))
        seen.append(most)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()
