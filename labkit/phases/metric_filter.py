"""The metric filter: a pattern that picks rejected SSH attempts out of the log group and counts them."""

from __future__ import annotations

from labkit.checks import Check
from labkit.lab import Lab
from labkit.show.cards import Card
from labkit.show.shown import Shown

PATTERN = (
    '[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, '
    'windowstart, windowend, action="REJECT", flowlogstatus]'
)
SAMPLE_LINES = (
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 10.0.1.10 39611 22 6 1 40 1563108188 1563108227 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 198.51.100.8 10.0.1.10 42227 22 6 1 44 1563109030 1563109067 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 192.0.2.181 10.0.1.10 52417 22 6 24 4065 1563191069 1563191121 ACCEPT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 10.0.1.10 39611 80 6 1 40 1563108188 1563108227 REJECT OK",
)
FILTER_NAME = "dest-port-22-rejects"
NAMESPACE = "VPC Flow Logs"
METRIC_NAME = "ssh-rejects"


def explain_pattern() -> Shown:
    """The pattern field by field: its place in the record, its name, what it must be, and why."""
    raise NotImplementedError


def try_pattern(lab: Lab, pattern: str = PATTERN, lines: tuple[str, ...] = SAMPLE_LINES) -> Shown:
    """Which of the lines the pattern matches, as TestMetricFilter answers; `.matches` are their numbers from 1."""
    raise NotImplementedError


def create_metric_filter(lab: Lab) -> Card:
    """Makes the filter `dest-port-22-rejects`, which counts 1 into `VPC Flow Logs` / `ssh-rejects` for each match."""
    raise NotImplementedError


def set_up(lab: Lab) -> Shown:
    """Rebuilds what the earlier phases should have left."""
    raise NotImplementedError


def check(lab: Lab) -> Check:
    """Reads the cloud, changes nothing."""
    raise NotImplementedError


def solve(lab: Lab) -> None:
    """Does the phase as its notebook does."""
    raise NotImplementedError


def clean_up(lab: Lab) -> None:
    """Removes what the phase made."""
    raise NotImplementedError
