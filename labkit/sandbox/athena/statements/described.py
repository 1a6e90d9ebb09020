"""DESCRIBE of a table, a partition or a column, as Hive prints them.

https://docs.aws.amazon.com/athena/latest/ug/describe-table.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labkit.sandbox.athena.catalog import Partition, Table
from labkit.sandbox.athena.errors import hive_error
from labkit.sandbox.athena.storage.formats import HIVE_JSON, OPEN_CSV, OPENX_JSON, REGEX
from labkit.sandbox.athena.types import Type, hive_name

_SAID_BY_THE_SERDE = (HIVE_JSON, OPENX_JSON, OPEN_CSV, REGEX)
"""SerDes that Hive asks for the columns instead of its metastore."""
_FROM_SERDE = "from deserializer"
_BLANK = "\t \t "


def describe(table: Table, detail: str, partition: Partition | None) -> Iterator[str]:
    """Yield a line per column, padded as Hive does; `detail` is `formatted`, `extended` or empty."""
    for column in table.storage.get("Columns") or []:
        yield _column(table, column)
    keys = table.entry.get("PartitionKeys") or []
    for column in keys:
        yield _line(column["Name"], column.get("Type", "string"), column.get("Comment", ""))
    if keys:
        yield _BLANK
        yield "# Partition Information" + _BLANK
        yield _line("# col_name", "data_type", "comment")
        yield _BLANK
        for name, kind in table.partition_columns:
            yield _line(name, hive_name(kind), "")
    if detail == "formatted":
        yield from _details(table, partition)
    elif detail:
        yield _BLANK
        yield _thrift(table, partition)


def _column(table: Table, column: dict[str, str]) -> str:
    if table.serde not in _SAID_BY_THE_SERDE:
        return _line(column["Name"], column.get("Type", "string"), column.get("Comment", ""))
    # Hive's OpenCSVSerde reads every column as a string, whatever the table says.
    kind = "string" if table.serde == OPEN_CSV else column.get("Type", "string")
    return _line(column["Name"], kind, _FROM_SERDE)


def describe_column(table: Table, path: tuple[str, ...]) -> str:
    """Describe a column, or a part of it: `.field`, `.'$elem$'`, `.'$key$'`, `.'$value$'`."""
    columns = dict(table.all_columns)
    kind = columns.get(path[0])
    if kind is None:
        raise hive_error(f"cannot find field {path[0]} from {list(columns)}")
    for step in path[1:]:
        kind = _inside(kind, step)
    return _line(path[-1], hive_name(kind), _FROM_SERDE)


def _inside(kind: Type, step: str) -> Type:
    steps = {"array": ("$elem$",), "map": ("$key$", "$value$"), "row": tuple(str(name) for name in kind.names)}
    found = steps.get(kind.name, ())
    if step not in found:
        raise hive_error(f"cannot find field {step} from {list(found)}")
    return kind.items[found.index(step)]


def _details(table: Table, partition: Partition | None) -> Iterator[str]:
    yield _BLANK
    if partition:
        yield "# Detailed Partition Information" + _BLANK
        yield _pair("Partition Value:", f"[{', '.join(partition.values)}]")
    else:
        yield "# Detailed Table Information" + _BLANK
    yield _pair("Database:", table.database)
    if partition:
        yield _pair("Table:", table.name)
    else:
        yield _pair("Owner:", str(table.entry.get("Owner") or "hadoop"))
    yield _pair("CreateTime:", table.entry["CreateTime"].strftime("%a %b %d %H:%M:%S UTC %Y"))
    yield _pair("LastAccessTime:", "UNKNOWN")
    yield _pair("Protect Mode:", "None")
    if not partition:
        yield _pair("Retention:", str(table.entry.get("Retention") or 0))
    yield _pair("Location:", partition.location if partition else table.location)
    if not partition:
        yield _pair("Table Type:", str(table.entry.get("TableType") or ""))
        yield "Table Parameters:" + _BLANK
        yield from (f"\t{name:<20}\t{value:<20}" for name, value in sorted(table.parameters.items()))
    yield _BLANK
    yield from _storage(table)


def _storage(table: Table) -> Iterator[str]:
    storage = table.storage
    yield "# Storage Information" + _BLANK
    yield _pair("SerDe Library:", table.serde)
    yield _pair("InputFormat:", str(storage.get("InputFormat") or ""))
    yield _pair("OutputFormat:", str(storage.get("OutputFormat") or ""))
    yield _pair("Compressed:", "Yes" if storage.get("Compressed") else "No")
    yield _pair("Num Buckets:", str(storage.get("NumberOfBuckets", -1)))
    yield _pair("Bucket Columns:", _listed(storage.get("BucketColumns")))
    yield _pair("Sort Columns:", _listed(storage.get("SortColumns")))
    yield "Storage Desc Params:" + _BLANK
    yield from (f"\t{name:<20}\t{value:<20}" for name, value in sorted(table.serde_parameters.items()))


def _thrift(table: Table, partition: Partition | None) -> str:
    """Return the one line of EXTENDED: the metastore's own record."""
    sd = _storage_descriptor(table, partition)
    if partition:
        values = f"values:[{', '.join(partition.values)}], dbName:{table.database}, tableName:{table.name}"
        return f"Detailed Partition Information\tPartition({values}, {sd})\t "
    created = int(table.entry["CreateTime"].timestamp())
    return (
        f"Detailed Table Information\tTable(tableName:{table.name}, dbName:{table.database},"
        f" owner:{table.entry.get('Owner') or 'hadoop'}, createTime:{created}, lastAccessTime:0,"
        f" retention:{table.entry.get('Retention') or 0}, {sd},"
        f" partitionKeys:{_fields(table.entry.get('PartitionKeys'))},"
        f" parameters:{_mapped(table.parameters)}, viewOriginalText:null, viewExpandedText:null,"
        f" tableType:{table.entry.get('TableType') or ''})\t "
    )


def _storage_descriptor(table: Table, partition: Partition | None) -> str:
    storage = table.storage
    return (
        f"sd:StorageDescriptor(cols:{_fields(storage.get('Columns'))},"
        f" location:{partition.location if partition else table.location}, inputFormat:{storage.get('InputFormat')},"
        f" outputFormat:{storage.get('OutputFormat')}, compressed:{str(bool(storage.get('Compressed'))).lower()},"
        f" numBuckets:{storage.get('NumberOfBuckets', -1)}, serdeInfo:SerDeInfo(name:null,"
        f" serializationLib:{table.serde}, parameters:{_mapped(table.serde_parameters)}),"
        f" bucketCols:{_listed(storage.get('BucketColumns'))}, sortCols:{_listed(storage.get('SortColumns'))},"
        " parameters:{}, skewedInfo:SkewedInfo(skewedColNames:[], skewedColValues:[], skewedColValueLocationMaps:{}),"
        " storedAsSubDirectories:false)"
    )


def _fields(columns: list[dict[str, str]] | None) -> str:
    return _listed(
        [
            f"FieldSchema(name:{each['Name']}, type:{each.get('Type', 'string')},"
            f" comment:{each.get('Comment') or 'null'})"
            for each in columns or []
        ]
    )


def _mapped(pairs: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={value}" for name, value in pairs.items()) + "}"


def _listed(items: list[Any] | None) -> str:
    return f"[{', '.join(str(each) for each in items or [])}]"


def _pair(name: str, value: str) -> str:
    return f"{name:<20}\t{value:<20}\t "


def _line(name: str, kind: str, comment: str) -> str:
    return f"{name:<20}\t{kind:<20}\t{comment:<20}"
