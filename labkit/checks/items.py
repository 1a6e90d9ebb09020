"""What a check says about one thing: right, present but wrong, or absent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The state of one thing that a phase should leave."""

    RIGHT = "right"
    WRONG = "present but wrong"
    ABSENT = "absent"


MARKS = {Verdict.RIGHT: "✓", Verdict.WRONG: "≠", Verdict.ABSENT: "✗"}


@dataclass(frozen=True)
class Item:
    """One thing that was checked: what it is, what was seen, and what to try if it isn't right."""

    name: str
    verdict: Verdict
    seen: str = ""
    wanted: str = ""
    hint: str = ""
    given: bool = False
    """True for what is right before anything was done; on its own it earns no points."""


def right(name: str, seen: str = "", *, given: bool = False) -> Item:
    """The thing is there and as it should be; `given` if it was so from the start."""
    return Item(name, Verdict.RIGHT, seen, given=given)


def wrong(name: str, *, seen: str, wanted: str, hint: str) -> Item:
    """The thing is there, but not as it should be."""
    return Item(name, Verdict.WRONG, seen, wanted, hint)


def absent(name: str, *, wanted: str = "", hint: str) -> Item:
    """The thing is not there."""
    return Item(name, Verdict.ABSENT, "", wanted, hint)
