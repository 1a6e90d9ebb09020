"""The commands that choose, compute, order and spread events, at their limits and one after the other.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html and the page of each command.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.engine import check
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import answer, rows

CASES = json.loads(Path(__file__).with_name("commands.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_commands_take_rows_one_step_further(case):
    assert rows(case["query"], case["events"], timestamps=case.get("timestamps")) == case["rows"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit 0", "unexpected symbol found 0 at line 1 and position 7"),
        ("limit -1", "unexpected symbol found - at line 1 and position 7"),
        ("limit 1.5", "unexpected symbol found 1.5 at line 1 and position 7"),
        ("limit many", "unexpected symbol found many at line 1 and position 7"),
        ("limit 100001", "limit: a query returns at most 100000 rows, not 100001"),
        ("fields", "unexpected symbol found <EOF> at line 1 and position 7"),
        ("fields a,", "unexpected symbol found <EOF> at line 1 and position 10"),
        ("fields a | | limit 1", "unexpected symbol found | at line 1 and position 12"),
        ("fields a\n| sort a down", "unexpected symbol found down at line 2 and position 10"),
        ("select a", "unexpected symbol found select at line 1 and position 1"),
        ("filter", "unexpected symbol found <EOF> at line 1 and position 7"),
        ("unnest a", "unexpected symbol found <EOF> at line 1 and position 9"),
    ],
)
def test_a_command_that_is_malformed_is_refused_at_the_symbol(query, message):
    with pytest.raises(QueryError) as caught:
        check(query)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ('parse m "* *" as a', 'parse: the pattern "* *" has 2 wildcards (*), but 1 fields follow as'),
        ('parse m "*" as a, b', 'parse: the pattern "*" has 1 wildcards (*), but 2 fields follow as'),
        ("parse m /a(b)c/", "parse: the pattern /a(b)c/ names no group: write (?<name>...)"),
    ],
)
def test_a_pattern_and_its_names_must_go_together(query, message):
    with pytest.raises(QueryError) as caught:
        check(query)
    assert caught.value.message == message


def test_a_name_is_made_once_in_a_query():
    with pytest.raises(QueryError, match=r"^Ephemeral field is already defined: twice$"):
        check("fields n * 2 as twice | fields n * 3 as twice")


def test_each_row_of_events_has_a_pointer_and_a_row_of_groups_has_none():
    events = [{"n": 1}, {"n": 2}]
    assert [[name for name, _ in row] for row in answer("fields n", events).rows] == [["n", "@ptr"]] * 2
    assert [[name for name, _ in row] for row in answer("stats count(*) as n", events).rows] == [["n"]]


def test_the_limit_of_the_call_holds_where_the_query_has_none():
    events = [{"n": number} for number in range(5)]
    assert len(rows("fields n", events, limit=2)) == 2
    assert len(rows("fields n | limit 4", events, limit=2)) == 2
    assert len(rows("fields n | limit 1", events, limit=2)) == 1
