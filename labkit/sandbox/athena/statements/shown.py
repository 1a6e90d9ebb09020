"""SHOW CREATE TABLE and SHOW CREATE VIEW, as Hive prints them."""

from __future__ import annotations

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.storage.formats import LAZY_SIMPLE

_DELIMITERS = {
    "field.delim": "FIELDS TERMINATED BY",
    "escape.delim": "ESCAPED BY",
    "collection.delim": "COLLECTION ITEMS TERMINATED BY",
    "mapkey.delim": "MAP KEYS TERMINATED BY",
    "line.delim": "LINES TERMINATED BY",
    "serialization.null.format": "NULL DEFINED AS",
}


def show_create_table(table: Table) -> str:
    """Return the statement that creates the table."""
    parts = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(\n{_columns(table.storage.get('Columns') or [])})"]
    if table.parameters.get("comment"):
        parts.append(f"COMMENT {_string(table.parameters['comment'])}")
    if table.entry.get("PartitionKeys"):
        parts.append(f"PARTITIONED BY ( \n{_columns(table.entry['PartitionKeys'])})")
    if table.storage.get("BucketColumns"):
        buckets = ", ".join(table.storage["BucketColumns"])
        parts.append(f"CLUSTERED BY ( {buckets}) INTO {table.storage['NumberOfBuckets']} BUCKETS")
    parts.append(_row_format(table))
    parts.append(
        f"STORED AS INPUTFORMAT \n  {_string(str(table.storage.get('InputFormat')))} \nOUTPUTFORMAT \n"
        f"  {_string(str(table.storage.get('OutputFormat')))}"
    )
    parts.append(f"LOCATION\n  {_string(table.location)}")
    properties = {k: v for k, v in table.parameters.items() if k not in ("EXTERNAL", "comment")}
    listed = ", \n".join(f"  {_string(k)}={_string(v)}" for k, v in sorted(properties.items()))
    if listed:
        parts.append(f"TBLPROPERTIES (\n{listed})")
    return "\n".join(parts)


def _columns(columns: list[dict[str, str]]) -> str:
    lines = []
    for column in columns:
        comment = f" COMMENT {_string(column['Comment'])}" if column.get("Comment") else ""
        lines.append(f"  `{column['Name']}` {column.get('Type', 'string')}{comment}")
    return ", \n".join(lines)


def _row_format(table: Table) -> str:
    parameters = table.serde_parameters
    if table.serde == LAZY_SIMPLE and "field.delim" in parameters:
        lines = [f"  {words} {_string(parameters[key])}" for key, words in _DELIMITERS.items() if key in parameters]
        return "ROW FORMAT DELIMITED \n" + " \n".join(lines) + " "
    listed = ", \n".join(
        f"  {_string(k)}={_string(v)}" for k, v in sorted(parameters.items()) if k != "serialization.format"
    )
    properties = f"WITH SERDEPROPERTIES ( \n{listed}) " if listed else ""
    return f"ROW FORMAT SERDE \n  {_string(table.serde)} \n{properties}".rstrip("\n")


def _string(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t").replace("\n", "\\n")
    return f"'{''.join(f'{chr(92)}{ord(c):03o}' if ord(c) < 32 else c for c in escaped)}'"


def show_create_view(table: Table) -> str:
    """Return the statement that creates the view."""
    return f"CREATE VIEW {table.database}.{table.name} AS\n{table.view}"
