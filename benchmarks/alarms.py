"""Two hundred alarms over a tenth of a year of minutes, beside a tenth of a minute; and the memory that it takes."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.measured import Measured
from labkit.sandbox.sandbox import Sandbox
from labkit.sandbox.service import Call

ALARMS = 200
DAYS = 36.5
SECONDS_ALLOWED = 6.0
REGION = "eu-west-1"


def measure() -> Iterator[Measured]:
    """Alarms with a period of a minute on quiet metrics of a sample an hour; the first day settles the memory."""
    sandbox = Sandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
    try:
        for number in range(ALARMS):
            _put_alarm(sandbox, number)
        _pass(sandbox, hours=24)
        before = _megabytes()
        begin = time.perf_counter()
        _pass(sandbox, hours=round(DAYS * 24))
        taken = time.perf_counter() - begin
        yield Measured(f"{DAYS} days of {ALARMS} alarms / {SECONDS_ALLOWED} s", taken, SECONDS_ALLOWED, "s", 1)
        yield Measured("memory at its highest / memory after the first day", _megabytes(), before, "MB", 1.25)
    finally:
        sandbox.close()


def _pass(sandbox: Sandbox, *, hours: int) -> None:
    for _ in range(hours):
        now = sandbox.clock.timestamp()
        for number in range(ALARMS):
            sandbox.cloudwatch.record(REGION, "Bench", f"metric-{number}", {}, now, 0.0)
        sandbox.clock.advance(3600)


def _put_alarm(sandbox: Sandbox, number: int) -> None:
    params: dict[str, Any] = {
        "AlarmName": f"alarm-{number}",
        "Namespace": "Bench",
        "MetricName": f"metric-{number}",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 3,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }
    call = Call("cloudwatch", "PutMetricAlarm", REGION, sandbox.account_id, "", params, lambda: _not_forwarded())
    with sandbox.change():
        type(sandbox.cloudwatch).handlers["PutMetricAlarm"](sandbox.cloudwatch, call)


def _not_forwarded() -> Any:
    raise AssertionError("metrics and alarms are the sandbox's own")


def _megabytes() -> float:
    """The process's resident memory at its highest so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
