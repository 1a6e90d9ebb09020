"""Every wrong call that a learner is likely to type: one sentence on what was wrong, and what to do next."""

import re

import pandas as pd
import pytest

from labkit.checks.check import check
from labkit.checks.hints import hints
from labkit.lab import settings
from labkit.notebook import Lab
from labkit.phases import (
    alarm,
    alarm_story,
    athena_table,
    flow_logs,
    insights,
    investigation,
    metric_filter,
    rejects,
    traffic,
)
from labkit.phases.inventory import take_inventory
from labkit.show import charts
from labkit.show.cell_errors import lines
from labkit.show.console_steps import in_console
from labkit.show.flow_map import flow_map
from labkit.show.pictures import picture
from labkit.show.quiz import quiz
from tests.phases.verdicts import cases, named

CASES = cases(__file__, "wrong_calls.json")
NAMES = {
    "Lab": Lab,
    "alarm": alarm,
    "alarm_story": alarm_story,
    "athena_table": athena_table,
    "charts": charts,
    "check": check,
    "flow_logs": flow_logs,
    "flow_map": flow_map,
    "hints": hints,
    "in_console": in_console,
    "insights": insights,
    "investigation": investigation,
    "metric_filter": metric_filter,
    "pandas": pd,
    "picture": picture,
    "quiz": quiz,
    "rejects": rejects,
    "settings": settings,
    "traffic": traffic,
}
"""What a learner's notebook has imported."""


@pytest.fixture(scope="module", autouse=True)
def another_group(lab):
    """A log group that isn't the lab's, for queries; a database, as an account has that used Athena before."""
    lab.client("logs").create_log_group(logGroupName="there")
    athena_table.create_database(lab)


def failure_of(lab, call):
    """What a cell with this call alone ends in."""
    names = {**NAMES, "lab": lab}
    with pytest.raises(Exception) as failure:  # noqa: PT011 -- whatever it is, it has to end in a sentence
        eval(call, names)
    return lines(failure.value, list(names))


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_wrong_call_ends_in_what_was_wrong_and_what_to_do_and_no_more(lab, case):
    said = failure_of(lab, case["call"])
    text = "\n".join(said)
    assert case["says"] in text
    assert case["then"] in text
    assert len(said) <= 2
    assert len(text.split()) <= 90
    assert not re.search(r"Traceback|0x[0-9a-f]{6}|/site-packages/|127\.0\.0\.1|<class 'lab", text)


def test_after_all_these_calls_nothing_is_half_done(lab):
    assert {thing.kind for thing in take_inventory(lab).made} <= {"query results"}
    assert settings.load() == lab.settings
