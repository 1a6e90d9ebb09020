"""A year of minutes of two hundred alarms beside a minute; the memory that it takes; samples with and without alarms.

All in CPU seconds: other work on the machine doesn't count.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks.measured import Measured
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.service import Call

ALARMS = 200
SETTLING_DAYS, DAYS = 31, 365
"""The history of alarms reaches 30 days back: after that, memory must not grow."""
SECONDS_ALLOWED = 60.0
BUSY_MINUTES = 60
DAY, MINUTE = 86400, 60
REGION = "eu-west-1"


def measure() -> Iterator[Measured]:
    """Alarms with a period of a minute: each has a sample a day, and fires once a week; then they have one a minute."""
    sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
    try:
        for number in range(ALARMS):
            _put_alarm(sandbox, number)
        _pass(sandbox, SETTLING_DAYS, DAY)
        before = _megabytes()
        taken = _seconds(lambda: _pass(sandbox, DAYS, DAY))
        yield Measured(f"{DAYS} days of {ALARMS} alarms / {SECONDS_ALLOWED} s", taken, SECONDS_ALLOWED, "s", 1)
        yield Measured("memory at its highest / memory after a month", _megabytes(), before, "MB", 1.25)
        watched = _seconds(lambda: _pass(sandbox, BUSY_MINUTES, MINUTE))
        alone = _seconds(lambda: _pass(sandbox, BUSY_MINUTES, MINUTE, "nobody's"))
        yield Measured("samples that alarms are evaluated on / samples alone", watched, alone, "s", 8)
    finally:
        sandbox.close()


def _pass(sandbox: AssembledSandbox, steps: int, seconds: int, metric: str = "metric") -> None:
    for step in range(steps):
        now = sandbox.clock.timestamp()
        for number in range(ALARMS):
            value = float((step + number) % 7 == 0 and seconds == DAY)
            sandbox.cloudwatch.record(REGION, "Bench", f"{metric}-{number}", {}, now, value)
        sandbox.clock.advance(seconds)


def _put_alarm(sandbox: AssembledSandbox, number: int) -> None:
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


def _seconds(work: Callable[[], None]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _megabytes() -> float:
    """The process's resident memory at its highest so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
