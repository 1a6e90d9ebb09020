"""The one way to change a sandbox: a change is written down, then made, and made again at a restart.

Whatever changes a sandbox between two events of its clock is a change of some kind: a request of a client (`request`),
one of the control API (`control`), the environment of a region (`provide`), or what a service does by itself when a
thread of its has finished (`athena query ended`). Each kind has one maker, which is all that a restart needs to make
the change again from what the journal holds:

>>> changes.makers["athena query ended"] = lambda entry: runner.apply(entry.request, entry.body)
>>> changes.make("athena query ended", {"id": execution.id, "state": "SUCCEEDED"}, body)

An entry is in the journal before its change is made. So a full disk is met before anything has changed, and a process
that is killed in between makes the change when it starts again: nobody had an answer to it. A change that is refused
has changed nothing, and is taken out of the journal again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.clock import Clock
from labkit.sandbox.journal import Entry, Journal
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.fair_lock import FairLock

LOG = logging.getLogger(__name__)

Maker = Callable[[Entry], Any]


@dataclass
class Change:
    """A change being made."""

    refused: bool = False
    """It was refused, and has changed nothing: it leaves no trace."""


class Changes:
    """The changes of one sandbox."""

    def __init__(
        self, lock: FairLock, clock: Clock, seed: Callable[[str], None], journal: Journal | None = None
    ) -> None:
        self.made = 0
        """How many changes were made and kept: the number of the next one, which its ids are drawn from."""
        self.replaying = False
        self.makers: dict[str, Maker] = {}
        self.ends: set[str] = set()
        """The kinds that end work of some threads' own, each with the `id` of that work.

        They are not counted: when a thread is done is a matter of chance, and the ids that clients are given are not.
        """
        self._lock = lock
        self._clock = clock
        self._seed = seed
        self._journal = journal

    def to_keep(self) -> int:
        """Return how many changes were made."""
        return self.made

    def take_back(self, kept: int) -> None:
        """Go on from what `to_keep` returned."""
        self.made = kept

    def make(self, kind: str, request: dict[str, Any], body: bytes = b"") -> Any:
        """Make a change by its kind's maker, and return what that returns."""
        return self.repeat(Entry(self._clock.timestamp(), kind, request, body))

    def repeat(self, entry: Entry) -> Any:
        """Make the change that an entry stands for."""
        with self.change(entry):
            return self.makers[entry.kind](entry)

    @contextmanager
    def change(self, entry: Entry | None = None) -> Iterator[Change]:
        """Hold the lock for one change, seed the sources of randomness for it, and write its entry down before.

        Raises ServiceError if the entry can't be written down: nothing was changed.
        """
        with self._lock, self._clock.meter:
            number = self._write_down(entry) if entry is not None else None
            ends = entry is not None and entry.kind in self.ends
            self._seed(f"{entry.kind} {entry.request['id']}" if entry and ends else f"change {self.made}")
            change = Change()
            try:
                yield change
            except BaseException:
                change.refused = True
                raise
            finally:
                if not change.refused:
                    self.made += not ends
                elif number is not None:
                    self._strike(number)

    def _strike(self, number: int) -> None:
        try:
            if self._journal is not None:
                self._journal.strike(number)
        except sqlite3.Error as error:  # the entry stays, and its change will be refused again at a restart
            LOG.warning("the entry of a refused change could not be taken out of the journal: %s", error)

    def _write_down(self, entry: Entry) -> int | None:
        if self._journal is None:
            return None
        if self.replaying:
            return entry.number
        try:
            return self._journal.append(entry)
        except (sqlite3.Error, OverflowError) as error:
            LOG.error("a change could not be written down, and was not made: %s", error)
            message = f"The sandbox could not write this change down, and has not made it ({error}). Free some space."
            raise ServiceError("ServiceUnavailable", message, status=503) from error
