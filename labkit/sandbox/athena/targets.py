"""Where the rows of CREATE TABLE AS, INSERT INTO and UNLOAD go, and as what: their properties, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.dialect.scope import Query
from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.statements import definitions, nodes, tables
from labkit.sandbox.athena.statements.context import Context
from labkit.sandbox.athena.storage import formats
from labkit.sandbox.athena.storage.lazy import Delimiters
from labkit.sandbox.athena.storage.location import Listing, split
from labkit.sandbox.athena.types import Type, coerces
from labkit.sandbox.moto_state import s3

if TYPE_CHECKING:
    from labkit.sandbox.athena.writing import Output

_NO_HIVE_TYPE = ("timestamp with time zone", "time", "time with time zone", "ipaddress", "ipprefix", "json", "uuid",
                 "interval day to second", "interval year to month", "unknown")  # fmt: skip
_COMPRESSIONS = {
    "GZIP": "gzip",
    "SNAPPY": "snappy",
    "ZSTD": "zstd",
    "LZ4": "lz4",
    "BZIP2": "bzip2",
    "NONE": "none",
    "UNCOMPRESSED": "none",
}
_OF_TEXT = ("gzip", "zstd", "bzip2", "none")
"""Those that text is written with."""
_SERDES = {
    formats.PARQUET: "PARQUET",
    formats.LAZY_SIMPLE: "TEXTFILE",
    formats.HIVE_JSON: "JSON",
    formats.OPENX_JSON: "JSON",
}
_CTAS_OPTIONS = (
    "format",
    "external_location",
    "partitioned_by",
    "write_compression",
    "parquet_compression",
    "field_delimiter",
    "is_external",
    "table_type",
)
_UNLOAD_OPTIONS = ("format", "partitioned_by", "compression", "field_delimiter")


@dataclass(frozen=True)
class Target:
    """Where rows go, and as what."""

    location: str
    format: str
    columns: tuple[tuple[str, Type], ...]
    """Every column, those of the partitions last."""
    partitioned_by: tuple[str, ...]
    names: Random
    compression: str = "gzip"
    delimiters: Delimiters = field(default_factory=Delimiters)
    table: Table | None = None
    """The table that an INSERT adds to."""
    created: tuple[str, str] | None = None
    """The database and name of the table that CREATE TABLE AS makes."""
    numbers: tuple[int, ...] = ()
    """Which column of the query each column is; -1 for none."""

    @classmethod
    def unload(cls, location: str, options: dict[str, Any], query: Query, names: Random) -> Target:
        """UNLOAD (...) TO 's3://...'."""
        _known(options, _UNLOAD_OPTIONS)
        if "format" not in options:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", "UNLOAD needs a format: PARQUET, TEXTFILE or JSON")
        _empty(location, "UNLOAD")
        columns, format_ = _columns(query), _format(str(options["format"]))
        return cls(
            location,
            format_,
            columns,
            _partitioned_by(options, columns),
            names,
            compression=_compression(str(options.get("compression", "GZIP")), format_),
            delimiters=_delimiters(options),
            numbers=tuple(range(len(columns))),
        )

    @classmethod
    def create(
        cls,
        context: Context,
        statement: nodes.QueryStatement,
        query: Query,
        execution: QueryExecution,
        names: Random,
    ) -> Target | None:
        """CREATE TABLE AS; None where the table is there and IF NOT EXISTS says not to mind."""
        database, name = context.named(statement.table)
        context.schema(database)
        if context.catalog.table(database, name):
            if statement.quiet:
                return None
            raise QueryError(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists"
            )
        options: dict[str, Any] = dict(statement.options or {})
        _known(options, _CTAS_OPTIONS)
        if str(options.get("table_type", "HIVE")).upper() != "HIVE":
            raise not_supported(f"table_type = '{options['table_type']}'")
        if execution.managed and not options.get("external_location"):
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                "line 1:1: external_location has to be specified: a work group with managed results has no other place",
            )
        location = str(options.get("external_location") or f"{execution.output_location}/")
        _empty(location, f"table '{database}.{name}'")
        columns, format_ = _columns(query), _format(str(options.get("format", "PARQUET")))
        return cls(
            location if location.endswith("/") else location + "/",
            format_,
            columns,
            _partitioned_by(options, columns),
            names,
            compression=_compression(
                str(options.get("write_compression") or options.get("parquet_compression") or "GZIP"), format_
            ),
            delimiters=_delimiters(options),
            created=(database, name),
            numbers=tuple(range(len(columns))),
        )

    @classmethod
    def insert(cls, context: Context, statement: nodes.QueryStatement, query: Query, names: Random) -> Target:
        """INSERT INTO."""
        database, name = context.named(statement.table)
        table = context.catalog.table(database, name)
        if table is None:
            raise QueryError("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist")
        if table.is_view:
            raise QueryError("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
        if table.storage.get("BucketColumns"):
            raise QueryError("NOT_SUPPORTED", "Inserting into bucketed tables is not supported")
        if table.serde not in _SERDES:
            raise not_supported(f"INSERT INTO a table with the SerDe {table.serde}")
        wanted = _inserted(table, statement.columns)
        given = [column.type for column in query.columns]
        if len(given) != len(wanted) or not all(
            coerces(a, b) or is_bounded_text(a, b) for a, b in zip(given, (kind for _, kind in wanted), strict=False)
        ):
            raise QueryError(
                "TYPE_MISMATCH",
                "line 1:1: Insert query has mismatched column types: Table:"
                f" [{', '.join(str(kind) for _, kind in wanted)}],"
                f" Query: [{', '.join(str(kind) for kind in given)}]",
            )
        places = {column: number for number, (column, _) in enumerate(wanted)}
        return cls(
            table.location.rstrip("/") + "/",
            _SERDES[table.serde],
            table.all_columns,
            tuple(column for column, _ in table.partition_columns),
            names,
            delimiters=Delimiters.of(table.serde_parameters),
            compression=_compression(_of_table(table), _SERDES[table.serde]),
            table=table,
            numbers=tuple(places.get(column, -1) for column, _ in table.all_columns),
        )

    def registered(self, now: float, output: Output) -> dict[str, Any] | None:
        """What the catalog is to be told of the table made, and of the partitions written; see `ending.py`."""
        table = self._created(now) if self.created else self.table
        if table is None:
            return None
        partitions = [
            definitions.partition_entry(table, list(values), folder.rstrip("/"))
            for values, folder in output.partitions.items()
        ]
        return {
            "database": table.database,
            "name": table.name,
            "table": table.entry if self.created else None,
            "location": table.location,
            "partitions": partitions,
        }

    def _created(self, now: float) -> Table:
        assert self.created
        database, name = self.created
        definitions_of = {column: nodes.ColumnDefinition(column, kind) for column, kind in self.columns}
        partitions = tuple(definitions_of.pop(each) for each in self.partitioned_by)
        delimited = {"field.delim": self.delimiters.levels[0]} if self.format == "TEXTFILE" else {}
        statement = nodes.CreateTable(
            "create_table",
            (database, name),
            tuple(definitions_of.values()),
            external=True,
            partitions=partitions,
            file_format=self.format,
            serde_properties=delimited,
            location=self.location,
        )
        return Table(database, name, tables.entry(name, statement, now))


def is_bounded_text(given: Type, wanted: Type) -> bool:
    """Whether a text goes into a column that may be too short for it: that is seen when it is written."""
    return bool(wanted.parameters) and {given.name, wanted.name} <= {"varchar", "char"}


def _known(options: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            raise not_supported(f"the property {name}")


def _format(name: str) -> str:
    if name.upper() not in ("PARQUET", "TEXTFILE", "JSON"):
        raise not_supported(f"format = '{name}'")
    return name.upper()


def _compression(name: str, format_: str) -> str:
    """The codec of a name, if the format is written with it."""
    codec = _COMPRESSIONS.get(name.upper(), "")
    if not codec or (codec not in _OF_TEXT if format_ != "PARQUET" else codec == "bzip2"):
        raise not_supported(f"compression = '{name}' of {format_}")
    return codec


def _of_table(table: Table) -> str:
    """How what is inserted into a table is compressed: with gzip, unless its properties say otherwise.

    https://docs.aws.amazon.com/athena/latest/ug/compression-formats.html
    """
    properties = table.parameters
    return properties.get("write.compression") or properties.get("parquet.compression") or "GZIP"


def named_columns(query: Query) -> list[tuple[str, Type]]:
    """The columns of a table or view that is made of a query: each needs a name, and one of its own."""
    names = [column.name.lower() for column in query.columns]
    met: set[str] = set()
    for number, name in enumerate(names):
        if name == f"_col{number}":
            raise QueryError("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {number + 1}")
        if name in met:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{name}' specified more than once")
        met.add(name)
        if query.columns[number].type.name == "unknown":
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"line 1:1: Column type is unknown at position {number + 1}")
    return list(zip(names, (column.type for column in query.columns), strict=True))


def _columns(query: Query) -> tuple[tuple[str, Type], ...]:
    columns = tuple(named_columns(query))
    for _, kind in columns:
        _check_hive_type(kind)
    return columns


def _check_hive_type(kind: Type) -> None:
    if kind.name in _NO_HIVE_TYPE:
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    for item in kind.items:
        _check_hive_type(item)


def _delimiters(options: dict[str, Any]) -> Delimiters:
    """What stands between columns, \\x01 if nothing is said: https://docs.aws.amazon.com/athena/latest/ug/unload.html"""
    delimiter = str(options.get("field_delimiter", "\x01"))
    if len(delimiter) != 1:
        raise QueryError("INVALID_TABLE_PROPERTY", f"field_delimiter '{delimiter}' must be a single character")
    return Delimiters.of({"field.delim": delimiter})


def _partitioned_by(options: dict[str, Any], columns: tuple[tuple[str, Type], ...]) -> tuple[str, ...]:
    names = tuple(str(each).lower() for each in options.get("partitioned_by") or ())
    missing = [name for name in names if name not in dict(columns)]
    if missing:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Partition columns [{', '.join(missing)}] not present in schema")
    if len(names) == len(columns):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    last = tuple(name for name, _ in columns[len(columns) - len(names) :])
    if names != last:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the"
            f" table properties: [{', '.join(names)}]",
        )
    return names


def _empty(location: str, of: str) -> None:
    bucket, _ = split(location)
    if not s3.bucket_exists(bucket):
        raise QueryError("", f"Could not write to {location}: the bucket does not exist")
    if Listing().under(location, location):
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", f"Target directory for {of} already exists: {location}")


def _inserted(table: Table, names: tuple[str, ...]) -> list[tuple[str, Type]]:
    if not names:
        return list(table.all_columns)
    kinds = dict(table.all_columns)
    for number, name in enumerate(names):
        if name not in kinds:
            raise QueryError("COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {name}")
        if name in names[:number]:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {name}"
            )
    return [(name, kinds[name]) for name in names]
