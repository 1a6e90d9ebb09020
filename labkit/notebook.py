"""The lab in a notebook: a cell can show every result.

>>> from labkit import Lab                                     # doctest: +SKIP
>>> lab = Lab.open()                                           # doctest: +SKIP
>>> lab.catch_up(before="alarm")                               # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

from botocore.exceptions import BotoCoreError, ClientError

from labkit.account import environment
from labkit.account.preflight import Preflight, preflight
from labkit.checks.phase_table import PhaseTable, phase_table
from labkit.lab import resources, session
from labkit.lab.cloud import Cloud, no_steps, open_cloud
from labkit.lab.errors import LabError
from labkit.lab.settings import Settings
from labkit.lab.syllabus import Phase
from labkit.phases.course import Course
from labkit.show.cards import Card
from labkit.show.cell_errors import explain_in_cells
from labkit.show.provided import provided_table
from labkit.show.settings_form import SettingsForm
from labkit.show.tables import CliLines, Note, Table


class Lab(session.Lab):
    """A lab, with what a person asks for in a notebook."""

    course: Course

    def __init__(self, settings: Settings, cloud: Cloud) -> None:
        super().__init__(settings, cloud)
        self.course = Course(self)

    @classmethod
    def open(cls, **changes: str) -> Self:
        """Open the lab with the settings of notebook 00, on the cloud they name; start the sandbox if none runs.

        `changes` apply to this lab only and aren't saved: `Lab.open(region="us-east-1")`.
        """
        lab = super().open(**changes)
        explain_in_cells()
        return lab

    def settings_form(self) -> SettingsForm:
        """Return the form for changing the settings; this lab uses them once they are saved."""
        return SettingsForm(self.settings, find_buckets=_buckets_with, use=self.use)

    def asked(self, service: str = "", *, last: int = 1, changes: bool = False) -> CliLines:
        """Return the last calls as AWS CLI lines, a repeated one once.

        With a service (`logs`, `athena`) only its calls; with `changes` only those that change something.
        """
        calls = [call for call in self.calls.calls if service in ("", call.service) and not (changes and call.reads)]
        named = [call.as_cli() for call in calls]
        return CliLines(tuple(dict.fromkeys(reversed(named)))[:last][::-1])

    def phases(self) -> PhaseTable:
        """Return the phases of the lab, with how far each is done."""
        return phase_table(self)

    def preflight(self) -> Preflight:
        """Return a table of what is in the lab's way, and what to do about it; change nothing."""
        return preflight(self)

    def provide(self, *, ssh_from: str = "") -> Card:
        """Find the provided environment, or deploys it; `ssh_from` is the address that may try SSH, else your own."""
        return environment.provide(self, ssh_from=ssh_from)

    def provided(self) -> Table:
        """Return a table of the provided resources."""
        return provided_table(self)

    def wait_until(
        self,
        condition: Callable[[], bool],
        *,
        expect: str = "5-15 min",
        what: str = "it",
        steps: Callable[[], tuple[int, int]] = no_steps,
    ) -> Note:
        """Wait until the condition is true, as `wait` does, and say how long it took."""
        return Note(self.wait(condition, expect=expect, what=what, steps=steps))

    def catch_up(self, before: str | int | Phase) -> Note:
        """Do the earlier phases that aren't done yet, so that any notebook can be started first.

        Say what is done while it is done. It counts as skipped in the learner's progress.
        """
        return self.course.catch_up(before)

    def skip(self, name: str | int | Phase) -> Note:
        """Do a phase as its author would, with what comes before it. It counts as skipped."""
        return self.course.skip(name)

    def reset(self) -> Note:
        """Begin anew with the sandbox in its first minute. An account is cleaned up instead, by notebook 10."""
        return self.course.reset()


def _buckets_with(wanted: Settings) -> tuple[str, ...]:
    """Return the buckets that exist with these settings; none if their cloud doesn't answer."""
    try:
        return resources.list_buckets(Lab(wanted, open_cloud(wanted)))
    except (BotoCoreError, ClientError, LabError):
        return ()
