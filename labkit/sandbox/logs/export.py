"""Log events in files, for a checkpoint: written as they were at a moment, and read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

_ROWS = 8192
"""Of one piece of a file: as few as hold no gigabytes of memory, whatever the messages are."""


class Export:
    """All events of a moment, whatever comes and goes since."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection | None,
        tables: Sequence[str],
        pending: Mapping[str, pa.Table],
        end: Callable[[], None],
    ) -> None:
        self._cursor = cursor
        self._tables = tables
        self._pending = pending
        self._end = end
        if cursor is not None:
            cursor.execute("BEGIN TRANSACTION")
            cursor.execute(f"SELECT 1 FROM {tables[0]} LIMIT 0")  # from here on it sees no later change

    def write(self, folder: Path) -> None:
        """Write one file a log group."""
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        for table in self._tables:
            assert self._cursor is not None
            rows = self._cursor.execute(f"SELECT * FROM {table}").to_arrow_reader(_ROWS)
            with (
                pa.OSFile(str(folder / _file_of(table)), "wb") as file,
                pa.ipc.new_file(file, rows.schema, options=options) as writer,
            ):
                for batch in rows:
                    writer.write_batch(batch)
                if table in self._pending:
                    writer.write_table(self._pending[table].cast(rows.schema), _ROWS)

    def close(self) -> None:
        """Let go of the events."""
        if self._cursor is not None:
            self._cursor.close()
        self._end()


def read_export(folder: Path, table: str, most_rows: int, most_bytes: int) -> Iterator[pa.Table]:
    """Read the events of a log group, about so many at a time."""
    with pa.OSFile(str(folder / _file_of(table))) as file, pa.ipc.open_file(file) as reader:
        found: list[pa.RecordBatch] = []
        for number in range(reader.num_record_batches):
            found.append(reader.get_batch(number))
            if sum(map(len, found)) >= most_rows or sum(batch.nbytes for batch in found) >= most_bytes:
                yield pa.Table.from_batches(found)
                found = []
        if found:
            yield pa.Table.from_batches(found)


def _file_of(table: str) -> str:
    return f"{table}.arrow"
