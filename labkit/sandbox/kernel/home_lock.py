"""The lock that allows one server for each home: taking it, and finding out who holds it.

The lock is the operating system's (flock), on a file in the home. It is released when its process ends, however that
happens, so it can't be stale as a file with a process id can. Only this module knows how a file is locked: to support a
system without flock, replace this module.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ATTEMPTS, SECONDS_BETWEEN_ATTEMPTS = 10, 0.02
"""`holder` takes the lock for an instant to find out who has it, so a failed attempt is repeated."""


class HomeLock:
    """The lock of a home, held until this process ends or `release` is called."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        # flock belongs to the open file, which a forked child shares: it would keep the lock after the server's end.
        os.register_at_fork(after_in_child=self.release)

    @classmethod
    def take(cls, path: Path) -> HomeLock | None:
        """Take the lock and write this process's id into its file; return None if another process holds it."""
        # Python opens files so that programs started from here don't inherit them, nor the lock. No O_TRUNC: the file
        # may have the id of the process that holds the lock.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(SECONDS_BETWEEN_ATTEMPTS)
            if _lock(descriptor, fcntl.LOCK_EX):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return cls(path, descriptor)
        os.close(descriptor)
        return None

    def is_gone(self) -> bool:
        """Tell whether the file was deleted or replaced; then no other process can know that this one is running."""
        try:
            there = self._path.stat()
        except OSError:
            return True
        return self._descriptor is None or not os.path.samestat(there, os.fstat(self._descriptor))

    def release(self) -> None:
        """Release the lock. In a forked child this closes only the child's copy, and the parent keeps the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Holder:
    """The process that holds a home's lock."""

    pid: int | None
    """None if it isn't known: the process has only just taken the lock, or it isn't a server of the sandbox."""

    @property
    def is_suspended(self) -> bool:
        """Whether the process was stopped (SIGSTOP, a debugger) and does nothing until it is continued."""
        try:
            return self.pid is not None and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used, in seconds; while it grows, the process is working."""
        try:
            return sum(psutil.Process(self.pid).cpu_times()[:2]) if self.pid is not None else 0.0
        except psutil.Error:
            return 0.0


def holder(path: Path) -> Holder | None:
    """Return the process that holds the lock at this moment; None if no process does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two processes that ask at once don't take each other for a server.
        if _lock(descriptor, fcntl.LOCK_SH):
            return None
        text = os.pread(descriptor, 32, 0)
    finally:
        os.close(descriptor)
    pid = int(text) if text.isdigit() else None
    return Holder(pid if pid is not None and _has_open(pid, path) else None)


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_open(pid: int, path: Path) -> bool:
    """Tell whether a process has the file open. A process id alone proves nothing: it may have been used again."""
    try:
        return any(os.path.samefile(file.path, path) for file in psutil.Process(pid).open_files())
    except (psutil.Error, OSError):
        return False
