"""CAST and TRY_CAST: what becomes of each type, and what can't be."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("casts"))
def test_a_cast_gives_what_the_documentation_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
