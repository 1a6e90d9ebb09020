"""DuckDB's errors in Athena's words."""

from __future__ import annotations

import re

import duckdb

from labkit.sandbox.athena.errors import NOT_IN_SANDBOX, SYSTEM, QueryError

_OURS = re.compile(r"((?:[A-Z]+_)+[A-Z]+): (.*?)(?:' to (?:U?INT\d+|UHUGEINT|TIMESTAMP.*)|$)", re.DOTALL)
_CAST = re.compile(r"Could not convert string ['\"](.*?)['\"] to (?:['\"])?(\w+)", re.DOTALL)
_FIELD = re.compile(r"invalid (\w+) field format: \"(.*?)\"", re.IGNORECASE)
_TYPES = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT", "BOOL": "BOOLEAN", "FLOAT": "REAL"}


def from_duckdb(error: duckdb.Error) -> QueryError:
    """Why a query failed, from what DuckDB says of it."""
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryError("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor", category=SYSTEM)
    ours = _OURS.search(text)
    if ours:
        return QueryError(ours[1], ours[2].splitlines()[0])
    if isinstance(error, duckdb.InterruptException):
        return QueryError("", "Query cancelled by user")
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", _first_line(text))
    if isinstance(error, duckdb.ConversionException | duckdb.InvalidInputException):
        return _conversion(text)
    return QueryError("GENERIC_INTERNAL_ERROR", f"{_first_line(text)}: {NOT_IN_SANDBOX}", category=SYSTEM)


def _conversion(text: str) -> QueryError:
    cast = _CAST.search(text)
    if cast:
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{cast[1]}' to {_TYPES.get(cast[2], cast[2])}")
    field = _FIELD.search(text)
    if field:
        return QueryError("INVALID_CAST_ARGUMENT", f"Value cannot be cast to {field[1]}: {field[2]}")
    if "out of range" in text.lower():
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", _first_line(text))
    return QueryError("INVALID_FUNCTION_ARGUMENT", _first_line(text))


def _first_line(text: str) -> str:
    return text.partition(": ")[2].splitlines()[0] if ": " in text else text.splitlines()[0]
