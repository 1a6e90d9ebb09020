"""The errors that a query fails with, as Athena words and numbers them."""

from __future__ import annotations

SYSTEM, USER, OTHER = 1, 2, 3
"""Categories: https://docs.aws.amazon.com/athena/latest/ug/error-reference.html"""

NOT_IN_SANDBOX = "the sandbox's Athena does not have it (docs/sandbox.md lists what it has)"

_TYPES = {
    "SYNTAX_ERROR": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "TABLE_NOT_FOUND": 1006,
    "SCHEMA_NOT_FOUND": 1006,
    "FUNCTION_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1006,
    "NOT_SUPPORTED": 1006,
    "HIVE_METASTORE_ERROR": 233,
    "HIVE_BAD_DATA": 1301,
    "HIVE_PARTITION_SCHEMA_MISMATCH": 1301,
    "EXCEEDED_MEMORY_LIMIT": 0,
}
_ANY_USER_ERROR = 1006


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
        self.error_type = _TYPES.get(name, _ANY_USER_ERROR)


class Cancelled(QueryError):
    """Why a query was stopped by a limit of its work group."""


def hive_error(message: str, exception: str = "") -> QueryError:
    """A DDL statement that the metastore refuses."""
    reason = f"{exception}(message:{message})" if exception else message
    return QueryError(
        "", f"FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {reason}"
    )


def not_supported(what: str) -> QueryError:
    """Something of Athena's that the sandbox does not have: said, never passed over."""
    return QueryError("NOT_SUPPORTED", f"{what}: {NOT_IN_SANDBOX}")
