"""The phases of the lab, in their order: what each is called, where its notebook and its module are, what it takes.

Every phase's module has the same four verbs: `set_up(lab)` rebuilds the known start, `check(lab)` reads the cloud and
changes nothing, `solve(lab)` does the phase as its notebook does, `clean_up(lab)` removes what the phase made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from labkit.errors import LabError
from labkit.prices import Cost, phase_cost
from labkit.settings import DEFAULT_REGION

if TYPE_CHECKING:
    from labkit.checks import Check
    from labkit.lab import Lab


class PhaseModule(Protocol):
    """The four verbs that every phase's module has."""

    def set_up(self, lab: Lab) -> object:
        """Rebuilds what the earlier phases should have left."""

    def check(self, lab: Lab) -> Check:
        """Reads the cloud, changes nothing."""

    def solve(self, lab: Lab) -> object:
        """Does the phase as its notebook does; what is there already stays."""

    def clean_up(self, lab: Lab) -> object:
        """Removes what the phase made; what is gone already is fine."""


class UnknownPhase(LabError, LookupError):
    """Nothing among the phases is called that."""


@dataclass(frozen=True)
class Phase:
    """One phase of the lab: one notebook, one module."""

    number: int
    key: str
    """What a check calls it: `check("flow log to S3")`."""
    title: str
    notebook: str
    module_name: str
    minutes: int

    @property
    def label(self) -> str:
        """The number and the key: `05 alarm`."""
        return f"{self.number:02d} {self.key}"

    @property
    def cost(self) -> str:
        """What it costs on AWS, in words; the sandbox costs nothing."""
        return str(self.cost_in(DEFAULT_REGION))

    def cost_in(self, region: str) -> Cost:
        """What it costs in that region of AWS: once, and for each day that what it made stays."""
        return phase_cost(self.key, region)

    @property
    def module(self) -> PhaseModule:
        """The module with the four verbs, imported when it is first asked for."""
        return cast("PhaseModule", import_module(f"labkit.phases.{self.module_name}"))


PHASES: tuple[Phase, ...] = (
    Phase(
        1,
        "flow log to S3",
        "Publish a flow log to S3",
        "01_flow_log_to_s3",
        "flow_log_to_s3",
        10,
    ),
    Phase(
        2,
        "flow log to CloudWatch",
        "Publish a flow log to CloudWatch Logs",
        "02_flow_log_to_cloudwatch",
        "flow_log_to_cloudwatch",
        10,
    ),
    Phase(
        3,
        "traffic",
        "Generate traffic, let in and turned away",
        "03_generate_traffic",
        "traffic",
        25,
    ),
    Phase(
        4,
        "metric filter",
        "Count rejected SSH attempts",
        "04_metric_filter",
        "metric_filter",
        15,
    ),
    Phase(
        5,
        "alarm",
        "Be told by e-mail",
        "05_alarm",
        "alarm",
        25,
    ),
    Phase(
        6,
        "Logs Insights",
        "Search with Logs Insights",
        "06_logs_insights",
        "insights",
        15,
    ),
    Phase(
        7,
        "Athena table",
        "Make a table of the delivered logs",
        "07_athena_table",
        "athena_table",
        20,
    ),
    Phase(
        8,
        "rejects",
        "Rejects by source, port and weekday",
        "08_rejects_by_source_port_weekday",
        "rejects",
        25,
    ),
    Phase(
        9,
        "investigation",
        "Investigate an incident",
        "09_investigation",
        "investigation",
        30,
    ),
    Phase(
        10,
        "clean up",
        "Clean up, and prove it",
        "10_clean_up",
        "clean_up",
        10,
    ),
)


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
    raise UnknownPhase(f'there is no phase "{name}"; the phases are {known}, or their numbers 1 to {len(PHASES)}')


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", name.lower()).strip().removeprefix("0")
