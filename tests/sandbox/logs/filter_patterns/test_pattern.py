"""The values that a pattern takes from a matching event: for metrics, for dimensions and for TestMetricFilter.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox.logs.filter_patterns import compile_pattern
from labkit.sandbox.logs.store import EventStore

CASES = json.loads(Path(__file__).with_name("extractions.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def store() -> Iterator[EventStore]:
    store = EventStore()
    yield store
    store.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_value_is_taken_from_an_event(store: EventStore, case: dict[str, Any]) -> None:
    extraction = compile_pattern(case["pattern"]).extraction(case["reference"])
    rows = store.cursor().execute(f"SELECT {extraction} FROM (SELECT $1 AS message)", [case["message"]])
    assert rows.fetchall() == [(case["value"],)]


@pytest.mark.parametrize(
    ("pattern", "reference"),
    [
        ("ERROR", "$.latency"),
        ("ERROR", "$1"),
        ("{ $.a = 1 }", "$name"),
        ("{ $.a = 1 }", "$.a[*]"),
        ("[a, b]", "$c"),
        ("[a, b]", "$0"),
        ("[a, b]", "$01"),
    ],
)
def test_what_a_pattern_cannot_have_is_taken_from_no_event(pattern: str, reference: str) -> None:
    assert compile_pattern(pattern).extraction(reference) is None


@pytest.mark.parametrize(("pattern", "has"), [("ERROR", False), ("", False), ("{ $.a = 1 }", True), ("[a]", True)])
def test_patterns_of_terms_have_no_fields(pattern: str, has: bool) -> None:
    assert compile_pattern(pattern).has_fields is has


@pytest.mark.parametrize(
    ("pattern", "fields", "named"),
    [
        ("[ip, user]", ["a", "b"], {"$ip": "a", "$user": "b"}),
        ("[ip, , status]", ["a", "b", "c"], {"$ip": "a", "$2": "b", "$status": "c"}),
        ("[..., status]", ["a", "b", "c"], {"$1": "a", "$2": "b", "$status": "c"}),
        ("[ip, ..., status]", ["a", "b", "c", "d"], {"$ip": "a", "$2": "b", "$3": "c", "$status": "d"}),
        ("[ip, ...]", ["a", "b"], {"$ip": "a", "$2": "b"}),
        ("[]", ["a", "b"], {"$1": "a", "$2": "b"}),
        ("ERROR", [], {}),
        ("{ $.a = 1 }", [], {}),
    ],
)
def test_fields_are_called_by_their_names_or_numbers(pattern: str, fields: list[str], named: dict[str, str]) -> None:
    assert compile_pattern(pattern).named(fields) == named


def test_the_regular_expressions_of_a_pattern_are_counted() -> None:
    assert compile_pattern("%a% -%b% ?%c%").regexes == 3
    assert compile_pattern("{ $.a = %x% && ($.b = 1 || $.c = %y%) }").regexes == 2
    assert compile_pattern("[a=%x%, b=1, ...]").regexes == 1
    assert compile_pattern('"%a%"').regexes == 0
