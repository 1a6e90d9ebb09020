"""Comparisons by their page: NULL, BETWEEN, IN, LIKE, the quantifiers, and what is not compared."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("comparisons"))
def test_a_comparison_gives_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
