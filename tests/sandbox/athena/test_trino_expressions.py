"""Expressions and queries with Trino's meaning, most of them from the examples of its documentation.

https://trino.io/docs/current/functions.html. A result of one row and one column is written as its value.
"""

import json
from pathlib import Path

import pytest

from tests.sandbox.athena.dialect.table import query

CASES = json.loads(Path(__file__).with_name("trino_expressions.json").read_text())


@pytest.mark.parametrize(("sql", "wanted"), CASES["values"], ids=[case[0] for case in CASES["values"]])
def test_value(shared_athena, sql, wanted):
    rows = shared_athena.rows(query(sql))
    assert rows == (wanted if isinstance(wanted, list) else [[wanted]])


@pytest.mark.parametrize(("sql", "reason"), CASES["errors"], ids=[case[0] for case in CASES["errors"]])
def test_error(shared_athena, sql, reason):
    assert shared_athena.error(query(sql)).startswith(reason)
