"""Tables of cases: SQL, and what Trino's or Athena's documentation says comes of it.

A case has the page that it is from (under https://trino.io/docs/current/ or
https://docs.aws.amazon.com/athena/latest/ug/), a name, and the SQL: an expression, or a whole query. SQL of more than
one line is a list of lines. What comes of it is a value with its type, as typeof() tells it, or rows, or how the error
begins.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.athena.conftest import Athena

_QUERIES = ("SELECT", "VALUES", "WITH ", "TABLE ")


def cases(*names: str) -> list[Any]:
    """The cases of tables beside this file."""
    tables = (json.loads(Path(__file__).parent.joinpath(f"{name}.json").read_text(encoding="utf-8")) for name in names)
    found = [case for table in tables for case in table]
    return [pytest.param(case, id=case["name"]) for case in found]


def query(sql: str) -> str:
    """A query as it is; of an expression, the one that selects it."""
    return sql if sql.startswith(_QUERIES) else f"SELECT {sql} AS x"


def outcome(athena: Athena, case: dict[str, Any]) -> dict[str, Any]:
    """What comes of a case, in the same words as the case; an error is cut to the length of the one that is wanted."""
    sql = case["sql"] if isinstance(case["sql"], str) else "\n".join(case["sql"])
    if "rows" in case:
        return {**case, "rows": athena.rows(sql)}
    if "error" in case:
        return {**case, "error": athena.error(query(sql))[: len(case["error"])]}
    ((value, kind),) = athena.rows(f"{query(sql)}, typeof({sql})")
    return {**case, "value": value, "type": kind}
