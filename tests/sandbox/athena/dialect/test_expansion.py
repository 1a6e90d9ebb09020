"""Calls within calls: as deep as people write them, and what is said of those that are too deep."""

import pytest

from labkit.sandbox.athena.dialect.expansion import bounded

DEEP = [
    ("replace({}, 'a', 'b')", "'a-a'", 12, "b-b"),
    ("substr({}, 2)", "'0123456789abcdef'", 12, "cdef"),
    ("cast(cast({} AS varchar) AS bigint)", "7", 12, "7"),
    ("split_part({}, ',', 1)", "'a,b'", 12, "a"),
    ("truncate({})", "1.5", 12, "1"),
]


@pytest.mark.parametrize(("call", "value", "levels", "expected"), DEEP)
def test_calls_within_calls(shared_athena, call, value, levels, expected):
    sql = value
    for _ in range(levels):
        sql = call.format(sql)
    assert shared_athena.rows(f"SELECT {sql}") == [[expected]]
    table = f"(VALUES {value}, NULL) AS t (x)"
    nested = sql.replace(value, "x")
    assert shared_athena.rows(f"SELECT {nested}, count(*) FROM {table} GROUP BY {nested} ORDER BY 1") == [
        [expected, "1"],
        [None, "1"],
    ]
    assert shared_athena.rows(f"SELECT {sql.replace(value, 'max(x)')} FROM {table}") == [[expected]]
    assert shared_athena.rows(f"SELECT {sql.replace(value, f'(SELECT max(x) FROM {table})')}") == [[expected]]


def test_what_stays_small_is_left_as_it_is():
    sql = "SELECT trino_replace(trino_substr(c0, 1), 'it''s (', \"x,\"), [1, {'k': 2}], trino_blanks()"
    assert bounded(sql) == sql


TOO_DEEP = [
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT " + "abs(" * 400 + "1" + ")" * 400,
    "SELECT " + "array[" * 60 + "1" + "]" * 60,
]


@pytest.mark.parametrize("sql", TOO_DEEP)
def test_a_statement_that_is_too_deep_to_be_read_says_so(shared_athena, sql):
    assert shared_athena.error(sql) == (
        "InvalidRequestException: line 1:1: statement is too large (stack overflow while parsing)"
    )


def test_a_statement_that_is_too_deep_to_be_compiled_fails(shared_athena):
    assert shared_athena.error("SELECT 1" + " UNION SELECT 1" * 5000) == (
        "STACK_OVERFLOW: statement is too large (stack overflow during analysis)"
    )
