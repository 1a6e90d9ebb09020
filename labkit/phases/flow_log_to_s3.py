"""The phase "flow log to S3": the four verbs."""

from __future__ import annotations

from labkit.checks.check import Check
from labkit.lab.session import Lab
from labkit.phases import delivered, flow_logs
from labkit.phases.flow_logs import Destination
from labkit.show.cards import Card
from labkit.show.tables import Note

KEY = "flow log to S3"


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left: nothing, this is the first."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for a flow log of the lab VPC to the bucket, of all traffic, over 1 minute, active."""
    return Check(KEY, flow_logs.check_flow_log(lab, _destination(lab)))


def solve(lab: Lab) -> Card:
    """Publish the flow log as the notebook does."""
    return flow_logs.publish_to_s3(lab, bucket=lab.bucket)


def clean_up(lab: Lab, *, delivered_logs: bool = True) -> Note:
    """Delete the flow log, and the objects it delivered unless they are to stay."""
    ids = flow_logs.delete_flow_logs(lab, _destination(lab))
    objects = delivered.delete_objects(lab) if delivered_logs else 0
    return Note(f"Flow logs to S3 deleted: {len(ids)}. Objects they had delivered, deleted: {objects}.")


def _destination(lab: Lab) -> Destination:
    return Destination("s3", lab.bucket)
