"""What waits on the clock can be written down and read back: a checkpoint holds it."""

import io
import pickle
from typing import Any

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.clock import Clock, Event
from labkit.sandbox.network.files import TextFile, new_file
from labkit.sandbox.service import Service
from tests.sandbox.calls import client_call
from tests.sandbox.network.vpc import GROUP, Vpc

ALARM = {
    "AlarmName": "rejects",
    "Namespace": "Lab",
    "MetricName": "rejects",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}
FILTER = {
    "logGroupName": GROUP,
    "filterName": "rejects",
    "filterPattern": "REJECT",
    "metricTransformations": [
        {"metricName": "rejects", "metricNamespace": "Lab", "metricValue": "1", "defaultValue": 0.0}
    ],
}


class Pickler(pickle.Pickler):
    """Leaves out what a checkpoint writes down by other means."""

    def persistent_id(self, obj: Any) -> str | None:
        return type(obj).__name__ if isinstance(obj, AssembledSandbox | Service | Clock) else None


class Unpickler(pickle.Unpickler):
    """Puts the sandbox's own parts in the place of those left out."""

    def __init__(self, file: io.BytesIO, sandbox: AssembledSandbox) -> None:
        super().__init__(file)
        parts = [sandbox, sandbox.clock, *sandbox.services.values()]
        self._parts = {type(part).__name__: part for part in parts}

    def persistent_load(self, pid: str) -> Any:
        return self._parts[pid]


def copied(value: Any, sandbox: AssembledSandbox) -> Any:
    file = io.BytesIO()
    Pickler(file).dump(value)
    file.seek(0)
    return Unpickler(file, sandbox).load()


def waiting(sandbox: AssembledSandbox) -> list[Event]:
    return [event for *_, event in sandbox.clock._events if not event.cancelled]


def test_every_event_on_the_clock_can_be_pickled(vpc: Vpc):
    sandbox = vpc.sandbox
    sandbox.network.set_background(3)
    vpc.log_to_s3()
    vpc.log_to_group()
    client_call(sandbox, "logs", "CreateLogGroup", logGroupName=GROUP)
    client_call(sandbox, "logs", "PutRetentionPolicy", logGroupName=GROUP, retentionInDays=1)
    client_call(sandbox, "logs", "PutMetricFilter", **FILTER)
    client_call(sandbox, "cloudwatch", "PutMetricAlarm", **ALARM)
    sandbox.clock.advance(660)
    names = {event.name.split()[0] for event in waiting(sandbox)}
    assert {"flow", "deliver", "retention", "evaluate", "default"} <= names
    for event in waiting(sandbox):
        assert copied(event, sandbox).name == event.name


def test_a_file_in_the_making_has_the_same_bytes_after_a_copy(vpc: Vpc):
    sandbox = vpc.sandbox
    sandbox.network.set_background(3)
    vpc.log_to_s3()
    sandbox.clock.advance(120)
    files = list(sandbox.network.collector._files.values())
    assert isinstance(files[0], TextFile)
    assert copied(files[0], sandbox).close() == files[0].close() != new_file("plain-text", files[0]._format).close()
