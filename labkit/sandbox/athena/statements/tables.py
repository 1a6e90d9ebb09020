"""CREATE TABLE, checked and turned into a Glue table."""

from __future__ import annotations

from typing import Any

from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.statements import nodes
from labkit.sandbox.athena.storage import formats
from labkit.sandbox.athena.types import hive_name

TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
FORMATS = {
    "TEXTFILE": (TEXT_INPUT, TEXT_OUTPUT, formats.LAZY_SIMPLE),
    "PARQUET": (PARQUET_INPUT, PARQUET_OUTPUT, formats.PARQUET),
    "JSON": (TEXT_INPUT, TEXT_OUTPUT, formats.HIVE_JSON),
    "ORC": (
        "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
    ),
    "AVRO": (
        "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
        "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
    ),
}
_NOT_READ = ("ORC", "AVRO", "RCFILE", "SEQUENCEFILE", "ION")


def check(statement: nodes.CreateTable) -> None:
    """Raise Hive's errors: for repeated columns, tables that aren't external, a location that isn't on S3."""
    names = [column.name for column in statement.columns]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated:
        raise QueryError("", f"FAILED: SemanticException [Error 10036]: Duplicate column name: {repeated}")
    if set(names) & {column.name for column in statement.partitions}:
        raise QueryError("", "FAILED: SemanticException [Error 10035]: Column repeated in partitioning columns")
    properties = statement.properties or {}
    if properties.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("Iceberg tables")
    if not statement.external:
        raise QueryError(
            "", "FAILED: SemanticException Unsupported table type: CREATE TABLE needs EXTERNAL, or table_type='ICEBERG'"
        )
    if not statement.location:
        raise QueryError("", "FAILED: SemanticException External table needs a LOCATION")
    projected = "storage.location.template" in properties
    if not projected and not statement.location.startswith(("s3://", "s3a://", "s3n://")):
        raise QueryError("", f"FAILED: SemanticException Cannot make location absolute: {statement.location}")
    if statement.file_format in _NOT_READ:
        raise not_supported(f"STORED AS {statement.file_format}")
    if statement.file_format and statement.file_format not in FORMATS:
        raise QueryError(
            "", f"FAILED: SemanticException Unrecognized file format in STORED AS clause: '{statement.file_format}'"
        )


def entry(name: str, statement: nodes.CreateTable, now: float) -> dict[str, Any]:
    """Return the table as Glue stores it; `now` is in seconds."""
    input_format, output_format, serde = FORMATS[statement.file_format or "TEXTFILE"]
    if statement.formats:
        input_format, output_format = statement.formats
    # STORED AS INPUTFORMAT may name Parquet's classes without a SerDe.
    serde = statement.serde or (formats.PARQUET if "parquet" in input_format.lower() else serde)
    properties = dict(statement.serde_properties or {})
    if serde == formats.LAZY_SIMPLE and "field.delim" in properties:
        properties.setdefault("serialization.format", properties["field.delim"])
    properties.setdefault("serialization.format", "1")
    parameters = {"EXTERNAL": "TRUE", "transient_lastDdlTime": str(int(now)), **(statement.properties or {})}
    if statement.comment:
        parameters["comment"] = statement.comment
    buckets = statement.buckets or ((), -1)
    return {
        "Name": name,
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": [column_entry(column) for column in statement.partitions],
        "StorageDescriptor": {
            "Columns": [column_entry(column) for column in statement.columns],
            "Location": statement.location,
            "InputFormat": input_format,
            "OutputFormat": output_format,
            "Compressed": False,
            "NumberOfBuckets": buckets[1],
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": properties},
            "BucketColumns": list(buckets[0]),
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
    }


def column_entry(column: nodes.ColumnDefinition) -> dict[str, str]:
    """Return a column as Glue stores it."""
    entry = {"Name": column.name, "Type": hive_name(column.type)}
    return {**entry, "Comment": column.comment} if column.comment else entry
