"""The phase "flow log to S3": the four verbs."""

from __future__ import annotations

from labkit.checks import Check
from labkit.lab import Lab
from labkit.show.shown import Shown


def set_up(lab: Lab) -> Shown:
    """Rebuilds what the earlier phases should have left."""
    raise NotImplementedError


def check(lab: Lab) -> Check:
    """Looks at the lab VPC's flow logs."""
    raise NotImplementedError


def solve(lab: Lab) -> None:
    """Does the phase as its notebook does."""
    raise NotImplementedError


def clean_up(lab: Lab) -> None:
    """Removes what the phase made."""
    raise NotImplementedError
