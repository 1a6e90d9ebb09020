"""The footers of Parquet objects: which columns they have, of what type, and how many bytes each takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from labkit.sandbox.athena.catalog import Table
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.storage.lazy import fitted
from labkit.sandbox.athena.types import INTEGERS, Type, duckdb_type, quoted

_ACCEPTED = {
    "boolean": ("BOOLEAN",),
    **dict.fromkeys(INTEGERS, ("INT32", "INT64")),
    "real": ("FLOAT",),
    "double": ("DOUBLE", "FLOAT"),
    "varchar": ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"),
    "char": ("BYTE_ARRAY",),
    "varbinary": ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"),
    "date": ("INT32",),
    "timestamp": ("INT64", "INT96"),
    "decimal": ("INT32", "INT64", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"),
}


@dataclass(frozen=True)
class Footer:
    """What the footer of an object says."""

    names: dict[str, str]
    """The columns' names as the object has them, by their names in lower case."""
    physical: dict[str, str]
    """The physical type of each column that is not nested."""
    sizes: dict[str, int]
    """The bytes that each column takes."""

    def bytes_of(self, names: Sequence[str]) -> int:
        """The bytes of some columns."""
        return sum(self.sizes.get(name, 0) for name in names)

    def columns_of(self, table: Table, numbers: Sequence[int], path: str) -> tuple[str, ...]:
        """The DuckDB of a table's columns, NULL for one that the object lacks; raises HIVE_BAD_DATA."""
        return tuple(self._column(*table.columns[number], path) for number in numbers)

    def _column(self, name: str, kind: Type, path: str) -> str:
        if name not in self.names:
            return f"NULL::{duckdb_type(kind)}"
        physical = self.physical.get(name)
        if physical and kind.name in _ACCEPTED and physical not in _ACCEPTED[kind.name]:
            raise QueryError(
                "HIVE_BAD_DATA",
                f"Field {name}'s type {physical} in parquet file {path} is incompatible with type {kind} defined"
                " in table"
                " schema",
            )
        value = f"CAST({quoted(self.names[name])} AS {duckdb_type(kind)})"
        return fitted(value, kind) if kind.name in ("varchar", "char") else value


def read_footer(path: Path, shown: str) -> Footer:
    """The footer of an object; raises HIVE_CANNOT_OPEN_SPLIT for one that is no Parquet."""
    try:
        metadata = pq.read_metadata(path)
    except pa.ArrowInvalid:
        raise QueryError("HIVE_BAD_DATA", f"Not valid Parquet file: {shown} expected magic number: PAR1") from None
    sizes: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(number)
            name = chunk.path_in_schema.split(".")[0].lower()
            sizes[name] = sizes.get(name, 0) + chunk.total_compressed_size
    schema = metadata.schema
    leaves = [schema.column(number) for number in range(len(schema))]
    names = {leaf.path.split(".")[0].lower(): leaf.path.split(".")[0] for leaf in leaves}
    flat = {leaf.name.lower(): leaf.physical_type for leaf in leaves if "." not in leaf.path}
    return Footer(names, flat, sizes)
