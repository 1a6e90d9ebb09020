"""The end of the lab: what it made is removed, in order, and an inventory proves it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from labkit import progress
from labkit.checks import Check, Item, right, wrong
from labkit.lab import Lab
from labkit.phases import PHASES, Phase
from labkit.phases.inventory import Comparison, Inventory, take_inventory
from labkit.show.tables import Note, Table

__all__ = ["compare_inventories", "remove_everything", "take_inventory"]

KEY = "clean up"
KINDS = (
    "alarm",
    "SNS topic",
    "subscription",
    "metric filter",
    "flow log",
    "log group",
    "Athena table",
    "query results",
    "case files",
    "delivered logs",
)


def compare_inventories(before: Inventory, after: Inventory) -> Comparison:
    """Two inventories side by side: what went, what is left."""
    return Comparison(before, after)


def remove_everything(lab: Lab, *, delivered_logs: bool = True) -> Table:
    """Calls each phase's clean_up, the last phase's first; the provided environment stays.

    What is gone already is fine, so a clean-up that was interrupted is run again. `delivered_logs=False` keeps the
    flow log files in the bucket.
    """
    rows = [(phase.label, _clean_up(lab, phase, delivered_logs)) for phase in reversed(PHASES) if phase.key != KEY]
    progress.begin_anew()
    return Table("Removed", ("phase", "what was done"), rows)


def set_up(lab: Lab) -> Note:
    """Rebuilds what the earlier phases should have left: everything that is to be removed."""
    return lab.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Takes an inventory: of each kind of thing that the lab makes, none is left."""
    left = Counter(thing.kind for thing in take_inventory(lab).made)
    return Check(KEY, tuple(_item(kind, left[kind]) for kind in KINDS))


def solve(lab: Lab) -> Table:
    """Removes everything, as the notebook does."""
    return remove_everything(lab)


def clean_up(lab: Lab) -> Table:
    """The same once more: this phase makes nothing of its own."""
    return remove_everything(lab)


def _clean_up(lab: Lab, phase: Phase, delivered_logs: bool) -> str:
    options: dict[str, Any] = {} if delivered_logs or phase.key != "flow log to S3" else {"delivered_logs": False}
    result = phase.module.clean_up(lab, **options)
    return "removed what it made" if result is None else str(result).splitlines()[0]


def _item(kind: str, left: int) -> Item:
    name = f"no {kind} left"
    if not left:
        return right(name)
    return wrong(name, seen=f"{left} there", wanted="none", hint="remove_everything(lab), or `labkit clean`.")
