"""Starts, finds and stops the sandbox's server process. The rest of labkit imports nothing else of the sandbox.

A server holds the lock of its home as long as it lives (kernel/home_lock.py). Whoever holds the lock is the server,
however slow it is to answer; where nobody holds it, none runs, whatever files lie there.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psutil

from labkit.sandbox.kernel import private_files
from labkit.sandbox.kernel.entry import (
    CREDENTIALS_FILE,
    DEFAULT_REGION,
    HOME_TAKEN,
    LOCK_FILE,
    LOG_FILE,
    PORT_FILE,
    PORT_TAKEN,
    REFUSED,
    SECRETS,
    SERVER_FILE,
    SSH_FILE,
    SandboxBusy,
    SandboxError,
    Server,
    cannot_use,
)
from labkit.sandbox.kernel.home_lock import HomeLock, holder
from labkit.sandbox.kernel.presence import Kind, Presence, look
from labkit.sandbox.kernel.waiting import Shown

__all__ = ["SERVER_FILE", "Kind", "Presence", "SandboxBusy", "SandboxError", "Server", "directory", "find"]

SERVER_MODULE = "labkit.sandbox.server"
SECONDS_WITHOUT_PROGRESS = 120
"""How long a start is waited for that comes no further: it neither computes nor repeats another change."""
SECONDS_UNANSWERED = 60
"""How long a server that runs, but is slow, is waited for."""
SECONDS_TO_STOP = 15
"""How long a server is given to end when told to; it takes less by its own bound."""
SECONDS_TO_DIE = 10
SECONDS_BETWEEN_LOOKS = 0.05
LEAST_FREE = 1_000_000
"""Bytes on a disk that is as good as full."""

KEPT_AT_RESET = (CREDENTIALS_FILE, SSH_FILE, PORT_FILE, LOCK_FILE, LOG_FILE)
"""What is no part of a sandbox's history: a reset removes everything else from the folder of its files."""


def directory(home: Path) -> Path:
    """The folder of the sandbox's own files under LABKIT_HOME, made where it is missing, for its owner alone."""
    path = home / "sandbox"
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in (home, path):
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise SandboxError(cannot_use(path, error)) from error
    return path


def presence(home: Path) -> Presence:
    """How the sandbox of a home is at this moment."""
    try:
        return look(home / "sandbox")
    except OSError as error:
        raise SandboxError(cannot_use(home / "sandbox", error)) from error


def find(home: Path) -> Server | None:
    """The sandbox that runs for a home, however slow it is to answer; None where none does."""
    return presence(home).server


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
    show: Callable[[Presence], None] | None = None,
) -> Server:
    """Starts the sandbox of a home and waits until it answers; one that runs already is returned as it is.

    A home that has a history goes on with it; how far it has come is shown by `show`, or on stderr if that takes long.
    `frozen_at` and `seed` belong to a new history: they are refused where they contradict the one there is.
    """
    if smtp is not None:
        _check_smtp(smtp)
    folder = directory(home)
    command = [sys.executable, "-m", SERVER_MODULE, "--home", str(home), "--region", region]
    command += ["--port", str(port)] if port is not None else []
    command += ["--frozen", "--start", str(frozen_at.timestamp())] if frozen_at is not None else []
    command += ["--seed", str(seed)] if seed is not None else []
    command += ["--smtp", smtp] if smtp else []
    command += ["--no-provision"] * (not provision) + ["--any-credentials"] * any_credentials
    with Shown() as shown:
        server = _Start(folder, command, show or shown).wait()
    if port and server.port != port:
        raise SandboxError(
            f"the sandbox runs already, at port {server.port}: stop it with `labkit sandbox stop`, then start it with "
            f"--port {port}"
        )
    return server


def stop(home: Path) -> str:
    """Stops the sandbox of a home, whatever it does, and says what was done; empty if none ran. Its history stays."""
    try:
        return _stop(home / "sandbox")
    except OSError as error:
        raise SandboxError(cannot_use(home / "sandbox", error)) from error


def reset(home: Path) -> str:
    """Throws the sandbox's history away and says what was done.

    A sandbox that answers begins anew at once; one that does not is ended, and begins anew with the next start. So a
    reset works whatever is damaged.
    """
    there = presence(home)
    if there.kind is Kind.READY and there.server is not None:
        there.server.control("POST", "/reset", {})
        return "The sandbox starts anew."
    folder = directory(home)
    stopped = stop(home)
    lock = HomeLock.take(folder / LOCK_FILE)  # so that none starts while its files are removed
    if lock is None:
        raise SandboxError("a sandbox has just been started for this home: run `labkit sandbox reset` again")
    try:
        _remove_history(folder)
    except OSError as error:
        raise SandboxError(cannot_use(folder, error)) from error
    finally:
        lock.release()
    return " ".join(filter(None, [stopped, "The sandbox starts anew with the next `labkit sandbox start`."]))


class _Start:
    """One start: the process that was begun for it, if any, and how far it has come."""

    def __init__(self, folder: Path, command: list[str], show: Callable[[Presence], None]) -> None:
        self._folder = folder
        self._command = command
        self._show = show
        self._process: subprocess.Popen[bytes] | None = None
        self._progress: object = None
        self._since = time.monotonic()

    def wait(self) -> Server:
        """The server, once it answers."""
        while True:
            there = presence(self._folder.parent)
            if there.kind is Kind.READY and there.server is not None:
                return there.server
            self._check_process()
            if self._process is None and there.kind in (Kind.NONE, Kind.KILLED):
                self._process = self._launch()
            self._check_progress(there)
            self._show(there)
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def _launch(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONHASHSEED": "0"}  # sets iterate alike in every run, moto's too
        environment.setdefault("MALLOC_ARENA_MAX", "2")  # or glibc keeps up to 64 MB of freed memory for each thread
        try:
            with (self._folder / LOG_FILE).open("ab") as log:  # the server empties it: another's may be writing to it
                return subprocess.Popen(
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=self._folder,
                    env=environment,
                )
        except OSError as error:
            raise SandboxError(cannot_use(self._folder, error)) from error

    def _check_process(self) -> None:
        """Raises what a process that has ended says; one that was too late for the lock is waited for no more."""
        code = self._process.poll() if self._process is not None else None
        if code is None:
            return
        self._process = None
        if code not in (PORT_TAKEN, HOME_TAKEN) and shutil.disk_usage(self._folder).free < LEAST_FREE:
            full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # its log may have no room for the reason either
            raise SandboxError(cannot_use(self._folder, full))
        lines = (self._folder / LOG_FILE).read_text(errors="replace").splitlines()
        if code == PORT_TAKEN:
            port = self._command[self._command.index("--port") + 1]
            raise SandboxError(f"port {port} is taken by another program; choose another with --port, or leave it out")
        if code == REFUSED:
            raise SandboxError(lines[-1] if lines else "the sandbox did not start")
        if code != HOME_TAKEN:
            end = "\n".join(lines[-15:])
            raise SandboxError(
                f"the sandbox did not start: see why in its log {self._folder / LOG_FILE}, then start it again; "
                f"`labkit sandbox reset` begins anew. The log ends with:\n{end}"
            )

    def _check_progress(self, there: Presence) -> None:
        """Raises when the server can't go on by itself, or has come no further for too long."""
        if there.kind is Kind.SUSPENDED:
            raise SandboxBusy(there.sentence)
        is_slow = there.kind is Kind.BUSY
        # One that only computes comes no further, once it was ready; before, that is how it comes to be.
        cpu = 0 if is_slow or there.holder is None else round(there.holder.cpu_seconds())
        progress = (there.kind, there.pid, there.done, cpu)
        now = time.monotonic()
        if progress != self._progress:
            self._progress, self._since = progress, now
        elif now - self._since > (SECONDS_UNANSWERED if is_slow else SECONDS_WITHOUT_PROGRESS):
            raise SandboxBusy(f"{there.sentence} It has come no further for {now - self._since:.0f} s.")


def _stop(folder: Path) -> str:
    there = holder(folder / LOCK_FILE)
    end = time.monotonic() + SECONDS_TO_DIE
    while there is not None and there.pid is None and time.monotonic() < end:  # it has only just begun
        time.sleep(SECONDS_BETWEEN_LOOKS)
        there = holder(folder / LOCK_FILE)
    if there is None:
        (folder / SERVER_FILE).unlink(missing_ok=True)
        return ""
    if there.pid is None:
        raise SandboxError(
            f"a program that can't be seen from here, as of another container, holds {folder / LOCK_FILE}: stop the "
            "sandbox there; or delete this file, and a sandbox that held it ends by itself"
        )
    said = "The sandbox is stopped."
    suspended = there.is_suspended
    _signal(there.pid, signal.SIGTERM)
    _signal(there.pid, signal.SIGCONT)  # a suspended one hears only then that it is to end
    if suspended:
        said = "The sandbox was suspended; it is stopped now."
    if not _ends(folder, there.pid, SECONDS_TO_STOP):
        _signal(there.pid, signal.SIGKILL)
        said = "The sandbox did not end when told to, so it was killed; nothing that it answered is lost."
        if not _ends(folder, there.pid, SECONDS_TO_DIE):
            raise SandboxError(f"process {there.pid}, the sandbox, could not be ended; restart this machine to end it")
    (folder / SERVER_FILE).unlink(missing_ok=True)
    return said


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        psutil.Process(pid).send_signal(number)
    except psutil.NoSuchProcess:
        pass
    except psutil.AccessDenied as error:
        raise SandboxError(f"process {pid}, the sandbox, is another user's: only they can stop it") from error


def _ends(folder: Path, pid: int, seconds: float) -> bool:
    """Waits until a process is gone: it lets go of the lock first, and of its port an instant later."""
    end = time.monotonic() + seconds
    while _holds(folder, pid) or _is_alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return True


def _holds(folder: Path, pid: int) -> bool:
    there = holder(folder / LOCK_FILE)
    return there is not None and there.pid == pid


def _is_alive(pid: int) -> bool:
    try:
        # A child stays a zombie until its parent looks: a notebook's kernel that started the sandbox does not.
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _remove_history(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name in KEPT_AT_RESET and not _is_damaged(path):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_damaged(path: Path) -> bool:
    if path.name not in SECRETS:
        return False
    try:
        private_files.read(path, SECRETS[path.name])
    except (private_files.DamagedFile, OSError):
        return True
    return False


def _check_smtp(text: str) -> None:
    from labkit.sandbox.postman import SmtpServer

    try:
        SmtpServer.parse(text)
    except ValueError as error:
        raise SandboxError(str(error)) from error
