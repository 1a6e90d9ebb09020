"""The Data Catalog as a query sees it: databases, tables, views and their partitions, kept in the sandbox's Glue."""

from __future__ import annotations

import base64
import json
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.types import BIGINT, VARCHAR, Type, hive_name, parse_type
from labkit.sandbox.moto_state import glue

NAME = "AwsDataCatalog"
DEFAULT_DATABASE = "default"
_VIEW = "/* Presto View: "
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

Columns = tuple[tuple[str, Type], ...]
Relation = tuple[list[tuple[str, Type]], list[list[str]]]


@dataclass(frozen=True)
class Partition:
    """A partition: the values of its columns, as the catalog has them, and the location of its objects."""

    values: tuple[str, ...]
    location: str

    def typed(self) -> tuple[str | None, ...]:
        """The values, with Hive's mark for a missing value as None."""
        return tuple(None if value == _NO_VALUE else value for value in self.values)


@dataclass(frozen=True)
class Table:
    """A table of the catalog; `entry` is Glue's record of it."""

    database: str
    name: str
    entry: dict[str, Any]

    @cached_property
    def columns(self) -> Columns:
        """The columns in its objects."""
        return self._typed(self.storage.get("Columns") or [])

    @cached_property
    def partition_columns(self) -> Columns:
        """The partition columns."""
        return self._typed(self.entry.get("PartitionKeys") or [])

    @property
    def all_columns(self) -> Columns:
        """The columns of the objects, then the partition columns: the order of SELECT *."""
        return (*self.columns, *self.partition_columns)

    @property
    def storage(self) -> dict[str, Any]:
        """Glue's storage descriptor."""
        found: dict[str, Any] = self.entry.get("StorageDescriptor") or {}
        return found

    @property
    def location(self) -> str:
        """The location of its objects."""
        return str(self.storage.get("Location") or "")

    @property
    def serde(self) -> str:
        """The class that reads its objects."""
        return str((self.storage.get("SerdeInfo") or {}).get("SerializationLibrary") or "")

    @property
    def serde_parameters(self) -> dict[str, str]:
        """The properties of the SerDe."""
        return dict((self.storage.get("SerdeInfo") or {}).get("Parameters") or {})

    @property
    def parameters(self) -> dict[str, str]:
        """TBLPROPERTIES."""
        return dict(self.entry.get("Parameters") or {})

    @property
    def is_view(self) -> bool:
        """Whether it is a view."""
        return self.entry.get("TableType") == "VIRTUAL_VIEW"

    @property
    def view(self) -> str | None:
        """The query of a view, which Athena keeps as Presto does: JSON in base64 in a comment."""
        if not self.is_view:
            return None
        text = str(self.entry.get("ViewOriginalText") or "")
        if not text.startswith(_VIEW):
            raise QueryError("HIVE_INVALID_VIEW_DATA", f"Invalid view data: {self.database}.{self.name}")
        return str(json.loads(base64.b64decode(text.removeprefix(_VIEW).removesuffix(" */")))["originalSql"])

    def _typed(self, columns: list[dict[str, Any]]) -> Columns:
        found = []
        for column in columns:
            try:
                found.append((column["Name"].lower(), parse_type(column.get("Type") or "string")))
            except ValueError:
                raise QueryError(
                    "HIVE_INVALID_METADATA",
                    f"Glue table '{self.database}.{self.name}' column '{column['Name']}' has invalid data type:"
                    f" {column['Type']}",
                ) from None
        return tuple(found)


def view_entry(name: str, sql: str, database: str, columns: list[tuple[str, Type]]) -> dict[str, Any]:
    """Return a view as Glue stores it."""
    data = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": column, "type": str(kind)} for column, kind in columns],
    }
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": hive_name(kind)} for column, kind in columns],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": f"{_VIEW}{base64.b64encode(json.dumps(data).encode()).decode()} */",
        "ViewExpandedText": "/* Presto View */",
    }


@dataclass(frozen=True)
class Catalog:
    """The Data Catalog of a region; names without a database are looked up in `database`."""

    account_id: str
    region: str
    database: str = DEFAULT_DATABASE
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext, compare=False, repr=False)
    """The lock for each read of Glue, for callers that don't hold the sandbox's lock already."""

    def in_database(self, name: str) -> Catalog:
        """Return the same catalog with another default database."""
        return replace(self, database=name)

    def ensure_default(self) -> None:
        """Create the database `default`, which always exists."""
        if glue.database(self.account_id, self.region, DEFAULT_DATABASE) is None:
            entry = {"Name": DEFAULT_DATABASE, "Description": "", "Parameters": {}}
            glue.create_database(self.account_id, self.region, entry)

    def databases(self) -> list[dict[str, Any]]:
        """Return every database."""
        with self.lock:
            return glue.databases(self.account_id, self.region)

    def has_database(self, name: str) -> bool:
        """Tell whether a database exists."""
        with self.lock:
            return glue.database(self.account_id, self.region, name) is not None

    def tables(self, database: str) -> list[Table]:
        """Return the tables and views of a database."""
        with self.lock:
            found = deepcopy(glue.tables(self.account_id, self.region, database))
        return [Table(database, each["Name"], each) for each in found]

    def table(self, database: str, name: str) -> Table | None:
        """Return a table or view; None if it doesn't exist."""
        with self.lock:
            entry = deepcopy(glue.table(self.account_id, self.region, database, name))
        return Table(database, name, entry) if entry else None

    def partitions(self, table: Table) -> list[Partition]:
        """Return the partitions of a table that are registered in the catalog."""
        with self.lock:
            found = glue.partitions(self.account_id, self.region, table.database, table.name)
        return [
            Partition(
                tuple(each["Values"]), (each.get("StorageDescriptor") or {}).get("Location") or _hive_path(table, each)
            )
            for each in found
        ]

    def information_schema(self, name: str) -> Relation | None:
        """The tables that describe the catalog itself."""
        rows = {
            "schemata": (["catalog_name", "schema_name"], [[d["Name"]] for d in self.databases()]),
            "tables": (
                ["table_catalog", "table_schema", "table_name", "table_type"],
                [[t.database, t.name, "VIEW" if t.is_view else "BASE TABLE"] for t in self._all_tables()],
            ),
            "views": (
                ["table_catalog", "table_schema", "table_name", "view_definition"],
                [[t.database, t.name, t.view or ""] for t in self._all_tables() if t.is_view],
            ),
        }
        if name == "columns":
            return self._information_columns()
        if name not in rows:
            return None
        names, found = rows[name]
        return [(each, VARCHAR) for each in names], [[_text("awsdatacatalog"), *map(_text, row)] for row in found]

    def _information_columns(self) -> Relation:
        names = ["table_catalog", "table_schema", "table_name", "column_name", "ordinal_position", "column_default",
                 "is_nullable", "data_type"]  # fmt: skip
        rows = [
            [
                *map(_text, ("awsdatacatalog", table.database, table.name, name)),
                str(n),
                "NULL",
                "'YES'",
                _text(str(kind)),
            ]
            for table in self._all_tables()
            for n, (name, kind) in enumerate(table.all_columns, 1)
        ]
        return [(each, BIGINT if each == "ordinal_position" else VARCHAR) for each in names], rows

    def _all_tables(self) -> list[Table]:
        return [table for database in self.databases() for table in self.tables(database["Name"])]

    def partitions_table(self, database: str, name: str) -> Relation | None:
        """Return `"table$partitions"`: the values of the registered partitions; None without a partitioned table."""
        table = self.table(database, name)
        if table is None or not table.partition_columns:
            return None
        rows = [
            ["NULL" if value is None else _text(value) for value in each.typed()] for each in self.partitions(table)
        ]
        return list(table.partition_columns), rows


def _hive_path(table: Table, partition: dict[str, Any]) -> str:
    pairs = zip(table.partition_columns, partition["Values"], strict=True)
    return table.location.rstrip("/") + "/" + "/".join(f"{name}={value}" for (name, _), value in pairs)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
