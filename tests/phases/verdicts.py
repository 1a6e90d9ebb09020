"""What a check found, in the words that tests compare; flow logs and records as somebody makes them without labkit."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from labkit.checks.check import Check
from labkit.checks.items import Item, Verdict
from labkit.notebook import Lab
from labkit.phases.flow_logs import LOG_GROUP

STREAM = "eni-0a1b2c3d4e5f60718-all"


def cases(beside: str, name: str) -> list[dict[str, Any]]:
    """The cases of the JSON file of that name beside a test."""
    found: list[dict[str, Any]] = json.loads(Path(beside).with_name(name).read_text("utf-8"))
    return found


def named(case: dict[str, Any]) -> str:
    """What pytest calls a case."""
    return str(case["name"])


def verdicts(found: Check) -> list[Verdict]:
    """What was said of each item, in their order."""
    return [item.verdict for item in found.items]


def absent(found: Check) -> list[str]:
    """The names of what is not there."""
    return [item.name for item in found.items if item.verdict is Verdict.ABSENT]


def wrong(found: Check) -> dict[str, str]:
    """What is there but wrong, and what was seen of it."""
    return {item.name: item.seen for item in found.items if item.verdict is Verdict.WRONG}


def item(found: Check, name: str) -> Item:
    """The item of that name."""
    return next(item for item in found.items if item.name == name)


def make_flow_log(lab: Lab, **differing: Any) -> str:
    """The id of a flow log of the lab VPC to the lab's bucket as the lab's own would be, but for what is given."""
    asked = {
        "ResourceType": "VPC",
        "ResourceIds": [lab.vpc.id],
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "MaxAggregationInterval": 60,
    } | differing
    if asked["LogDestinationType"] == "s3":
        asked.setdefault("LogDestination", f"arn:aws:s3:::{lab.bucket}")
    (flow_log_id,) = lab.client("ec2").create_flow_logs(**asked)["FlowLogIds"]
    return str(flow_log_id)


def make_log_group(lab: Lab) -> None:
    """The lab's log group, with a stream for records."""
    logs = lab.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=STREAM)


def put_records(lab: Lab, *lines: str, minutes_ago: float = 0) -> None:
    """Puts records into the log group's stream, with a time so long ago."""
    at = int((lab.now() - timedelta(minutes=minutes_ago)).timestamp() * 1000)
    events = [{"timestamp": at, "message": line} for line in lines]
    lab.client("logs").put_log_events(logGroupName=LOG_GROUP, logStreamName=STREAM, logEvents=events)
