"""SHOW and DESCRIBE: the contents of the catalog, as Hive prints them."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from labkit.sandbox.athena.dialect.functions import signatures
from labkit.sandbox.athena.errors import hive_error
from labkit.sandbox.athena.statements.context import Answer, Context, held_partition, values_of
from labkit.sandbox.athena.statements.described import describe, describe_column
from labkit.sandbox.athena.statements.shown import show_create_table, show_create_view


def _glob(pattern: str) -> Callable[[str], bool]:
    """Return a test by Hive's patterns: `*` or `.*` for anything, `|` between alternatives."""
    alternatives = [each.strip().lower().replace(".*", "*") for each in pattern.split("|")] if pattern else ["*"]
    return lambda name: any(fnmatch.fnmatchcase(name.lower(), each) for each in alternatives)


def _show_databases(context: Context, statement: Any) -> Answer:
    fits = _glob(statement.pattern)
    return Answer(("database_name",), tuple(each["Name"] for each in context.catalog.databases() if fits(each["Name"])))


def _show_tables(context: Context, statement: Any) -> Answer:
    fits = _glob(statement.pattern)
    found = context.catalog.tables(context.database(statement.database or context.catalog.database))
    if statement.kind == "show_views":
        return Answer(("views",), tuple(each.name for each in found if each.is_view and fits(each.name)))
    return Answer(("tab_name",), tuple(each.name for each in found if fits(each.name)))


def _show_columns(context: Context, statement: Any) -> Answer:
    name = (statement.database, statement.table[-1]) if statement.database else statement.table
    return Answer(("field",), tuple(f"{name:<20}" for name, _ in context.table(name).all_columns))


def _show_partitions(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table)
    if not table.partition_columns:
        raise hive_error(f"Table {table.name} is not a partitioned table")
    names = [name for name, _ in table.partition_columns]
    return Answer(
        ("partition",),
        tuple(
            "/".join(f"{n}={v}" for n, v in zip(names, each.values, strict=True))
            for each in context.catalog.partitions(table)
        ),
    )


def _show_properties(context: Context, statement: Any) -> Answer:
    properties = context.table(statement.table).parameters
    if statement.pattern:
        value = properties.get(
            statement.pattern, f"Table {'.'.join(statement.table)} does not have property: {statement.pattern}"
        )
        return Answer(("prpt_name", "prpt_value"), (f"{statement.pattern}\t{value}",))
    return Answer(("prpt_name", "prpt_value"), tuple(f"{name}\t{value}" for name, value in sorted(properties.items())))


def _show_functions(context: Context, statement: Any) -> Answer:
    fits = _glob(statement.pattern.replace("%", "*"))
    rows = (
        "\t".join((name, str(result), ", ".join(map(str, parameters)), _FUNCTION_KINDS[each.kind]))
        for name, forms in sorted(signatures().items())
        if fits(name)
        for each in forms
        for parameters, result in each.of_each_type()
    )
    return Answer(("Function", "Return Type", "Argument Types", "Function Type"), tuple(rows))


_FUNCTION_KINDS = {"scalar": "scalar", "agg": "aggregate", "window": "window"}
_DESCRIBED = ("col_name", "data_type", "comment")


def _describe(context: Context, statement: Any) -> Answer:
    table = context.table(statement.table, ".".join(statement.table))
    partition = None
    if statement.partition:
        partition = held_partition(context, table, values_of(table, statement.partition))
    if statement.path:
        return Answer(_DESCRIBED, (describe_column(table, statement.path),))
    return Answer(_DESCRIBED, tuple(describe(table, statement.detail, partition)))


def _show_create(context: Context, statement: Any) -> Answer:
    table = context.typed_table(statement.table)
    if statement.kind == "show_create_view" and not table.is_view:
        raise hive_error(f"{table.database}.{table.name} is not a view")
    if table.is_view:
        return Answer(("Create View",), tuple(show_create_view(table).splitlines()))
    return Answer(("createtab_stmt",), tuple(show_create_table(table).splitlines()))


HANDLERS: dict[str, Callable[[Context, Any], Answer]] = {
    "show_databases": _show_databases,
    "show_tables": _show_tables,
    "show_views": _show_tables,
    "show_columns": _show_columns,
    "show_partitions": _show_partitions,
    "show_create_table": _show_create,
    "show_create_view": _show_create,
    "show_tblproperties": _show_properties,
    "show_functions": _show_functions,
    "describe_table": _describe,
    "describe_view": _describe,
}
