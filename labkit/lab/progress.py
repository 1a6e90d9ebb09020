"""What a learner has done in the lab, kept on this machine alone: attempts, hints, points, minutes, skips.

One JSON file per learner, LABKIT_HOME/progress.json. It holds a name that the learner chose, and counts: no
e-mail address, no account, no id of a resource. It is never sent anywhere; a teacher merges the files by hand.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from labkit.lab.errors import LabError
from labkit.lab.settings import home, write_private

FILE = "progress.json"
VERSION = 1
LONGEST_PAUSE = 15 * 60
"""Seconds. A longer pause isn't counted: the learner has gone for a walk."""
CASES = 9999


@dataclass
class Record:
    """What a learner did in one phase."""

    attempts: int = 0
    """How often the learner asked for a check."""
    hints: list[str] = field(default_factory=list)
    """The hints that the learner took, each once: `topic 1` is the first one for the topic."""
    share: float = 0.0
    """The best share of right items in the learner's own work, 0 to 1."""
    seconds: float = 0.0
    """Seconds of work, without longer pauses."""
    skips: int = 0
    """How often the author's solution was run in the learner's place."""
    skipped: bool = False
    """True while the cloud holds the author's work."""

    @property
    def minutes(self) -> int:
        """Whole minutes of work."""
        return int(self.seconds // 60)

    @property
    def passed(self) -> bool:
        """True if the learner did the whole phase."""
        return self.share == 1

    def points(self, worth: int) -> int:
        """Return the points earned out of `worth`: partial credit, and full points only for the whole phase."""
        return int(worth * self.share)


@dataclass
class Progress:
    """The records of one learner."""

    learner: str
    case: int
    """The number of the learner's own case in the investigation."""
    phases: dict[str, Record] = field(default_factory=dict)
    at_work_on: str = ""
    last_seen: float = 0.0

    def of(self, key: str) -> Record:
        """Return the record of a phase, an empty one if the learner did nothing in it."""
        return self.phases.setdefault(key, Record())

    def pass_time(self, key: str, now: float) -> None:
        """Add the time since the last event to the phase of that event, and switch to this phase."""
        passed = now - self.last_seen
        if self.at_work_on and 0 < passed <= LONGEST_PAUSE:
            self.of(self.at_work_on).seconds += passed
        self.at_work_on, self.last_seen = key, now


class UnreadableProgress(LabError):
    """A file isn't a progress file."""


def load() -> Progress:
    """Return this learner's progress; begin a new one, with a name and a case number, if none is stored."""
    with _locked() as path:
        return _kept(path)


def note_check(key: str, right: int, of: int, *, attempt: bool = True) -> None:
    """Record what a check of a phase found; `attempt` says that the learner asked for it."""
    with _changed() as progress:
        record = progress.of(key)
        if attempt:
            record.attempts += 1
            progress.pass_time(key, time.time())
        if not record.skipped:
            record.share = max(record.share, right / of if of else 0.0)


def note_hint(key: str, name: str, rung: int) -> None:
    """Record that the learner took a hint; twice counts once."""
    with _changed() as progress:
        progress.pass_time(key, time.time())
        record = progress.of(key)
        if (hint := f"{name} {rung}") not in record.hints:
            record.hints.append(hint)


def note_opened(key: str) -> None:
    """Record that the learner works on this phase from now on."""
    with _changed() as progress:
        progress.pass_time(key, time.time())


def note_skip(key: str) -> None:
    """Record that the author's solution ran: the cloud's contents earn nothing until they are removed."""
    with _changed() as progress:
        record = progress.of(key)
        record.skips += 1
        record.skipped = not record.passed


def begin_anew() -> None:
    """Let skipped phases be earned again, as the author's work is gone; everything else stays."""
    with _changed() as progress:
        for record in progress.phases.values():
            record.skipped = False


def rename(learner: str) -> None:
    """Give the learner another name: 1 to 40 printable characters, the first a letter or a digit."""
    if not _is_name(learner):
        raise LabError(f"{learner!r} can't be a name here: take 1 to 40 characters, the first a letter or a digit.")
    with _changed() as progress:
        progress.learner = learner


def hints_used(key: str, name: str) -> int:
    """Return how many hints of that name the learner took."""
    return sum(hint.rpartition(" ")[0] == name for hint in load().of(key).hints)


def read(path: Path) -> Progress:
    """Read any learner's progress file; UnreadableProgress says what is wrong with it."""
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UnreadableProgress(f"{path} can't be read ({error.strerror}); see that the path is right") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        advice = f"a learner's file is {FILE} in LABKIT_HOME"
        raise UnreadableProgress(f"{path} is no progress file ({type(error).__name__}: {error}); {advice}.") from error


def _is_name(learner: str) -> bool:
    """Say if a name is allowed. It goes into spreadsheets, which would take a leading `=` for a formula."""
    return 1 <= len(learner) <= 40 and learner.isprintable() and learner[0].isalnum()


def _parsed(data: dict[str, Any]) -> Progress:
    if data["version"] != VERSION:
        raise ValueError(f"it is of version {data['version']!r}, and this labkit reads {VERSION}")
    if not _is_name(str(data["learner"])):
        raise ValueError(f"{data['learner']!r} is no learner's name")
    phases = {str(key): Record(**record) for key, record in data["phases"].items()}
    return Progress(str(data["learner"]), int(data["case"]), phases, str(data["at_work_on"]), float(data["last_seen"]))


def _kept(path: Path) -> Progress:
    """Return the stored progress. A file that can't be parsed is renamed, not lost, and a new one begins."""
    if path.exists():
        try:
            return read(path)
        except UnreadableProgress:
            os.replace(path, path.with_suffix(".unreadable.json"))
    progress = _new()
    _write(path, progress)
    return progress


def _new() -> Progress:
    """Begin new progress. LABKIT_LEARNER names the learner if it is set; the case follows from the first name."""
    learner = os.environ.get("LABKIT_LEARNER", "").strip() or f"learner-{secrets.token_hex(3)}"
    number = int.from_bytes(hashlib.sha256(learner.encode()).digest()[:8]) % CASES + 1
    return Progress(learner, number)


def _write(path: Path, progress: Progress) -> None:
    write_private(path, json.dumps({"version": VERSION, **asdict(progress)}, indent=1) + "\n")


@contextmanager
def _changed() -> Iterator[Progress]:
    with _locked() as path:
        progress = _kept(path)
        yield progress
        _write(path, progress)


@contextmanager
def _locked() -> Iterator[Path]:
    """Let one process at a time read and write: two notebooks and a terminal may be open at once."""
    path = home() / FILE
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path
