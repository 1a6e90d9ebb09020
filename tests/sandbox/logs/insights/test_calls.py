"""Functions of periods, dates, lists, presence, choices and subnets, at their limits.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html; the examples of that
page are in tests/conformance/insights.json.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import rows, value

CASES = json.loads(Path(__file__).with_name("calls.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_call_of_one_event(case):
    options = {name: case[name] for name in ("timestamps", "now") if name in case}
    assert value(case["expression"], case.get("event"), **options) == case["value"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("bin(300)", "a period is wanted here, such as 5m or 1h"),
        ("bin('5m')", "a period is wanted here, such as 5m or 1h"),
        ("datefloor(@timestamp)", "datefloor takes 2 arguments, not 1"),
        ("dateceil(1h, @timestamp)", "a value is wanted here"),
        ("coalesce()", "coalesce takes 1 or more arguments, not 0"),
        (
            "isIpInSubnet(n, '10.0.0.0/33')",
            'isIpInSubnet: 10.0.0.0/33 is no subnet in CIDR notation, such as "192.0.2.0/24"',
        ),
        ("formatDate(@timestamp, 5)", "formatDate: a quoted string is wanted here"),
    ],
)
def test_what_a_call_cannot_take_is_said_in_words(call, message):
    with pytest.raises(QueryError) as caught:
        value(call)
    assert caught.value.message == message


def test_a_case_has_ten_branches_and_what_is_given_otherwise():
    branches = [f"n = {number}, 'v{number}'" for number in range(1, 11)]
    assert value(f"case({', '.join(branches)}, 'more')", {"n": 10}) == "v10"
    assert value(f"case({', '.join(branches)}, 'more')", {"n": 11}) == "more"


def test_a_regular_expression_that_cannot_be_read_is_refused_with_the_reason():
    with pytest.raises(QueryError, match=r"invalid regular expression /\[0-9/: missing \]"):
        value("regexReplace('a', '[0-9', '')")


def test_now_is_the_same_in_every_row():
    found = rows("fields now() as started", [{"n": 1}, {"n": 2}, {"n": 3}], now=1_793_613_600)
    assert [row["started"] for row in found] == ["1793613600"] * 3


def test_events_are_filtered_by_the_time_since_the_query_was_started():
    now = 1_793_613_600
    ages = {"old": 7_200_001, "two hours": 7_200_000, "new": 1}
    found = rows(
        "filter toMillis(@timestamp) >= (now() * 1000 - 7200000) | sort @timestamp asc | display n",
        [{"n": name} for name in ages],
        timestamps=[now * 1000 - age for age in ages.values()],
        now=now,
    )
    assert [row["n"] for row in found] == ["two hours", "new"]
