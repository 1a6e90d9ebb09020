"""The end of the lab: what it made is removed, in order, and an inventory proves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from labkit.checks.check import Check
from labkit.checks.items import Item, right, wrong
from labkit.lab import deployment, progress
from labkit.lab.errors import LabError
from labkit.lab.resources import NotProvided
from labkit.lab.session import Lab, WaitInterrupted
from labkit.lab.syllabus import Phase, find_phase
from labkit.phases import delivered
from labkit.phases.inventory import Comparison, Inventory, first_inventory, keep_first, take_inventory
from labkit.show.explain import explanation, needs_new_credentials
from labkit.show.tables import Table

__all__ = ["compare_inventories", "prove", "remove_everything", "take_first_inventory", "take_inventory"]

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
    "deployed stack",
    "deployed bucket",
)
_ORDER = (
    "alarm",
    "metric filter",
    "traffic",
    "flow log to CloudWatch",
    "flow log to S3",
    "investigation",
    "Logs Insights",
    "Athena table",
    "rejects",
)
"""The order of removal: what refers to something goes before it, and what writes goes before what it wrote."""


def compare_inventories(before: Inventory, after: Inventory) -> Comparison:
    """Show two inventories side by side: what was removed, what is left."""
    return Comparison(before, after)


def take_first_inventory(lab: Lab) -> Inventory:
    """Take the inventory of what existed before the lab, if nobody took it yet, and save it on this machine."""
    keep_first(lab)
    return first_inventory(lab) or take_inventory(lab)


def prove(lab: Lab, before: Inventory) -> Comparison:
    """Show side by side what existed before the lab, after it, and now, after its clean-up."""
    return Comparison(before, take_inventory(lab), first_inventory(lab))


def remove_everything(
    lab: Lab, *, delivered_logs: bool = True, made_by_hand: bool = False, with_environment: bool = False
) -> Table:
    """Remove what the lab made, in order: alarm and topic, metric filter, flow logs, log group, tables and answers,
    the delivered logs, and the environment if you ask for it and labkit deployed it.

    Missing things are no error, so run a clean-up again if it was interrupted or failed in part. What the lab did not
    make stays, unless `made_by_hand` claims everything with the lab's names.
    `delivered_logs=False` keeps the flow log files, and the bucket with them.
    """
    progress.begin_anew()
    lab.claims_by_name = made_by_hand
    try:
        rows = [(phase.label, _outcome(partial(_clean_up, lab, phase))) for phase in map(find_phase, _ORDER)]
        if delivered_logs:
            rows.append(("delivered logs", _outcome(partial(_delete_delivered, lab))))
        if with_environment and deployment.is_deployed(lab):
            rows.append(("environment", _outcome(lambda: _remove_environment(lab, delivered_logs))))
    finally:
        lab.claims_by_name = False
    return Table("Removed", ("phase", "what was done"), rows)


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left: everything that is to be removed."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Take an inventory, and check that nothing that the lab makes is left."""
    left = Counter(thing.kind for thing in take_inventory(lab).made)
    return Check(KEY, tuple(_item(kind, left[kind]) for kind in KINDS))


def solve(lab: Lab) -> Table:
    """Remove everything, as the notebook does."""
    return remove_everything(lab)


def clean_up(lab: Lab) -> Table:
    """Remove everything once more: this phase makes nothing of its own."""
    return remove_everything(lab)


def _clean_up(lab: Lab, phase: Phase) -> str:
    options: dict[str, Any] = {"delivered_logs": False} if phase.key == "flow log to S3" else {}
    result = phase.module.clean_up(lab, **options)
    return "removed what it made" if result is None else str(result).splitlines()[0]


def _delete_delivered(lab: Lab) -> str:
    """Delete the delivered records, and the sample too unless the bucket is the lab's own and holds it as provided."""
    count = delivered.delete_objects(lab)
    return f"Deleted: {count if deployment.deployed_buckets(lab) else count + delivered.delete_sample(lab)}."


def _remove_environment(lab: Lab, with_bucket: bool) -> str:
    if with_bucket:
        delivered.delete_sample(lab)
    stack = "deleted" if deployment.remove(lab) else "already gone"
    return f"Stack {deployment.STACK}: {stack}. Bucket: {deployment.remove_buckets(lab) if with_bucket else 'stays'}."


def _outcome(step: Callable[[], str]) -> str:
    """Run a step and return its outcome. If it fails, the others still run, unless none of them can succeed either."""
    try:
        return step()
    except NotProvided:
        return "nothing there any more"
    except WaitInterrupted:
        raise
    except (LabError, ClientError, BotoCoreError) as failure:
        if needs_new_credentials(failure):
            raise
        told = str(failure) if isinstance(failure, LabError) else " ".join(explanation(failure))
        return f"FAILED, run the clean-up again: {told}"


def _item(kind: str, left: int) -> Item:
    name = f"no {kind} left"
    if not left:
        return right(name)
    return wrong(name, seen=f"{left} there", wanted="none", hint="remove_everything(lab), or `labkit clean`.")
