"""SELECT by its page: each clause, joins, set operations, UNNEST, and the errors of what does not fit."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("queries"))
def test_a_query_gives_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
