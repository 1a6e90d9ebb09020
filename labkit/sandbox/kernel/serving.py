"""Runs a server: listen, replay the history while a stand-in answers, serve, and end within seconds."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from werkzeug.serving import BaseWSGIServer, make_server

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Journal, JournalError, Origin
from labkit.sandbox.kernel import machine_time, private_files
from labkit.sandbox.kernel.checkpoints import Checkpoints
from labkit.sandbox.kernel.ending import End
from labkit.sandbox.kernel.entry import (
    CREDENTIALS_FILE,
    PORT_FILE,
    PORT_TAKEN,
    SECRETS,
    SERVER_FILE,
    SSH_FILE,
    SandboxError,
    Server,
    cannot_use,
)
from labkit.sandbox.kernel.home_lock import HomeLock
from labkit.sandbox.kernel.presence import Kind
from labkit.sandbox.kernel.stand_in import StandIn
from labkit.sandbox.moto_state.requests import RequestHandler
from labkit.sandbox.postman import Postman, SmtpServer
from labkit.sandbox.ssh_door import Keys, SshDoor
from labkit.sandbox.state import stamp

LOG = logging.getLogger(__name__)

ADDRESS = "127.0.0.1"
JOURNAL_FILE = "journal.sqlite"
MOMENTS_FILE = "moments.txt"
SECONDS_BETWEEN_TICKS = 0.25
ATTEMPTS_AT_PREVIOUS_PORT, SECONDS_BETWEEN_ATTEMPTS = 5, 0.05
"""A killed server's port becomes free an instant after its lock, so the first attempt may fail."""
SECONDS_TO_CLOSE = 5.0
"""How long a stopping server waits for the work under way; then it ends without it."""


class QuietHandler(RequestHandler):
    """A request handler that doesn't log each request and dates responses by the machine's clock."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the `Date` header in the machine's time, which clients run in, whatever the sandbox's clock shows."""
        return super().date_time_string(machine_time.now() if timestamp is None else timestamp)


def serve(options: argparse.Namespace, folder: Path, lock: HomeLock, end: End) -> int:
    """Serve the sandbox of a home's folder until told to stop; return the exit code.

    Raise SandboxError, with a message for the user, if the home can't be used.
    """
    # It listens before it replays: whoever waits for it learns how far it is, and a taken port shows at once.
    stand_in = StandIn(Kind.STARTING)
    server = _listen(options.port, folder, stand_in)
    if server is None:
        return PORT_TAKEN
    credentials = Credentials(**_secrets(folder, CREDENTIALS_FILE, lambda: asdict(Credentials.create())))
    keys = Keys(**_secrets(folder, SSH_FILE, lambda: asdict(Keys.create())))
    endpoint = f"http://{ADDRESS}:{server.port}"
    private_files.write(folder / PORT_FILE, str(server.port))
    Server(endpoint, server.port, os.getpid(), **asdict(credentials)).write(folder / SERVER_FILE)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    host = _open(options, folder, credentials, endpoint, stand_in)
    host.ssh_door = SshDoor(host, keys)
    server.app = host
    gc.freeze()  # what the start has made stays for good: each collection would walk through it in vain
    gc.enable()
    threading.Thread(target=_tick, args=(host, lock, end.told), daemon=True).start()
    end.wait()
    server.app = StandIn(Kind.ENDING)  # before the close, which may take up to SECONDS_TO_CLOSE
    _close(host)
    server.shutdown()
    server.server_close()
    end.leave()
    return 0


def _listen(port: int | None, folder: Path, app: StandIn) -> BaseWSGIServer | None:
    """Return a server on the requested port, or None if that is taken; without one, on the previous port or any."""
    previous = [_previous_port(folder)] * ATTEMPTS_AT_PREVIOUS_PORT
    for number, wanted in enumerate([port] if port is not None else [*previous, 0]):
        if number:
            time.sleep(SECONDS_BETWEEN_ATTEMPTS)
        with contextlib.suppress(SystemExit):  # how werkzeug reports that the address is in use
            return make_server(ADDRESS, wanted, app, threaded=True, request_handler=QuietHandler)
    return None


def _previous_port(folder: Path) -> int:
    """Return the previous port, so that terminals that have it in their environment go on working; 0 for any."""
    try:
        return int((folder / PORT_FILE).read_text())
    except (OSError, ValueError):
        return 0


def _secrets(folder: Path, name: str, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """Return the home's secrets, made once so that a terminal that has them goes on working after a restart."""
    try:
        return private_files.read_or_make(folder / name, SECRETS[name], make)
    except private_files.DamagedFile as damage:
        raise SandboxError(str(damage)) from damage


def _open(
    options: argparse.Namespace, folder: Path, credentials: Credentials, endpoint: str, stand_in: StandIn
) -> Host:
    def replayed(done: int, of: int) -> None:
        stand_in.kind, stand_in.done, stand_in.of = Kind.REPLAYING, done, of

    postman = Postman(SmtpServer.parse(options.smtp)) if options.smtp else None
    try:
        journal = Journal(folder / JOURNAL_FILE)
        origin = _origin(options, journal)
        return Host(
            origin,
            journal,
            credentials,
            endpoint,
            any_credentials=options.any_credentials,
            postman=postman,
            checkpoints=Checkpoints(folder / "checkpoints", credentials.secret_access_key, stamp(endpoint)),
            progress=replayed,
            moments=machine_time.Moments(folder / MOMENTS_FILE, frozen=origin.frozen),
        )
    except JournalError as error:
        raise SandboxError(str(error)) from error
    except sqlite3.OperationalError as error:
        raise SandboxError(cannot_use(folder / JOURNAL_FILE, OSError(str(error)))) from error


def _origin(options: argparse.Namespace, journal: Journal) -> Origin:
    """Return the settings of the sandbox; raise SandboxError for options that contradict its history."""
    if (kept := journal.origin) is None:
        start = options.start if options.start is not None else datetime.now(UTC).timestamp()
        return Origin(round(start, 3), options.frozen, options.seed or 0, not options.no_provision, options.region)
    if options.start is not None and (not kept.frozen or kept.start != options.start):
        began = datetime.fromtimestamp(kept.start, UTC).isoformat(timespec="seconds")
        kind = "frozen" if kept.frozen else "following real time"
        raise SandboxError(f"this sandbox has a history that began at {began}, {kind}; `labkit sandbox reset` ends it")
    if options.seed is not None and options.seed != kept.seed:
        raise SandboxError(f"this sandbox has a history with seed {kept.seed}; `labkit sandbox reset` ends it")
    return kept


def _tick(host: Host, lock: HomeLock, told_to_end: threading.Event) -> None:
    said = ""
    while not told_to_end.wait(SECONDS_BETWEEN_TICKS):
        if lock.is_gone():
            LOG.error("the home of this sandbox was deleted: it ends")
            os.kill(os.getpid(), signal.SIGTERM)  # the same way out as `labkit sandbox stop`
            return
        try:
            host.tick()
            host.checkpoint()
            said = ""
        except Exception as error:  # such as a full disk, which may have room at the next tick
            if said != str(error):  # four times a second, the same traceback would itself fill the disk
                LOG.exception("what real time had made due failed")
            said = str(error)


def _close(host: Host) -> None:
    """Close the sandbox, but don't wait longer than SECONDS_TO_CLOSE.

    Nothing is lost by ending without the close: every change that was answered is in the journal.
    """
    host.advances.stop()
    closing = threading.Thread(target=host.close, daemon=True)
    closing.start()
    closing.join(SECONDS_TO_CLOSE)
    if closing.is_alive():
        LOG.warning("ended while something was under way")
