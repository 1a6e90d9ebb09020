"""Dates, times, intervals and zones by the pages of Trino's documentation."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("temporal"))
def test_a_date_or_time_is_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
