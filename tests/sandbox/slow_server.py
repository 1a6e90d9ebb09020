"""A server that replays as slowly as a test says: the file `progress` has what it says of itself, done and of.

It does not end when told to if there is a file `deaf`.
"""

import json
import os
import signal
import sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

from labkit.sandbox.kernel.ending import End
from labkit.sandbox.kernel.entry import LOCK_FILE, SERVER_FILE, Server
from labkit.sandbox.kernel.home_lock import HomeLock
from labkit.sandbox.kernel.presence import Kind
from labkit.sandbox.kernel.stand_in import StandIn


def main() -> None:
    folder = Path.cwd()
    assert HomeLock.take(folder / LOCK_FILE)
    if (folder / "deaf").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        End(folder)

    def app(environ, start_response):
        kind, done, of = json.loads((folder / "progress").read_text())
        return StandIn(Kind(kind), done, of)(environ, start_response)

    with make_server("127.0.0.1", 0, app, handler_class=WSGIRequestHandler) as server:
        port = server.server_port
        Server(f"http://127.0.0.1:{port}", port, os.getpid(), "key", "secret", "token").write(folder / SERVER_FILE)
        server.serve_forever(poll_interval=0.01)


if __name__ == "__main__":
    sys.exit(main())
