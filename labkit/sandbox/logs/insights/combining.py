"""The commands that join other rows to those of a query: of another query, or of a lookup table.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

from collections.abc import Sequence

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.pipeline import Pipeline
from labkit.sandbox.logs.insights.reading import LookupTable
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, common_kind, converted

_NOTHING = Value("CAST(NULL AS VARCHAR)", Kind.TEXT)


def join(pipeline: Pipeline, command: tree.Join) -> None:
    """Join by equal keys: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Join.html.

    Fields of the right side that later commands name are computed now; those that it selected itself are shown.
    """
    pipeline.note_matched()
    inner = pipeline.nested(command.query)
    (place,) = inner.bind([_place(inner)])
    shown = inner.result() if inner.chosen or inner.displayed is not None else {}
    # Once joined, the right side's events are gone: what later commands will ask of them has to come along.
    named = {field.path[1:]: field for field in _fields_of(command.right, pipeline.later)}
    compiler, other = pipeline.expressions(), inner.expressions()
    values = {
        **{f"{command.right}.{name}": value for name, value in shown.items()},
        **{field.name: other.field(tree.Field(field.span, path)) for path, field in named.items()},
    }
    lefts = pipeline.bind([Value(converted(compiler.field(left), Kind.TEXT), Kind.TEXT) for left, _ in command.keys])
    rights = inner.bind([Value(converted(other.field(right), Kind.TEXT), Kind.TEXT) for _, right in command.keys])
    columns = dict(zip(values, inner.bind(list(values.values())), strict=True))
    equal = " AND ".join(f"before.{left.sql} = beside.{right.sql}" for left, right in zip(lefts, rights, strict=True))
    brought = [value.sql for value in (*columns.values(), place)]
    pipeline.beside(inner.sql, brought, equal, outer=command.outer)
    # Several right rows may match one left row: their own order keeps the result the same in every run.
    pipeline.last_order = (*pipeline.last_order, place.sql)
    pipeline.left = command.left
    pipeline.columns |= columns
    pipeline.shown |= {name: columns[name] for name in columns if name.removeprefix(f"{command.right}.") in shown}


def _fields_of(side: str, commands: Sequence[tree.Command]) -> list[tree.Field]:
    """Return the fields of one side that commands name."""
    nodes = (node for command in commands for node in tree.walk(command))
    return [node for node in nodes if isinstance(node, tree.Field) and len(node.path) > 1 and node.path[0] == side]


def appendcols(pipeline: Pipeline, command: tree.Appendcols) -> None:
    """Put the n-th row of another query beside the n-th row of this one.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Appendcols.html
    """
    pipeline.note_matched()
    inner = pipeline.nested(command.query)
    shown = inner.result()
    (here,) = pipeline.bind([_place(pipeline)])
    there, *added = inner.bind([_place(inner), *shown.values()])
    rows = f"SELECT * FROM ({inner.sql}) WHERE {there.sql} <= {command.most}"
    brought = [there.sql, *(value.sql for value in added)]
    pipeline.beside(rows, brought, f"before.{here.sql} = beside.{there.sql}", outer=True)
    present = f"{there.sql} IS NOT NULL"
    for name, value in zip(shown, added, strict=True):
        existing = pipeline.visible().get(name)
        if existing is None or command.override:
            pipeline.put(name, value if existing is None else _either(present, value, existing))


def _place(pipeline: Pipeline) -> Value:
    return Value(f"row_number() OVER (ORDER BY {pipeline.full_order})", Kind.NUMBER)


def _either(condition: str, value: Value, otherwise: Value) -> Value:
    kind = common_kind([value, otherwise])
    sql = f"CASE WHEN {condition} THEN {converted(value, kind)} ELSE {converted(otherwise, kind)} END"
    return Value(sql, kind)


def lookup(pipeline: Pipeline, command: tree.Lookup) -> None:
    """Add columns of a table: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Lookup.html.

    A match is exact. If several rows of the table match, the first one counts.
    """
    table = pipeline.reading.table(command.table)
    compiler = pipeline.expressions()
    fields = [Value(converted(compiler.field(field), Kind.TEXT), Kind.TEXT) for _, field in command.keys]
    keys = pipeline.bind(fields)
    columns = [f"v{table.number(column)}" for column, _ in command.keys]
    first = f"row_number() OVER (PARTITION BY {', '.join(columns)} ORDER BY row) = 1"
    # Reduced to one row per key before the join, which could otherwise multiply the events.
    rows = f"SELECT * FROM {table.relation} QUALIFY {first}"
    equal = " AND ".join(f"before.{key.sql} = beside.{column}" for key, column in zip(keys, columns, strict=True))
    _enrich(pipeline, command, table, rows, equal)


def cidrlookup(pipeline: Pipeline, command: tree.Cidrlookup) -> None:
    """Add columns by address: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Cidrlookup.html.

    If an address is in several ranges, the narrowest one counts.
    """
    table = pipeline.reading.table(command.table)
    column = _range_column(table, command)
    address = converted(pipeline.expressions().field(command.address), Kind.TEXT)
    (key,) = pipeline.bind([Value(f"address_order({address})", Kind.TEXT)])
    found = (
        # The range join on distinct addresses alone: events repeat few addresses, and BETWEEN can't use a hash.
        f"SELECT * FROM (SELECT DISTINCT {key.sql} AS address FROM before) JOIN {table.relation}"
        f" ON address BETWEEN low{column} AND high{column}"
        f" QUALIFY row_number() OVER (PARTITION BY address ORDER BY length{column} DESC, row) = 1"
    )
    _enrich(pipeline, command, table, found, f"before.{key.sql} = beside.address")


def _range_column(table: LookupTable, command: tree.Cidrlookup) -> int:
    """Return the column of ranges: the one named, the one called like the field, or the table's first one."""
    if command.column is not None:
        number = table.number(command.column)
    elif command.address.name in table.columns:
        number = table.number(command.address)
    else:
        number = next(iter(table.ranges), -1)
    if number not in table.ranges:
        name = command.column.name if command.column else command.table.name
        raise QueryError(f"cidrlookup: {name} has no ranges of addresses such as 192.0.2.0/24", command.span)
    return number


def _enrich(
    pipeline: Pipeline, command: tree.Lookup | tree.Cidrlookup, table: LookupTable, rows: str, condition: str
) -> None:
    """Add to each row the columns of its matching table row, if it has one."""
    numbers = [table.number(column) for column, _ in command.outputs]
    added = [Value(pipeline.new_column(), Kind.TEXT) for _ in numbers]
    present = pipeline.new_column()
    brought = [
        *(f"v{number} AS {value.sql}" for number, value in zip(numbers, added, strict=True)),
        f"row AS {present}",
    ]
    pipeline.beside(rows, brought, condition, outer=True)
    for (_, into), value in zip(command.outputs, added, strict=True):
        existing = _existing(pipeline, into)
        if command.only_new:
            text = converted(existing, Kind.TEXT)
            # outputnew fills a field that is missing or empty.
            result = Value(f"coalesce(nullif({text}, ''), {value.sql})", Kind.TEXT)
        else:
            result = _either(f"{present} IS NOT NULL", value, existing)
        (bound,) = pipeline.bind([result])
        pipeline.put(into.name, bound)


def _existing(pipeline: Pipeline, field: tree.Field) -> Value:
    """Return a field's value before the command; NULL if there are no events and no such column."""
    if pipeline.sources is None and field.name not in pipeline.columns:
        return _NOTHING
    return pipeline.expressions().field(field)
