"""One server a home: the lock that a server holds for as long as it lives, and who holds it now.

The lock is the operating system's (flock), on a file in the home. It goes when its process ends, however that ends, so
it can't be stale as a file with a process id can. Only this module knows how a file is locked: a system without flock
needs another one, and no more.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ATTEMPTS, SECONDS_BETWEEN_ATTEMPTS = 10, 0.02
"""Somebody who asks who holds the lock has it for an instant (see `holder`), which is no reason to give up."""


class HomeLock:
    """The lock of a home, held until this process ends or `release` is called."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        os.register_at_fork(after_in_child=self.release)

    @classmethod
    def take(cls, path: Path) -> HomeLock | None:
        """Take the lock and write this process's id into its file; None if another process holds it."""
        # Python opens files so that no program that this process starts inherits them, and the lock with them; a fork
        # does until it lets go of them.
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
        """True if the file was deleted or replaced: then nobody can know any more that this process is there."""
        try:
            there = self._path.stat()
        except OSError:
            return True
        return self._descriptor is None or not os.path.samestat(there, os.fstat(self._descriptor))

    def release(self) -> None:
        """Let the lock go. A child that was forked lets go of its share of it, which does not end the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@dataclass(frozen=True)
class Holder:
    """The process that holds a home's lock."""

    pid: int | None
    """None while it is not known: the process has only just taken the lock, or it is no server of ours."""

    @property
    def is_suspended(self) -> bool:
        """True if the process was stopped (SIGSTOP, a debugger) and does nothing until it is continued."""
        try:
            return self.pid is not None and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    def cpu_seconds(self) -> float:
        """How much the process has computed: while it grows, the process is at work."""
        try:
            return sum(psutil.Process(self.pid).cpu_times()[:2]) if self.pid is not None else 0.0
        except psutil.Error:
            return 0.0


def holder(path: Path) -> Holder | None:
    """Who holds the lock at this moment; None if nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
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
    """Whether a process has the file open: its id may have been another's before it, but the file is the holder's."""
    try:
        return any(os.path.samefile(file.path, path) for file in psutil.Process(pid).open_files())
    except (psutil.Error, OSError):
        return False
