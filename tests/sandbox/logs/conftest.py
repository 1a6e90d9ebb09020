"""A sandbox with a log group, and short ways to put and read events."""

from typing import Any

import pytest

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel import workers
from tests.sandbox.calls import client_call, refused

NOW = 1_793_610_000_000
"""The sandbox's start in milliseconds: 2 November 2026, 09:00 UTC."""


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks after a query waits for its end, however busy the machine is."""
    monkeypatch.setattr(workers, "SHORT", 60.0)


class Logs:
    """The logs service of a sandbox, called as a client would."""

    def __init__(self, sandbox: AssembledSandbox) -> None:
        self.sandbox = sandbox
        self.samples: list[tuple[Any, ...]] = []
        sandbox.wiring.record_metric = self._record

    def _record(self, *sample: Any, count: float = 1) -> None:
        self.samples += [sample] * round(count)

    def call(self, operation: str, **params: Any) -> Any:
        return client_call(self.sandbox, "logs", operation, **params)

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """Code and message of the error that a call gets."""
        return refused(self.call, operation, **params)

    def put(self, *messages: str, at: int = NOW, stream: str = "eni-1") -> Any:
        """Puts messages one millisecond apart, into a stream that is made if it is missing."""
        group = self.sandbox.logs.group("eu-west-1", "g")
        if stream not in group.streams:
            self.call("CreateLogStream", logGroupName="g", logStreamName=stream)
        events = [{"timestamp": at + number, "message": message} for number, message in enumerate(messages)]
        return self.call("PutLogEvents", logGroupName="g", logStreamName=stream, logEvents=events)

    def metric(self, namespace: str) -> list[tuple[Any, ...]]:
        """The samples of a namespace: name, dimensions, seconds after the start, value, unit."""
        return [
            (name, dimensions, round(timestamp - NOW / 1000, 3), value, unit)
            for _, where, name, dimensions, timestamp, value, unit in self.samples
            if where == namespace
        ]


@pytest.fixture
def logs(sandbox: AssembledSandbox) -> Logs:
    """CloudWatch Logs with an empty group `g`; what it records as metrics is kept in `samples`."""
    logs = Logs(sandbox)
    logs.call("CreateLogGroup", logGroupName="g")
    return logs
