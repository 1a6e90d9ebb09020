"""Where a malformed pattern is wrong and what was expected there, as the pattern tester shows it; and the quotas.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.filter_patterns import compile_pattern
from labkit.sandbox.logs.filter_patterns.parser import is_number, is_selector, selector_steps

FAULTS = json.loads(Path(__file__).with_name("faults.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case["name"])
def test_a_fault_is_named_with_its_place_and_what_was_expected_there(case: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as caught:
        compile_pattern(case["pattern"])
    assert caught.value.code == "InvalidParameterException"
    expected = f", where {case['expected']} is expected" if case["expected"] else ""
    assert caught.value.detail == f"The fault is at character {case['character']}{expected}."


def test_a_pattern_has_1024_characters_and_no_more() -> None:
    compile_pattern("x" * 1024)
    with pytest.raises(ServiceError) as caught:
        compile_pattern("x" * 1025)
    assert caught.value.detail == "The fault is at character 1025, where no more than 1024 characters is expected."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", True),
        ("-1.5", True),
        ("+22", True),
        (".5", True),
        ("5.", True),
        ("1e3", True),
        ("1E-3", True),
        ("1e999", False),
        ("0x10", False),
        ("1_000", False),
        ("", False),
        ("-", False),
        ("1e", False),
        ("inf", False),
        ("٣", False),
    ],
)
def test_a_number_is_decimal_and_one_that_a_double_holds(text: str, number: bool) -> None:
    assert is_number(text) is number


@pytest.mark.parametrize(
    ("selector", "steps"),
    [
        ("$.a", ("a",)),
        ("$.a.b-c.d_e", ("a", "b-c", "d_e")),
        ("$.a[0][12]", ("a", 0, 12)),
        ("$.a.[0].b", ("a", 0, "b")),
        ("$.['a.b']", ("a.b",)),
        ('$.["it\'s"].c', ("it's", "c")),
        ("$.a['b c']", ("a", "b c")),
        ("$.a[*].b", ("a", None, "b")),
        ("$.*", (None,)),
        ("$.a.*", ("a", None)),
        ("$.9", ("9",)),
    ],
)
def test_a_selector_is_a_way_of_names_places_and_wildcards(selector: str, steps: tuple[object, ...]) -> None:
    assert selector_steps(selector) == steps


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("$.latency", True),
        ("$.a[0].b", True),
        ("$.['a.b']", True),
        ("$.a[*]", False),
        ("$.*", False),
        ("$", False),
        ("$latency", False),
        ("latency", False),
        ("$.", False),
        ("$..a", False),
        ("$.a[-1]", False),
        ("$.a = 1 || $.b", False),
    ],
)
def test_a_value_is_taken_by_a_selector_without_a_wildcard(text: str, selector: bool) -> None:
    assert is_selector(text) is selector
