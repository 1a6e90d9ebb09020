"""The queries that are under way, each over the events that there were when it was started, and how they end.

A query's end is a change of its own: what it came to is in the journal, and a restart runs no query again that ended.
"""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from labkit.sandbox.journal import Entry
from labkit.sandbox.kernel import workers
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.files import Piece
from labkit.sandbox.kernel.workers import Stopped, Workers
from labkit.sandbox.logs.insights import engine
from labkit.sandbox.logs.store import EventStore

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

LOG = logging.getLogger(__name__)

KIND = "insights query ended"
RUNNING = ("Scheduled", "Running")
WORKERS = 2
"""Few, since they share the event store's memory."""
MINUTES = 60.0
"""How long a query may take, by the machine's clock.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
"""
LARGE = 1 << 20
"""From so many bytes on, rows go into a file of the sandbox's own, not into its journal."""


@dataclass
class Query:
    """A query that was started, over the events there were then."""

    id: str
    region: str
    job: engine.Job
    group_names: tuple[str, ...]
    status: str = "Scheduled"
    answer: engine.Answer | None = None
    is_cut: bool = False
    """Whether events that it reads were deleted before it ended: only who saw them before can still run it."""


@dataclass(eq=False)
class Task(workers.Task):
    """A query with its view of the events."""

    query: Query
    seen: engine.Seen


class Runner(Workers[Task]):
    """Runs queries over the event store."""

    def __init__(self, sandbox: Sandbox, store: EventStore) -> None:
        super().__init__(sandbox.lock, "insights", WORKERS)
        self.seen: engine.Seen = {}
        """What is known of the events; the queries under way have copies of their own."""
        self._sandbox = sandbox
        self._store = store
        self._has_macros = False
        self._ready: dict[str, Task] = {}
        """The queries that are not run yet, since the journal may say how they ended."""

    # --- under the sandbox's lock

    def prepare(self, query: Query) -> None:
        """Open a query's view of the events as they are now; whatever is put or deleted later, it does not see."""
        relation = query.job.scanned[0][0].relation
        if not self._has_macros:
            with self._store.cursor() as cursor:
                engine.make_macros(cursor)  # for all views: two that each made them would be in conflict
            self._has_macros = True
        self._ready[query.id] = Task(query.id, MINUTES, query, dict(self.seen), cursor=self._store.snapshot(relation))

    def submit(self, query: Query) -> None:
        """Have a query run, as soon as a worker is free."""
        if query.id not in self._ready:
            if query.is_cut:
                query.status = "Failed"
                return
            self.prepare(query)
        task = self._ready.pop(query.id)
        task.begun = time.monotonic()
        self.put(task)

    def stop(self, query: Query) -> None:
        """Cancel a query."""
        query.status = "Cancelled"
        self._forget(query)

    def apply(self, query: Query | None, entry: Entry) -> None:
        """Have a query end as an entry of the journal says."""
        if query is None or query.status not in RUNNING:
            return
        request = entry.request
        query.status = request["status"]
        if request["counts"]:
            body = self._sandbox.files.read([Piece(entry.file, 0, request["size"])]) if entry.file else entry.body
            rows = [[(name, value) for name, value in row] for row in json.loads(body)]
            query.answer = engine.Answer(rows, *request["counts"])
        self._forget(query)

    def _forget(self, query: Query) -> None:
        if task := self._ready.pop(query.id, None):
            self.discard(task)
        self.drop(query.id)

    # --- on a worker

    def carry_out(self, task: Task) -> None:
        """Run a query to its end."""
        with self.gate:
            task.check()
            task.query.status = "Running"
        assert task.cursor is not None
        try:
            answer = engine.run(task.query.job, task.cursor, task.seen)
        except duckdb.Error as error:
            task.check()
            LOG.warning("query %s failed: %s", task.id, error)
            self._end(task, "Failed")
            return
        self._end(task, "Complete", answer)

    def time_out(self, task: Task) -> None:
        """End a query that takes too long."""
        self._end(task, "Timeout")

    def discard(self, task: Task) -> None:
        """Let go of a query's view of the events."""
        if task.cursor is not None:
            self._store.release(task.cursor)

    def give_up(self, task: Task, message: str) -> None:
        """Have a query fail whose end could not be written down: it is run again at a restart."""
        LOG.error("query %s failed: %s", task.id, message)
        with suppress(Stopped), self.gate:
            if task.query.status in RUNNING:
                task.query.status = "Failed"

    def _end(self, task: Task, status: str, answer: engine.Answer | None = None) -> None:
        request: dict[str, Any] = {"id": task.id, "region": task.query.region, "status": status, "counts": None}
        body, file = b"", None
        if answer is not None:
            body = json.dumps(answer.rows).encode()
            request["counts"] = [answer.records_matched, answer.records_scanned, answer.bytes_scanned]
            request["size"] = len(body)
        try:
            if len(body) >= LARGE:
                body, file = b"", self._file(body)
            self._change(task, request, body, file)
        except (ServiceError, OSError) as error:
            self.give_up(task, f"its end could not be written down: {error}")

    def _file(self, body: bytes) -> str:
        draft = self._sandbox.files.draft()
        try:
            draft.write(body)
            return self._sandbox.files.keep(draft)
        finally:
            draft.discard()

    def _change(self, task: Task, request: dict[str, Any], body: bytes, file: str | None) -> None:
        """Make the change, unless the query has ended already."""
        is_made = False
        try:
            with self.gate:
                if task.query.status in RUNNING:
                    moment = self._sandbox.clock.timestamp()
                    self._sandbox.changes.repeat(Entry(moment, KIND, request, body, file))
                    is_made = True
                    self._learn(task.seen)
        finally:
            if file is not None and not is_made:
                self._sandbox.files.remove(file)

    def _learn(self, seen: engine.Seen) -> None:
        """Keep what a query saw of the events, unless a later one saw more."""
        for key, look in seen.items():
            if key not in self.seen or look.last > self.seen[key].last:
                self.seen[key] = look
