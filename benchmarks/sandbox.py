"""The sandbox's start, memory and restart, beside plain moto's server and beside its own first start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil

from benchmarks.measured import Measured, megabytes
from labkit.lab.cloud import SandboxCloud
from labkit.lab.settings import Settings
from labkit.lab.syllabus import PHASES
from labkit.notebook import Lab
from labkit.sandbox import process

FROZEN_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
MOTO_PORT = 45871
SECONDS_ALLOWED, MEGABYTES_ALLOWED = 2, 275
EC2_CALL = b"Action=DescribeInstances&Version=2016-11-15"


def measure() -> Iterator[Measured]:
    """Ready with the environment provided; its memory then; and a restart that replays the whole lab's journal."""
    moto_seconds, moto_megabytes = _moto()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        begin = time.perf_counter()
        server = process.start(home, frozen_at=FROZEN_AT)
        ready = time.perf_counter() - begin
        memory = megabytes(server.pid)
        cpu = psutil.Process(server.pid).cpu_times()
        _do_the_lab(server, home)
        process.stop(home)
        begin = time.perf_counter()
        process.start(home)
        again = time.perf_counter() - begin
        process.stop(home)
    yield Measured("ready, environment provided / moto ready for a first EC2 call", ready, moto_seconds, "s", 1.5)
    yield Measured("memory once ready / moto's after a first EC2 call", memory, moto_megabytes, "MB", 2)
    yield Measured("ready, seconds of the processor / 2 s", cpu.user + cpu.system, SECONDS_ALLOWED, "s", 1)
    yield Measured("memory once ready / 275 MB", memory, MEGABYTES_ALLOWED, "MB", 1)
    yield Measured("restart with the whole lab's journal / first start", again, ready, "s", 3)


def _do_the_lab(server: process.Server, home: Path) -> None:
    """All phases but the clean-up."""
    os.environ["LABKIT_HOME"] = str(home)
    lab = Lab(Settings(), SandboxCloud(server))
    for phase in PHASES[:-1]:
        phase.module.solve(lab)


def _moto() -> tuple[float, float]:
    """Seconds until plain moto's server has answered a first EC2 call, and its memory then."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "moto.server", "-p", str(MOTO_PORT)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers():
            time.sleep(0.02)
        return time.perf_counter() - begin, megabytes(server.pid)
    finally:
        server.terminate()
        server.wait()


def _answers() -> bool:
    authorization = "AWS4-HMAC-SHA256 Credential=x/20261102/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(f"http://127.0.0.1:{MOTO_PORT}/", EC2_CALL, {"Authorization": authorization})
    try:
        urllib.request.urlopen(request, timeout=30).close()
    except OSError:
        return False
    return True
