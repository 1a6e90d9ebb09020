"""The phases of the lab in one table, with what is done of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.phases import PHASES, Phase
from labkit.show.html import Html, table, tag
from labkit.show.shown import Shown, text_table

if TYPE_CHECKING:
    from labkit.checks import Check
    from labkit.lab import Lab

_CLEAN_UP = PHASES[-1].key
_HEAD = ("phase", "what", "minutes", "done", "cost on AWS")


@dataclass(frozen=True, repr=False)
class PhaseTable(Shown):
    """Each phase with its check's result."""

    checks: tuple[tuple[Phase, Check], ...]

    def text(self) -> str:
        """A line for each phase."""
        rows = [(f"{phase.number:02d}", *_cells(phase, found)) for phase, found in self.checks]
        return f"{text_table(_HEAD, rows)}\n{self._summary()}"

    def html(self) -> Html:
        """A row for each phase, with a link to its notebook."""
        rows = (
            (tag("a", f"{phase.number:02d}", href=f"{phase.notebook}.ipynb"), *_cells(phase, found))
            for phase, found in self.checks
        )
        return tag("div", table(_HEAD, rows, caption="The phases of the lab"), tag("p", self._summary()))

    def _summary(self) -> str:
        """Without the clean-up: nothing to remove is where one starts as well as where one ends."""
        lab = [(phase, found) for phase, found in self.checks if phase.key != _CLEAN_UP]
        done = sum(found.passed for _, found in lab)
        minutes = sum(phase.minutes for phase, found in lab if not found.passed)
        return f"{done} of {len(lab)} phases done; about {minutes} minutes to go."


def phase_table(lab: Lab) -> PhaseTable:
    """Runs every phase's check; reads the cloud and changes nothing."""
    return PhaseTable(tuple((phase, phase.module.check(lab)) for phase in PHASES))


def _cells(phase: Phase, found: Check) -> tuple[str, ...]:
    state = "✓ done" if found.passed else found.points
    if phase.key == _CLEAN_UP:
        state = "nothing to remove" if found.passed else "something to remove"
    return phase.title, str(phase.minutes), state, phase.cost
