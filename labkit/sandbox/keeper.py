"""Decides when a checkpoint of a sandbox is taken, and opens a sandbox from the last usable one."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from labkit.sandbox import state
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.journal import Journal, JournalError
from labkit.sandbox.kernel.checkpoints import Checkpoint, Checkpoints
from labkit.sandbox.kernel.fair_lock import FairLock
from labkit.sandbox.kernel.files import FileStore

LOG = logging.getLogger(__name__)

FILES = "files"
"""The folder beside the journal for bodies that are too large for it."""
LEAST_DEBT, LEAST_DEBT_AT_END = 2.0, 0.5
"""The CPU seconds of replay from which on a checkpoint is worth writing, while running and at the end."""
SHARE = 0.1
"""A checkpoint may cost at most this share of the replay time that it saves."""


@dataclass(frozen=True)
class Opened:
    """An opened sandbox: the change in the journal that it follows, and what its host had added to the checkpoint."""

    sandbox: AssembledSandbox
    files: FileStore
    follows: int = 0
    more: dict[str, Any] | None = None


class Keeper:
    """Takes the checkpoints of one journal's sandbox; without `checkpoints` it takes none."""

    def __init__(self, journal: Journal, lock: FairLock, checkpoints: Checkpoints | None) -> None:
        self._journal = journal
        self._lock = lock
        self._checkpoints = checkpoints
        self._cost = 0.0
        self._turn = threading.Lock()
        self._files = journal.path.with_name(FILES)

    def open(self, make: Callable[[FileStore], AssembledSandbox]) -> Opened:
        """Make the sandbox from the last usable checkpoint, or a new one if there is none.

        Raise JournalError if a file that the journal needs is missing.
        """
        named = self._named_files()  # first: without these files no replay can succeed, so nothing is changed yet
        opened = kept = None
        for checkpoint in self._checkpoints.usable(self._journal.digest) if self._checkpoints else ():
            if opened := self._put_back(checkpoint, make):
                kept = checkpoint
                break
        if self._checkpoints:
            self._checkpoints.keep_only(kept)  # before the pack is cut: the others refer to pieces in it
        if opened is None:
            files = FileStore(self._files)
            opened = Opened(make(files), files)
        opened.files.sweep(named)  # what a killed process had kept but not yet named in the journal
        return opened

    def forget(self) -> None:
        """Remove all checkpoints, because the history starts again."""
        if self._checkpoints:
            self._checkpoints.keep_only(None)

    def keep(self, current: Callable[[], tuple[AssembledSandbox, dict[str, Any]]], debt: float | None = None) -> bool:
        """Write a checkpoint if the replay without it would take at least `debt` CPU seconds; tell whether it did.

        Without `debt`, write it as soon as it is worth its cost. `current` is called under the lock and returns the
        sandbox and what its host adds. The lock is released before anything is written, so requests go on meanwhile.
        """
        if self._checkpoints is None:
            return False
        with self._turn:
            if debt is None:
                debt = max(LEAST_DEBT, self._cost / SHARE)
            with self._lock:  # state and journal end are read together: the checkpoint must follow exactly that change
                begin = time.thread_time()
                taken = self._take(*current(), debt)
                place = self._journal.end
            if taken is None:
                return False

            def fill(folder: Path) -> float:
                taken.write(folder)
                return time.thread_time() - begin

            try:
                self._checkpoints.write(place, taken.mark, fill)
            except (OSError, duckdb.Error) as error:  # a full disk, or a sandbox that was reset or closed meanwhile
                LOG.warning("a checkpoint could not be written: %s", error)
                return False
            finally:
                taken.close()
            self._cost = time.thread_time() - begin
            return True

    def _take(self, sandbox: AssembledSandbox, more: dict[str, Any], debt: float) -> state.Taken | None:
        meter = sandbox.clock.meter
        if meter.seconds < debt:
            return None
        meter.seconds = 0.0  # also if the checkpoint fails below: a full disk must not mean an attempt at every tick
        # If the checkpoint turns out unusable, the replay must still bring the clock to where the checkpoint has it.
        self._journal.note_reading(sandbox.clock.timestamp())
        try:
            return state.take(sandbox, more)
        except Exception as error:  # anything may refuse to be pickled, and the journal alone is enough
            LOG.warning("no checkpoint can be taken, the next start repeats what has been done: %s", error)
            return None

    def _put_back(self, checkpoint: Checkpoint, make: Callable[[FileStore], AssembledSandbox]) -> Opened | None:
        sandbox = files = None
        try:
            files = FileStore(self._files, mark=checkpoint.manifest.mark)
            sandbox = make(files)
            more = state.put_back(sandbox, checkpoint.folder)
        except Exception as error:  # a pickle can fail in any way, and the journal alone is enough
            LOG.warning("the checkpoint %s is not used: %s", checkpoint.folder.name, error)
            for each in (sandbox, files):
                if each is not None:
                    each.close()
            return None
        self._cost = checkpoint.manifest.seconds
        return Opened(sandbox, files, checkpoint.manifest.number, more)

    def _named_files(self) -> set[str]:
        """Return the names of the files that the journal needs; raise JournalError if one is missing."""
        named = self._journal.files()
        lost = [name for name in named if not (self._files / name).is_file()]
        if lost:
            what = f"{len(lost)} of {len(named)} large bodies of the sandbox's history are missing in {self._files}"
            raise JournalError(f"{what}: put them back, or `labkit sandbox reset` throws this history away")
        return named
