"""Thirty days at once: both flow logs, the metric filter and sixty alarms; and how long others wait meanwhile.

The advance is measured in CPU seconds: other work on the machine doesn't count.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from werkzeug.test import Client

from benchmarks.measured import Measured
from labkit.phases import alarm, flow_log_to_cloudwatch, flow_log_to_s3, metric_filter, traffic
from labkit.sandbox.host import Host
from labkit.sandbox.kernel.advances import STEP_SECONDS
from tests.sandbox.in_process import CONTROL_HEADERS, client_maker, open_lab

DAYS, ALARMS = 30, 60
DAY = 86400
SECONDS_ALLOWED = 60.0
BETWEEN_LOOKS = 0.5


def measure() -> Iterator[Measured]:
    """The lab as its first five phases leave it, and sixty alarms more with a period of a minute."""
    with tempfile.TemporaryDirectory() as folder, open_lab(Path(folder)) as lab:
        for phase in (flow_log_to_s3, flow_log_to_cloudwatch, traffic, metric_filter, alarm):
            phase.solve(lab)
        host: Host = lab.cloud.host  # type: ignore[attr-defined]
        _put_alarms(host)
        waits: list[float] = []
        over = threading.Event()
        reader = threading.Thread(target=_look_on, args=(host, waits, over))
        reader.start()
        begin = time.process_time()
        host.advance({"seconds": DAYS * DAY})
        taken = time.process_time() - begin
        over.set()
        reader.join()
    yield Measured(
        f"{DAYS} days, two flow logs, {ALARMS} alarms / {SECONDS_ALLOWED:g} s", taken, SECONDS_ALLOWED, "s", 1
    )
    waits.sort()
    yield Measured("another's wait meanwhile, p95 / a step", waits[len(waits) * 95 // 100], STEP_SECONDS, "s", 2.5)


def _look_on(host: Host, waits: list[float], over: threading.Event) -> None:
    while not over.wait(BETWEEN_LOOKS):
        begin = time.perf_counter()
        Client(host).get("/_sandbox/clock", headers=CONTROL_HEADERS)
        waits.append(time.perf_counter() - begin)


def _put_alarms(host: Host) -> None:
    cloudwatch = client_maker(host)("cloudwatch")
    for number in range(ALARMS):
        cloudwatch.put_metric_alarm(
            AlarmName=f"alarm-{number}",
            Namespace="VPC Flow Logs",
            MetricName="ssh-rejects",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1 + number % 5,
            Threshold=1.0 + number % 4,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData=("notBreaching", "missing", "breaching", "ignore")[number % 4],
        )
