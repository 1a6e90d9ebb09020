"""The statements that aren't queries, as data."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.sandbox.athena.types import Type

Properties = dict[str, str]
Name = tuple[str, ...]
"""A table's name, with or without its database before it."""


@dataclass(frozen=True)
class ColumnDefinition:
    """A column of CREATE TABLE."""

    name: str
    type: Type
    comment: str = ""


@dataclass(frozen=True)
class Statement:
    """A statement; `kind` names it: `show_tables`, `alter_table_add_columns`."""

    kind: str


@dataclass(frozen=True)
class DatabaseStatement(Statement):
    """CREATE, DROP and ALTER DATABASE."""

    name: str
    quiet: bool = False
    """IF EXISTS or IF NOT EXISTS."""
    comment: str = ""
    location: str = ""
    properties: Properties | None = None
    cascade: bool = False


@dataclass(frozen=True)
class CreateTable(Statement):
    """CREATE [EXTERNAL] TABLE."""

    table: Name
    columns: tuple[ColumnDefinition, ...]
    external: bool = False
    quiet: bool = False
    comment: str = ""
    partitions: tuple[ColumnDefinition, ...] = ()
    buckets: tuple[tuple[str, ...], int] | None = None
    serde: str = ""
    serde_properties: Properties | None = None
    file_format: str = ""
    formats: tuple[str, str] | None = None
    location: str = ""
    properties: Properties | None = None


@dataclass(frozen=True)
class QueryStatement(Statement):
    """A statement around a query: CREATE TABLE AS, CREATE VIEW, INSERT."""

    table: Name
    query: str
    quiet: bool = False
    columns: tuple[str, ...] = ()
    options: dict[str, object] | None = None
    with_data: bool = True
    """Whether CREATE TABLE AS fills its table."""


PartitionValues = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PartitionStatement(Statement):
    """ALTER TABLE ... PARTITION."""

    table: Name
    partitions: tuple[tuple[PartitionValues, str], ...] = ()
    """Values and location (empty if none is given)."""
    conditions: tuple[tuple[tuple[str, str, str], ...], ...] = ()
    """For DROP: name, comparison, value."""
    quiet: bool = False


@dataclass(frozen=True)
class TableStatement(Statement):
    """Any other statement about a table: DROP, SHOW, DESCRIBE, MSCK, the other ALTER TABLE."""

    table: Name = ()
    quiet: bool = False
    location: str = ""
    properties: Properties | None = None
    columns: tuple[ColumnDefinition, ...] = ()
    pattern: str = ""
    database: str = ""
    detail: str = ""
    """For DESCRIBE: `formatted`, `extended` or nothing."""
    path: tuple[str, ...] = ()
    """A column, and the field, '$elem$', '$key$' or '$value$' inside it."""
    partition: PartitionValues = ()
    place: str = ""
    """Where CHANGE COLUMN puts the column: FIRST, after the column of this name, or (empty) where it was."""


@dataclass(frozen=True)
class PreparedStatement(Statement):
    """PREPARE, EXECUTE and DEALLOCATE."""

    name: str
    text: str = ""
