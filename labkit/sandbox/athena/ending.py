"""Ends queries: the outcome is written down as plain data, then applied under the sandbox's lock.

A restart applies the same data again, so no query that ended is run twice. The effects of a query are its objects in S3
and what it changes in the Data Catalog; either all of them take place or none, and then the query has failed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit.sandbox.athena.catalog import Catalog
from labkit.sandbox.athena.errors import Cancelled, QueryError, hive_error
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.results import metadata, utility_info
from labkit.sandbox.athena.statements import definitions, nodes
from labkit.sandbox.athena.statements.classify import read
from labkit.sandbox.athena.statements.context import Answer, Context
from labkit.sandbox.athena.storage.location import split_object
from labkit.sandbox.journal import Entry
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.files import Piece
from labkit.sandbox.moto_state import glue, s3
from labkit.sandbox.moto_state.object_bodies import Content

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

KIND = "athena query ended"
LARGE = 1 << 20
"""The size in bytes from which an outcome goes into a file of its own instead of the journal."""
_CHUNK = 1 << 20


@dataclass
class Outcome:
    """The outcome of a query, as its worker found it."""

    error: QueryError | None = None
    scanned: int = 0
    columns: list[dict[str, Any]] = field(default_factory=list)
    has_header: bool = True
    rows: int = 0
    starts: list[int] = field(default_factory=list)
    update_count: int | None = None
    manifest_location: str | None = None
    objects: list[tuple[str, bytes | Path]] = field(default_factory=list)
    """Addresses in S3, and what to put there; the first is the result that Athena keeps itself where it has none."""
    catalog: dict[str, Any] | None = None
    """The table to create and the partitions to add: see `Target.registered`."""
    view: dict[str, Any] | None = None
    """The view to create or replace."""
    definition: nodes.Statement | None = None
    """A statement that changes the catalog alone: it is carried out as the query ends."""

    def answer(self, answer: Answer, execution: QueryExecution) -> None:
        """Take the lines of a DDL or utility statement for the result."""
        self.columns = [utility_info(name) for name in answer.columns]
        self.has_header = False
        self.rows = len(answer.lines)
        self.leave("".join(f"{line}\n" for line in answer.lines).encode(), execution)

    def leave(self, body: bytes | Path, execution: QueryExecution) -> None:
        """Leave a result where its query was told to, with its `.metadata` beside it."""
        self.objects.append((execution.output_location, body))
        if self.columns and not execution.managed:
            self.objects.append((f"{execution.output_location}.metadata", metadata(self.columns)))

    def discard(self) -> None:
        """Remove the files of the outcome."""
        for _, body in self.objects:
            if isinstance(body, Path):
                body.unlink(missing_ok=True)

    def fields(self) -> dict[str, Any]:
        """What an execution shows of it."""
        return {
            name: getattr(self, name)
            for name in ("scanned", "columns", "has_header", "rows", "starts", "update_count", "manifest_location")
        }


class Endings:
    """Writes down the outcomes of a sandbox's queries, and applies them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._definitions: dict[str, nodes.Statement] = {}
        """The statements being carried out, by their queries' ids: a restart reads them again."""

    def make(self, region: str, execution: QueryExecution, outcome: Outcome, lock: AbstractContextManager[Any]) -> None:
        """End a query, on its worker; raise ServiceError if the outcome can't be written down."""
        request: dict[str, Any] = {"id": execution.id, "region": region}
        if outcome.error:
            error = outcome.error
            request["error"] = [error.name, error.message, error.category, isinstance(error, Cancelled)]
            request["scanned"] = outcome.scanned
            self._change(lock, execution, Entry(0, KIND, request))
            return
        request |= {"fields": outcome.fields(), "catalog": outcome.catalog, "view": outcome.view}
        request["is_definition"] = outcome.definition is not None
        if outcome.definition is not None:
            self._definitions[execution.id] = outcome.definition
        sizes = [body.stat().st_size if isinstance(body, Path) else len(body) for _, body in outcome.objects]
        if sum(sizes) < LARGE:
            body = b"".join(b"".join(_chunks(each)) for _, each in outcome.objects)
            request["objects"] = [
                [address, size, ""] for (address, _), size in zip(outcome.objects, sizes, strict=True)
            ]
            self._change(lock, execution, Entry(0, KIND, request, body))
            return
        name, digests = self._file(outcome)
        request["objects"] = [
            [address, size, digest] for (address, _), size, digest in zip(outcome.objects, sizes, digests, strict=True)
        ]
        if not self._change(lock, execution, Entry(0, KIND, request, file=name)):
            self._sandbox.files.remove(name)

    def _file(self, outcome: Outcome) -> tuple[str, list[str]]:
        """The objects of an outcome in one file, and their MD5."""
        digests, draft = [], None
        try:
            draft = self._sandbox.files.draft()
            for _, body in outcome.objects:
                digest = hashlib.md5(usedforsecurity=False)
                for chunk in _chunks(body):
                    digest.update(chunk)
                    draft.write(chunk)
                digests.append(digest.hexdigest())
            return self._sandbox.files.keep(draft), digests
        except OSError as error:
            raise ServiceError("ServiceUnavailable", f"There is no room for the result ({error}).") from error
        finally:
            if draft is not None:
                draft.discard()

    def _change(self, lock: AbstractContextManager[Any], execution: QueryExecution, entry: Entry) -> bool:
        """Make a change unless the query is over; the lock is held from the check on."""
        changes = self._sandbox.changes
        with lock:
            if execution.is_over:
                return False
            moment = self._sandbox.clock.timestamp()
            changes.repeat(Entry(moment, KIND, entry.request, entry.body, entry.file))
        return True

    # --- under the lock, live and at a restart

    def apply(self, execution: QueryExecution | None, entry: Entry) -> None:
        """Have a query end as an entry of the journal says; one that is gone, or over, stays as it is."""
        if execution is None or execution.is_over:
            return
        request = entry.request
        if "error" in request:
            name, message, category, cancelled = request["error"]
            execution.scanned = request["scanned"]
            execution.fail((Cancelled if cancelled else QueryError)(name, message, category=category))
            return
        try:
            self._apply(execution, entry)
        except QueryError as error:
            execution.fail(error)
        except ServiceError as error:
            execution.fail(hive_error(error.message, error.code))
        else:
            execution.state = "SUCCEEDED"

    def _apply(self, execution: QueryExecution, entry: Entry) -> None:
        request = entry.request
        _check_buckets([address for address, _, _ in request["objects"]] or [execution.output_location])
        catalog = Catalog(self._sandbox.account_id, request["region"]).in_database(execution.schema)
        fields, contents = request["fields"], _contents(entry)
        if request["is_definition"]:
            outcome = self._defined(catalog, execution)
            fields, contents = outcome.fields(), outcome.objects  # type: ignore[assignment]
        elif request["view"]:
            _make_view(catalog, request["view"])
        elif request["catalog"]:
            _register(catalog, request["catalog"])
        for name, value in fields.items():
            setattr(execution, name, value)
        for number, (address, body) in enumerate(contents):
            if number == 0 and execution.update_count is None:
                execution.output_bytes = len(body)
            if not address:
                execution.body = body if isinstance(body, bytes) else body.read()
            else:
                s3.put_object(*split_object(address), body, self._sandbox.account_id)

    def _defined(self, catalog: Catalog, execution: QueryExecution) -> Outcome:
        """Carry out a statement that defines something."""
        statement = self._definitions.pop(execution.id, None) or read(execution.statement).statement
        assert statement is not None
        outcome = Outcome()
        outcome.answer(definitions.run(Context(catalog, self._sandbox.clock.timestamp()), statement), execution)
        return outcome


def _chunks(body: bytes | Path) -> Iterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    with body.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _contents(entry: Entry) -> list[tuple[str, bytes | Content]]:
    """The objects of an entry: the bytes themselves, or where in its file they lie."""
    found: list[tuple[str, bytes | Content]] = []
    at = 0
    for address, size, digest in entry.request["objects"]:
        if entry.file:
            found.append((address, Content((Piece(entry.file, at, size),) if size else (), digest)))
        else:
            found.append((address, entry.body[at : at + size]))
        at += size
    return found


def _check_buckets(addresses: list[str]) -> None:
    """Raise the error for a bucket that was deleted while the query ran."""
    for bucket in {split_object(address)[0] for address in addresses if address}:
        if not s3.bucket_exists(bucket):
            raise QueryError("", f"Unable to verify/create output bucket {bucket}")


def _make_view(catalog: Catalog, view: dict[str, Any]) -> None:
    database, name, where = view["database"], view["entry"]["Name"], (catalog.account_id, catalog.region)
    held = catalog.table(database, name)
    if held and (not view["replace"] or not held.is_view):
        raise QueryError("TABLE_ALREADY_EXISTS", f"line 1:1: View 'awsdatacatalog.{database}.{name}' already exists")
    if not catalog.has_database(database):
        raise QueryError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
    (glue.update_table if held else glue.create_table)(*where, database, view["entry"])


def _register(catalog: Catalog, made: dict[str, Any]) -> None:
    """Tell the catalog of a table that was made or added to, unless that has changed meanwhile."""
    database, name, where = made["database"], made["name"], (catalog.account_id, catalog.region)
    held = catalog.table(database, name)
    if made["table"]:
        if not catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        if held:
            message = f"line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists"
            raise QueryError("TABLE_ALREADY_EXISTS", message)
        glue.create_table(*where, database, made["table"])
        held = catalog.table(database, name)
    if held is None or held.location != made["location"]:
        raise QueryError("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist")
    known = {each.values for each in catalog.partitions(held)}
    for entry in made["partitions"]:
        if tuple(entry["Values"]) not in known:
            with suppress(ServiceError):  # two of one value: the first stays
                glue.create_partition(*where, database, name, entry)
