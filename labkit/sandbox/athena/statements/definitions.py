"""Carries out the DDL statements, which change the catalog."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.errors import QueryError, hive_error
from labkit.sandbox.athena.statements import nodes, tables, utilities
from labkit.sandbox.athena.statements.conditions import meets
from labkit.sandbox.athena.statements.context import Answer, Context, held_partition, values_of
from labkit.sandbox.athena.storage.location import Listing, split
from labkit.sandbox.moto_state import glue, s3


def run(context: Context, statement: nodes.Statement) -> Answer:
    """Carry out a statement; raise QueryError in Hive's words if it fails."""
    return _HANDLERS[statement.kind](context, statement)


def _create_database(context: Context, statement: Any) -> Answer:
    if context.catalog.has_database(statement.name):
        if statement.quiet:
            return Answer()
        raise hive_error(f"Database {statement.name} already exists", "AlreadyExistsException")
    entry: dict[str, Any] = {"Name": statement.name, "Parameters": statement.properties or {}}
    if statement.comment:
        entry["Description"] = statement.comment
    if statement.location:
        entry["LocationUri"] = statement.location
    glue.create_database(*context.where, entry)
    return Answer()


def _drop_database(context: Context, statement: Any) -> Answer:
    if not context.catalog.has_database(statement.name):
        if statement.quiet:
            return Answer()
        raise QueryError("", f"FAILED: SemanticException [Error 10072]: Database does not exist: {statement.name}")
    if context.catalog.tables(statement.name) and not statement.cascade:
        raise hive_error(
            f"Database {statement.name} is not empty. One or more tables exist.", "InvalidOperationException"
        )
    glue.delete_database(*context.where, statement.name)
    return Answer()


def _alter_database(context: Context, statement: Any) -> Answer:
    context.database(statement.name)
    entry = glue.database(*context.where, statement.name) or {}
    kept: dict[str, Any] = {key: entry[key] for key in ("Description", "LocationUri") if entry.get(key)}
    parameters = dict(entry.get("Parameters") or {}) | statement.properties
    glue.update_database(*context.where, statement.name, {"Name": statement.name, "Parameters": parameters, **kept})
    return Answer()


def _create_table(context: Context, statement: Any) -> Answer:
    database, name = context.named(statement.table)
    context.database(database)
    tables.check(statement)
    if context.catalog.table(database, name):
        if statement.quiet:
            return Answer()
        raise hive_error(f"Table {name} already exists", "AlreadyExistsException")
    glue.create_table(*context.where, database, tables.entry(name, statement, context.now))
    return Answer()


def _drop(context: Context, statement: Any) -> Answer:
    database, name = context.named(statement.table)
    found = context.catalog.table(database, name)
    if found is None and statement.quiet:
        return Answer()
    found = context.table(statement.table)
    if statement.kind == "drop_view" and not found.is_view:
        raise QueryError(
            "", f"FAILED: SemanticException [Error 10218]: Cannot drop a base table with DROP VIEW: {name}"
        )
    if statement.kind == "drop_table" and found.is_view:
        raise QueryError("", f"FAILED: SemanticException [Error 10217]: Cannot drop a view with DROP TABLE: {name}")
    glue.delete_table(*context.where, database, name)
    return Answer()


def _changed(context: Context, table: Table, **changes: Any) -> Answer:
    storage = table.storage | changes.pop("storage", {})
    kept: dict[str, Any] = {
        key: table.entry[key]
        # Glue's UpdateTable replaces the whole table, and takes no CreateTime and the like.
        for key in ("Name", "Owner", "Retention", "TableType", "PartitionKeys")
        if key in table.entry
    }
    parameters: dict[str, Any] = table.parameters | changes
    entry: dict[str, Any] = {**kept, "Parameters": parameters, "StorageDescriptor": storage}
    glue.update_table(*context.where, table.database, entry)
    return Answer()


def _set_location(context: Context, statement: Any) -> Answer:
    split(statement.location)
    return _changed(context, context.table(statement.table), storage={"Location": statement.location})


def _set_properties(context: Context, statement: Any) -> Answer:
    return _changed(context, context.table(statement.table), **statement.properties)


def _add_columns(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    added = [tables.column_entry(column) for column in statement.columns]
    replaces = statement.kind.endswith("replace_columns")
    if not statement.partition:
        return _with_columns(context, table, added if replaces else [*table.storage["Columns"], *added])
    values = values_of(table, statement.partition)
    location = held_partition(context, table, values).location
    entries = glue.partitions(*context.where, table.database, table.name)
    found = next(each for each in entries if list(each["Values"]) == values).get("StorageDescriptor")
    storage = found or {**table.storage, "Location": location}
    columns = _distinct(table, added if replaces else [*storage["Columns"], *added])
    # A partition is replaced as a whole.
    glue.delete_partition(*context.where, table.database, table.name, values)
    entry = {"Values": values, "StorageDescriptor": {**storage, "Columns": columns}, "Parameters": {}}
    glue.create_partition(*context.where, table.database, table.name, entry)
    return Answer()


def _change_column(context: Context, statement: Any) -> Answer:
    """https://docs.aws.amazon.com/athena/latest/ug/alter-table-change-column.html"""
    table = context.table(statement.table)
    held = list(table.storage["Columns"])
    names = [each["Name"].lower() for each in held]
    for name in (statement.path[0], *([statement.place] if statement.place not in ("", "FIRST") else [])):
        if name not in names:
            raise QueryError("", f"FAILED: SemanticException [Error 10002]: Invalid column reference {name}")
    number = names.index(statement.path[0])
    changed = tables.column_entry(statement.columns[0])
    if "Comment" not in changed and held[number].get("Comment"):
        changed["Comment"] = held[number]["Comment"]
    rest = held[:number] + held[number + 1 :]
    if statement.place == "FIRST":
        number = 0
    elif statement.place:
        number = [each["Name"].lower() for each in rest].index(statement.place) + 1
    return _with_columns(context, table, [*rest[:number], changed, *rest[number:]])


def _with_columns(context: Context, table: Table, columns: list[dict[str, str]]) -> Answer:
    return _changed(context, table, storage={"Columns": _distinct(table, columns)})


def _distinct(table: Table, columns: list[dict[str, str]]) -> list[dict[str, str]]:
    names = [each["Name"] for each in [*columns, *(table.entry.get("PartitionKeys") or [])]]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise QueryError("", f"FAILED: SemanticException [Error 10036]: Duplicate column name: {repeated}")
    return columns


# --- partitions


def partition_entry(table: Table, values: list[str], location: str) -> dict[str, Any]:
    """Return a partition as Glue stores it."""
    place = location or _default_location(table, values)
    return {"Values": values, "StorageDescriptor": {**table.storage, "Location": place}, "Parameters": {}}


def _default_location(table: Table, values: list[str]) -> str:
    names = [name for name, _ in table.partition_columns]
    return table.location.rstrip("/") + "/" + "/".join(f"{n}={v}" for n, v in zip(names, values, strict=True))


def _add_partition(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    known = {each.values for each in context.catalog.partitions(table)}
    # All are checked before one is added: a statement that fails adds nothing.
    wanted = [(values_of(table, values), location) for values, location in statement.partitions]
    for values, location in wanted:
        if location:
            split(location)
        if tuple(values) in known and not statement.quiet:
            raise hive_error("Partition already exists.", "AlreadyExistsException")
    for values, location in wanted:
        if tuple(values) not in known:
            # One statement may name the same partition twice, with IF NOT EXISTS.
            known.add(tuple(values))
            glue.create_partition(*context.where, table.database, table.name, partition_entry(table, values, location))
    return Answer()


def _drop_partition(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    names = [name for name, _ in table.partition_columns]
    for conditions in statement.conditions:
        for name, _, _ in conditions:
            if name not in names:
                raise QueryError(
                    "", f"FAILED: SemanticException [Error 10001]: Table not found {name} is not a partition column"
                )
        found = [each for each in context.catalog.partitions(table) if meets(names, each, conditions)]
        if not found and not statement.quiet:
            spec = ", ".join(f"{name} {operator} '{value}'" for name, operator, value in conditions)
            raise QueryError("", f"FAILED: SemanticException [Error 10006]: Partition not found ({spec})")
        for each in found:
            glue.delete_partition(*context.where, table.database, table.name, list(each.values))
    return Answer()


def _rename_partition(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    old, new = (values_of(table, values) for values, _ in statement.partitions)
    location = held_partition(context, table, old).location
    known = {each.values for each in context.catalog.partitions(table)}
    if tuple(new) in known:
        raise hive_error(f"Partition already exists:{new}", "InvalidOperationException")
    glue.delete_partition(*context.where, table.database, table.name, old)
    glue.create_partition(*context.where, table.database, table.name, partition_entry(table, new, location))
    return Answer()


def _set_partition_location(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    values, location = statement.partitions[0]
    wanted = values_of(table, values)
    held_partition(context, table, wanted)
    glue.delete_partition(*context.where, table.database, table.name, wanted)
    glue.create_partition(*context.where, table.database, table.name, partition_entry(table, wanted, location))
    return Answer()


def _repair(context: Context, statement: Any) -> Answer:
    """Add the partitions whose folders have Hive's names, in lower case: `year=2026/month=11`.

    It removes none: https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html
    """
    table = context.typed_table(statement.table)
    names = [name for name, _ in table.partition_columns]
    if not names:
        return Answer()
    bucket, prefix = split(table.location)
    if not s3.bucket_exists(bucket):
        raise hive_error(f"MetaException(message:The specified bucket does not exist: {bucket})")
    pattern = re.compile("/".join(f"{re.escape(name)}=([^/]+)" for name in names) + "/")
    known = {each.values: each.location for each in context.catalog.partitions(table)}
    found: dict[tuple[str, ...], str] = {}
    listing = Listing()
    for each in listing.under(table.location, table.location):
        folders = pattern.match(each.key[len(prefix) :])
        if folders and folders.groups() not in known:
            found.setdefault(folders.groups(), f"s3://{bucket}/{prefix}{folders[0].rstrip('/')}")
    for values, location in found.items():
        glue.create_partition(
            *context.where, table.database, table.name, partition_entry(table, list(values), location)
        )
    gone = [
        values
        for values, location in known.items()
        if not (s3.bucket_exists(split(location)[0]) and listing.under(location, table.location))
    ]

    def shown(values: tuple[str, ...]) -> str:
        return f"{table.name}:" + "/".join(f"{n}={v}" for n, v in zip(names, values, strict=True))

    lines = [
        "\t".join([title, *map(shown, listed)])
        for title, listed in (("Partitions not in metastore:", found), ("Partitions missing from filesystem:", gone))
        if listed
    ]
    return Answer((), (*lines, *(f"Repair: Added partition to metastore {shown(values)}" for values in found)))


_HANDLERS: dict[str, Callable[[Context, Any], Answer]] = {
    **utilities.HANDLERS,
    "create_database": _create_database,
    "drop_database": _drop_database,
    "alter_database": _alter_database,
    "create_table": _create_table,
    "drop_table": _drop,
    "drop_view": _drop,
    "alter_table_set_location": _set_location,
    "alter_table_set_tblproperties": _set_properties,
    "alter_table_add_columns": _add_columns,
    "alter_table_replace_columns": _add_columns,
    "alter_table_change_column": _change_column,
    "alter_table_add_partition": _add_partition,
    "alter_table_drop_partition": _drop_partition,
    "alter_table_rename_partition": _rename_partition,
    "alter_table_set_partition_location": _set_partition_location,
    "msck_repair_table": _repair,
}
