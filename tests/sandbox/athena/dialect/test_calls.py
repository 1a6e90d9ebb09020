"""Functions by the pages of Trino's documentation: every example, NULLs, other alphabets, bounds and errors."""

from pathlib import Path

import pytest

from tests.sandbox.athena.dialect.table import cases, outcome

PAGES = sorted(path.stem for path in Path(__file__).with_name("functions").glob("*.json"))


@pytest.mark.parametrize("case", cases(*(f"functions/{page}" for page in PAGES)))
def test_a_function_gives_what_its_page_says(shared_athena, case):
    assert outcome(shared_athena, case) == case


def test_a_function_takes_at_most_127_arguments(shared_athena):
    most = ", ".join(["'x'"] * 127)
    assert shared_athena.rows(f"SELECT concat({most})") == [["x" * 127]]
    assert shared_athena.error(f"SELECT concat({most}, 'x')") == (
        "TOO_MANY_ARGUMENTS: line 1:8: Too many arguments for function call concat()"
    )
    assert shared_athena.rows(f"SELECT coalesce(NULL, {most})") == [["x"]]
    assert shared_athena.rows(f"SELECT coalesce({'NULL, ' * 300}'x')") == [["x"]]


def test_many_arrays_are_joined(shared_athena):
    assert shared_athena.rows("SELECT cardinality(" + " || ".join(["ARRAY[1]"] * 20) + ")") == [["20"]]


def test_calls_are_compiled_once_however_deep_they_are_in_others(shared_athena):
    """An argument compiled twice at each of these levels would be compiled 2**40 times."""
    assert shared_athena.rows("SELECT " + "round(mod(" * 20 + "7.5e0" + ", 5))" * 20) == [["3.0"]]


@pytest.mark.parametrize("call", ["truncate(NULL)", "sum(NULL)", "avg(NULL)", "year(NULL)", "hour(NULL)", "week(NULL)"])
def test_a_null_without_a_type_gives_null(shared_athena, call):
    assert shared_athena.rows(f"SELECT {call}") == [[None]]
