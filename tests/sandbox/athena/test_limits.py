"""Queries that would not end, or would take all memory, end with an error."""

import pytest

SETTING = "'max_recursion_depth' session property"
TOO_DEEP = f"NOT_SUPPORTED: Recursion depth limit exceeded (10). Use {SETTING} to modify the limit."
EXHAUSTED = "EXCEEDED_MEMORY_LIMIT: Query exhausted resources at this scale factor"
NUMBERS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r{}) SELECT count(*) AS c, max(n) AS m FROM r"


def test_a_recursion_has_ten_steps(shared_athena):
    assert shared_athena.rows(NUMBERS.format(" WHERE n < 11")) == [["11", "11"]]


@pytest.mark.parametrize("condition", ["", " WHERE n < 12"])
def test_a_recursion_with_more_steps_fails(shared_athena, condition):
    assert shared_athena.error(NUMBERS.format(condition)) == TOO_DEEP


def test_a_recursion_on_a_circle_fails_though_its_rows_are_distinct(shared_athena):
    sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT 1 - n FROM r) SELECT * FROM r"
    assert shared_athena.error(sql) == TOO_DEEP


def test_each_step_of_a_recursion_sees_the_rows_of_the_one_before(shared_athena):
    sql = (
        "WITH RECURSIVE r(n, d) AS (SELECT 1, 0 UNION ALL SELECT n * 2 + k, d + 1 FROM r CROSS JOIN (VALUES 0, 1) v(k)"
        " WHERE d < 3) SELECT d, count(*) FROM r GROUP BY d ORDER BY d"
    )
    assert shared_athena.rows(sql) == [["0", "1"], ["1", "2"], ["2", "4"], ["3", "8"]]


@pytest.mark.parametrize("call", ["rpad('x', 2147483647, 'x')", "lpad('x', 2147483647, 'x')"])
def test_a_text_that_no_machine_has_room_for_fails(shared_athena, call):
    assert shared_athena.error(f"SELECT {call}") == EXHAUSTED
