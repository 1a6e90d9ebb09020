"""The Glue Data Catalog in moto. Databases, tables and partitions are dictionaries in the form of Glue's API.

Every function raises ServiceError with Glue's code (EntityNotFoundException, AlreadyExistsException) where Glue would.
"""

from __future__ import annotations

from datetime import UTC
from typing import Any

from moto.core.exceptions import JsonRESTError

from labkit.sandbox import moto_state
from labkit.sandbox.kernel.errors import ServiceError

Entry = dict[str, Any]


def databases(account_id: str, region: str) -> list[Entry]:
    """Return every database, ordered by name."""
    return sorted(
        (each.as_dict() for each in _backend(account_id, region).get_databases()), key=lambda each: each["Name"]
    )


def database(account_id: str, region: str, name: str) -> Entry | None:
    """Return a database, or None if there is none with this name."""
    found = _backend(account_id, region).databases.get(name)
    return found.as_dict() if found else None


def create_database(account_id: str, region: str, entry: Entry) -> None:
    """Make a database; raise AlreadyExistsException if the name is taken."""
    _call(_backend(account_id, region).create_database, entry["Name"], entry)


def update_database(account_id: str, region: str, name: str, entry: Entry) -> None:
    """Replace a database's definition."""
    _call(_backend(account_id, region).update_database, name, entry)


def delete_database(account_id: str, region: str, name: str) -> None:
    """Delete a database with its tables."""
    _call(_backend(account_id, region).delete_database, name)


def tables(account_id: str, region: str, database_name: str) -> list[Entry]:
    """Return the tables and views of a database, ordered by name."""
    found = _call(_backend(account_id, region).get_tables, database_name, None)
    return sorted((_table(each) for each in found), key=lambda each: each["Name"])


def table(account_id: str, region: str, database_name: str, name: str) -> Entry | None:
    """Return a table, or None if there is none with this name."""
    held = _backend(account_id, region).databases.get(database_name)
    found = held.tables.get(name) if held else None
    return _table(found) if found else None


def _table(held: Any) -> Entry:
    """Return a table of moto's as an entry."""
    entry: Entry = held.as_dict()
    # moto's times are UTC but naive, and a comparison with an aware one would raise.
    return {**entry, "CreateTime": entry["CreateTime"].replace(tzinfo=UTC)}


def create_table(account_id: str, region: str, database_name: str, entry: Entry) -> None:
    """Make a table; raise AlreadyExistsException if the name is taken."""
    _call(_backend(account_id, region).create_table, database_name, entry["Name"], entry)


def update_table(account_id: str, region: str, database_name: str, entry: Entry) -> None:
    """Replace a table's definition."""
    _call(_backend(account_id, region).update_table, database_name, entry["Name"], entry)


def delete_table(account_id: str, region: str, database_name: str, name: str) -> None:
    """Delete a table with its partitions."""
    _call(_backend(account_id, region).delete_table, database_name, name)


def partitions(account_id: str, region: str, database_name: str, table_name: str) -> list[Entry]:
    """Return the partitions of a table, ordered by their values."""
    found = _call(_backend(account_id, region).get_table, database_name, table_name).partitions.values()
    return sorted((each.as_dict() for each in found), key=lambda each: each["Values"])


def create_partition(account_id: str, region: str, database_name: str, table_name: str, entry: Entry) -> None:
    """Add a partition; raise AlreadyExistsException if its values are taken."""
    _call(_backend(account_id, region).create_partition, database_name, table_name, entry)


def delete_partition(account_id: str, region: str, database_name: str, table_name: str, values: list[str]) -> None:
    """Delete a partition; raise EntityNotFoundException if there is none with these values."""
    _call(_backend(account_id, region).get_table(database_name, table_name).delete_partition, values)


def _backend(account_id: str, region: str) -> Any:
    return moto_state.backend("glue", account_id, region)


def _call(function: Any, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except JsonRESTError as error:
        raise ServiceError(error.error_type, error.message) from None
