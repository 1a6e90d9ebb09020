"""The objects of S3 as DuckDB reads them: laid down in a private directory, and kept as columns once read.

Text is read once for the columns that a query wants; what was read stays as Parquet in the private directory, by the
objects' etags and the way they are read, so later queries over unchanged objects touch neither the text nor gzip again.
One thread uncompresses, others take the lines apart, and one writes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.storage import lines, parquet
from labkit.sandbox.athena.storage.formats import Reading, reading
from labkit.sandbox.athena.storage.location import ScannedObject
from labkit.sandbox.athena.storage.scans import ScanPlan
from labkit.sandbox.athena.types import TIMESTAMP_TZ, duckdb_type
from labkit.sandbox.moto_state import s3

KEPT_BYTES = 1024**3
"""How many bytes of Parquet are kept; the copies used longest ago go first."""
MOST_LOOKED_UP = 256
"""Up to this many objects, their metadata goes into the SQL as lists; beyond that it is joined as a table."""
PART_BYTES = 256 * 1024**2
"""How many bytes of objects make a file of a copy, about."""
_ROW_GROUP_ROWS, _ROW_GROUP_BYTES = 122_880, 64 * 1024**2
_READERS = 2
"""The number of threads that parse lines."""
_AHEAD = 8
"""The number of blocks that may wait to be written."""


@dataclass(frozen=True)
class _Part:
    """A file of a copy: the rows of some of its objects, which have consecutive numbers."""

    path: Path
    numbers: range


@dataclass
class _Copy:
    """Some columns of some objects, all read the same way."""

    name: str
    numbers: frozenset[int]
    objects: dict[str, int] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    used: int = 0
    readers: int = 0

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(part.path.stat().st_size for part in self.parts)

    def relation(self, wanted: set[int]) -> tuple[str, set[int]]:
        """The files that hold the objects of some numbers, and the numbers of all objects in them."""
        holding = [part for part in self.parts if any(number in part.numbers for number in wanted)]
        paths = ", ".join(f"'{part.path}'" for part in holding)
        return f"read_parquet([{paths}])", {number for part in holding for number in part.numbers}


class Store:
    """Makes the relations that a query's scans refer to."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._directory = engine.directory / "objects"
        self._directory.mkdir()
        self._lock = threading.Lock()
        self._copies: dict[str, list[_Copy]] = {}
        self._made = 0
        self._uses = 0
        self._parquet: dict[str, parquet.Footer] = {}

    def relation(
        self, cursor: duckdb.DuckDBPyConnection, plan: ScanPlan, is_stopped: Callable[[], bool]
    ) -> tuple[str, int, list[_Copy]]:
        """The SQL of a scan, the bytes that it reads, and the copies to release after the query."""
        how = reading(plan.scan.table)
        if not plan.objects:
            return self._nothing(plan), 0, []
        if how.is_columnar:
            sql, size = self._columnar(cursor, plan)
            return sql, size, []
        copy = self._copy(plan, how, is_stopped)
        ids = [copy.objects[_identity(each)] for each in plan.objects]
        source, present = copy.relation(set(ids))
        sql = self._with_objects(cursor, plan, f"{source} AS t", 't."$object"', ids, present)
        return sql, sum(each.size for each in plan.objects), [copy]

    def release(self, copies: Sequence[_Copy]) -> None:
        """Release the copies that an ended query used."""
        with self._lock:
            for copy in copies:
                copy.readers -= 1

    def _nothing(self, plan: ScanPlan) -> str:
        columns = [f"NULL::{duckdb_type(kind)} AS c{n}" for n, (_, kind) in enumerate(plan.scan.table.all_columns)]
        pseudo = f'NULL::VARCHAR AS "$path", NULL::BIGINT AS "$size", NULL::{duckdb_type(TIMESTAMP_TZ)} AS "$modified"'
        return f"SELECT {', '.join([*columns, pseudo])} WHERE false"

    def _with_objects(
        self,
        cursor: duckdb.DuckDBPyConnection,
        plan: ScanPlan,
        source: str,
        key: str,
        ids: list[int],
        present: set[int],
    ) -> str:
        """Rows with what is known of their objects; the rows of a few objects stay in the objects' order.

        A join may swap its sides, and so the rows, where there are about as many objects as rows.
        """
        if len(set(ids)) < len(ids) or len(ids) > MOST_LOOKED_UP:
            return self._joined(cursor, plan, source, key, ids)
        columns = [f"t.c{n}" for n in plan.numbers]
        for name, kind, known in _known(plan):
            listed: list[Any] = [None] * (max(ids) + 1)
            for number, value in zip(ids, known, strict=True):
                listed[number] = value
            variable = f"{plan.scan.alias}_{name.strip('$')}"
            cursor.execute(f"SET VARIABLE {variable} = CAST($1 AS {kind}[])", [listed])
            columns.append(f"getvariable('{variable}')[{key} + 1] AS \"{name}\"")
        some = f" WHERE {key} IN ({', '.join(map(str, ids))})" if present != set(ids) else ""
        return f"SELECT {', '.join(columns) or '1 AS c0'} FROM {source}{some}"

    def _joined(self, cursor: duckdb.DuckDBPyConnection, plan: ScanPlan, source: str, key: str, ids: list[int]) -> str:
        columns = [f"t.c{n}" for n in plan.numbers]
        data = {"id": pa.array(ids, pa.int64())}
        for name, kind, known in _known(plan):
            data[name] = pa.array(known)
            columns.append(f'CAST(o."{name}" AS {kind}) AS "{name}"')
        table = f"objects_{plan.scan.alias}"
        self._keep(cursor, table, pa.table(data))
        return f"SELECT {', '.join(columns) or '1 AS c0'} FROM {source} JOIN {table} AS o ON {key} = o.id"

    # --- text

    def _copy(self, plan: ScanPlan, how: Reading, is_stopped: Callable[[], bool]) -> _Copy:
        """A copy that has the columns of the objects, made or completed if there is none."""
        wanted = frozenset(plan.numbers)
        identities = {_identity(each): each for each in plan.objects}
        with self._lock:
            copies = self._copies.setdefault(how.key, [])
            able = [copy for copy in copies if wanted <= copy.numbers]
            copy = min(able, key=lambda each: len(identities.keys() - each.objects.keys()), default=None)
            if copy is None or (copy.numbers != wanted and identities.keys() - copy.objects.keys()):
                copy = next((each for each in copies if each.numbers == wanted), None) or self._new(how, wanted)
            missing = [each for name, each in identities.items() if name not in copy.objects]
            self._load(copy, how, missing, is_stopped)
            self._uses += 1
            copy.used = self._uses
            copy.readers += 1
            self._drop_oldest()
            return copy

    def _new(self, how: Reading, wanted: frozenset[int]) -> _Copy:
        self._made += 1
        copy = _Copy(f"copy_{self._made}", wanted)
        self._copies[how.key].append(copy)
        return copy

    def _load(
        self,
        copy: _Copy,
        how: Reading,
        objects: list[ScannedObject],
        is_stopped: Callable[[], bool],
    ) -> None:
        for some in _of_a_part(objects):
            first = max(copy.objects.values(), default=-1) + 1
            part = _Part(self._directory / f"{copy.name}.{first}.parquet", range(first, first + len(some)))
            try:
                self._write(part, copy, how, some, is_stopped)
            except (duckdb.Error, QueryError):
                part.path.unlink(missing_ok=True)
                raise
            copy.objects |= {_identity(each): number for number, each in enumerate(some, first)}
            copy.parts.append(part)

    def _write(
        self,
        part: _Part,
        copy: _Copy,
        how: Reading,
        objects: list[ScannedObject],
        is_stopped: Callable[[], bool],
    ) -> None:
        numbers = sorted(copy.numbers)
        read = how.reader(numbers) if numbers else _rows
        blocks = (
            (number, block)
            for number, each in zip(part.numbers, objects, strict=True)
            for block in lines.blocks(each, how.skipped)
        )
        nothing = (part.numbers.start, b"")  # the file has its columns, even if no object has a line

        def table(number: int, block: bytes) -> pa.Table:
            with self.engine.cursor() as cursor:
                found = read(block, cursor)
            rows = len(found) if numbers else lines.count(block)
            object_ = pa.repeat(pa.scalar(number, pa.int32()), rows)
            return pa.table([object_, *found.columns], ["$object", *found.column_names])

        with (
            ThreadPoolExecutor(_READERS + 1) as pool,
            closing(_ahead(pool, table, chain([nothing], blocks))) as tables,
        ):
            _write_parquet(part.path, tables, is_stopped)

    def _drop_oldest(self) -> None:
        copies = sorted((copy for each in self._copies.values() for copy in each), key=lambda copy: copy.used)
        total = sum(copy.size for copy in copies)
        for copy in copies:
            if total <= KEPT_BYTES:
                return
            if copy.readers == 0:
                total -= copy.size
                for part in copy.parts:
                    part.path.unlink()
                for each in self._copies.values():
                    if copy in each:
                        each.remove(copy)

    # --- Parquet

    def _columnar(self, cursor: duckdb.DuckDBPyConnection, plan: ScanPlan) -> tuple[str, int]:
        """Parquet is read where it lies, files of one schema together; only the columns wanted are counted."""
        table, size = plan.scan.table, 0
        alike: dict[tuple[str, ...], dict[str, list[int]]] = {}
        for number, each in enumerate(plan.objects):
            path, footer = self._footer(each)
            size += footer.bytes_of([table.columns[n][0] for n in plan.numbers])
            columns = footer.columns_of(table, plan.numbers, each.path)
            alike.setdefault(columns, {}).setdefault(path, []).append(number)
        parts = [_read_parquet(files, columns, plan.numbers) for columns, files in alike.items()]
        pairs = [(path, n) for files in alike.values() for path, numbers in files.items() for n in numbers]
        name = f"files_{plan.scan.alias}"
        self._keep(cursor, name, pa.table({"path": [path for path, _ in pairs], "id": [n for _, n in pairs]}))
        rows = f"({' UNION ALL '.join(parts)}) AS r JOIN {name} AS f ON r.path = f.path"
        source = f"(SELECT f.id AS object, r.* EXCLUDE (path) FROM {rows}) AS t"
        numbers = list(range(len(plan.objects)))
        return self._with_objects(cursor, plan, source, "t.object", numbers, set(numbers)), size

    def _footer(self, each: ScannedObject) -> tuple[str, parquet.Footer]:
        """Where an object of Parquet lies on the disk, and its footer."""
        name = _identity(each).replace(":", "-")
        path = self._directory / f"{name}.parquet"
        with self._lock:
            if name not in self._parquet:
                path.write_bytes(s3.get_object(each.bucket, each.key))
                self._parquet[name] = parquet.read_footer(path, each.path)
            return str(path), self._parquet[name]

    def _keep(self, cursor: duckdb.DuckDBPyConnection, name: str, data: pa.Table) -> None:
        """A table of the query's own."""
        cursor.register(f"{name}_given", data)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_given")
        cursor.unregister(f"{name}_given")


def _known(plan: ScanPlan) -> Iterator[tuple[str, str, list[Any]]]:
    """What a query asks of its objects: a column's name, its type in DuckDB, and its value for each object."""
    first = len(plan.scan.table.columns)
    for number in plan.partition_numbers:
        _, kind = plan.scan.table.all_columns[number]
        yield f"c{number}", duckdb_type(kind), [each.values[number - first] for each in plan.objects]
    if plan.uses_pseudo_columns:
        yield "$path", "VARCHAR", [each.path for each in plan.objects]
        yield "$size", "BIGINT", [each.size for each in plan.objects]
        yield "$modified", "TIMESTAMPTZ", [each.modified for each in plan.objects]


def _read_parquet(files: dict[str, list[int]], columns: tuple[str, ...], numbers: tuple[int, ...]) -> str:
    listed = ", ".join(f"'{path}'" for path in files)
    selected = "".join(f", {sql} AS c{n}" for sql, n in zip(columns, numbers, strict=True))
    return f"SELECT filename AS path{selected} FROM read_parquet([{listed}], filename=true)"


def _of_a_part(objects: Sequence[ScannedObject]) -> Iterator[list[ScannedObject]]:
    """The objects, in order, as many at a time as make a file of a copy."""
    batch: list[ScannedObject] = []
    size = 0
    for each in objects:
        if batch and size + each.size > PART_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


def _rows(block: bytes, cursor: duckdb.DuckDBPyConnection) -> pa.Table:
    """No column: the rows are only counted."""
    return pa.table({})


def _ahead(
    pool: ThreadPoolExecutor, table: Callable[[int, bytes], pa.Table], blocks: Iterable[tuple[int, bytes]]
) -> Generator[pa.Table]:
    """The tables of blocks, in order; the pool's threads make blocks and tables ahead, but not many."""
    made: Queue[Future[pa.Table] | None] = Queue(_AHEAD)
    is_given_up = Event()

    def feed() -> None:
        try:
            for block in blocks:
                if is_given_up.is_set():
                    return
                made.put(pool.submit(table, *block))
        finally:
            made.put(None)

    feeding = pool.submit(feed)
    try:
        while (following := made.get()) is not None:
            yield following.result()
        feeding.result()
    finally:
        is_given_up.set()
        while following is not None:
            following = made.get()


def _write_parquet(path: Path, tables: Iterator[pa.Table], is_stopped: Callable[[], bool]) -> None:
    """Writes tables as row groups of the size that DuckDB reads best."""
    held = [next(tables)]
    with _writer(path, held[0].schema) as writer:
        for table in tables:
            if is_stopped():
                raise duckdb.InterruptException("stopped")
            held.append(table)
            if sum(map(len, held)) >= _ROW_GROUP_ROWS or sum(each.nbytes for each in held) >= _ROW_GROUP_BYTES:
                writer.write_table(pa.concat_tables(held))
                held = []
        if held:
            writer.write_table(pa.concat_tables(held))


def _writer(path: Path, schema: pa.Schema) -> ParquetWriter:
    """Statistics of `$object` alone are of use; a dictionary of it and of strings; compression of strings."""
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    return ParquetWriter(
        path,
        schema,
        compression={name: "lz4" if name in texts else "none" for name in schema.names},
        use_dictionary=["$object", *texts],
        write_statistics=["$object"],
    )


def _identity(each: ScannedObject) -> str:
    """Objects of the same bytes and the same codec are one, wherever they lie."""
    return f"{each.etag}:{each.size}:{Path(each.key).suffix}"
