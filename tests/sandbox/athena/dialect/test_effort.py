"""What it takes to compile a statement grows with its length, and with no power of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest

from labkit.sandbox.athena.catalog import Catalog
from labkit.sandbox.athena.dialect import expansion
from labkit.sandbox.athena.dialect.queries import QueryCompiler
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements.classify import read
from labkit.sandbox.kernel.workers import Stopped

FROM = "FROM (VALUES (1, 'b')) AS t(a, b)"
Shape = Callable[[int], str]


def listed(written: str, between: str = ", ") -> Shape:
    return lambda count: between.join(written.replace("#", str(number)) for number in range(count))


def shape(before: str, inner: str, between: str = ", ", after: str = "") -> Shape:
    return lambda count: before + listed(inner, between)(count) + after


SHAPES: dict[str, Shape] = {
    "columns": shape("SELECT ", "a AS c#", after=f" {FROM}"),
    "columns of a subquery": lambda n: f"SELECT {listed('c#')(n)} FROM (SELECT {listed('# AS c#')(n)})",
    "all columns": shape("SELECT * FROM (SELECT ", "# AS c#", after=")"),
    "sums": shape("SELECT ", "sum(a + #)", after=f" {FROM}"),
    "keys of groups": lambda n: f"SELECT {listed('a + #')(n)} {FROM} GROUP BY {listed('a + #')(n)}",
    "keys of an order": lambda n: f"SELECT {listed('a + # AS x#')(n)} {FROM} ORDER BY {listed('x#')(n)}",
    "queries with names": shape("WITH t AS (SELECT 1 AS a), ", "t# AS (SELECT a FROM t)", after=" SELECT * FROM t0"),
    "scalar subqueries": shape("SELECT ", "(SELECT #)"),
    "a sum": shape("SELECT ", "a", " + ", f" {FROM}"),
    "a sum of literals": shape("SELECT ", "1", " + "),
    "additions and subtractions": shape("SELECT ", "a + # - c", " + ", " FROM (VALUES (1, 2)) t(a, c)"),
    "a text": shape("SELECT ", "'a'", " || "),
    "AND": shape(f"SELECT 1 {FROM} WHERE ", "a <> #", " AND "),
    "OR": shape(f"SELECT 1 {FROM} WHERE ", "b LIKE '#%'", " OR "),
    "IN": shape(f"SELECT 1 {FROM} WHERE a IN (", "#", after=")"),
    "CASE": shape("SELECT CASE a ", "WHEN # THEN '#'", " ", f" END {FROM}"),
    "VALUES": shape("SELECT * FROM (VALUES ", "(#, '#')", after=")"),
    "UNION": shape("", "SELECT #", " UNION ALL "),
    "an array": shape("SELECT ARRAY[", "#", after="]"),
}


@pytest.fixture(autouse=True)
def recursion_as_in_the_server() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(4000)
    yield
    sys.setrecursionlimit(before)


def compiled(text: str, is_stopped: Callable[[], bool] = lambda: False) -> QueryCompiler:
    compiler = QueryCompiler(text, Catalog("123456789012", "eu-west-1"), datetime.now(UTC), is_stopped=is_stopped)
    query = compiler.query(read(text).query)
    expansion.bounded(query.sql)
    return compiler


def calls_made(work: Callable[[], Any]) -> int:
    """How many functions are called, those of C too."""
    made = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return made


@pytest.mark.parametrize("name", SHAPES)
def test_four_times_the_statement_is_four_times_the_work(name: str) -> None:
    short, long = (SHAPES[name](count) for count in (100, 400))
    compiled(short)
    assert calls_made(lambda: compiled(long)) < 5 * calls_made(lambda: compiled(short))


@pytest.mark.parametrize("operator", ["+", "||", "AND", "OR"])
def test_a_chain_may_be_longer_than_the_stack_is_deep(operator: str) -> None:
    term = {"+": "1", "||": "'a'"}.get(operator, "true")
    compiled(f"SELECT {f' {operator} '.join([term] * 5000)}")


@pytest.mark.parametrize(
    "nested",
    [
        ("nullif(", "b", ", 'x')"),
        ("CASE ", "b", " WHEN 'x' THEN 'a' WHEN 'y' THEN 'c' END"),
        ("reduce(ARRAY[1.5], 0, (s, x) -> ", "s + 1.5", ", s -> s)"),
    ],
)
def test_what_doubles_with_every_level_ends_with_an_error(
    nested: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.sandbox.athena.dialect.effort.MOST_STEPS", 20_000)
    monkeypatch.setattr("labkit.sandbox.athena.dialect.expressions.MOST_SQL", 100_000)
    before, inner, after = nested
    with pytest.raises(QueryError, match="statement is too large"):
        compiled(f"SELECT {before * 40}{inner}{after * 40} {FROM}")


@pytest.mark.parametrize("call", [("sign(", "a", ")"), ("lpad(b, 1, ", "b", ")"), ("log10(", "a", ")")])
def test_a_function_that_names_its_argument_twice_does_not_double_it_at_each_level(call: tuple[str, str, str]) -> None:
    def size(depth: int) -> int:
        text = f"SELECT {call[0] * depth}{call[1]}{call[2] * depth} {FROM}"
        return len(QueryCompiler(text, Catalog("", ""), datetime.now(UTC)).query(read(text).query).sql)

    assert size(80) < 4 * size(40)


def test_a_compile_ends_when_its_query_is_stopped() -> None:
    looks: list[None] = []

    def stopped_at_the_second_look() -> bool:
        looks.append(None)
        return len(looks) > 1

    with pytest.raises(Stopped):
        compiled(SHAPES["columns"](10_000), stopped_at_the_second_look)
