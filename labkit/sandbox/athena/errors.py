"""The errors of failed queries, with Athena's wording and numbers."""

from __future__ import annotations

SYSTEM, USER, OTHER = 1, 2, 3
"""Categories: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html"""

NOT_IN_SANDBOX = "the sandbox's Athena does not have it (docs/sandbox.md lists what it has)"

_ANY_USER_ERROR, _DATA, _DDL, _SCHEMA, _SYNTAX = 1000, 1001, 1003, 1004, 1006
_TYPES = {
    "TABLE_NOT_FOUND": 1301,
    "SCHEMA_NOT_FOUND": 1301,
    "CATALOG_NOT_FOUND": 1301,
    "NOT_FOUND": 1300,
    "FUNCTION_NOT_FOUND": 1303,
    "NOT_SUPPORTED": 1200,
    "INVALID_FUNCTION_ARGUMENT": 1106,
    "INVALID_CAST_ARGUMENT": _DATA,
    "NUMERIC_VALUE_OUT_OF_RANGE": _DATA,
    "DIVISION_BY_ZERO": _DATA,
    "SUBQUERY_MULTIPLE_ROWS": _DATA,
    "HIVE_BAD_DATA": _DATA,
    "HIVE_CURSOR_ERROR": _DATA,
    "HIVE_INVALID_PARTITION_VALUE": _DATA,
    "HIVE_PARTITION_SCHEMA_MISMATCH": _SCHEMA,
    "HIVE_INVALID_METADATA": _SCHEMA,
    "HIVE_INVALID_VIEW_DATA": 1107,
    "HIVE_METASTORE_ERROR": 204,
    "EXCEEDED_MEMORY_LIMIT": 0,
    "GENERIC_INTERNAL_ERROR": 200,
}
"""The types of the catalog by the engine's names: AWS says what each number means, not which error has it. What is
not here is a query that says something wrong, "Syntax error", as COLUMN_NOT_FOUND is in AWS.
"""
_OF_TEXTS = {
    "FAILED: ParseException": _SYNTAX,
    "FAILED: ": _DDL,
    "Unable to verify/create output bucket": 1306,
    "Query cancelled by user": 1011,
    "Query timeout": 206,
    "Bytes scanned limit was exceeded": 1008,
}
"""The same for the errors that have no name, by how they begin."""


class QueryError(Exception):
    """Why a query failed. `str()` is the StateChangeReason.

    >>> str(QueryError("TABLE_NOT_FOUND", "line 1:15: Table 'awsdatacatalog.default.x' does not exist"))
    "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.default.x' does not exist"
    """

    def __init__(self, name: str, message: str, *, category: int = USER) -> None:
        super().__init__(f"{name}: {message}" if name else message)
        self.name = name
        self.message = message
        self.category = category
        self.error_type = _TYPES.get(name, _SYNTAX) if name else _type_of_text(message)


def _type_of_text(message: str) -> int:
    return next((kind for start, kind in _OF_TEXTS.items() if message.startswith(start)), _ANY_USER_ERROR)


class Cancelled(QueryError):
    """The error of a query that was stopped by a limit of its work group."""


def hive_error(message: str, exception: str = "") -> QueryError:
    """Return the error of a DDL statement that the metastore rejects."""
    reason = f"{exception}(message:{message})" if exception else message
    return QueryError(
        "", f"FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {reason}"
    )


def too_large() -> QueryError:
    """Return the error for a statement that is nested too deeply to be compiled."""
    return QueryError("STACK_OVERFLOW", "statement is too large (stack overflow during analysis)")


def not_supported(what: str) -> QueryError:
    """Return the error for a feature of Athena that the sandbox doesn't support; none is ignored silently."""
    return QueryError("NOT_SUPPORTED", f"{what}: {NOT_IN_SANDBOX}")
