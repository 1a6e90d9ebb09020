"""format() and its like by their page: Java's specifiers, units, sizes, and the names of types."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("formatting"))
def test_what_is_formatted_reads_as_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
