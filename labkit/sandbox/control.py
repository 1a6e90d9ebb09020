"""The control API, `/_sandbox`: time, connection attempts, the inbox, faults, and starting anew."""

from __future__ import annotations

import hmac
import ipaddress
import json
import logging
import math
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from labkit.sandbox.inbox import PAGE_HEADERS
from labkit.sandbox.kernel.errors import ServiceError

if TYPE_CHECKING:
    from labkit.sandbox.host import Host

LOG = logging.getLogger(__name__)

PREFIX = "/_sandbox"
ADVANCE = "/clock/advance"
MAX_BODY = 1 << 20
LONGEST_ADVANCE = 366 * 24 * 3600
Route = Callable[[dict[str, Any]], dict[str, Any]]

_MEMBERS: dict[str, tuple[str, ...]] = {
    ADVANCE: ("seconds",),
    "/clock/stop": (),
    "/connect": ("destination", "port", "protocol", "source", "count"),
    "/background": ("level",),
    "/faults": ("faults",),
    "/reset": (),
}
"""What the body of a request may have."""


class ControlError(Exception):
    """A control request that can't be carried out: its HTTP status and, in words, why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """Answers the control API of a host's sandbox."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._reading: dict[str, Route] = {
            "/clock": self._clock,
            "/inbox": self._inbox,
            "/ssh": self._ssh,
        }
        self.changing: dict[str, Route] = {
            ADVANCE: self._begin_advance,
            "/connect": self._connect,
            "/background": self._background,
            "/faults": self._faults,
        }
        self._hosting: dict[str, Route] = {"/reset": self._reset, "/clock/stop": self._stop}
        self._at_once: dict[str, Route] = {"/health": self._health}
        """Answered without the lock, whatever goes on."""

    def answer(self, request: Request) -> Response:
        """The response to a request under `/_sandbox`."""
        path = request.path.removeprefix(PREFIX)
        request.max_content_length = MAX_BODY
        try:
            self._authorize(request, path)
            if path == "/inbox" and "text/html" in request.headers.get("Accept", ""):
                return self._inbox_page()
            return _json(self._route(request, path), 200)
        except ControlError as error:
            return _json({"error": str(error)}, error.status)
        except HTTPException as error:  # a body that is too large, or was cut off
            return _json({"error": error.description}, error.code or 400)
        except Exception:
            LOG.exception("%s %s failed", request.method, request.path)
            return _json({"error": "the sandbox failed on this request; its log has the details"}, 500)

    def _route(self, request: Request, path: str) -> dict[str, Any]:
        if request.method == "GET" and path in self._at_once:
            return self._at_once[path]({})
        if request.method == "GET" and path in self._reading:
            return self._host.read(lambda: self._reading[path]({}))
        if request.method == "POST" and path == ADVANCE:
            return self._advance(request, _body(request, _MEMBERS[path]))
        if request.method == "POST" and path in self.changing:
            return self._host.change_by_control(path, _body(request, _MEMBERS[path]))
        if request.method == "POST" and path in self._hosting:
            return self._hosting[path](_body(request, _MEMBERS[path]))
        known = ", ".join([*self._at_once, *self._reading, *self.changing, *self._hosting])
        raise ControlError(404, f"{request.method} {request.path} is not part of the control API; it has {known}")

    def _authorize(self, request: Request, path: str) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if path == "/inbox" and not given:
            given = request.args.get("token", "")
        if not hmac.compare_digest(given.encode(), self._host.credentials.token.encode()):
            raise ControlError(401, "the control API wants the header Authorization: Bearer $LABKIT_SANDBOX_TOKEN")

    def _inbox_page(self) -> Response:
        page = self._host.read(lambda: self._host.sandbox.notifications.inbox.page())
        return Response(page, headers=PAGE_HEADERS, content_type="text/html; charset=utf-8")

    def _health(self, _: dict[str, Any]) -> dict[str, Any]:
        """That the sandbox is there, and how far the advance under way has come."""
        sandbox, advance = self._host.sandbox, self._host.advances.current
        health = {"status": "ok", "endpoint": sandbox.endpoint}
        if advance is None:
            return health
        now = sandbox.clock.timestamp()
        share = (now - advance.start) / max(advance.goal - advance.start, 0.001)
        done = {"now": _moment(now), "advancing_to": _moment(advance.goal), "share": round(min(share, 1.0), 4)}
        return {**health, "busy": "advancing the clock", **done}

    def _clock(self, _: dict[str, Any]) -> dict[str, Any]:
        clock, advance = self._host.sandbox.clock, self._host.advances.current
        reading = {"now": _moment(clock.timestamp()), "frozen": clock.frozen}
        return reading if advance is None else {**reading, "advancing_to": _moment(advance.goal)}

    def _inbox(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"messages": self._host.sandbox.notifications.inbox.messages()}

    def _ssh(self, _: dict[str, Any]) -> dict[str, Any]:
        if self._host.ssh_door is None:
            raise ControlError(404, "this sandbox has no SSH door")
        return dict(self._host.ssh_door.login())

    def _advance(self, request: Request, body: dict[str, Any]) -> dict[str, Any]:
        """Move the clock on; to end the connection is to stop it."""
        stopped = self._host.advance(body, partial(_has_hung_up, request.environ.get("werkzeug.socket")))
        reading = self._host.read(lambda: self._clock({}))
        return {**reading, "stopped": True} if stopped else reading

    def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        """Have the advance under way end where it is; where none is, there is nothing to stop."""
        self._host.advances.stop()
        return self._host.read(lambda: self._clock({}))

    def _begin_advance(self, body: dict[str, Any]) -> dict[str, Any]:
        seconds = body.get("seconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not math.isfinite(seconds):
            raise ControlError(400, f"seconds is a number of seconds to advance, not {seconds!r}")
        if not 0 <= seconds <= LONGEST_ADVANCE:
            raise ControlError(400, f"seconds is from 0 to {LONGEST_ADVANCE} (a year), not {seconds}")
        return {}

    def _connect(self, body: dict[str, Any]) -> dict[str, Any]:
        port, count = body.get("port"), body.get("count", 1)
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
            raise ControlError(400, f"port is a number from 0 to 65535, not {port!r}")
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 10_000:
            raise ControlError(400, f"count is a number of attempts from 1 to 10000, not {count!r}")
        protocol = body.get("protocol", "tcp")
        if protocol not in ("tcp", "udp", "icmp"):
            raise ControlError(400, f"protocol is tcp, udp or icmp, not {protocol!r}")
        destination = _address("destination", body.get("destination"))
        source = _address("source", body["source"]) if body.get("source") is not None else None
        connect = self._host.sandbox.network.connect
        try:
            return dict(connect(source=source, destination=destination, port=port, protocol=protocol, count=count))
        except ServiceError as error:
            raise ControlError(400, error.message) from error

    def _background(self, body: dict[str, Any]) -> dict[str, Any]:
        level = body.get("level")
        if not isinstance(level, int | float) or isinstance(level, bool) or not 0 <= level <= 1000:
            raise ControlError(400, f"level is a factor from 0 (off) to 1000, 1 being usual, not {level!r}")
        self._host.sandbox.network.set_background(level)
        return {"level": level}

    def _faults(self, body: dict[str, Any]) -> dict[str, Any]:
        rules = body.get("faults")
        if not isinstance(rules, list):
            raise ControlError(400, f"faults is a list of rules, not {rules!r}")
        try:
            in_force = self._host.faults.set(rules)
        except ValueError as error:
            raise ControlError(400, str(error)) from error
        faults = self._host.faults
        self._host.sandbox.network.disturb_delivery(
            delay_seconds=faults.delay_of_deliveries, lost=faults.lost_deliveries
        )
        return {"faults": in_force}

    def _reset(self, _: dict[str, Any]) -> dict[str, Any]:
        self._host.reset()
        return self._host.read(lambda: self._clock({}))


def _moment(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _has_hung_up(connection: socket.socket | None) -> bool:
    """Whether a client that waits for its answer has ended the connection."""
    if connection is None:
        return False
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


def _address(name: str, value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value if isinstance(value, str) else ""))
    except ValueError as error:
        raise ControlError(400, f"{name} is an IP address, not {value!r}") from error


def _body(request: Request, members: tuple[str, ...]) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError) as error:
        raise ControlError(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ControlError(400, f"the body is a JSON object, not {body!r:.80}")
    if unknown := [name for name in body if name not in members]:
        known = f"has {', '.join(members)}" if members else "is empty"
        raise ControlError(400, f"the body of {request.path} {known}; it has no {unknown[0]!r:.80}")
    return body


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content) + "\n", status, content_type="application/json")
