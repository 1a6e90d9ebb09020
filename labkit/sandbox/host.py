"""The WSGI application of a sandbox: it admits requests, takes the lock, and journals what changes something."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from werkzeug.wrappers import Request, Response

from labkit.sandbox import provision, rest_operations, wire
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.clock import Clock
from labkit.sandbox.control import ADVANCE, PREFIX, Control
from labkit.sandbox.credentials import Credentials
from labkit.sandbox.dispatcher import LINK_ACTIONS, Address, Dispatcher, error_response
from labkit.sandbox.faults import Faults
from labkit.sandbox.journal import Entry, Journal, Origin
from labkit.sandbox.keeper import LEAST_DEBT_AT_END, Keeper
from labkit.sandbox.kernel import payloads
from labkit.sandbox.kernel.admission import Gate, check_address, is_local
from labkit.sandbox.kernel.advances import STEP_SECONDS, Advances
from labkit.sandbox.kernel.checkpoints import Checkpoints
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.fair_lock import FairLock
from labkit.sandbox.kernel.files import FileStore
from labkit.sandbox.kernel.header_form import to_header_form
from labkit.sandbox.kernel.intake import FILE, Intake, PlainRequest
from labkit.sandbox.kernel.machine_time import Moments, http_date
from labkit.sandbox.kernel.news import News
from labkit.sandbox.kernel.signatures import Signature, is_signed, service_of
from labkit.sandbox.moto import receiving, sources

PROVIDING_SERVICES = ("ec2", "cloudformation")
"""A region gets its provided environment with the first request to one of these."""

if TYPE_CHECKING:
    from labkit.sandbox.postman import Postman
    from labkit.sandbox.ssh_door import SshDoor

T = TypeVar("T")


class Host:
    """The WSGI application. One lock serializes everything that reads or changes the sandbox.

    Creating a host replays the journal's history first; `progress` is called with the number of changes replayed and
    the number of all.
    """

    def __init__(
        self,
        origin: Origin,
        journal: Journal,
        credentials: Credentials,
        endpoint: str,
        *,
        any_credentials: bool = False,
        postman: Postman | None = None,
        checkpoints: Checkpoints | None = None,
        progress: Callable[[int, int], None] = lambda done, of: None,
        moments: Moments | None = None,
    ) -> None:
        self.credentials = credentials
        self.faults = Faults(origin.seed)
        self._origin = origin
        self._journal = journal
        self._endpoint = endpoint
        self.moments = moments or Moments(frozen=origin.frozen)
        self._gate = Gate(credentials, self.moments, any_credentials=any_credentials)
        self._postman = postman
        self._progress = progress
        self._lock = FairLock()
        self.news = News()
        self._keeper = Keeper(journal, self._lock, checkpoints)
        self.advances = Advances(self._lock, self._note_step)
        self._dispatcher = Dispatcher()
        self._control = Control(self)
        self._provided: set[str] = set()
        self.ssh_door: SshDoor | None = None
        with self._lock:
            opened = self._keeper.open(self._new_sandbox)
            self.sandbox, self._files = opened.sandbox, opened.files
            if opened.more is not None:
                self._provided = opened.more["provided"]
                self.faults.set(opened.more["faults"])
            if journal.origin is None:
                self._begin()
            else:
                self._replay(opened.follows)
            self.moments.observe(self.sandbox.clock.timestamp())
            self.sandbox.outbox.release()

    @property
    def region(self) -> str:
        """The region that the environment is provided in from the start."""
        return self._origin.region

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        response = self._answer_whoever_asks(request)
        response.headers["Date"] = http_date(self.moments.machine())  # clients tell by it whether their clock is right
        return response

    def _answer_whoever_asks(self, request: Request) -> Response:
        if not is_local(host := request.environ.get("HTTP_HOST", "")):
            return Response(f"The sandbox does not answer for the host {host!r:.100}.\n", 403)
        try:
            check_address(request)
        except ServiceError as error:
            return error_response(request, "s3", error)
        if request.path == f"{PREFIX}{ADVANCE}":
            with self.moments.watch(lambda: self.sandbox.clock.timestamp()):
                return self._control.answer(request)
        if request.path == PREFIX or request.path.startswith(f"{PREFIX}/"):
            return self._control.answer(request)
        service = wire.service_name(service_of(request), request)
        intake = Intake(request, service, self._files)
        try:
            return self._serve(*self._admit(request, intake), intake)
        except ServiceError as error:
            return error_response(request, service, error)
        finally:
            intake.discard()

    def _admit(self, request: Request, intake: Intake) -> tuple[Request, Address]:
        """Return an admitted request, with its body verified, and its address; raise AWS's or a fault's error."""
        is_link = request.method == "GET" and request.args.get("Action") in LINK_ACTIONS
        if is_link and not is_signed(request):
            request.environ.pop("HTTP_AUTHORIZATION", None)  # a browser may send one of its own
            return request, Address.of(request, None)  # a click in a mail is nobody's call, and no fault strikes it
        signature = self._gate.admit(request, self.sandbox.clock.timestamp(), intake.sha256)
        intake.receive(self._gate.chunks(request, signature))
        payloads.check(request.headers, signature, intake.sha256)
        plain = intake.plain()
        to_header_form(plain, signature)
        address = Address.of(plain, signature)
        if fault := self.faults.strike(address.service, self._operation(plain, address)):
            raise fault
        self._dispatcher.check(plain, address)
        return plain, address

    def _operation(self, request: Request, address: Address) -> str:
        """Return the operation of a request; in REST protocols only if a fault needs it: looking it up is slow."""
        if address.operation or not self.faults.names_operations:
            return address.operation
        return rest_operations.name(address.service, request)

    def _serve(self, request: Request, address: Address, intake: Intake) -> Response:
        if not receiving.is_receiving(address.service, address.operation):
            return self._serve_at_once(request, address, intake)
        poll = receiving.LongPoll(request, self.sandbox.account_id, address.region)
        while True:
            number = self.news.number
            response = self._serve_at_once(request, address, intake)
            if self.news.closed or not receiving.is_empty(response):
                return response
            if not poll.wait(self.news, number, self.read(self.sandbox.clock.timestamp)):
                return response

    def _serve_at_once(self, request: Request, address: Address, intake: Intake) -> Response:
        prepared = self._dispatcher.prepare(self.sandbox, request, address)
        with self._lock:
            if self.news.closed:
                return Response("The sandbox is stopped.\n", 503)
            self._follow_real_time()
            self._provide_on_first_use(address)
            if not address.changes_something(request.method):
                return self._dispatcher.answer(self.sandbox, request, address, prepared)
            moment, environment = self.sandbox.clock.timestamp(), _environment(request)
            entry = Entry(moment, "request", environment, request.get_data(), intake.keep())
            try:
                return self._carry_out(entry, request, address, prepared)
            finally:
                self.sandbox.outbox.release()
                if entry.file is not None and entry.file not in self._journal.files():
                    self._files.remove(entry.file)

    def _carry_out(self, entry: Entry, request: Request, address: Address, prepared: Any) -> Response:
        """Make the change that a request asks for; a change that is answered with a 4xx has changed nothing.

        The exceptions are a few services of moto that leave half of a change behind when they fail. Then the entry
        stays, so that this half exists after a restart too: later changes may refer to it.
        """
        if entry.file is not None:
            request.environ[FILE] = entry.file
        poll = None
        if receiving.is_receiving(address.service, address.operation):
            poll = receiving.LongPoll(request, self.sandbox.account_id, address.region)
        with self.sandbox.changes.change(entry) as change:
            before = poll.traces() if poll else None
            drawn = sources.drawn(address.service)
            response = self._dispatcher.answer(self.sandbox, request, address, prepared)
            change.refused = 400 <= response.status_code < 500 and sources.drawn(address.service) == drawn
            if poll and receiving.is_empty(response):  # which a journal need not hold: somebody polls all day
                change.refused = poll.traces() == before
        if not change.refused:
            self.news.tell()
        return response

    def read(self, look: Callable[[], T]) -> T:
        """Call `look` under the lock, at the present moment of the clock, and return its result."""
        with self._lock:
            self._follow_real_time()
            return look()

    def change_by_control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Carry out a control request that changes something; one that fails leaves no trace."""
        with self._lock:
            self._follow_real_time()
            result: dict[str, Any] = self.sandbox.changes.make("control", {"path": path, "body": body})
            self._journal.note_reading(self.sandbox.clock.timestamp())
            self.sandbox.outbox.release()
            self.news.tell()
            return result

    def advance(self, body: dict[str, Any], is_given_up: Callable[[], bool] = lambda: False) -> bool:
        """Move the clock forward in steps, with other requests answered in between; return whether it was stopped.

        Its journal entry moves nothing at a restart: how far time has come is stored with each step, and with the
        entries of what others do meanwhile.
        """

        def begin() -> Clock:
            self._follow_real_time()
            self.sandbox.changes.make("control", {"path": ADVANCE, "body": body})
            return self.sandbox.clock

        return self.advances.run(body.get("seconds", 0), begin=begin, is_given_up=is_given_up).stopped

    def _note_step(self) -> None:
        """Store how far the clock has come, before any message leaves that was made on the way."""
        self._journal.note_reading(self.sandbox.clock.timestamp())
        self.sandbox.outbox.release()
        self.news.tell()

    def reset(self) -> None:
        """Reset the sandbox to its first start or, if its clock follows real time, to a start at the present moment."""
        self.advances.stop()
        with self._lock:
            self.sandbox.close()
            start = self._origin.start if self._origin.frozen else datetime.now(UTC).timestamp()
            origin = self._origin
            self._origin = Origin(round(start, 3), origin.frozen, origin.seed, origin.provision, origin.region)
            self.faults = Faults(origin.seed)
            self.sandbox = self._new_sandbox(self._files)
            self._begin()

    def tick(self) -> None:
        """Run what real time has made due, in steps, because after the machine has slept there is much of it."""
        is_there = False
        while not is_there:
            with self._lock:
                is_there = self._follow_real_time()
                self.sandbox.outbox.release()
        if not self.sandbox.clock.frozen:
            self.news.tell()

    def checkpoint(self, debt: float | None = None) -> bool:
        """Write a checkpoint if it is worth it, or if a replay would take `debt` CPU seconds; tell whether it did."""
        return self._keeper.keep(self._current, debt)

    def close(self) -> None:
        """Stop the sandbox; its journal stays."""
        self.advances.stop()
        self.news.tell(last=True)
        self.checkpoint(LEAST_DEBT_AT_END)
        with self._lock:
            self._journal.note_reading(self.sandbox.clock.timestamp())
            self.sandbox.close()
            self._journal.close()
            self._files.close()

    def _follow_real_time(self) -> bool:
        """Let a ticking clock catch up with real time, or make a step towards it; return whether it is there.

        The reading is stored before anybody sees what happened at it.
        """
        clock = self.sandbox.clock
        if clock.frozen:
            return True
        is_there = clock.follow_real_time(STEP_SECONDS)
        self._journal.note_reading(clock.timestamp())
        return is_there

    def _new_sandbox(self, files: FileStore) -> AssembledSandbox:
        origin = self._origin
        start = datetime.fromtimestamp(origin.start, UTC)
        self._provided = set()
        sandbox = AssembledSandbox(
            start=start,
            frozen=origin.frozen,
            seed=origin.seed,
            endpoint=self._endpoint,
            lock=self._lock,
            journal=self._journal,
            files=files,
            secret=self.credentials.secret_access_key.encode(),
        )
        sandbox.changes.makers["control"] = lambda entry: self._control.changing[entry.request["path"]](
            entry.request["body"]
        )
        sandbox.changes.makers["provide"] = lambda entry: self._make_environment(entry.request["region"])
        if self._postman is not None:
            sandbox.notifications.inbox.take_on = self._postman.take
        return sandbox

    def _current(self) -> tuple[AssembledSandbox, dict[str, Any]]:
        """Return the sandbox, and what the host adds to a checkpoint."""
        return self.sandbox, {"provided": self._provided, "faults": self.faults.rules}

    def _begin(self) -> None:
        self._keeper.forget()
        self._journal.begin(self._origin)
        self._files.clear()
        self.moments.restart(self.sandbox.clock.timestamp())
        if self._origin.provision:
            self._provide(self._origin.region)

    def _provide_on_first_use(self, address: Address) -> None:
        if self._origin.provision and address.service in PROVIDING_SERVICES and address.region not in self._provided:
            self._provide(address.region)

    def _provide(self, region: str) -> None:
        self.sandbox.changes.make("provide", {"region": region})

    def _make_environment(self, region: str) -> None:
        with sources.shared_stream():
            provision.provide(self.sandbox, region)
        self._provided.add(region)

    def _replay(self, after: int) -> None:
        changes = self.sandbox.changes
        changes.replaying = True
        of = self._journal.end.number - after
        for done, entry in enumerate(self._journal.entries(after)):
            self._progress(done, of)
            self.sandbox.clock.advance_to(entry.moment)
            self._repeat(entry)
        self.sandbox.clock.advance_to(self._journal.last_reading())
        changes.replaying = False
        self.sandbox.resume()

    def _repeat(self, entry: Entry) -> None:
        if entry.kind != "request":
            self.sandbox.changes.repeat(entry)
            return
        streams = {"wsgi.input": io.BytesIO(entry.body), "wsgi.errors": io.StringIO()}
        request = PlainRequest(entry.request | streams)
        address = Address.of(request, Signature.of(request))
        self._carry_out(entry, request, address, self._dispatcher.prepare(self.sandbox, request, address))


def _environment(request: Request) -> dict[str, Any]:
    """What of a request's WSGI environment a replay needs: everything but its streams."""
    return {name: value for name, value in request.environ.items() if isinstance(value, str | int | bool)}
