"""Wide Athena statements: the time to parse, compile and plan one grows only with its length.

All in CPU seconds: other work on the machine doesn't count.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from benchmarks.measured import Measured
from labkit.sandbox.athena.catalog import Catalog
from labkit.sandbox.athena.dialect import expansion
from labkit.sandbox.athena.dialect.queries import QueryCompiler
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.statements.classify import read

COLUMNS = (100, 800, 10_001)
ALLOWED = {800: 0.2, 10_001: 4.0}
"""CPU seconds for a statement, by its number of columns."""
CHAIN = 2000


def measure() -> Iterator[Measured]:
    """Columns, from a hundred to ten thousand; then chains of operators four times as long as others."""
    sys.setrecursionlimit(4000)
    engine = Engine()
    try:
        _seconds(engine, _columns(10))
        for count in COLUMNS[1:]:
            taken = _seconds(engine, _columns(count))
            yield Measured(f"{count} columns / {ALLOWED[count]} s", taken, ALLOWED[count], "s", 1)
        few, many = (_seconds(engine, _columns(count)) / count * 1e6 for count in (COLUMNS[1], COLUMNS[-1]))
        yield Measured(f"a column of {COLUMNS[-1]} / a column of {COLUMNS[1]}", many, few, "µs", 2)
        for name, chain in CHAINS.items():
            long, short = (_seconds(engine, chain(count)) for count in (4 * CHAIN, CHAIN))
            yield Measured(f"{name}: {4 * CHAIN} terms / {CHAIN} terms", long, short, "s", 8)
    finally:
        engine.close()


def _columns(count: int) -> str:
    return f"SELECT {', '.join(f'a AS c{n}' for n in range(count))} FROM (VALUES 1) AS t(a)"


def _chain(term: str, operator: str) -> Callable[[int], str]:
    return lambda count: f"SELECT {operator.join([term] * count)} FROM (VALUES (1, 'a')) AS t(a, b)"


CHAINS = {
    "1 + 1 + ...": _chain("1", " + "),
    "'a' || 'a' || ...": _chain("'a'", " || "),
    "a = 1 OR a = 1 OR ...": _chain("a = 1", " OR "),
}


def _seconds(engine: Engine, text: str) -> float:
    started = time.process_time()
    query = QueryCompiler(text, Catalog("123456789012", "eu-west-1"), datetime.now(UTC)).query(read(text).query)
    engine.cursor().execute(expansion.bounded(query.sql)).fetchall()
    return time.process_time() - started
