"""Stores log events: one columnar table per log group, in a DuckDB database of its own.

The database is a temporary file, so that memory does not grow with the events. The file has no name by the time that it
is used, so none of it stays, however the process ends: a sandbox that starts again makes its events anew. Queries that
need much memory use files beside it.

Both languages of CloudWatch Logs compile to SQL over these tables. A reader asks for `relation(region, group)`, the
name of the group's table, and runs SQL over it on a `cursor()` of its own:

>>> store = EventStore()
>>> store.create("eu-west-1", "VPCFlowLogs")
>>> _ = store.append("eu-west-1", "VPCFlowLogs", "eni-1", [1_793_610_000_000], ["hello"], ingestion_time=0)
>>> store.cursor().execute(f"SELECT stream, message FROM {store.relation('eu-west-1', 'VPCFlowLogs')}").fetchall()
[('eni-1', 'hello')]

The columns, none of them ever NULL:

- `timestamp` BIGINT, the event's own time in milliseconds since the epoch;
- `ingestion_time` BIGINT, when it was put, likewise;
- `sequence` BIGINT, the event's place in the order of ingestion, unique in the store;
- `stream` VARCHAR, the name of its log stream;
- `message` VARCHAR.

The order that AWS gives events in is `ORDER BY timestamp, sequence`. An event's id is a function of those two: see
`event_id`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labkit.sandbox.kernel.spare_memory import give_back
from labkit.sandbox.logs.export import Export, read_export
from labkit.sandbox.logs.texts import Texts, bytes_of

SETTINGS = """
    ATTACH '$folder/events' AS events (STORAGE_VERSION 'latest', RECOVERY_MODE no_wal_writes);
    SET GLOBAL TimeZone = 'UTC';
    SET GLOBAL order_by_non_integer_literal = true;
    SET memory_limit = '256MB';
    SET temp_directory = '$folder';
    SET enable_external_access = false;
    SET python_enable_replacements = false;
    SET autoload_known_extensions = false;
    SET autoinstall_known_extensions = false;
    SET lock_configuration = true;
"""
TABLE = """
    (timestamp BIGINT, ingestion_time BIGINT, sequence BIGINT, stream VARCHAR, message VARCHAR)
"""
BATCH = pa.schema(
    [
        ("timestamp", pa.int64()),
        ("ingestion_time", pa.int64()),
        ("sequence", pa.int64()),
        ("stream", pa.string()),
        ("message", pa.string()),
    ]
)
MOST_BYTES_OF_A_CHUNK = 2**30
"""Arrow's strings have room for twice as many."""
PENDING_BYTES = 64 * 2**20
PENDING_EVENTS = 122_880
"""Batches wait in memory until they fill a row group of DuckDB, compressed at once, or until somebody reads."""

EVENTS_BETWEEN_TRIMS = 4 * PENDING_EVENTS
"""What allocators keep for later goes back to the system after so many events were written."""

MEMORY_EVENTS = 2 * PENDING_EVENTS
"""What somebody read before it filled a row group stays in memory until so many events were written."""

SMALL_BATCH = 1_000
SMALL_BATCH_SQL = """
    SELECT unnest($1::BIGINT[]) AS timestamp, unnest($2::BIGINT[]) AS sequence, unnest($3::VARCHAR[]) AS message
"""

EVENT_ID_SHIFT = 144
"""An id of AWS's is the event's timestamp moved up by so many bits, then its place: 56 digits that sort by time."""


def event_id(timestamp: int, sequence: int) -> str:
    """The id of an event, 56 digits that sort as the events do.

    >>> event_id(1_793_610_000_000, 7)
    '39998839595536510972889879651004827680741533941760000007'
    """
    return f"{(timestamp << EVENT_ID_SHIFT) + sequence:056d}"


def event_place(event_id: str) -> tuple[int, int]:
    """The timestamp and the sequence number in an event's id.

    >>> event_place(event_id(1_793_610_000_000, 7))
    (1793610000000, 7)
    """
    number = int(event_id)
    return number >> EVENT_ID_SHIFT, number & ((1 << EVENT_ID_SHIFT) - 1)


def is_place(timestamp: int, sequence: int) -> bool:
    """Whether numbers that a client sent can be an event's: both are longs in the store, and in AWS."""
    return abs(timestamp) < 2**63 and abs(sequence) < 2**63


Times: TypeAlias = Sequence[int] | NDArray[np.int64]
"""Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one stream that were put together."""

    stream: str
    timestamps: NDArray[np.int64]
    messages: pa.StringArray
    ingestion_time: int
    first_sequence: int
    texts: tuple[Texts, NDArray[np.int32]] | None = None
    """Where the messages were known before: what they are part of, and their places in it."""

    def __len__(self) -> int:
        return len(self.timestamps)

    @property
    def size(self) -> int:
        """The size of the messages in bytes."""
        return bytes_of(self.messages)

    def sequences(self) -> NDArray[np.int64]:
        """The places of the events in the order of ingestion."""
        return np.arange(self.first_sequence, self.first_sequence + len(self), dtype=np.int64)

    def split(self, count: int) -> tuple[Batch, Batch]:
        """The first events, and the others."""
        times, messages = self.timestamps, self.messages
        first = Batch(self.stream, times[:count], messages[:count], self.ingestion_time, self.first_sequence)
        rest = Batch(self.stream, times[count:], messages[count:], self.ingestion_time, self.first_sequence + count)
        return first, rest


def _table(batches: Sequence[Batch]) -> pa.Table:
    """Batches as one table in the columns of `BATCH`, of one piece: DuckDB takes pages of memory for each piece."""
    counts = [len(batch) for batch in batches]
    numbers = pa.array(np.repeat(np.arange(len(counts)), counts))
    messages = pa.chunked_array([batch.messages for batch in batches], pa.string())
    columns = [
        pa.array(np.concatenate([batch.timestamps for batch in batches])),
        pa.array(np.repeat([batch.ingestion_time for batch in batches], counts)),
        pa.array(np.concatenate([batch.sequences() for batch in batches])),
        pa.array([batch.stream for batch in batches], pa.string()).take(numbers),
        messages.combine_chunks() if messages.nbytes < MOST_BYTES_OF_A_CHUNK else messages,
    ]
    return pa.Table.from_arrays(columns, schema=BATCH)


class GroupEvents:
    """The events of one log group: its table, and the batches that are still to be written to it."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.pending: list[Batch] = []
        self.pending_events = 0
        self.pending_bytes = 0

    def add(self, batch: Batch) -> None:
        """Add a batch to those that wait."""
        self.pending.append(batch)
        self.pending_events += len(batch)
        self.pending_bytes += batch.size

    def take(self, count: int) -> pa.Table:
        """The first of the events as one table; they are not pending any more."""
        taken, waiting = [], self.pending
        self.pending, self.pending_events, self.pending_bytes = [], 0, 0
        for batch in waiting:
            first, rest = batch.split(count) if count < len(batch) else (batch, None)
            count -= len(first)
            if len(first):
                taken.append(first)
            if rest is not None:
                self.add(rest)
        return _table(taken)


class EventStore:
    """All log events of a sandbox. Callers hold the sandbox's lock, save for reading with a `cursor()`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="labkit-logs-")
        self._writer = ThreadPoolExecutor(1, "event store")
        self._writing: Future[None] | None = None
        self._groups: dict[tuple[str, str], GroupEvents] = {}
        self._tables_made = 0
        self._sequence = 0
        self._in_memory = 0
        self._untrimmed = 0
        self._exports = 0
        self._views: set[int] = set()
        """The snapshots being read: a set, whose members come and go on any thread."""

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The database, opened at its first use: a sandbox without log groups starts without it."""
        connection = duckdb.connect(":memory:")
        connection.execute(SETTINGS.replace("$folder", self._folder.name.replace("'", "''")))
        Path(self._folder.name, "events").unlink()
        return connection

    def close(self) -> None:
        """Lets go of the events."""
        self._writer.shutdown()
        if "_connection" in vars(self):
            self._connection.close()
        self._folder.cleanup()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the events, for a query; two threads must not share one."""
        return self._connection.cursor()

    def snapshot(self, table: str) -> duckdb.DuckDBPyConnection:
        """A cursor to all events as they are now, whatever is put or deleted later; to be given to `release`."""
        self._settle()
        cursor = self.cursor()
        cursor.execute("BEGIN TRANSACTION")
        cursor.execute(f"SELECT 1 FROM {table} LIMIT 0")  # from here on it sees no later change
        self._views.add(id(cursor))
        return cursor

    def release(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let go of a snapshot, on any thread."""
        self._views.discard(id(cursor))
        cursor.close()

    def create(self, region: str, group: str) -> None:
        """A table for a new log group."""
        self._tables_made += 1
        table = f"events.group_{self._tables_made}"
        self._settle()
        self._connection.execute(f"CREATE TABLE {table} {TABLE}")
        self._groups[region, group] = GroupEvents(table)

    def drop(self, region: str, group: str) -> None:
        """Drop a log group's events."""
        self._settle()
        self._connection.execute(f"DROP TABLE {self._groups.pop((region, group)).table}")

    def append(
        self,
        region: str,
        group: str,
        stream: str,
        timestamps: Times,
        messages: Sequence[str],
        *,
        ingestion_time: int,
        texts: tuple[Texts, NDArray[np.int32]] | None = None,
    ) -> Batch:
        """Adds events of one stream, in the order given; the batch as it was added."""
        lines = messages if isinstance(messages, pa.StringArray) else pa.array(messages, pa.string())
        times = np.asarray(timestamps, np.int64)
        batch = Batch(stream, times, lines, ingestion_time, self._sequence, texts)
        self._sequence += len(batch)
        events = self._groups[region, group]
        events.add(batch)
        if events.pending_events >= PENDING_EVENTS or events.pending_bytes >= PENDING_BYTES:
            self._settle()
            full = events.pending_events // PENDING_EVENTS * PENDING_EVENTS or events.pending_events
            self._writing = self._writer.submit(self._insert, events.table, events.take(full))
        return batch

    def relation(self, region: str, group: str) -> str:
        """The name of the table that holds all events put so far, to be used in SQL as it stands."""
        events = self._groups[region, group]
        self._settle()
        if events.pending_events:
            self._insert(events.table, events.take(events.pending_events))
        return events.table

    def query_batch(self, batch: Batch, sql: str) -> list[tuple[Any, ...]]:
        """Runs a query over a batch as `append` gave it; the query knows it as `batch`.

        A small batch goes in as parameters: to have DuckDB read Arrow's memory costs milliseconds, however little.
        Neither way has the columns `stream` and `ingestion_time`, which are the same in all of a batch.
        """
        if len(batch) < SMALL_BATCH:
            columns = [batch.timestamps.tolist(), batch.sequences().tolist(), batch.messages.to_pylist()]
            return self._connection.execute(f"WITH batch AS ({SMALL_BATCH_SQL}) {sql}", columns).fetchall()
        self._connection.register("batch", _table([batch]))
        try:
            return self._connection.execute(sql).fetchall()
        finally:
            self._connection.unregister("batch")

    def query_texts(self, texts: Texts, sql: str) -> list[tuple[Any, ...]]:
        """Run a query over texts, once, as over a batch; the sequence of a message is its place."""
        if sql not in texts.known:
            times = np.zeros(len(texts.lines), np.int64)
            texts.known[sql] = self.query_batch(Batch("", times, texts.lines, 0, 0), sql)
        found: list[tuple[Any, ...]] = texts.known[sql]
        return found

    def delete(self, region: str, group: str, condition: str, parameters: Sequence[object]) -> None:
        """Delete the events that meet a condition over the columns of the table."""
        self._connection.execute(f"DELETE FROM {self.relation(region, group)} WHERE {condition}", parameters)

    def to_keep(self) -> dict[str, Any]:
        """Return what is known of the events besides themselves, which `export` has."""
        tables = {name: events.table for name, events in self._groups.items()}
        return {"tables": tables, "tables_made": self._tables_made, "sequence": self._sequence}

    def take_back(self, kept: dict[str, Any]) -> None:
        """Go on from what `to_keep` returned; `load` has the events."""
        self._tables_made, self._sequence = kept["tables_made"], kept["sequence"]
        for name, table in kept["tables"].items():
            self._connection.execute(f"CREATE TABLE {table} {TABLE}")
            self._groups[name] = GroupEvents(table)

    def export(self) -> Export:
        """Return the events as they are now, to be written to files later and on any thread."""
        self._settle()
        pending = {events.table: _table(events.pending) for events in self._groups.values() if events.pending}
        self._exports += 1
        tables = [events.table for events in self._groups.values()]
        return Export(self._connection.cursor() if tables else None, tables, pending, self._end_of_export)

    def load(self, folder: Path) -> None:
        """Read the events that an `export` wrote."""
        for events in self._groups.values():
            for batch in read_export(folder, events.table, PENDING_EVENTS, PENDING_BYTES):
                self._insert(events.table, batch)

    def _end_of_export(self) -> None:
        self._exports -= 1

    def _settle(self) -> None:
        """Waits for what is being written beside the sandbox's own work."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _insert(self, table: str, batch: pa.Table) -> None:
        with self._connection.cursor() as cursor:
            cursor.register("batch", batch)
            cursor.execute(f"INSERT INTO {table} FROM batch")
            self._in_memory += len(batch) % PENDING_EVENTS
            if self._in_memory >= MEMORY_EVENTS and not self._exports and not self._views:  # who reads reads on
                cursor.execute("CHECKPOINT events")
                self._in_memory = 0
        self._untrimmed += len(batch)
        if self._untrimmed >= EVENTS_BETWEEN_TRIMS:
            self._untrimmed = 0
            give_back()
