"""The journal: every change of a sandbox, written before it is made and replayed when the sandbox starts again.

A sandbox's state is a function of its seed, its start time and its journal: ids are drawn from a source that is seeded
for each change, and anything that takes time is an event on the clock. So the journal stores requests, not state.
SQLite's write-ahead log keeps every committed entry, however the process ends.

A damaged journal is never mistaken for a shorter history: each entry carries a digest of all entries up to it, and a
second file, the witness, records the last one. `JournalError` says what is lost.
"""

from __future__ import annotations

import itertools
import json
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from labkit.sandbox.kernel.witness import Place, Witness

LOG = logging.getLogger(__name__)

FORMAT = 2
"""The version of the file format. Raise it with any change that an older labkit can't read or an older file lacks."""
_SCHEMA = f"""
create table if not exists origin (name text primary key, value text not null);
create table if not exists entry (
    number integer primary key, moment real not null, kind text not null, request text not null, body blob not null,
    digest blob not null
);
create table if not exists body_file (entry integer primary key, name text not null);
create table if not exists has_left (number integer primary key);
create table if not exists reading (only_one integer primary key check (only_one = 1), moment real not null);
pragma user_version = {FORMAT};
"""
WAY_OUT = "`labkit sandbox reset` throws this history away and begins anew"


class JournalError(Exception):
    """The history can't be continued. The message says in one sentence what is lost, and what to do."""


@dataclass(frozen=True)
class Origin:
    """The settings a sandbox was created with; `start` is in seconds since the epoch."""

    start: float
    frozen: bool
    seed: int
    provision: bool
    region: str


@dataclass(frozen=True)
class Entry:
    """One change: the clock's reading, the kind of change, and the request (a WSGI environment) or its arguments."""

    moment: float
    kind: str
    request: dict[str, Any]
    body: bytes = b""
    file: str | None = None
    """The name of the file that holds a large body, in the store beside the journal; `body` is then empty."""
    number: int | None = field(default=None, compare=False)
    """Its number in the journal, once it has been appended."""


class Journal:
    """A sandbox's journal: one SQLite file, with its witness beside it.

    Entries are numbered from 1 without gaps. The caller holds the sandbox's lock, except for `note_left`, which other
    threads call.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # isolation_level=None: Python begins no transactions of its own, so `_transaction` decides what is atomic.
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        with self._read():
            self._check_format()  # before the schema, which would mark an older file with this version's number
            self._connection.execute("pragma page_size = 16384")  # halves the cost of a batch of log events, a megabyte
            self._connection.execute("pragma journal_mode = wal")
            # Not "full": a killed process loses nothing either way, and a sync for each request would cost more than
            # the last seconds before a power cut are worth.
            self._connection.execute("pragma synchronous = normal")
            self._connection.executescript(_SCHEMA)
        self._lock = threading.Lock()
        # A connection of their own: a sender's note must not become part of a transaction that is then rolled back.
        self._senders = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._witness = Witness(path.with_name(f"{path.name}-witness"))
        with self._read():
            known = self._witness.last()  # before the journal's own end: another process may be writing
            self._end = self._place_of_last()
            self._before_end: Place | None = None
            self._check_end(known)

    @property
    def end(self) -> Place:
        """The number and the digest of the last entry."""
        return self._end

    @property
    def origin(self) -> Origin | None:
        """The settings the sandbox was created with; None if the journal is new."""
        with self._read():
            values = {name: json.loads(value) for name, value in self._connection.execute("select * from origin")}
        return Origin(**values) if values else None

    def begin(self, origin: Origin) -> None:
        """Empty the journal and store the settings of a new sandbox."""
        self._witness.note(Place())  # first: a witness that is ahead of the journal means lost entries
        with self._transaction():
            for table in ("origin", "entry", "body_file", "reading", "has_left"):
                self._connection.execute(f"delete from {table}")
            rows = [(name, json.dumps(value)) for name, value in asdict(origin).items()]
            self._connection.executemany("insert into origin values (?, ?)", rows)
            self._connection.execute("insert into reading values (1, ?)", (origin.start,))
        self._end, self._before_end = Place(), None

    def append(self, entry: Entry) -> int:
        """Write a change into the journal and return its number.

        Raise `sqlite3.Error` if the entry can't be written, as on a full disk; nothing was written then.
        """
        request = json.dumps(entry.request)
        place = Place(self._end.number + 1, _digest(self._end.digest, entry, request))
        row = (place.number, entry.moment, entry.kind, request, entry.body, place.digest)
        with self._transaction():
            self._connection.execute("insert into entry values (?, ?, ?, ?, ?, ?)", row)
            if entry.file is not None:
                self._connection.execute("insert into body_file values (?, ?)", (place.number, entry.file))
            # In the same transaction, so that the stored reading is never behind an entry.
            self._connection.execute("update reading set moment = ?", (entry.moment,))
        self._before_end, self._end = self._end, place
        try:  # after the commit: a kill in between leaves the witness one behind, which is no sign of loss
            self._witness.note(place)
        except OSError as error:
            self.strike(place.number)
            raise sqlite3.OperationalError(f"the journal's witness can't be written: {error}") from error
        return place.number

    def strike(self, number: int) -> None:
        """Remove the entry of a change that failed. One that isn't the last stays, and fails again at a replay."""
        # Only the last one: a gap would break the chain of digests, and the numbers that checkpoints refer to.
        if number != self._end.number or self._before_end is None:
            return
        self._witness.note(self._before_end)  # before the delete, for the same reason as in `begin`
        with self._transaction():
            self._connection.execute("delete from entry where number = ?", (number,))
            self._connection.execute("delete from body_file where entry = ?", (number,))
        self._end, self._before_end = self._before_end, None

    def note_reading(self, moment: float) -> None:
        """Store how far the clock has come; an earlier reading changes nothing."""
        self._connection.execute("update reading set moment = max(moment, ?)", (moment,))

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the changes after number `after`, in order. Raise JournalError at the first one that is damaged.

        Each digest is computed again from the entry, so a changed, missing or swapped row is found before it is
        replayed.
        """
        digest = self.digest(after)

        for number in itertools.count(after + 1):
            if number > self._end.number:
                return
            with self._read():
                row = self._connection.execute(
                    "select moment, kind, request, body, name, digest from entry left join body_file on entry = number"
                    " where number = ?",
                    (number,),
                ).fetchone()
            # A missing row becomes an entry whose digest can't match: one error covers both kinds of damage.
            moment, kind, request, body, file, written = row or (0.0, "", "", b"", None, b"")
            digest = _digest(digest, Entry(moment, kind, {}, body, file), request)
            if digest != written:
                raise self._error(f"is damaged at change {number} of {self._end.number}")
            yield Entry(moment, kind, json.loads(request), body, file, number)

    def files(self) -> set[str]:
        """Return the names of the files that hold bodies. A file is kept for as long as it is named here."""
        with self._read():
            return {name for (name,) in self._connection.execute("select name from body_file")}

    def digest(self, number: int) -> bytes | None:
        """Return the digest of the entries up to `number`; None if the journal has no such entry."""
        if number == 0:
            return Place().digest
        with self._read():
            row = self._connection.execute("select digest from entry where number = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None

    def last_reading(self) -> float:
        """Return how far the clock had come, in seconds since the epoch; raise JournalError if that is lost."""
        with self._read():
            row = self._connection.execute("select moment from reading").fetchone()
        if row is None:
            raise self._error("has lost its clock")
        return float(row[0])

    def note_left(self, number: int) -> None:
        """Record that a message has left the process, so that a replay doesn't send it again. Any thread may call."""
        with self._lock:
            self._senders.execute("insert or ignore into has_left values (?)", (number,))

    def left(self, since: int) -> set[int]:
        """Return the numbers of the messages, from `since` on, that have left the process."""
        rows = self._connection.execute("select number from has_left where number >= ?", (since,))
        return {number for (number,) in rows}

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._senders.close()
        self._connection.close()
        self._witness.close()

    def _check_format(self) -> None:
        (found,) = self._connection.execute("pragma user_version").fetchone()
        (tables,) = self._connection.execute("select count(*) from sqlite_master").fetchone()
        if tables and found != FORMAT:
            raise self._error(f"was written by another version of labkit (format {found}, and this one reads {FORMAT})")

    def _place_of_last(self) -> Place:
        row = self._connection.execute("select number, digest from entry order by number desc limit 1").fetchone()
        return Place(row[0], bytes(row[1])) if row else Place()

    def _check_end(self, known: Place | None) -> None:
        """Raise JournalError if the journal ends before the last change that the witness knows, or differs from it."""
        if known is None:  # no reason to refuse: the entries themselves may well be whole, and they check themselves
            if self._end.number:
                LOG.warning(
                    "the witness of %s is missing or damaged: whether its %d changes are all can't be told",
                    self.path,
                    self._end.number,
                )
            self._witness.note(self._end)
        elif known.number > self._end.number:
            lost = known.number - self._end.number
            raise self._error(
                f"ends at change {self._end.number} of {known.number}, and the last {lost} can't be made again"
            )
        elif self.digest(known.number) != known.digest:
            raise self._error(f"is not the one that this sandbox wrote: it differs by change {known.number}")

    def _error(self, what: str) -> JournalError:
        return JournalError(f"the sandbox's history {self.path} {what}: {WAY_OUT}")

    @contextmanager
    def _read(self) -> Iterator[None]:
        """Raise JournalError for what SQLite finds damaged."""
        try:
            yield
        except sqlite3.OperationalError:  # a subclass of DatabaseError: a full disk or a lock is not damage
            raise
        except (sqlite3.DatabaseError, ValueError) as error:
            raise self._error(f"is damaged ({error})") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit everything in the block, or nothing of it."""
        self._connection.execute("begin")
        try:
            yield
            self._connection.execute("commit")
        except BaseException:
            # A commit that fails, as on a full disk, leaves the transaction open; the next `begin` would fail then.
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise


def _digest(before: bytes | None, entry: Entry, request: str) -> bytes:
    """Return the digest of the entries up to this one, from the digest `before` it."""
    digest = blake2b(before or b"", digest_size=16)
    # The length says where the request ends, whatever is in it; `repr` keeps every bit of the float.
    digest.update(f"{float(entry.moment)!r} {entry.kind} {len(request)} {request} {entry.file}".encode())
    digest.update(entry.body)
    return digest.digest()
