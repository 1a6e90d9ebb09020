"""Regular expressions by their page: Java's syntax, groups, replacements and positions."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("patterns"))
def test_a_regular_expression_finds_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
