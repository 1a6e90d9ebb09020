"""Whether a server runs for a home, and how it is: ready, starting, busy, suspended or killed."""

from __future__ import annotations

import urllib.error
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from labkit.sandbox.kernel import home_lock
from labkit.sandbox.kernel.entry import LOCK_FILE, SERVER_FILE, Server
from labkit.sandbox.kernel.home_lock import Holder

SECONDS_TO_ANSWER = 3.0
"""A server that runs answers to `/health` at once, whatever it does; this allows for a machine that is busy."""


class Kind(Enum):
    """How the server of a home is."""

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
    """The server of a home at one moment."""

    kind: Kind
    holder: Holder | None = None
    server: Server | None = None
    done: int = 0
    of: int = 0
    """How many changes of its history it has repeated, of how many, while it replays them."""

    @property
    def pid(self) -> int | None:
        """The process; None if none runs, or it isn't known yet."""
        return self.holder.pid if self.holder else None

    @property
    def sentence(self) -> str:
        """What is to be said of it, with the next step."""
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
    """How the server of a home's folder is at this moment."""
    holder = home_lock.holder(folder / LOCK_FILE)
    entry = Server.read(folder / SERVER_FILE)
    if holder is None:
        return Presence(Kind.KILLED if (folder / SERVER_FILE).exists() else Kind.NONE)
    if entry is not None and entry.pid != holder.pid:
        entry = None  # of one that was killed
    there = _ask(holder, entry, timeout) if not holder.is_suspended else Presence(Kind.SUSPENDED, holder, entry)
    if there.kind is Kind.BUSY and holder.is_suspended:  # only meanwhile
        return Presence(Kind.SUSPENDED, holder, entry)
    return there


def _ask(holder: Holder, entry: Server | None, timeout: float) -> Presence:
    """How the process that holds the lock says it is."""
    if entry is None:
        return Presence(Kind.STARTING, holder)
    try:
        answer = entry.health(timeout=timeout)
        return Presence(Kind(answer["status"]), holder, entry, answer.get("done", 0), answer.get("of", 0))
    except urllib.error.URLError as error:
        # The port is not listened on: the server is ending, and its entry goes with it.
        kind = Kind.BUSY if isinstance(error.reason, TimeoutError) else Kind.ENDING
        return Presence(kind, holder, entry)
    except (OSError, ValueError, KeyError):
        return Presence(Kind.BUSY, holder, entry)
