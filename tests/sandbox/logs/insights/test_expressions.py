"""Operators, names and constants: how they bind, and what they make of values of each kind.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html and
CWL_QuerySyntax-Filter.html beside it.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import rows, value

CASES = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_an_expression_of_one_event(case):
    assert value(case["expression"], case.get("event")) == case["value"]


@pytest.mark.parametrize("operator", ["=", "<", ">", "<=", ">=", "!="])
def test_no_comparison_with_a_map_holds(operator):
    event = {"m": '{"a": 1}', "n": 1}
    assert rows(f"fields jsonParse(m) as map | filter map {operator} n", [event]) == []
    assert rows(f"fields jsonParse(m) as map | filter n {operator} map", [event]) == []


@pytest.mark.parametrize(
    ("operator", "kept"),
    [("=", "5"), ("!=", "4 6 none"), ("<", "4"), ("<=", "4 5"), (">", "6"), (">=", "5 6")],
)
def test_each_comparison_keeps_its_events(operator, kept):
    events = [{"id": "4", "n": 4}, {"id": "5", "n": 5}, {"id": "6", "n": 6}, {"id": "none"}]
    found = rows(f"filter n {operator} 5 | sort @timestamp asc | display id", events)
    assert " ".join(row["id"] for row in found) == kept


@pytest.mark.parametrize("keyword", ["AND", "Or", "NOT", "LIKE", "In"])
def test_keywords_are_the_same_in_any_case(keyword):
    condition = {
        "AND": "a = 1 AND b = 2",
        "Or": "a = 9 Or b = 2",
        "NOT": "NOT a = 2",
        "LIKE": "b LIKE '2'",
        "In": "a In [1, 2]",
    }[keyword]
    assert rows(f"filter {condition} | display a", [{"a": 1, "b": 2}]) == [{"a": "1"}]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(1 + 2", "unexpected symbol found as at line 1 and position 15"),
        ("1 ** 2", "unexpected symbol found * at line 1 and position 11"),
        ("n = = 2", "unexpected symbol found = at line 1 and position 12"),
        ("5m", "a value is wanted here"),
        ("n == 2", "unexpected symbol found = at line 1 and position 11"),
    ],
)
def test_an_expression_that_breaks_off_is_refused_at_the_word_that_does_not_fit(expression, message):
    with pytest.raises(QueryError) as caught:
        value(expression)
    assert caught.value.message == message


def test_a_name_made_by_fields_is_known_from_the_next_command_on():
    assert rows("fields n * 2 as twice | fields twice + 1 as more | display more", [{"n": 20}]) == [{"more": "41"}]


def test_a_field_and_an_alias_of_the_same_name_are_the_alias_afterwards():
    assert rows("fields 5 as n | filter n = 5 | display n", [{"m": 1}]) == [{"n": "5"}]
