"""Operators and conditionals by the pages of Trino's documentation: results with their types, NULLs, and errors."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("operators"))
def test_an_operator_gives_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
