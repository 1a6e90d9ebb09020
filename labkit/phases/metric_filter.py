"""The metric filter: a pattern that picks rejected SSH attempts out of the log group and counts them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab import ledger
from labkit.lab.errors import LabError
from labkit.lab.session import Lab
from labkit.phases.flow_logs import LOG_GROUP, find_log_group, is_the_labs_group
from labkit.phases.traffic import ssh_pattern
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.html import Html, folded, join, table, tag
from labkit.show.shown import Shown, text_table
from labkit.show.tables import Note, Table

KEY = "metric filter"
PATTERN = ssh_pattern("REJECT")
SAMPLE_LINES = (
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 10.0.1.10 39611 22 6 1 40 1563108188 1563108227 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 198.51.100.8 10.0.1.10 42227 22 6 1 44 1563109030 1563109067 REJECT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 192.0.2.181 10.0.1.10 52417 22 6 24 4065 1563191069 1563191121 ACCEPT OK",
    "2 123456789012 eni-0d5d75b41f9befe9e 203.0.113.128 10.0.1.10 39611 80 6 1 40 1563108188 1563108227 REJECT OK",
)
FILTER_NAME = "dest-port-22-rejects"
NAMESPACE = "VPC Flow Logs"
METRIC_NAME = "ssh-rejects"
METRIC_VALUE = "1"

_MEANINGS = {
    "version": "version of the record",
    "account": "account that owns the network interface",
    "eni": "network interface that saw the traffic",
    "source": "address that it came from",
    "destination": "address that it went to",
    "srcport": "port that it came from",
    "destport": "port that it went to: 22 is SSH",
    "protocol": "IANA number: 6 is TCP",
    "packets": "packets in the aggregation interval",
    "bytes": "bytes in the aggregation interval",
    "windowstart": "first packet, in Unix seconds",
    "windowend": "last packet, in Unix seconds",
    "action": "ACCEPT or REJECT, by security groups and network ACLs",
    "flowlogstatus": "OK, NODATA or SKIPDATA",
}


@dataclass(frozen=True, repr=False)
class PatternTest(Shown):
    """What CloudWatch Logs said about a pattern and some lines: which match, and the fields it extracted."""

    pattern: str
    lines: tuple[str, ...]
    extracted: Mapping[int, Mapping[str, str]]
    """For each line that matches, by its number from 1: the fields by their names in the pattern."""

    @property
    def matches(self) -> tuple[int, ...]:
        """The numbers of the lines that match, from 1."""
        return tuple(self.extracted)

    def text(self) -> str:
        """A line of text for each of the lines."""
        rows = [(str(number), verdict, line) for number, verdict, line in self._rows()]
        return f"{self._summary()}\n{text_table(('line', 'verdict', 'message'), rows)}"

    def html(self) -> Html:
        """A row for each line; the extracted fields of those that match are below."""
        rows = ((str(number), verdict, tag("code", line)) for number, verdict, line in self._rows())
        fields = (
            tag("p", f"Line {number}: ", join(tag("code", f"{name}={value} ") for name, value in values.items()))
            for number, values in self.extracted.items()
        )
        read = folded("Fields read out of the lines that match", *fields)
        return tag("div", tag("p", self._summary()), table(("line", "verdict", "message"), rows), read)

    def _summary(self) -> str:
        return f"{len(self.extracted)} of {len(self.lines)} lines match"

    def _rows(self) -> list[tuple[int, str, str]]:
        return [
            (number, "matches" if number in self.extracted else "no match", line)
            for number, line in enumerate(self.lines, 1)
        ]


def explain_pattern() -> Table:
    """The pattern field by field: its place in the record, its name, what it must be, and what it means."""
    fields = [field.strip() for field in PATTERN.strip("[]").split(",")]
    rows = []
    for place, field in enumerate(fields, 1):
        name, _, value = field.partition("=")
        rows.append((str(place), name, value.strip('"') or "anything", _MEANINGS[name]))
    return Table("The filter pattern, field by field", ("place", "name", "must be", "what it is"), rows)


def try_pattern(lab: Lab, pattern: str = PATTERN, lines: tuple[str, ...] = SAMPLE_LINES) -> PatternTest:
    """Ask TestMetricFilter which of the lines the pattern matches; `.matches` are their numbers from 1.

    For a pattern that CloudWatch Logs can't read, raises its ClientError `InvalidParameterException`.
    """
    if isinstance(lines, str) or not lines:
        raise LabError(f"lines={lines!r}: give the lines as a tuple, one at least: `(line,)`, or leave them out.")
    answer = lab.client("logs").test_metric_filter(filterPattern=pattern, logEventMessages=list(lines))
    by_line = {
        match["eventMessage"]: {name.lstrip("$"): value for name, value in match["extractedValues"].items()}
        for match in answer["matches"]
    }
    return PatternTest(pattern, lines, {n: by_line[line] for n, line in enumerate(lines, 1) if line in by_line})


def create_metric_filter(lab: Lab) -> Card:
    """Make the filter `dest-port-22-rejects`, which counts 1 into `VPC Flow Logs` / `ssh-rejects` for each match."""
    mark = lab.calls.mark()
    outcome = "already there"
    if find_log_group(lab, LOG_GROUP) is None:
        raise LabError(f'There is no log group {LOG_GROUP} yet: run lab.catch_up(before="{KEY}").')
    if not _is_wanted(find_filter(lab)):
        lab.client("logs").put_metric_filter(
            logGroupName=LOG_GROUP,
            filterName=FILTER_NAME,
            filterPattern=PATTERN,
            metricTransformations=[
                {"metricNamespace": NAMESPACE, "metricName": METRIC_NAME, "metricValue": METRIC_VALUE}
            ],
        )
        ledger.note(lab, "metric filter", FILTER_NAME)  # a corrected one is the lab's too
        outcome = "created"
    return Card(
        "Metric filter",
        FILTER_NAME,
        outcome,
        details={"Log group": LOG_GROUP, "Metric": f"{NAMESPACE} / {METRIC_NAME}", "Value for a match": METRIC_VALUE},
        console=console.log_group(lab.region, LOG_GROUP),
        calls=lab.calls.lines_since(mark),
    )


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left: flow logs with records in them."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for the filter on the log group: its pattern, its metric, its value."""
    found = find_filter(lab)
    name = f"metric filter {FILTER_NAME} of {LOG_GROUP}"
    if found is None:
        return Check(KEY, (_other_item(lab, name),))
    hint = "Put the filter once more with the same name: that replaces it."
    return Check(
        KEY,
        (
            right(name),
            _pattern_item(lab, found.get("filterPattern", "")),
            _equal("metric", _metric(found), f"{NAMESPACE} / {METRIC_NAME}", hint),
            _equal("value for a match", found["metricTransformations"][0]["metricValue"], METRIC_VALUE, hint),
        ),
    )


def solve(lab: Lab) -> Card:
    """Make the filter as the notebook does."""
    return create_metric_filter(lab)


def clean_up(lab: Lab) -> Note:
    """Delete the filter; the metric's datapoints can't be deleted and expire in time."""
    outcome = "already gone"
    if find_filter(lab) is not None:
        outcome = "stays, the lab did not make it"
        if is_the_labs_filter(lab):
            lab.client("logs").delete_metric_filter(logGroupName=LOG_GROUP, filterName=FILTER_NAME)
            outcome = "deleted"
    ledger.forget(lab, "metric filter", FILTER_NAME)
    return Note(f"Metric filter {FILTER_NAME}: {outcome}.")


def is_the_labs_filter(lab: Lab) -> bool:
    """Return True for a filter that the lab made, and for any in the lab's own log group, which is deleted with it."""
    group = find_log_group(lab, LOG_GROUP)
    return ledger.is_the_labs(lab, "metric filter", FILTER_NAME) or (
        group is not None and is_the_labs_group(lab, group)
    )


def find_filter(lab: Lab) -> Mapping[str, Any] | None:
    """The lab's filter as DescribeMetricFilters has it."""
    return next(
        (each for each in _filters(lab, filterNamePrefix=FILTER_NAME) if each["filterName"] == FILTER_NAME), None
    )


def _filters(lab: Lab, **asked: str) -> list[Mapping[str, Any]]:
    """Return the filters of the lab's log group; empty if the group does not exist."""
    pages = lab.client("logs").get_paginator("describe_metric_filters").paginate(logGroupName=LOG_GROUP, **asked)
    try:
        return [each for page in pages for each in page["metricFilters"]]
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] == "ResourceNotFoundException":
            return []
        raise


def _metric(found: Mapping[str, Any]) -> str:
    """Return the metric that it counts into. One with dimensions is another metric, which the alarm does not watch."""
    metric = found["metricTransformations"][0]
    by = f" by {', '.join(metric['dimensions'])}" if metric.get("dimensions") else ""
    return f"{metric['metricNamespace']} / {metric['metricName']}{by}"


def _is_wanted(found: Mapping[str, Any] | None) -> bool:
    if found is None or found.get("filterPattern") != PATTERN:
        return False
    value = found["metricTransformations"][0]["metricValue"]
    return (_metric(found), value) == (f"{NAMESPACE} / {METRIC_NAME}", METRIC_VALUE)


def _other_item(lab: Lab, name: str) -> Item:
    """Check the name. If none matches, a filter that counts the same, or into the same metric, has a wrong name."""
    for each in _filters(lab):
        if each.get("filterPattern") == PATTERN or _metric(each) == f"{NAMESPACE} / {METRIC_NAME}":
            hint = f"A filter keeps its name: create one that is called {FILTER_NAME}, and delete this one."
            return wrong(name, seen=f"one that is called {each['filterName']}", wanted=FILTER_NAME, hint=hint)
    return absent(name, hint=f"Create a metric filter on {LOG_GROUP} with the name {FILTER_NAME}.")


def _pattern_item(lab: Lab, pattern: str) -> Item:
    """Check the pattern by what it matches: any wording is right if it treats the test lines as the lab's does."""
    name = "pattern picks rejected SSH attempts"
    wanted = try_pattern(lab, PATTERN, _TELLING_LINES).matches
    seen = try_pattern(lab, pattern, _TELLING_LINES).matches
    if seen == wanted:
        return right(name)
    hint = "Compare destport, protocol and action with the pattern in the notebook, and count the fields."
    return wrong(name, seen=pattern or "an empty pattern, which matches everything", wanted=PATTERN, hint=hint)


def _equal(name: str, seen: str, wanted: str, hint: str) -> Item:
    return right(name, seen) if seen == wanted else wrong(name, seen=seen, wanted=wanted, hint=hint)


_LINE = SAMPLE_LINES[0]
_TELLING_LINES = (
    *SAMPLE_LINES,
    re.sub(" 22 6 ", " 22 17 ", _LINE),
    re.sub(" 22 6 ", " 2222 6 ", _LINE),
    re.sub(" 39611 22 ", " 22 39611 ", _LINE),
    re.sub("REJECT", "ACCEPT", _LINE),
    "2 123456789012 eni-0d5d75b41f9befe9e - - - - - - - 1563108188 1563108227 - NODATA",
)
"""The lab text's lines, and ones that a pattern for another port, protocol, direction or action would match."""
