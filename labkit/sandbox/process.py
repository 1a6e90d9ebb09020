"""Starts, finds and stops the sandbox's server process. The rest of labkit imports nothing else of the sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

SERVER_FILE = "server.json"
LOG_FILE = "server.log"
PORT_FILE = "port"
SECONDS_TO_START = 120
SECONDS_TO_STOP = 20
DEFAULT_REGION = "eu-west-1"


class SandboxError(Exception):
    """The sandbox could not be started, found or stopped; the message says why and what to do."""


@dataclass(frozen=True)
class Server:
    """A running sandbox: where it listens, and the credentials it answers to."""

    endpoint: str
    port: int
    pid: int
    access_key_id: str
    secret_access_key: str
    token: str

    def control(self, method: str, path: str, body: dict[str, Any] | None = None, *, timeout: float = 600) -> Any:
        """The JSON answer of the control API (`path` such as `/clock`); raises SandboxError with its words."""
        request = urllib.request.Request(
            f"{self.endpoint}/_sandbox{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=timeout) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise SandboxError(json.loads(error.read() or b"{}").get("error", str(error))) from error
        except OSError as error:
            raise SandboxError(f"the sandbox at {self.endpoint} does not answer ({error}); start it again") from error

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client uses the sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": DEFAULT_REGION,
            "LABKIT_SANDBOX_TOKEN": self.token,
        }

    def write(self, path: Path) -> None:
        """Keeps the entry in a file that only its owner can read, whole or not at all."""
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy of the user's has no business between two processes of one machine."""


def directory(home: Path) -> Path:
    """The folder of the sandbox's own files under LABKIT_HOME, made where it is missing, for its owner alone."""
    path = home / "sandbox"
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (home, path):
        folder.chmod(0o700)
    return path


def find(home: Path) -> Server | None:
    """The sandbox that runs for a home; None where none does, or only the file of one that is gone."""
    path = home / "sandbox" / SERVER_FILE
    try:
        server = Server(**json.loads(path.read_text()))
        server.control("GET", "/health", timeout=60)
    except (OSError, ValueError, TypeError, SandboxError):
        return None
    return server


def start(
    home: Path,
    *,
    port: int | None = None,
    frozen_at: datetime | None = None,
    seed: int | None = None,
    provision: bool = True,
    any_credentials: bool = False,
    smtp: str | None = None,
    region: str = DEFAULT_REGION,
) -> Server:
    """Starts the sandbox of a home and waits until it answers; one that runs already is returned as it is.

    A home that has a history goes on with it. `frozen_at` and `seed` belong to a new history: they are refused where
    they contradict the one there is.
    """
    if running := find(home):
        return running
    if smtp is not None:
        _check_smtp(smtp)
    folder = directory(home)
    _check_history(folder, frozen_at, seed)
    command = [sys.executable, "-m", "labkit.sandbox.server", "--home", str(home), "--region", region]
    command += ["--port", str(_previous_port(folder) if port is None else port)]
    if frozen_at is not None:
        command += ["--frozen", "--start", str(frozen_at.timestamp())]
    command += ["--seed", str(seed or 0)]
    command += ["--smtp", smtp] if smtp else []
    command += ["--no-provision"] * (not provision) + ["--any-credentials"] * any_credentials
    (folder / SERVER_FILE).unlink(missing_ok=True)
    code = _launch(home, folder, command)
    if code == 3 and port is None:  # the port of last time has another tenant now; any will do
        command[command.index("--port") + 1] = "0"
        code = _launch(home, folder, command)
    if code == 3:
        raise SandboxError(f"port {port} is taken by another program; choose another with --port, or leave it out")
    if server := find(home):
        return server
    raise SandboxError(
        f"the sandbox did not start: see why in its log {folder / LOG_FILE}, then start it again; "
        f"the log ends with:\n{_log_end(folder)}"
    )


def stop(home: Path) -> bool:
    """Stops the sandbox of a home; False where none was running. Its history stays."""
    server = find(home)
    if server is None:
        return False
    os.kill(server.pid, signal.SIGTERM)
    end = time.monotonic() + SECONDS_TO_STOP
    while _is_alive(server.pid):
        if time.monotonic() > end:
            os.kill(server.pid, signal.SIGKILL)
        time.sleep(0.05)
    (home / "sandbox" / SERVER_FILE).unlink(missing_ok=True)
    return True


def reset(home: Path) -> None:
    """Starts the sandbox's history anew: at once where it runs, with the next start where it does not."""
    if server := find(home):
        server.control("POST", "/reset", {})
    else:
        for path in (home / "sandbox").glob("journal.sqlite*"):
            path.unlink()


def _launch(home: Path, folder: Path, command: list[str]) -> int | None:
    """Runs the server until it answers (None) or ends (its exit code)."""
    environment = {**os.environ, "PYTHONHASHSEED": "0"}  # sets iterate alike in every run, moto's too
    with (folder / LOG_FILE).open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder,
            env=environment,
        )
    end = time.monotonic() + SECONDS_TO_START
    while process.poll() is None and time.monotonic() < end:
        if (folder / SERVER_FILE).exists() and find(home):
            return None
        time.sleep(0.05)
    return process.poll()


def _check_smtp(text: str) -> None:
    from labkit.sandbox.postman import SmtpServer

    try:
        SmtpServer.parse(text)
    except ValueError as error:
        raise SandboxError(str(error)) from error


def _check_history(folder: Path, frozen_at: datetime | None, seed: int | None) -> None:
    from labkit.sandbox.journal import Journal, JournalError

    if not (folder / "journal.sqlite").exists():
        return
    try:
        journal = Journal(folder / "journal.sqlite")
        origin = journal.origin
    except JournalError as error:
        raise SandboxError(str(error)) from error
    journal.close()
    if origin is None:
        return
    if frozen_at is not None and (not origin.frozen or origin.start != frozen_at.timestamp()):
        began = datetime.fromtimestamp(origin.start, UTC).isoformat(timespec="seconds")
        kind = "frozen" if origin.frozen else "following real time"
        raise SandboxError(f"this sandbox has a history that began at {began}, {kind}; `labkit sandbox reset` ends it")
    if seed is not None and seed != origin.seed:
        raise SandboxError(f"this sandbox has a history with seed {origin.seed}; `labkit sandbox reset` ends it")


def _previous_port(folder: Path) -> int:
    """The port of the last time, so that terminals that know it can go on; 0 for any."""
    try:
        return int((folder / PORT_FILE).read_text())
    except (OSError, ValueError):
        return 0


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours would stay a zombie
    try:
        # Another's child is one until its parent looks: a notebook's kernel that started the sandbox does not.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _log_end(folder: Path) -> str:
    lines = (folder / LOG_FILE).read_text(errors="replace").splitlines()
    return "\n".join(lines[-15:])
