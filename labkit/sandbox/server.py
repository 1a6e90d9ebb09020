"""The sandbox's server process: `python -m labkit.sandbox.server`, as `labkit.sandbox.process` starts it."""

# ruff: noqa: E402
from __future__ import annotations

import gc
import sys


class _Unused:
    """Hides what pyarrow and time-machine would import wherever it is installed, and do as well without.

    It would cost the server a second of its start and a fifth of its memory.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Says of an unused package that it is not there."""
        if name in ("pandas", "pytest"):
            raise ModuleNotFoundError(f"{name} is of no use to the sandbox", name=name)


sys.meta_path.insert(0, _Unused)
gc.disable()  # until it serves: what is made till then stays, and looking through it again and again takes its time

import argparse
import json
import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.serving import BaseWSGIServer, make_server

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Journal, JournalError, Origin
from labkit.sandbox.moto_state.requests import RequestHandler
from labkit.sandbox.postman import Postman, SmtpServer
from labkit.sandbox.process import PORT_FILE, SERVER_FILE, Server, directory
from labkit.sandbox.ssh_door import Keys, SshDoor

ADDRESS = "127.0.0.1"
SECONDS_BETWEEN_TICKS = 0.25


class _QuietHandler(RequestHandler):
    """Serves without a line of log for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Logs nothing."""


RECURSION_LIMIT = 4000
"""A long chain of ORs is as deep a tree, which Python's own limit is too low for."""


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; exit code 3 says that the port is taken, 4 that the history can't be gone on with."""
    options = _parse(arguments)
    sys.setrecursionlimit(RECURSION_LIMIT)
    os.environ["TZ"] = "UTC"
    time.tzset()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    home = directory(Path(options.home))
    try:
        server = make_server(ADDRESS, options.port, _starting, threaded=True, request_handler=_QuietHandler)
    except SystemExit:  # werkzeug's way to say that the address is in use
        return 3
    try:
        host = _host(options, home, f"http://{ADDRESS}:{server.port}")
    except JournalError as error:
        print(error, file=sys.stderr)
        return 4
    host.ssh_door = SshDoor(host, Keys.of(home / "ssh.json"))
    server.app = host
    gc.freeze()
    gc.enable()
    _write_server_file(home, host, server)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: threading.Thread(target=server.shutdown).start())
    threading.Thread(target=_tick, args=(host,), daemon=True).start()
    server.serve_forever(poll_interval=0.1)
    (home / SERVER_FILE).unlink(missing_ok=True)
    host.close()
    return 0


def _starting(environ: Any, start_response: Any) -> list[bytes]:
    """Stands in until the sandbox is there; nothing is served before."""
    start_response("503 Service Unavailable", [])
    return [b""]


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="labkit.sandbox.server")
    parser.add_argument("--home", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--start", type=float)
    parser.add_argument("--frozen", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--region", required=True)
    parser.add_argument("--no-provision", action="store_true")
    parser.add_argument("--any-credentials", action="store_true")
    parser.add_argument("--smtp", type=SmtpServer.parse)
    return parser.parse_args(arguments)


def _host(options: argparse.Namespace, home: Path, endpoint: str) -> Host:
    journal = Journal(home / "journal.sqlite")
    start = options.start if options.start is not None else datetime.now(UTC).timestamp()
    origin = journal.origin or Origin(
        round(start, 3), options.frozen, options.seed, not options.no_provision, options.region
    )
    postman = Postman(options.smtp) if options.smtp else None
    return Host(origin, journal, _credentials(home), endpoint, any_credentials=options.any_credentials, postman=postman)


def _credentials(home: Path) -> Credentials:
    """The home's credentials: made once, so that a terminal that has them can go on after a restart."""
    path = home / "credentials.json"
    if not path.exists():
        path.touch(mode=0o600)
        made = Credentials.create()
        path.write_text(json.dumps(vars(made)))
    return Credentials(**json.loads(path.read_text()))


def _write_server_file(home: Path, host: Host, server: BaseWSGIServer) -> None:
    own = host.credentials
    entry = Server(
        endpoint=host.sandbox.endpoint,
        port=server.port,
        pid=os.getpid(),
        access_key_id=own.access_key_id,
        secret_access_key=own.secret_access_key,
        token=own.token,
    )
    (home / PORT_FILE).write_text(str(server.port))
    entry.write(home / SERVER_FILE)


def _tick(host: Host) -> None:
    while True:
        time.sleep(SECONDS_BETWEEN_TICKS)
        host.tick()


if __name__ == "__main__":
    sys.exit(main())
