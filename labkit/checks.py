"""Checks: what a look at the cloud itself found, item by item, with a hint for each that isn't right.

A check reads the cloud and not what labkit did: a phase done in the console, with the AWS CLI or with Terraform passes
as well. One result object gives the text and the HTML, the same from run to run.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from labkit.phases import Phase, find_phase
from labkit.show.html import Html, join, tag
from labkit.show.shown import Shown

if TYPE_CHECKING:
    from labkit.lab import Lab


class Verdict(Enum):
    """What was found of one thing that a phase should leave."""

    RIGHT = "right"
    WRONG = "present but wrong"
    ABSENT = "absent"


MARKS = {Verdict.RIGHT: "✓", Verdict.WRONG: "≠", Verdict.ABSENT: "✗"}


@dataclass(frozen=True)
class Item:
    """One thing looked at: what it is, what was seen of it, and what to try if it isn't right."""

    name: str
    verdict: Verdict
    seen: str = ""
    wanted: str = ""
    hint: str = ""


def right(name: str, seen: str = "") -> Item:
    """The thing is there and as it should be."""
    return Item(name, Verdict.RIGHT, seen)


def wrong(name: str, *, seen: str, wanted: str, hint: str) -> Item:
    """The thing is there, but not as it should be."""
    return Item(name, Verdict.WRONG, seen, wanted, hint)


def absent(name: str, *, wanted: str = "", hint: str) -> Item:
    """The thing is not there."""
    return Item(name, Verdict.ABSENT, "", wanted, hint)


@dataclass(frozen=True, repr=False)
class Check(Shown):
    """What a phase's check found."""

    title: str
    items: tuple[Item, ...]

    @property
    def passed(self) -> bool:
        """True if every item is right."""
        return all(item.verdict is Verdict.RIGHT for item in self.items)

    @property
    def points(self) -> str:
        """How many items are right, of how many: `2 of 3`."""
        return f"{sum(item.verdict is Verdict.RIGHT for item in self.items)} of {len(self.items)}"

    def text(self) -> str:
        """The check as lines of text."""
        lines = [f"Check: {self.title} - {'done' if self.passed else f'{self.points} right'}"]
        for item in self.items:
            lines.append(f"  {MARKS[item.verdict]} {item.name}: {_finding(item)}")
            if item.hint:
                lines.append(f"      Try: {item.hint}")
        return "\n".join(lines)

    def html(self) -> Html:
        """The check as a list."""
        head = tag(
            "p", tag("strong", f"Check: {self.title}"), f" - {'done' if self.passed else f'{self.points} right'}"
        )
        rows = (
            tag(
                "li",
                f"{MARKS[item.verdict]} {item.name}: {_finding(item)}",
                tag("div", f"Try: {item.hint}", style="margin-left:1.5em") if item.hint else "",
            )
            for item in self.items
        )
        return tag("div", head, tag("ul", join(rows), style="list-style:none;padding-left:0.5em"))


def check(name: str | int | Phase, lab: Lab | None = None) -> Check:
    """Looks at the cloud and says what of a phase is done, what is missing, and what to try.

    `name` is the phase's key (`"flow log to S3"`) or number; `lab` is the one that was opened last if not given.
    """
    from labkit.lab import Lab

    return find_phase(name).module.check(lab or Lab.current())


def _finding(item: Item) -> str:
    if item.verdict is Verdict.WRONG:
        return f"{item.verdict.value}: {item.seen}, should be {item.wanted}"
    if item.verdict is Verdict.ABSENT:
        return f"absent{f', should be {item.wanted}' if item.wanted else ''}"
    return item.seen or "right"
