"""What EXPLAIN shows: the columns of a query and the tables that it reads. Trino's steps between the two are not here.

https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from labkit.sandbox.athena.dialect.scope import Query, Scan
from labkit.sandbox.athena.errors import not_supported
from labkit.sandbox.athena.statements.context import Answer

_CATALOG = "awsdatacatalog"
_ESTIMATE = {"outputRowCount": "NaN", "outputSizeInBytes": "NaN", "cpuCost": "NaN", "memoryCost": "NaN"}


def explained(query: Query, scans: Sequence[Scan], options: dict[str, Any]) -> Answer:
    """Return the answer to `EXPLAIN (TYPE type, FORMAT format)` of a valid query."""
    kind, form = options.get("TYPE", "DISTRIBUTED"), options.get("FORMAT")
    if kind == "VALIDATE":
        return Answer(("Valid",), ("true",))
    if form == "GRAPHVIZ":
        raise not_supported("EXPLAIN (FORMAT GRAPHVIZ)")
    if kind == "IO":
        return Answer(("Query Plan",), tuple(_indented(_tables(scans))))
    if form == "JSON":
        plan = _plan(query, scans)
        return Answer(("Query Plan",), tuple(_indented(plan if kind == "LOGICAL" else {"0": plan})))
    return Answer(("Query Plan",), ("Query Plan", *_text(query, scans)))


def _indented(plan: dict[str, Any]) -> list[str]:
    return json.dumps(plan, indent=2).splitlines()


def _columns(scan: Scan) -> list[tuple[str, str]]:
    return [(name, str(kind)) for number, (name, kind) in enumerate(scan.table.all_columns) if number in scan.used]


def _text(query: Query, scans: Sequence[Scan]) -> list[str]:
    lines = [
        f"Output[columnNames = [{', '.join(column.name for column in query.columns)}]]",
        f"│   Layout: [{', '.join(f'{column.name}:{column.type}' for column in query.columns)}]",
    ]
    for scan in scans:
        lines.append(f"└─ TableScan[table = {_CATALOG}:{scan.table.database}:{scan.table.name}]")
        lines.append(f"       Layout: [{', '.join(name for name, _ in _columns(scan))}]")
    return lines


def _plan(query: Query, scans: Sequence[Scan]) -> dict[str, Any]:
    """The steps as Trino writes them in JSON: the output, and under it the tables."""
    children = [
        _step(
            str(number),
            "TableScan",
            {"table": f"{_CATALOG}:{scan.table.database}:{scan.table.name}"},
            _columns(scan),
            [],
        )
        for number, scan in enumerate(scans, 1)
    ]
    names = [column.name for column in query.columns]
    outputs = [(column.name, str(column.type)) for column in query.columns]
    return _step("0", "Output", {"columnNames": f"[{', '.join(names)}]"}, outputs, children)


def _step(
    identity: str,
    name: str,
    descriptor: dict[str, str],
    outputs: list[tuple[str, str]],
    children: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "id": identity,
        "name": name,
        "descriptor": descriptor,
        "outputs": [{"symbol": symbol, "type": kind} for symbol, kind in outputs],
        "details": [],
        "estimates": [],
        "children": children,
    }


def _tables(scans: Sequence[Scan]) -> dict[str, Any]:
    """What is read, as TYPE IO tells it."""
    tables = dict.fromkeys((scan.table.database, scan.table.name) for scan in scans)
    return {
        "inputTableColumnInfos": [
            {
                "table": {"catalog": _CATALOG, "schemaTable": {"schema": database, "table": table}},
                "constraint": {"none": False, "columnConstraints": []},
                "estimate": {**_ESTIMATE, "networkCost": 0.0},
            }
            for database, table in tables
        ],
        "estimate": {**_ESTIMATE, "networkCost": 0.0},
    }
