"""What `stats` makes of groups of events: each aggregate, keys, names, and several `stats` in a row.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("stats.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_events_are_aggregated(case):
    assert rows(case["query"], case["events"], timestamps=case.get("timestamps")) == case["rows"]


@pytest.mark.parametrize("name", ["avg", "sum", "median", "stddev", "variance", "min", "max"])
def test_a_numeric_aggregate_of_nothing_but_missing_fields_is_nothing(name):
    assert rows(f"stats {name}(missing) as n, count(*) as events", [{"x": 1}, {"x": 2}]) == [{"events": "2"}]


@pytest.mark.parametrize(
    ("call", "message"), [("avg()", "avg takes 1 argument"), ("max(a, b)", "max takes 1 argument")]
)
def test_an_aggregate_of_no_field_or_of_two_is_refused_at_its_place(call, message):
    with pytest.raises(QueryError) as caught:
        check(f"stats {call} by k")
    assert caught.value.message == message
    assert (caught.value.span.start, caught.value.span.end) == (6, 6 + len(call))


def test_ten_stats_are_taken_and_the_eleventh_is_refused():
    query = "stats count(*) as n by k" + " | stats max(n) as n" * 9
    assert rows(query, [{"k": "a"}, {"k": "a"}, {"k": "b"}]) == [{"n": "2"}]
    with pytest.raises(QueryError, match="a query has at most 10 stats commands"):
        check(f"{query} | stats max(n) as n")


def test_the_events_behind_the_groups_are_counted_as_matched():
    found = answer("filter n > 1 | stats count(*) by k | limit 1", [{"k": "a", "n": number} for number in range(5)])
    assert (found.records_matched, found.records_scanned) == (3, 5)


def test_groups_beyond_ten_thousand_need_a_limit_of_their_own():
    events = [str(number) for number in range(10_050)]
    assert len(answer("stats count(*) by @message", events).rows) == 10_000
    assert len(answer("stats count(*) by @message | limit 10040", events).rows) == 10_040
