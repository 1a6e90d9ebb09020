"""Functions by the pages of Trino's documentation: every example, NULLs, other alphabets, bounds and errors."""

from pathlib import Path

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome

PAGES = sorted(path.stem for path in Path(__file__).with_name("functions").glob("*.json"))


@pytest.mark.parametrize("case", cases(*(f"functions/{page}" for page in PAGES)))
def test_a_function_gives_what_its_page_says(dialect_athena, case):
    assert outcome(dialect_athena, case) == case
