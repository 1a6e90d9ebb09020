"""Finds what a query reads of its tables: the partitions that its conditions leave, and their objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from labkit.sandbox.athena.catalog import Catalog, Partition
from labkit.sandbox.athena.dialect.relations import PSEUDO_COLUMNS
from labkit.sandbox.athena.dialect.scope import Scan
from labkit.sandbox.athena.engine_errors import from_duckdb
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.storage import projection
from labkit.sandbox.athena.storage.location import Listing, ScannedObject
from labkit.sandbox.athena.types import duckdb_type


@dataclass(frozen=True)
class ScanPlan:
    """One mention of a table and the objects that it reads."""

    scan: Scan
    objects: tuple[ScannedObject, ...]

    @property
    def numbers(self) -> tuple[int, ...]:
        """The columns of the objects that are read, by number."""
        return tuple(n for n in sorted(self.scan.used) if n < len(self.scan.table.columns))

    @property
    def partition_numbers(self) -> tuple[int, ...]:
        """The partition columns that are read, by number."""
        table = self.scan.table
        return tuple(n for n in sorted(self.scan.used) if len(table.columns) <= n < len(table.all_columns))

    @property
    def uses_pseudo_columns(self) -> bool:
        """Whether `"$path"` or one of its like is read."""
        first = len(self.scan.table.all_columns)
        return any(first <= n < first + len(PSEUDO_COLUMNS) for n in self.scan.used)


def plan(catalog: Catalog, scans: Sequence[Scan], cursor: duckdb.DuckDBPyConnection, now: datetime) -> list[ScanPlan]:
    """Return the objects of each scan, as they are in S3 now."""
    listing = Listing(catalog.lock)
    return [_plan(catalog, scan, cursor, now, listing) for scan in scans]


def _plan(catalog: Catalog, scan: Scan, cursor: duckdb.DuckDBPyConnection, now: datetime, listing: Listing) -> ScanPlan:
    table = scan.table
    if not table.partition_columns:
        return ScanPlan(scan, tuple(listing.under(table.location, table.location)))
    if projection.is_projected(table):
        partitions = list(projection.partitions(table, now, _injected(scan, cursor)))
        root = _root(partitions)
    else:
        partitions, root = catalog.partitions(table), table.location
    objects: list[ScannedObject] = []
    for partition in _kept(scan, partitions, cursor):
        objects += listing.under(partition.location, root, partition.typed())
    return ScanPlan(scan, tuple(objects))


def _root(partitions: Sequence[Partition]) -> str:
    """The folder that every partition lies under, or nothing."""
    if not partitions:
        return ""
    low, high = min(each.location for each in partitions), max(each.location for each in partitions)
    shared = next(
        (n for n, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]), min(len(low), len(high))
    )
    folder = low[:shared].rpartition("/")[0]
    return folder if folder.count("/") >= 2 else ""


def _injected(scan: Scan, cursor: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The values that the query names for partition columns: `WHERE id = 'x'` or `id IN ('x', 'y')`."""
    found: dict[str, list[str]] = {}
    for number, values in scan.named_values.items():
        name, kind = scan.table.all_columns[number]
        texts = ", ".join(f"CAST(TRY_CAST({value} AS {duckdb_type(kind)}) AS VARCHAR)" for value in values)
        try:
            row = cursor.execute(f"SELECT {texts}").fetchall()[0]
        except duckdb.Error as error:
            raise from_duckdb(error) from None
        found[name] = list(dict.fromkeys(text for text in row if text is not None))
    return found


def _kept(scan: Scan, partitions: Sequence[Partition], cursor: duckdb.DuckDBPyConnection) -> list[Partition]:
    """The partitions whose values the query's conditions allow, asked of DuckDB itself."""
    if not scan.partition_filters or not partitions:
        return list(partitions)
    names = [f"c{n}" for n in range(len(scan.table.columns), len(scan.table.all_columns))]
    typed = [each.typed() for each in partitions]
    columns = [pa.array([values[n] for values in typed], pa.string()) for n in range(len(names))]
    cursor.register("partitions_", pa.table([pa.array(range(len(typed))), *columns], ["id", *names]))
    cast = ", ".join(
        f"CAST({name} AS {duckdb_type(kind)}) AS {name}"
        for name, (_, kind) in zip(names, scan.table.partition_columns, strict=True)
    )
    conditions = " AND ".join(scan.partition_filters)
    try:
        rows = cursor.execute(f"SELECT id FROM (SELECT id, {cast} FROM partitions_) AS p WHERE {conditions}").fetchall()
    except duckdb.ConversionException as error:
        raise invalid_partition(scan, partitions, error) from None
    finally:
        cursor.unregister("partitions_")
    return [partitions[number] for number in sorted(row[0] for row in rows)]


def invalid_partition(scan: Scan, partitions: Sequence[Partition], error: duckdb.Error) -> QueryError:
    """Return the error for a partition value that isn't of its column's type."""
    text = str(error)
    for number, (name, kind) in enumerate(scan.table.partition_columns):
        for partition in partitions:
            value = partition.values[number]
            if (kind.name != "varchar" and f'"{value}"' in text) or f"'{value}'" in text:
                return QueryError(
                    "HIVE_INVALID_PARTITION_VALUE",
                    f"Invalid partition value '{value}' for {str(kind).upper()} partition key: {name}={value}",
                )
    return QueryError("HIVE_INVALID_PARTITION_VALUE", text.splitlines()[0])
