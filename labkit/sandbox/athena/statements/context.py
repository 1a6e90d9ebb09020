"""The surroundings of a DDL or utility statement, and its answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from labkit.sandbox.athena.catalog import Catalog, Partition, Table
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.statements import nodes


@dataclass(frozen=True)
class Answer:
    """The lines of a statement's answer, and the names of their columns."""

    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass
class Context:
    """The catalog and the time that a statement is carried out with."""

    catalog: Catalog
    now: float
    values: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> tuple[str, str]:
        """The account and region of the catalog."""
        return self.catalog.account_id, self.catalog.region

    def named(self, name: nodes.Name) -> tuple[str, str]:
        """Return a table's database and own name."""
        return (name[0], name[1]) if len(name) == 2 else (self.catalog.database, name[0])

    def database(self, name: str) -> str:
        """Return a database's name; raise Hive's error if it doesn't exist."""
        if not self.catalog.has_database(name):
            raise QueryError("", f"FAILED: SemanticException [Error 10072]: Database does not exist: {name}")
        return name

    def schema(self, name: str) -> None:
        """Raise Trino's error unless a database exists."""
        if not self.catalog.has_database(name):
            raise QueryError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{name}' does not exist")

    def table(self, name: nodes.Name, shown: str = "") -> Table:
        """Return a table; raise Hive's error, in which it is called `shown`, if it doesn't exist."""
        database, own = self.named(name)
        found = self.catalog.table(self.database(database), own)
        if found is None:
            raise QueryError(
                "", f"FAILED: SemanticException [Error 10001]: Table not found {shown or f'{database}.{own}'}"
            )
        return found

    def typed_table(self, name: nodes.Name) -> Table:
        """Return a table for an operation that fails on tables created in Glue without a TableType.

        https://docs.aws.amazon.com/athena/latest/ug/troubleshooting-athena.html, "NullPointerException name is null"
        """
        found = self.table(name)
        if not found.entry.get("TableType"):
            raise QueryError("", "FAILED: NullPointerException Name is null")
        return found


def values_of(table: Table, given: nodes.PartitionValues) -> list[str]:
    """Return the values of a PARTITION clause in the order of the table's partition columns."""
    written = "{" + ", ".join(f"{name}={value}" for name, value in given) + "}"
    if not table.partition_columns:
        raise QueryError("", f"FAILED: SemanticException table is not partitioned but partition spec exists: {written}")
    values = dict(given)
    names = [name for name, _ in table.partition_columns]
    if set(values) - set(names):
        raise QueryError("", f"FAILED: SemanticException Partition spec {written} contains non-partition columns")
    if len(values) != len(names):
        raise QueryError(
            "",
            f"FAILED: SemanticException partition spec {written} doesn't contain all ({len(names)}) partition columns",
        )
    return [values[name] for name in names]


def held_partition(context: Context, table: Table, values: list[str]) -> Partition:
    """Return a partition; raise Hive's error if it doesn't exist."""
    for each in context.catalog.partitions(table):
        if list(each.values) == values:
            return each
    spec = ", ".join(f"{name}={value}" for (name, _), value in zip(table.partition_columns, values, strict=True))
    raise QueryError("", f"FAILED: SemanticException [Error 10006]: Partition not found {{{spec}}}")
