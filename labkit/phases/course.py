"""The phases in order: catch up with the earlier ones, skip one, begin anew."""

from __future__ import annotations

from labkit.checks.check import note
from labkit.lab import progress
from labkit.lab.errors import LabError
from labkit.lab.session import Lab
from labkit.lab.syllabus import PHASES, Phase, find_phase
from labkit.phases.inventory import forget_first, keep_first
from labkit.show.tables import Note


class Course:
    """The course that a lab is on."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def catch_up(self, before: str | int | Phase) -> Note:
        """Do the earlier phases that aren't done yet, so that any notebook can be started first.

        Say what is done while it is done. It counts as skipped in the learner's progress.
        """
        last = find_phase(before)
        keep_first(self._lab)
        for phase in PHASES[: last.number - 1]:
            print(f"{phase.label} ...", end=" ", flush=True)
            print(self._do(phase), flush=True)
        progress.note_opened(last.key)
        return Note(f"Ready for {last.label}.")

    def skip(self, name: str | int | Phase) -> Note:
        """Do a phase as its author would, with what comes before it. It counts as skipped."""
        phase = find_phase(name)
        self.catch_up(before=phase)
        return Note(f"{phase.label}: {self._do(phase)}.")

    def reset(self) -> Note:
        """Begin anew with the sandbox in its first minute. An account is cleaned up instead, by notebook 10."""
        self._lab.start_anew()
        forget_first()
        return Note("The sandbox is as it was in its first minute; your points and settings are kept.")

    def _do(self, phase: Phase) -> str:
        found = phase.module.check(self._lab)
        if found.passed:
            note(phase, found, attempt=False)
            return "already done"
        phase.module.solve(self._lab)
        progress.note_skip(phase.key)
        found = phase.module.check(self._lab)
        if not found.passed:
            raise LabError(
                f"Could not catch up with {phase.label}. See what is missing, then run the cell again.\n{found.text()}"
            )
        return "done now, for you"
