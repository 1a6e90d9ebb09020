"""The functions that take values and give one, at their limits and with values of other kinds.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html; the examples of that
page are in tests/conformance/insights.json.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.logs.insights.functions import FUNCTIONS
from labkit.sandbox.logs.insights.tree import QueryError
from tests.sandbox.logs.insights.runs import rows, value

CASES = json.loads(Path(__file__).with_name("functions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_function_of_one_event(case):
    assert value(case["expression"], case.get("event")) == case["value"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("abs(1, 2)", "abs takes 1 argument, not 2"),
        ("greatest()", "greatest takes 1 or more arguments, not 0"),
        ("haversine(1, 2, 3)", "haversine takes 4 arguments, not 3"),
        ("ltrim('a', 'b', 'c')", "ltrim takes 1 to 2 arguments, not 3"),
        ("round(1, 2, 3)", "round takes 1 to 2 arguments, not 3"),
        ("strcontains('a')", "strcontains takes 2 to 3 arguments, not 1"),
    ],
)
def test_a_call_with_too_few_or_too_many_arguments_is_refused_at_its_place(call, message):
    with pytest.raises(QueryError) as caught:
        value(call)
    assert caught.value.message == message
    assert (caught.value.span.start, caught.value.span.end) == (len("fields "), len(f"fields {call}"))


@pytest.mark.parametrize("name", ["power", "length", "upper", "toJson", "abs2"])
def test_a_function_that_is_not_documented_is_refused_by_its_name(name):
    with pytest.raises(QueryError, match=f"^unknown function {name}$"):
        value(f"{name}(1)")


def test_a_function_of_a_missing_field_is_nothing_unless_it_asks_what_the_field_is():
    calls = {
        name: f"{name}({', '.join(['missing'] * len(function.parameters))}) as {name}_"
        for name, function in FUNCTIONS.items()
    }
    (found,) = rows(f"fields {', '.join(calls.values())}", [{"x": 1}])
    told = {"isempty", "isblank", "isnumeric", "isvalidip", "isvalidipv4", "isvalidipv6", "concat"}
    assert set(found) == {f"{name}_" for name in told}


@pytest.mark.parametrize("argument", ["'%ff'", "'[1,'", "-1e308", "2 ^ 2000", "list", "@timestamp"])
def test_no_value_makes_a_function_fail_so_that_the_other_events_would_have_no_answer(argument):
    calls = []
    for name, function in FUNCTIONS.items():
        count = len(function.parameters) + len(function.optional)
        calls.append(f"{name}({', '.join([argument] * count)}) as {name}_")
    (found,) = rows(f"fields n, {', '.join(calls)}", [{"n": 7, "list": [1, None], "map": {"a": {}}}])
    assert found["n"] == "7"
