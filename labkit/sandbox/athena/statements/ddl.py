"""Parses the statements that aren't queries, by Hive's grammar in ddl.lark."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, Tree
from lark.exceptions import UnexpectedInput, VisitError

from labkit.sandbox.athena.reserved import IN_DDL
from labkit.sandbox.athena.statements import nodes
from labkit.sandbox.athena.statements.ddl_errors import check_size, check_underscore, parse_error, unrecognized
from labkit.sandbox.athena.types import Type, array, parse_type, row

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_PRIMITIVES = ("tinyint", "smallint", "int", "integer", "bigint", "boolean", "float", "double", "decimal", "string",
               "varchar", "char", "binary", "date", "timestamp")  # fmt: skip
_DELIMITERS = {
    "field_delim": "field.delim",
    "escape_delim": "escape.delim",
    "collection_delim": "collection.delim",
    "mapkey_delim": "mapkey.delim",
    "line_delim": "line.delim",
    "null_format": "serialization.null.format",
}


@cache
def _grammar() -> Lark:
    return Lark.open("ddl.lark", rel_to=__file__, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def parse(sql: str) -> nodes.Statement:
    """Parse a DDL statement; raise Hive's ParseException with the place of what it can't read."""
    try:
        tree = _grammar().parse(sql)
        statement: nodes.Statement = _Builder().transform(tree)
        return statement
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise parse_error(sql, error) from None


def unquoted(text: str) -> str:
    """Return a string literal's value, with Hive's escapes.

    >>> unquoted(r"'a\\tb\\\\\\\\c'")
    'a\\tb\\\\\\\\c'
    """
    inside = text[1:-1].replace(text[0] * 2, text[0])
    # Octal first: \001, Hive's default delimiter, begins with the escape \0.
    octal = re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), inside)
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), octal, flags=re.DOTALL)


def _trees(items: list[Any], kind: str) -> list[Any]:
    return [item for item in items if isinstance(item, Tree) and item.data == kind]


def _value(items: list[Any], kind: str, default: Any = "") -> Any:
    found = _trees(items, kind)
    return found[0].children[0] if found else default


def _has(items: list[Any], kind: str) -> bool:
    return bool(_trees(items, kind))


def _of(items: list[Any], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind) and not isinstance(item, Token)]


class _Name(str):
    """An identifier, in lower case as the catalog has it."""

    token: Token
    """The token, as it is written."""


class _Table(tuple[str, ...]):
    names: list[_Name]
    """Its parts, as they are written."""


class _Builder(Transformer[Any, Any]):
    """Turns the grammar's tree into nodes; a rule without a method stays a tree, which its statement's method reads."""

    def start(self, items: list[Any]) -> Any:
        return items[0]

    def STRING(self, token: Token) -> str:
        return unquoted(token)

    def name(self, items: list[Token]) -> _Name:
        text = str(items[0])
        if text[0] in '`"':
            text = text[1:-1].replace(text[0] * 2, text[0])
        found = _Name(text.lower())
        found.token = items[0]
        return found

    def column_name(self, items: list[Token]) -> _Name:
        if items[0].upper() in IN_DDL:
            raise unrecognized(items[0], "column specification")
        check_underscore(items[0], "column specification")
        return self.name(items)

    def table(self, items: list[_Name]) -> _Table:
        names = [str(name) for name in items[1:]] if len(items) > 2 else [str(name) for name in items]
        if len(names) == 1 and "." in names[0]:  # SHOW CREATE TABLE writes `database.table`
            names = names[0].split(".", 1)
        found = _Table(names)
        found.names = items
        return found

    def property(self, items: list[str]) -> tuple[str, str]:
        return items[0], items[1]

    def properties(self, items: list[tuple[str, str]]) -> dict[str, str]:
        return dict(items)

    def array_value(self, items: list[Any]) -> list[Any]:
        return items

    def value(self, items: list[Any]) -> Any:
        item = items[0]
        if isinstance(item, Token) and item.type in ("TRUE", "FALSE"):
            return item.type == "TRUE"
        return int(item) if isinstance(item, Token) and item.type == "NUMBER" else item

    def with_property(self, items: list[Any]) -> tuple[str, Any]:
        return str(items[0]), items[1]

    def with_properties(self, items: list[Any]) -> dict[str, Any]:
        return dict(items)

    # --- types and columns

    def simple_type(self, items: list[Token]) -> Type:
        name, *parameters = (str(item) for item in items)
        try:
            if name.lower() not in _PRIMITIVES:
                raise ValueError(name)
            check_size(items[0], name.lower(), [int(each) for each in parameters])
            return parse_type(f"{name}({','.join(parameters)})" if parameters else name)
        except ValueError:
            raise unrecognized(items[0], "column type") from None

    def array_type(self, items: list[Type]) -> Type:
        return array(items[0])

    def map_type(self, items: list[Type]) -> Type:
        return Type("map", items=tuple(items))

    def field(self, items: list[Any]) -> tuple[str, Type]:
        return str(items[0]), items[1]

    def struct_type(self, items: list[tuple[str, Type]]) -> Type:
        return row([kind for _, kind in items], [name for name, _ in items])

    def column(self, items: list[Any]) -> nodes.ColumnDefinition:
        return nodes.ColumnDefinition(str(items[0]), items[1], _value(items, "comment"))

    def columns(self, items: list[nodes.ColumnDefinition]) -> tuple[nodes.ColumnDefinition, ...]:
        return tuple(items)

    # --- databases

    def _database(self, kind: str, items: list[Any]) -> nodes.DatabaseStatement:
        return nodes.DatabaseStatement(
            kind,
            str(_of(items, _Name)[0]),
            quiet=_has(items, "if_exists") or _has(items, "if_not_exists"),
            comment=_value(items, "comment"),
            location=_value(items, "location"),
            properties=_value(items, "database_properties", None) or next(iter(_of(items, dict)), None),
            cascade=_has(items, "cascade"),
        )

    def create_database(self, items: list[Any]) -> nodes.Statement:
        return self._database("create_database", items)

    def drop_database(self, items: list[Any]) -> nodes.Statement:
        return self._database("drop_database", items)

    def alter_database(self, items: list[Any]) -> nodes.Statement:
        return self._database("alter_database", items)

    # --- tables

    def create_table(self, items: list[Any]) -> nodes.Statement:
        for name in _of(items, _Table)[0].names:
            check_underscore(name.token, "table name")
        row_format: Tree[Any] = [*_trees(items, "row_format"), Tree("row_format", [])][0]
        serde = next((item for item in row_format.children if isinstance(item, str)), "")
        delimiters = {
            _DELIMITERS[each.data]: each.children[0]
            for each in _of(row_format.children, Tree)
            if each.data in _DELIMITERS
        }
        formats = next(iter(_trees(items, "stored_by_formats")), None)
        clustered = next(iter(_trees(items, "clustered_by")), None)
        return nodes.CreateTable(
            "create_table",
            _of(items, _Table)[0],
            next(item for item in items if isinstance(item, tuple) and not isinstance(item, _Table)),
            external=_has(items, "external"),
            quiet=_has(items, "if_not_exists"),
            comment=_value(items, "comment"),
            partitions=_value(items, "partitioned_by", ()),
            buckets=(tuple(map(str, clustered.children[:-1])), int(clustered.children[-1])) if clustered else None,
            serde=serde,
            serde_properties=_value(row_format.children, "serde_properties", None) or delimiters,
            file_format=str(_value(items, "stored_as")).upper(),
            formats=tuple(formats.children) if formats else None,
            location=_value(items, "location"),
            properties=_value(items, "table_properties", None),
        )

    def _around_query(self, kind: str, items: list[Any]) -> nodes.Statement:
        return nodes.QueryStatement(
            kind,
            _of(items, _Table)[0],
            str(next(item for item in items if isinstance(item, Token) and item.type == "QUERY")),
            quiet=_has(items, "if_not_exists") or _has(items, "or_replace"),
            columns=tuple(str(name) for name in _of(items, _Name)),
            options=next(iter(_of(items, dict)), None),
        )

    def create_table_as(self, items: list[Any]) -> nodes.Statement:
        return self._around_query("create_table_as_select", items)

    def create_view(self, items: list[Any]) -> nodes.Statement:
        return self._around_query("create_view", items)

    def insert(self, items: list[Any]) -> nodes.Statement:
        return self._around_query("insert", items)

    # --- partitions

    def constant(self, items: list[Any]) -> str:
        return str(items[0])

    def partition_value(self, items: list[Any]) -> tuple[str, str]:
        return str(items[0]), items[1]

    def partition(self, items: list[Any]) -> Tree[Any]:
        return Tree("partition", [tuple(items)])

    def operator(self, items: list[Token]) -> str:
        return str(items[0])

    def comparison(self, items: list[Any]) -> tuple[str, str, str]:
        return str(items[0]), str(items[1]), items[2]

    def partition_condition(self, items: list[Any]) -> Tree[Any]:
        return Tree("partition_condition", [tuple(items)])

    def _partitions(self, kind: str, items: list[Any]) -> nodes.Statement:
        found: list[tuple[nodes.PartitionValues, str]] = []
        for item in _of(items, Tree):
            if item.data == "partition":
                found.append((item.children[0], ""))
            elif item.data == "location" and found:
                found[-1] = (found[-1][0], item.children[0])
        return nodes.PartitionStatement(
            kind,
            _of(items, _Table)[0],
            tuple(found),
            conditions=tuple(each.children[0] for each in _trees(items, "partition_condition")),
            quiet=_has(items, "if_exists") or _has(items, "if_not_exists"),
        )

    def add_partition(self, items: list[Any]) -> nodes.Statement:
        return self._partitions("alter_table_add_partition", items)

    def drop_partition(self, items: list[Any]) -> nodes.Statement:
        return self._partitions("alter_table_drop_partition", items)

    def rename_partition(self, items: list[Any]) -> nodes.Statement:
        return self._partitions("alter_table_rename_partition", items)

    def set_partition_location(self, items: list[Any]) -> nodes.Statement:
        return self._partitions("alter_table_set_partition_location", items)

    # --- the rest

    def _table(self, kind: str, items: list[Any]) -> nodes.Statement:
        names = [str(name) for name in _of(items, _Name)]
        tables = _of(items, _Table)
        return nodes.TableStatement(
            kind,
            tables[0] if tables else (),
            quiet=_has(items, "if_exists"),
            location=_value(items, "location"),
            properties=next(iter(_of(items, dict)), None),
            columns=next((item for item in items if isinstance(item, tuple) and not isinstance(item, _Table)), ()),
            pattern=next((item for item in items if type(item) is str), ""),
            database=names[0] if names and kind.startswith("show") else "",
            detail=next((each for each in ("formatted", "extended") if _has(items, each)), ""),
            path=tuple(str(each) for each in _trees(items, "path")[0].children) if _has(items, "path") else (),
            partition=_value(items, "partition", ()),
        )

    def change_column(self, items: list[Any]) -> nodes.Statement:
        after = _trees(items, "after")
        return nodes.TableStatement(
            "alter_table_change_column",
            _of(items, _Table)[0],
            path=(str(_of(items, _Name)[0]),),
            columns=tuple(_of(items, nodes.ColumnDefinition)),
            place="FIRST" if _has(items, "first") else str(after[0].children[0]) if after else "",
        )

    def prepare(self, items: list[Any]) -> nodes.Statement:
        return nodes.PreparedStatement("prepare", str(items[0]), str(items[1]).rstrip("; \n"))

    def execute(self, items: list[Any]) -> nodes.Statement:
        return nodes.PreparedStatement("execute", str(items[0]), str(items[1]).rstrip("; \n") if items[1:] else "")

    def deallocate(self, items: list[Any]) -> nodes.Statement:
        return nodes.PreparedStatement("deallocate_prepare", str(items[0]))


_KINDS = {
    "drop_table": "drop_table",
    "drop_view": "drop_view",
    "set_location": "alter_table_set_location",
    "set_properties": "alter_table_set_tblproperties",
    "add_columns": "alter_table_add_columns",
    "replace_columns": "alter_table_replace_columns",
    "repair": "msck_repair_table",
    "describe_table": "describe_table",
    "describe_view": "describe_view",
    **{name: name for name in (
        "show_databases", "show_tables", "show_views", "show_columns", "show_partitions", "show_create_table",
        "show_create_view", "show_functions",
    )},
    "show_properties": "show_tblproperties",
}  # fmt: skip

for _rule, _kind in _KINDS.items():
    setattr(_Builder, _rule, lambda self, items, kind=_kind: self._table(kind, items))
