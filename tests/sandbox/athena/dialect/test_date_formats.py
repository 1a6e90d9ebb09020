"""The specifiers of MySQL's date formats and the letters of Joda's: what each writes and reads."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("date_formats"))
def test_a_date_format_writes_and_reads_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
