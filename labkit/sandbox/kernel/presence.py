"""Finds out whether a server runs for a home, and its state: ready, starting, busy, suspended or killed."""

from __future__ import annotations

import urllib.error
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from labkit.sandbox.kernel import home_lock
from labkit.sandbox.kernel.entry import LOCK_FILE, SERVER_FILE, Server
from labkit.sandbox.kernel.home_lock import Holder

SECONDS_TO_ANSWER = 3.0
"""A running server answers `/health` at once, whatever it is doing; this allows for a busy machine."""


class Kind(Enum):
    """The state of a home's server; the values are those of `status` in `/health`."""

    NONE = "none"
    KILLED = "killed"
    STARTING = "starting"
    REPLAYING = "replaying"
    READY = "ok"
    ENDING = "ending"
    BUSY = "busy"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Presence:
    """The state of a home's server at one moment."""

    kind: Kind
    holder: Holder | None = None
    server: Server | None = None
    done: int = 0
    of: int = 0
    """During a replay: `done` changes of `of` have been replayed."""

    @property
    def pid(self) -> int | None:
        """The process id; None if no server runs, or if it isn't known yet."""
        return self.holder.pid if self.holder else None

    @property
    def sentence(self) -> str:
        """A sentence for the user that describes the state, with the next step."""
        process = f"process {self.pid}" if self.pid else "its process has just begun"
        where = f"at {self.server.endpoint} " if self.server else ""
        return {
            Kind.NONE: "No sandbox runs; `labkit sandbox start` starts it.",
            Kind.KILLED: "No sandbox runs: the last one was killed or crashed. `labkit sandbox start` goes on where it "
            "was; nothing that it answered is lost.",
            Kind.STARTING: f"The sandbox is starting ({process}).",
            Kind.REPLAYING: f"The sandbox is starting ({process}): {self.done} of {self.of} changes of its history are "
            "repeated.",
            Kind.READY: f"The sandbox runs {where}({process}).",
            Kind.ENDING: f"The sandbox is ending ({process}).",
            Kind.BUSY: f"The sandbox {where}({process}) runs but is slow to answer. Wait and try again; or end it with "
            "`labkit sandbox stop`, and nothing that it answered is lost.",
            Kind.SUSPENDED: f"The sandbox {where}({process}) is suspended. `kill -CONT {self.pid}` lets it go on; or "
            "end it with `labkit sandbox stop`, and nothing that it answered is lost.",
        }[self.kind]


def look(folder: Path, *, timeout: float = SECONDS_TO_ANSWER) -> Presence:
    """Return the state of the server of a home's folder; `timeout`, in seconds, bounds the wait for its answer."""
    # The lock before the entry: a killed server leaves its entry, and only the lock is sure to be gone.
    holder = home_lock.holder(folder / LOCK_FILE)
    entry = Server.read(folder / SERVER_FILE)
    if holder is None:
        return Presence(Kind.KILLED if (folder / SERVER_FILE).exists() else Kind.NONE)
    if entry is not None and entry.pid != holder.pid:
        entry = None  # a killed server left it, and the new one hasn't written its own yet
    there = _ask(holder, entry, timeout) if not holder.is_suspended else Presence(Kind.SUSPENDED, holder, entry)
    if there.kind is Kind.BUSY and holder.is_suspended:  # it was suspended while it was asked
        return Presence(Kind.SUSPENDED, holder, entry)
    return there


def _ask(holder: Holder, entry: Server | None, timeout: float) -> Presence:
    """Return the state that the process with the lock reports about itself."""
    if entry is None:
        return Presence(Kind.STARTING, holder)
    try:
        answer = entry.health(timeout=timeout)
        return Presence(Kind(answer["status"]), holder, entry, answer.get("done", 0), answer.get("of", 0))
    except urllib.error.URLError as error:
        # The server doesn't listen any more but still has the lock: it is ending, and is about to remove its entry.
        kind = Kind.BUSY if isinstance(error.reason, TimeoutError) else Kind.ENDING
        return Presence(kind, holder, entry)
    except (OSError, ValueError, KeyError):
        return Presence(Kind.BUSY, holder, entry)
