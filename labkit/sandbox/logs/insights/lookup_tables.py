"""The operations of lookup tables: CSV that queries look values up in.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLookupTable.html
"""

from __future__ import annotations

import csv
import io
import ipaddress
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, page
from labkit.sandbox.logs.insights.reading import LookupTable
from labkit.sandbox.service import Call, operation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

MAX_TABLES = 100
"""A Region: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Lookup.html"""
MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class StoredTable:
    """A lookup table as it was uploaded."""

    arn: str
    name: str
    description: str | None
    body: str
    updated: int
    table: LookupTable


class LookupTableOperations(LogsCore):
    """The lookup tables of every region."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._lookup_tables: defaultdict[str, dict[str, StoredTable]] = defaultdict(dict)

    def lookup_tables(self, region: str) -> dict[str, LookupTable]:
        """The tables that a query may name."""
        return {stored.name: stored.table for stored in self._lookup_tables[region].values()}

    @operation("CreateLookupTable")
    def create_lookup_table(self, call: Call) -> dict[str, Any]:
        """Keeps the rows of a CSV text, whose first line names the columns."""
        name, tables = call.params["lookupTableName"], self._lookup_tables[call.region]
        arn = f"arn:aws:logs:{call.region}:{call.account_id}:lookup-table:{name}"
        if arn in tables:
            raise ServiceError("ResourceAlreadyExistsException", f"The lookup table {name} already exists.")
        if len(tables) >= MAX_TABLES:
            raise ServiceError("LimitExceededException", f"There are {MAX_TABLES} lookup tables in this Region.")
        body, description = self._body(call), call.params.get("description")
        tables[arn] = StoredTable(arn, name, description, body, self.now, read_table(name, body))
        return {"lookupTableArn": arn, "createdAt": self.now}

    @operation("UpdateLookupTable")
    def update_lookup_table(self, call: Call) -> dict[str, Any]:
        """Puts other rows in the place of all that a table had."""
        stored, body = self._stored(call), self._body(call)
        changed = replace(stored, body=body, table=read_table(stored.name, body), updated=self.now)
        if "description" in call.params:
            changed = replace(changed, description=call.params["description"])
        self._lookup_tables[call.region][stored.arn] = changed
        return {"lookupTableArn": stored.arn, "lastUpdatedTime": self.now}

    @operation("GetLookupTable")
    def get_lookup_table(self, call: Call) -> dict[str, Any]:
        """A table with its CSV text."""
        stored = self._stored(call)
        return {**_described(stored), "tableBody": stored.body}

    @operation("DescribeLookupTables")
    def describe_lookup_tables(self, call: Call) -> dict[str, Any]:
        """The tables of a region, by name."""
        prefix = call.params.get("lookupTableNamePrefix", "")
        found = sorted((table.name, table) for table in self._lookup_tables[call.region].values())
        chosen = [table for name, table in found if name.startswith(prefix)]
        some, more = page(chosen, call, key="maxResults", most=100)
        counts = [
            {"tableFields": list(stored.table.columns), "recordsCount": len(stored.table.data)} for stored in some
        ]
        return {
            "lookupTables": [{**_described(stored), **count} for stored, count in zip(some, counts, strict=True)]
        } | more

    @operation("DeleteLookupTable")
    def delete_lookup_table(self, call: Call) -> dict[str, Any]:
        """Forgets a table."""
        del self._lookup_tables[call.region][self._stored(call).arn]
        return {}

    def _stored(self, call: Call) -> StoredTable:
        arn = call.params["lookupTableArn"]
        if arn not in self._lookup_tables[call.region]:
            raise ServiceError("ResourceNotFoundException", f"The lookup table {arn} does not exist.")
        return self._lookup_tables[call.region][arn]

    def _body(self, call: Call) -> str:
        """The CSV text of a call: its own, or that of a finished query's results."""
        given = [name for name in ("tableBody", "queryId") if name in call.params]
        if len(given) != 1:
            raise invalid("Exactly one of tableBody and queryId must be specified.")
        if call.params.get("kmsKeyId"):
            raise invalid("The sandbox does not encrypt lookup tables, see docs/sandbox.md")
        body = call.params["tableBody"] if given == ["tableBody"] else self.rows_as_csv(call)
        if len(body.encode()) > MAX_BYTES:
            raise invalid("The CSV content of a lookup table can have at most 10 MB.")
        return str(body)

    def rows_as_csv(self, call: Call) -> str:
        """The results of the query that a call names, as CSV."""
        raise NotImplementedError


def read_table(name: str, body: str) -> LookupTable:
    """The table of a CSV text; an empty cell is no value. Raises ServiceError where the text is none."""
    try:
        # Spreadsheets save CSV with a byte order mark, which would become part of the first column's name.
        header, *rows = list(csv.reader(io.StringIO(body.removeprefix("\ufeff")), strict=True)) or [[]]
    except csv.Error as error:
        raise invalid(f"The content of the lookup table is not CSV: {error}.") from None
    names = tuple(cell.strip() for cell in header)
    if not names or not all(names) or len(set(names)) < len(names):
        raise invalid("The first row of a lookup table must name its columns, each differently.")
    rows = [row for row in rows if row]
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise invalid(f"Row {number} of the lookup table has {len(row)} values for {len(names)} columns.")
    columns = [[row[number] or None for row in rows] for number in range(len(names))]
    data = {f"v{number}": pa.array(cells, pa.string()) for number, cells in enumerate(columns)}
    ranges = {number: ends for number, cells in enumerate(columns) if (ends := _ranges(cells))}
    for number, ends in ranges.items():
        data |= {f"{part}{number}": column for part, column in zip(("low", "high", "length"), ends, strict=True)}
    data["row"] = pa.array(range(len(rows)), pa.int64())
    return LookupTable(name, names, pa.table(data), tuple(ranges))


def _ranges(cells: Sequence[str | None]) -> tuple[pa.Array, pa.Array, pa.Array] | None:
    """The ends and prefix lengths of a column of address ranges; None for a column that has something else."""
    try:
        networks = [ipaddress.ip_network(cell.strip(), strict=False) if cell else None for cell in cells]
    except ValueError:
        return None
    if not any(networks):
        return None

    def ends(place: int) -> pa.Array:
        return pa.array([_order(network[place]) if network else None for network in networks], pa.string())

    return ends(0), ends(-1), pa.array([network.prefixlen if network else None for network in networks], pa.int64())


def _order(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address as a text that sorts as addresses do; the macro `address_order` says the same in SQL."""
    return f"{address.version}{int(address):0{address.max_prefixlen // 4}x}"


def _described(stored: StoredTable) -> dict[str, Any]:
    return {
        "lookupTableArn": stored.arn,
        "lookupTableName": stored.name,
        **({"description": stored.description} if stored.description else {}),
        "sizeBytes": len(stored.body.encode()),
        "lastUpdatedTime": stored.updated,
    }
