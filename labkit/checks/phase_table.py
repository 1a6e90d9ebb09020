"""The phases of the lab in one table, with how far each is done and what the learner has earned."""

from __future__ import annotations

from dataclasses import dataclass

from labkit.checks.check import Check, note
from labkit.lab import progress
from labkit.lab.prices import in_words, prices, total
from labkit.lab.progress import Record
from labkit.lab.session import Lab
from labkit.lab.syllabus import PHASES, Phase
from labkit.show.html import Html, table, tag
from labkit.show.shown import Shown, text_table

_CLEAN_UP = PHASES[-1].key
_HEAD = ("phase", "what", "minutes", "done", "points", "hints", "cost on AWS")


@dataclass(frozen=True, repr=False)
class PhaseTable(Shown):
    """Each phase with its check's result and its record in the learner's progress file."""

    checks: tuple[tuple[Phase, Check], ...]
    records: tuple[Record, ...]
    region: str

    def text(self) -> str:
        """A line for each phase."""
        rows = [(f"{phase.number:02d}", *self._cells(phase, found, own)) for phase, found, own in self._lines()]
        return "\n".join([text_table(_HEAD, rows), *self._summary()])

    def html(self) -> Html:
        """A row for each phase, with a link to its notebook."""
        rows = (
            (tag("a", f"{phase.number:02d}", href=f"{phase.notebook}.ipynb"), *self._cells(phase, found, own))
            for phase, found, own in self._lines()
        )
        caption = "The phases of the lab"
        return tag("div", table(_HEAD, rows, caption=caption), *(tag("p", line) for line in self._summary()))

    @property
    def points(self) -> int:
        """The points of all phases."""
        return sum(own.points(phase.points) for phase, _, own in self._lines())

    def _lines(self) -> list[tuple[Phase, Check, Record]]:
        return [(phase, found, own) for (phase, found), own in zip(self.checks, self.records, strict=True)]

    def _cells(self, phase: Phase, found: Check, own: Record) -> tuple[str, ...]:
        cost = str(phase.cost_in(self.region))
        return phase.title, str(phase.minutes), _state(phase, found), _points(phase, own), str(len(own.hints)), cost

    def _summary(self) -> list[str]:
        """Leave out the clean-up: there is nothing to remove at the start as well as at the end."""
        lab = [(phase, found) for phase, found in self.checks if phase.key != _CLEAN_UP]
        done = [phase for phase, found in lab if found.passed]
        minutes = sum(phase.minutes for phase, found in lab if not found.passed)
        worth = sum(phase.points for phase, _ in self.checks)
        so_far = total((phase.key for phase in done), self.region)
        return [
            f"{len(done)} of {len(lab)} phases done; about {minutes} minutes to go. {self.points} of {worth} points.",
            f"On AWS so far {in_words(so_far.once)}, and {in_words(so_far.daily)} for each day that all of it stays, "
            f"the provided server with it; in the sandbox nothing. {prices(self.region).note}",
        ]


def phase_table(lab: Lab) -> PhaseTable:
    """Run every phase's check, and keep what it found in the learner's progress; change nothing in the cloud."""
    checks = tuple((phase, phase.module.check(lab)) for phase in PHASES)
    for phase, found in checks:
        note(phase, found, attempt=False)
    kept = progress.load()
    return PhaseTable(checks, tuple(kept.of(phase.key) for phase in PHASES), lab.region)


def _state(phase: Phase, found: Check) -> str:
    if phase.key == _CLEAN_UP:
        return "nothing to remove" if found.passed else "something to remove"
    return "✓ done" if found.passed else found.points


def _points(phase: Phase, own: Record) -> str:
    earned = f"{own.points(phase.points)} of {phase.points}"
    return f"{earned}, skipped" if own.skipped else earned
