"""Checks: what labkit found in the cloud itself, item by item, with hints for each item that isn't right.

A check reads the cloud, not a record of what labkit did, so a phase that was done in the console, with the AWS CLI or
with Terraform passes too. One result object gives the text and the HTML, the same from run to run. Hints come when they
are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labkit.checks.hints import Ladder, item_ladder, with_widget
from labkit.checks.items import MARKS, Item, Verdict
from labkit.lab import progress
from labkit.lab.masking import masked
from labkit.lab.session import Lab
from labkit.lab.syllabus import PHASES, Phase, find_phase
from labkit.show.html import Html, join, tag
from labkit.show.shown import Shown

_INDENT = "margin-left:1.5em"


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
        """The number of right items out of all: `2 of 3`."""
        return f"{sum(item.verdict is Verdict.RIGHT for item in self.items)} of {len(self.items)}"

    def ladders(self) -> dict[Item, Ladder]:
        """The hints for each item that isn't right."""
        phase = find_phase(self.title)
        return {item: item_ladder(phase, item) for item in self.items if item.verdict is not Verdict.RIGHT}

    def text(self) -> str:
        """The check as lines of text, which end with where to ask for hints."""
        lines = [f"Check: {self._headline()}"]
        lines += [f"  {_line(item)}" for item in self.items]
        if not self.passed:
            lines.append(f'  Stuck? In a terminal, labkit hint "{self.title}" gives one hint at a time.')
        return "\n".join(lines)

    def html(self) -> Html:
        """The check as a list, the hints for an item folded below it."""
        ladders = self.ladders() if not self.passed else {}
        rows = (
            tag("li", _line(item), tag("div", ladders[item].folded(), style=_INDENT) if item in ladders else "")
            for item in self.items
        )
        return tag("div", self._head(), tag("ul", join(rows), style="list-style:none;padding-left:0.5em"))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self.passed:
            return {"text/plain": repr(self), "text/html": self._repr_html_()}
        return with_widget(self, self.build())

    def build(self) -> Any:
        """The check with a button for hints below each item that isn't right."""
        import ipywidgets

        ladders = self.ladders()
        rows = [ipywidgets.HTML(masked(self._head()))]
        for item in self.items:
            rows.append(ipywidgets.HTML(masked(tag("div", _line(item)))))
            if item in ladders:
                rows.append(ladders[item].button())
        return ipywidgets.VBox(rows)

    def _headline(self) -> str:
        return f"{self.title} - {'done' if self.passed else f'{self.points} right'}"

    def _head(self) -> Html:
        return tag("p", tag("strong", f"Check: {self.title}"), self._headline().removeprefix(self.title))


def check(name: str | int | Phase, lab: Lab | None = None) -> Check:
    """Look at the cloud and say which items of a phase are done and which are missing, with hints on request.

    `name` is the phase's key (`"flow log to S3"`) or number; without `lab`, the one that was opened last is used. The
    learner's progress file keeps the attempt.
    """
    phase = find_phase(name)
    found: Check = phase.module.check(lab or Lab.current())
    note(phase, found)
    return found


def note(phase: Phase, found: Check, *, attempt: bool = True) -> None:
    """Write what a check found into the learner's progress file.

    A clean-up counts only if it is complete and the learner asked for the check: before anything was done, there is
    nothing to remove either.
    """
    if phase.key == PHASES[-1].key:
        done_before = any(record.share for record in progress.load().phases.values())
        if not (attempt and found.passed and done_before):
            return
    right = sum(item.verdict is Verdict.RIGHT and (found.passed or not item.given) for item in found.items)
    progress.note_check(phase.key, right, len(found.items), attempt=attempt)


def _line(item: Item) -> str:
    return f"{MARKS[item.verdict]} {item.name}: {_finding(item)}"


def _finding(item: Item) -> str:
    if item.verdict is Verdict.WRONG:
        return f"{item.verdict.value}: {item.seen}, should be {item.wanted}"
    if item.verdict is Verdict.ABSENT:
        return f"absent{f', should be {item.wanted}' if item.wanted else ''}"
    return item.seen or "right"
