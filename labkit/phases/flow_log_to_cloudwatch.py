"""The phase "flow log to CloudWatch": the four verbs."""

from __future__ import annotations

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab.session import Lab
from labkit.phases import flow_logs
from labkit.phases.flow_logs import LOG_GROUP, Destination
from labkit.show.cards import Card
from labkit.show.tables import Note

KEY = "flow log to CloudWatch"
DESTINATION = Destination("cloud-watch-logs", LOG_GROUP)


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for the log group, and a flow log of the lab VPC to it, of all traffic, over 1 minute, active."""
    return Check(KEY, (_group_item(lab), *flow_logs.check_flow_log(lab, DESTINATION)))


def solve(lab: Lab) -> Card:
    """Make the log group and publish the flow log to it, as the notebook does."""
    flow_logs.create_log_group(lab)
    return flow_logs.publish_to_cloudwatch(lab)


def clean_up(lab: Lab) -> Note:
    """Delete the flow log and the log group with its events."""
    ids = flow_logs.delete_flow_logs(lab, DESTINATION)
    group = flow_logs.delete_log_group(lab, LOG_GROUP)
    return Note(f"Flow logs to CloudWatch Logs deleted: {len(ids)}. Log group {LOG_GROUP}: {group}.")


def _group_item(lab: Lab) -> Item:
    name = f"log group {LOG_GROUP}"
    hint = f"Create a log group that is called exactly {LOG_GROUP}: capital and small letters count."
    if flow_logs.find_log_group(lab, LOG_GROUP) is not None:
        return right(name)
    names = (group["logGroupName"] for group in flow_logs.log_groups(lab))
    alike = next((each for each in names if each.lower() == LOG_GROUP.lower()), "")
    return wrong(name, seen=alike, wanted=LOG_GROUP, hint=hint) if alike else absent(name, hint=hint)
