"""Filter patterns match and extract as AWS's documents say: each case names its page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.filter_patterns import compile_pattern
from labkit.sandbox.logs.filter_patterns.pattern import INVALID_METRIC_FILTER_PATTERN
from labkit.sandbox.logs.store import EventStore

CASES = json.loads((Path(__file__).parent / "filter_patterns.json").read_text())
MATCHES = [case for case in CASES if "error" not in case]
ERRORS = [case for case in CASES if "error" in case]


@pytest.fixture(scope="module")
def store() -> EventStore:
    return EventStore()


def run(store: EventStore, pattern: str, messages: list[str]) -> list[dict[str, str] | None]:
    """For each message the fields extracted from it, None where it does not match."""
    compiled = compile_pattern(pattern)
    rows = store.cursor().execute(
        f"SELECT {compiled.condition}, {compiled.fields}"
        " FROM (SELECT unnest($1::VARCHAR[]) AS message, generate_subscripts($1::VARCHAR[], 1) AS number)"
        " ORDER BY number",
        [messages],
    )
    return [compiled.named(fields) if matched else None for matched, fields in rows.fetchall()]


@pytest.mark.parametrize("case", MATCHES, ids=[case["name"] for case in MATCHES])
def test_a_pattern_matches_what_it_should_and_nothing_else(store: EventStore, case: dict[str, Any]) -> None:
    assert case["page"].startswith("https://docs.aws.amazon.com/")
    matching, other = case["matching"], case.get("other", [])
    found = run(store, case["pattern"], matching + other)
    assert [message for message, fields in zip(matching + other, found, strict=True) if fields is not None] == matching
    if "extracted" in case:
        assert found[: len(matching)] == case["extracted"]


@pytest.mark.parametrize("case", ERRORS, ids=[case["name"] for case in ERRORS])
def test_a_malformed_pattern_is_refused_in_awss_words_and_with_its_place(case: dict[str, Any]) -> None:
    with pytest.raises(ServiceError) as caught:
        compile_pattern(case["pattern"])
    assert caught.value.code == "InvalidParameterException"
    assert caught.value.message == (case["error"] or INVALID_METRIC_FILTER_PATTERN)
    assert re.match(r"The fault is at character [0-9]+[.,]", caught.value.detail)


def test_names_of_cases_are_unique() -> None:
    names = [case["name"] for case in CASES]
    assert sorted(names) == sorted(set(names))
