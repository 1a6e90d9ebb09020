"""Casts to JSON and from it, as the page of Trino's JSON functions has them."""

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome


@pytest.mark.parametrize("case", cases("json_casts"))
def test_a_cast_of_json_gives_what_the_documentation_says(shared_athena, case):
    assert outcome(shared_athena, case) == case
