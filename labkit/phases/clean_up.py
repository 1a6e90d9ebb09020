"""The end of the lab: what it made is removed, in order, and an inventory proves it."""

from __future__ import annotations

from labkit.checks import Check
from labkit.lab import Lab
from labkit.show.shown import Shown


def take_inventory(lab: Lab) -> Shown:
    """What of the lab is in the cloud now: what it made, and what was provided; `.made` are the former."""
    raise NotImplementedError


def compare_inventories(before: Shown, after: Shown) -> Shown:
    """Two inventories side by side: what went, what is left."""
    raise NotImplementedError


def remove_everything(lab: Lab, *, delivered_logs: bool = True) -> Shown:
    """Calls each phase's clean_up, the last phase's first; the provided environment stays."""
    raise NotImplementedError


def set_up(lab: Lab) -> Shown:
    """Rebuilds what the earlier phases should have left."""
    raise NotImplementedError


def check(lab: Lab) -> Check:
    """Reads the cloud, changes nothing."""
    raise NotImplementedError


def solve(lab: Lab) -> None:
    """Does the phase as its notebook does."""
    raise NotImplementedError


def clean_up(lab: Lab) -> None:
    """Removes what the phase made."""
    raise NotImplementedError
