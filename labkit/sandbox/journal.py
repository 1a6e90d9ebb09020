"""The changes of a sandbox, written down before they are made and made again when it starts again.

A sandbox's state is a function of its seed, its start and its journal: ids are drawn from a source that is seeded for
each change, and whatever takes time is an event on the clock. So the journal holds requests, not state. SQLite's
write-ahead log keeps every entry that was committed, however the process ends.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

_SCHEMA = """
create table if not exists origin (name text primary key, value text not null);
create table if not exists entry (
    number integer primary key, moment real not null, kind text not null, request text not null, body blob not null
);
create table if not exists body_file (entry integer primary key, name text not null);
create table if not exists has_left (number integer primary key);
create table if not exists reading (only_one integer primary key check (only_one = 1), moment real not null);
"""


@dataclass(frozen=True)
class Origin:
    """What a sandbox began with."""

    start: float
    frozen: bool
    seed: int
    provision: bool
    region: str


@dataclass(frozen=True)
class Entry:
    """One change: the clock's reading, what kind of change, and the request (a WSGI environment) or its arguments."""

    moment: float
    kind: str
    request: dict[str, Any]
    body: bytes = b""
    file: str | None = None
    """The file of the store beside the journal that the body lies in, if it is a large one; `body` is empty then."""
    number: int | None = field(default=None, compare=False)
    """Its place in the journal, once it is there."""


class Journal:
    """A sandbox's journal, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("pragma page_size = 16384")  # halves the cost of a batch of log events, a megabyte
        self._connection.execute("pragma journal_mode = wal")
        self._connection.execute("pragma synchronous = normal")
        self._connection.executescript(_SCHEMA)
        self._lock = threading.Lock()
        self._senders = sqlite3.connect(path, check_same_thread=False, isolation_level=None)

    @property
    def origin(self) -> Origin | None:
        """What the sandbox began with; None where the journal is new."""
        values = {name: json.loads(value) for name, value in self._connection.execute("select * from origin")}
        return Origin(**values) if values else None

    def begin(self, origin: Origin) -> None:
        """Empties the journal and writes down what the sandbox begins with."""
        with self._transaction():
            for table in ("origin", "entry", "body_file", "reading", "has_left"):
                self._connection.execute(f"delete from {table}")
            rows = [(name, json.dumps(value)) for name, value in asdict(origin).items()]
            self._connection.executemany("insert into origin values (?, ?)", rows)
            self._connection.execute("insert into reading values (1, ?)", (origin.start,))

    def append(self, entry: Entry) -> int:
        """Write a change down; return its number."""
        row = (entry.moment, entry.kind, json.dumps(entry.request), entry.body)
        with self._transaction():
            cursor = self._connection.execute(
                "insert into entry (moment, kind, request, body) values (?, ?, ?, ?)", row
            )
            if entry.file is not None:
                self._connection.execute("insert into body_file values (?, ?)", (cursor.lastrowid, entry.file))
            self._connection.execute("update reading set moment = ?", (entry.moment,))
        return cast(int, cursor.lastrowid)

    def strike(self, number: int) -> None:
        """Take out the entry of a change that was refused."""
        with self._transaction():
            self._connection.execute("delete from entry where number = ?", (number,))
            self._connection.execute("delete from body_file where entry = ?", (number,))

    def note_reading(self, moment: float) -> None:
        """Writes down how far the clock has come."""
        self._connection.execute("update reading set moment = max(moment, ?)", (moment,))

    def entries(self) -> Iterator[Entry]:
        """The changes, in their order."""
        for number, moment, kind, request, body, file in self._connection.execute(
            "select number, moment, kind, request, body, name"
            " from entry left join body_file on entry = number order by number"
        ):
            yield Entry(moment, kind, json.loads(request), body, file, number)

    def files(self) -> set[str]:
        """Return the names of the files that hold bodies. A file lies as long as it is named here."""
        return {name for (name,) in self._connection.execute("select name from body_file")}

    def last_reading(self) -> float:
        """How far the clock had come."""
        return float(self._connection.execute("select moment from reading").fetchone()[0])

    def note_left(self, number: int) -> None:
        """Writes down that a message has left the process; on any thread."""
        with self._lock:
            self._senders.execute("insert or ignore into has_left values (?)", (number,))

    def left(self, since: int) -> set[int]:
        """The numbers, from `since` on, of the messages that have left."""
        rows = self._connection.execute("select number from has_left where number >= ?", (since,))
        return {number for (number,) in rows}

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._senders.close()
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing: a commit that fails, as on a full disk, leaves a transaction open otherwise."""
        self._connection.execute("begin")
        try:
            yield
            self._connection.execute("commit")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise
