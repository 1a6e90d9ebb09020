"""The one way to change a sandbox: a change is written into the journal, then made, and made again at a restart.

Everything that changes a sandbox between two events of its clock has a kind: a client's request (`request`), one of the
control API (`control`), the provided environment of a region (`provide`), or what a service does when one of its
threads has finished (`athena query ended`). Each kind has one maker, which is all that a restart needs to make the
change again from its journal entry:

>>> changes.makers["athena query ended"] = lambda entry: runner.apply(entry.request, entry.body)
>>> changes.make("athena query ended", {"id": execution.id, "state": "SUCCEEDED"}, body)

An entry is written before its change is made. So a full disk shows before anything has changed. If the process is
killed in between, the change is made at the next start, which is right because nobody had an answer to it yet. A change
that is rejected has changed nothing, and its entry is removed again.
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
    """It was rejected and has changed nothing, so its entry is removed and its number used again."""


class Changes:
    """Makes the changes of one sandbox, by the makers that its services register under their kinds."""

    def __init__(
        self, lock: FairLock, clock: Clock, seed: Callable[[str], None], journal: Journal | None = None
    ) -> None:
        self.made = 0
        """How many changes were made and kept. The next one's ids are drawn from a source seeded with this number."""
        self.replaying = False
        self.makers: dict[str, Maker] = {}
        self.ends: set[str] = set()
        """The kinds that end the work of a thread; their requests carry the `id` of that work.

        They aren't counted in `made`: when a thread is done is a matter of chance, and ids must not depend on it.
        """
        self._lock = lock
        self._clock = clock
        self._seed = seed
        self._journal = journal

    def to_keep(self) -> int:
        """Return how many changes were made."""
        return self.made

    def take_back(self, kept: int) -> None:
        """Continue from what `to_keep` returned."""
        self.made = kept

    def make(self, kind: str, request: dict[str, Any], body: bytes = b"") -> Any:
        """Make a change through its kind's maker, and return the maker's result."""
        return self.repeat(Entry(self._clock.timestamp(), kind, request, body))

    def repeat(self, entry: Entry) -> Any:
        """Make the change of an entry; at a replay, again."""
        with self.change(entry):
            return self.makers[entry.kind](entry)

    @contextmanager
    def change(self, entry: Entry | None = None) -> Iterator[Change]:
        """Hold the lock for one change; write its entry and seed the sources of randomness before it.

        Set `refused` on the yielded change to have the entry removed; an exception does the same. Raise ServiceError
        (503) if the entry can't be written: nothing was changed then.
        """
        with self._lock, self._clock.meter:
            number = self._write_down(entry) if entry is not None else None  # under the lock: entries are in order
            ends = entry is not None and entry.kind in self.ends
            self._seed(f"{entry.kind} {entry.request['id']}" if entry and ends else f"change {self.made}")
            change = Change()
            try:
                yield change
            except BaseException:
                change.refused = True
                raise
            finally:
                # A rejected change doesn't count: a replay, which doesn't see it, must come to the same numbers.
                if not change.refused:
                    self.made += not ends
                elif number is not None:
                    self._strike(number)

    def _strike(self, number: int) -> None:
        try:
            if self._journal is not None:
                self._journal.strike(number)
        except (sqlite3.Error, OSError) as error:  # the entry stays, and its change will be rejected again at a replay
            LOG.warning("the entry of a refused change could not be taken out of the journal: %s", error)

    def _write_down(self, entry: Entry) -> int | None:
        if self._journal is None:
            return None
        if self.replaying:  # it is in the journal already
            return entry.number
        try:
            return self._journal.append(entry)
        except (sqlite3.Error, OSError, OverflowError) as error:  # OverflowError: a body beyond what SQLite can store
            LOG.error("a change could not be written down, and was not made: %s", error)
            message = f"The sandbox could not write this change down, and has not made it ({error}). Free some space."
            raise ServiceError("ServiceUnavailable", message, status=503) from error
