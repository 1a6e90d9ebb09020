"""The phases of the lab, in their order: the name, notebook, module, time and cost of each.

Every phase's module has the same four verbs: `set_up(lab)` rebuilds the known start, `check(lab)` reads the cloud and
changes nothing, `solve(lab)` does the phase as its notebook does, `clean_up(lab)` removes what the phase made.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any, Protocol, cast

from labkit.lab.errors import LabError
from labkit.lab.prices import Cost, phase_cost
from labkit.lab.settings import DEFAULT_REGION


class PhaseModule(Protocol):
    """The four verbs that every phase's module has.

    `lab` is a `Lab` of session.py and a check is a `Check` of labkit/checks; both stand above this module.
    """

    def set_up(self, lab: Any) -> object:
        """Rebuild what the earlier phases should have left."""

    def check(self, lab: Any) -> Any:
        """Read the cloud, change nothing."""

    def solve(self, lab: Any) -> object:
        """Do the phase as its notebook does; what exists already stays."""

    def clean_up(self, lab: Any, **options: Any) -> object:
        """Remove what the phase made; missing things are no error."""


class UnknownPhase(LabError, LookupError):
    """No phase has that name."""


@dataclass(frozen=True)
class Phase:
    """One phase of the lab: one notebook, one module."""

    number: int
    key: str
    """What a check calls it: `check("flow log to S3")`."""
    title: str
    short: str
    """What links to its notebook call it."""
    notebook: str
    module_name: str
    minutes: int
    """For someone who reads everything; AWS adds `waiting`."""
    goal: str
    left_behind: str
    waiting: int = 0
    points: int = 0
    """Points for passing its check."""
    picture: str = ""
    """What the picture of its card shows, in words."""
    lit: tuple[str, ...] = ()
    """The parts of notebooks/images/what_we_build.svg that its picture shows brightly."""
    teaser: str = ""
    """How the notebook before it announces it."""
    cost_of_all: str = ""
    """What START, which costs nothing of its own, says about the cost of the whole lab."""

    @property
    def label(self) -> str:
        """The number and the key: `05 alarm`."""
        return f"{self.number:02d} {self.key}"

    @property
    def cost(self) -> str:
        """What it costs on AWS, in words; the sandbox costs nothing."""
        return self.cost_of_all or str(self.cost_in(DEFAULT_REGION))

    def cost_in(self, region: str) -> Cost:
        """Return what it costs in that AWS region: once, and for each day that its resources stay."""
        return phase_cost(self.key, region)

    @property
    def module(self) -> PhaseModule:
        """The module with the four verbs, imported when it is first asked for."""
        return cast("PhaseModule", import_module(f"labkit.phases.{self.module_name}"))


def _read() -> tuple[Phase, ...]:
    """syllabus.toml as phases: the start, numbered 0, and the lab's own after it."""
    data = tomllib.loads(files("labkit.lab").joinpath("syllabus.toml").read_text("utf-8"))
    entries = [{"key": "start", "module": "", **data["start"]}, *data["phase"]]
    return tuple(
        Phase(number=number, module_name=entry.pop("module"), lit=tuple(entry.pop("lit", ())), **entry)
        for number, entry in enumerate(entries)
    )


START, *_PHASES = _read()
PHASES: tuple[Phase, ...] = tuple(_PHASES)
"""The phases that have a check; START, the first notebook, has none."""


def find_phase(name: str | int | Phase) -> Phase:
    """The phase of that number, key, label or notebook.

    >>> find_phase("05 alarm") is find_phase(5) is find_phase("alarm")
    True
    """
    if isinstance(name, Phase):
        return name
    wanted = _plain(str(name))
    for phase in PHASES:
        if wanted in {str(phase.number), *map(_plain, (phase.key, phase.label, phase.notebook, phase.module_name))}:
            return phase
    known = ", ".join(f'"{phase.key}"' for phase in PHASES)
    raise UnknownPhase(f'there is no phase "{name}"; choose one of {known}, or a number from 1 to {len(PHASES)}')


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip().removeprefix("0")
