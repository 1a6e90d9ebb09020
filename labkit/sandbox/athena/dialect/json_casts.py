"""Casts to and from JSON: https://trino.io/docs/current/functions/json.html#cast-to-json"""

from __future__ import annotations

from collections.abc import Callable

from labkit.sandbox.athena import types
from labkit.sandbox.athena.dialect.operators import string
from labkit.sandbox.athena.types import INTEGERS, JSON, VARCHAR, Type, duckdb_type

_Text = Callable[[str, Type], str]
_Cast = Callable[[str, Type, Type], str]


def as_json(sql: str, given: Type, text: _Text) -> str:
    """Write a value as JSON; `text` writes a value as text."""
    match given.name:
        case "json":
            return sql
        case "timestamp" | "timestamp with time zone" | "date":
            return f"to_json({text(sql, given)})"
        case "decimal":
            return f"CAST(CAST({sql} AS VARCHAR) AS JSON)"
        case "double" | "real":
            # Through text, or a REAL 0.1 becomes 0.10000000149011612.
            plain = f"CAST(CAST({sql} AS VARCHAR) AS DOUBLE)" if given.name == "real" else sql
            return f"trino_double_json({plain})"
        case "array":
            return f"trino_json_list(list_transform({sql}, lambda e: {as_json('e', given.items[0], text)}))"
        case "map":
            keys = f"list_transform(map_keys({sql}), lambda e: {text('e', given.items[0])})"
            values = f"list_transform(map_values({sql}), lambda e: {as_json('e', given.items[1], text)})"
            return f"trino_json_object({keys}, {values})"
        case "row":
            return _row_as_json(sql, given, text)
    return f"to_json({sql})"


def _row_as_json(sql: str, given: Type, text: _Text) -> str:
    """Write a row as an object of its fields; a field without a name gets the empty name."""
    fields = [
        f"to_json({string(name or '')}) || ':' || coalesce(CAST("
        + as_json(f"{sql}.{types.quoted(types.field_key(given, n))}", item, text)
        + " AS VARCHAR), 'null')"
        for n, (name, item) in enumerate(zip(given.names, given.items, strict=True))
    ]
    listed = " || ',' || ".join(fields)
    return f"CAST(CASE WHEN {sql} IS NOT NULL THEN '{{' || {listed} || '}}' END AS JSON)"


def from_json(sql: str, kind: Type, cast: _Cast) -> str:
    """Convert JSON to a value; JSON of another shape is an error at run time. `cast` converts between other types."""
    match kind.name:
        case "json":
            return sql
        case "array":
            return f"list_transform(trino_json_items({sql}), lambda e: {from_json('e', kind.items[0], cast)})"
        case "map":
            members = f"trino_json_members({sql})"
            keys = f"list_transform(map_keys({members}), lambda e: {cast('e', VARCHAR, kind.items[0])})"
            values = f"list_transform(map_values({members}), lambda e: {from_json('e', kind.items[1], cast)})"
            return f"map({keys}, {values})"
        case "row":
            fields = ", ".join(
                f"{types.quoted(types.field_key(kind, n))} := {from_json(_member(sql, kind, n), item, cast)}"
                for n, item in enumerate(kind.items)
            )
            return f"CASE WHEN trino_json_is_row({sql}) THEN struct_pack({fields}) END"
    if kind.name == "varchar":
        return cast(sql, JSON, kind)
    target = duckdb_type(kind)
    value = f"TRY_CAST({sql} AS {target})"
    if kind.name in INTEGERS:
        # Only JSON doubles go through DOUBLE: a BIGINT above 2^53 would lose digits.
        rounded = f"TRY_CAST(round(CAST({sql} AS DOUBLE)) AS {target})"
        value = f"CASE json_type({sql}) WHEN 'DOUBLE' THEN {rounded} ELSE {value} END"
    refused = f"CAST(trino_json_error({sql}, '{kind}') AS {target})"
    # JSON null is SQL NULL, not an error; coalesce evaluates the error only if TRY_CAST gave NULL.
    return f"CASE WHEN json_type({sql}) <> 'NULL' THEN coalesce({value}, {refused}) END"


def _member(sql: str, kind: Type, number: int) -> str:
    name = kind.names[number]
    by_name = f"json_extract({sql}, {string(_path(name))})" if name else "NULL"
    return f"(CASE json_type({sql}) WHEN 'ARRAY' THEN json_extract({sql}, '$[{number}]') ELSE {by_name} END)"


def _path(name: str) -> str:
    return '$."' + name.replace('"', '\\"') + '"'
