"""Traffic to the web server, accepted and rejected, and the records it leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab.errors import LabError, require_one_of, require_positive
from labkit.lab.session import Lab
from labkit.phases import delivered
from labkit.phases.flow_logs import LOG_GROUP, Destination, find_flow_logs
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.tables import Note

if TYPE_CHECKING:
    import pandas as pd

KEY = "traffic"
SSH_PORT = 22
ACTIONS = ("ACCEPT", "REJECT")
OPEN_GROUP, CLOSED_GROUP = "HTTPAndSSH", "HTTPOnly"


def connect_by_ssh(lab: Lab) -> Card:
    """Try a connection to port 22 of the web server; the card's `outcome` is connected, timed out or refused."""
    server = lab.web_server
    attempt = lab.cloud.connect(server.public_ip, SSH_PORT)
    details = {
        "On AWS, in a terminal": f"ssh ec2-user@{server.public_ip}",
        "Security group": ", ".join(server.security_groups),
    }
    if attempt.why:
        details["Why"] = attempt.why
    return Card("SSH to", f"{server.name} {server.public_ip}:{SSH_PORT}", attempt.outcome, details=details)


def swap_security_group(lab: Lab, name: str) -> Card:
    """Replace the web server's security groups with the named one (HTTPOnly, HTTPAndSSH)."""
    mark = lab.calls.mark()
    group = lab.security_group(name)
    before = lab.web_server
    outcome = "already attached"
    if before.security_groups != (group.name,):
        lab.client("ec2").modify_instance_attribute(InstanceId=before.id, Groups=[group.id])
        outcome = "attached"
    return Card(
        "Security group",
        group.name,
        outcome,
        details={
            "Instance": f"{before.id} ({before.name})",
            "Before": ", ".join(before.security_groups),
            "Now": ", ".join(lab.web_server.security_groups),
        },
        console=console.instance(lab.region, before.id),
        calls=lab.calls.lines_since(mark),
    )


def ssh_pattern(action: str) -> str:
    """The filter pattern for records of SSH traffic with that action, `ACCEPT` or `REJECT`."""
    return (
        f'[version, account, eni, source, destination, srcport, destport="{SSH_PORT}", protocol="6", packets, bytes, '
        f'windowstart, windowend, action="{action}", flowlogstatus]'
    )


def wait_for_log_events(lab: Lab, *, action: str = "REJECT", log_group: str = LOG_GROUP) -> Note:
    """Wait until the log group holds a record of SSH traffic with that action."""
    require_one_of(ACTIONS, "a record", action=action)
    _require_flow_log(lab, Destination("cloud-watch-logs", log_group))
    what = f"a record of SSH traffic with {action} in {log_group}"
    return Note(lab.wait(lambda: has_ssh_record(lab, action, log_group), what=what))


def has_ssh_record(lab: Lab, action: str, log_group: str = LOG_GROUP) -> bool:
    """True if the log group holds such a record."""
    return next(_messages(lab, log_group, ssh_pattern(action)), None) is not None


def read_log_events(
    lab: Lab, *, log_group: str = LOG_GROUP, pattern: str = "", minutes: int = 180, limit: int = 1000
) -> pd.DataFrame:
    """The flow log records of the last `minutes` in the log group, the latest last, a column for each field.

    `pattern` is a filter pattern; with more than `limit` records the earliest ones are left out.
    """
    from labkit.flowlog import reader

    require_positive(minutes=minutes, limit=limit)
    since = int((lab.now() - timedelta(minutes=minutes)).timestamp() * 1000)
    lines = list(_messages(lab, log_group, pattern, startTime=since))
    return reader.frame(reader.read_lines(lines[-limit:]))


def wait_for_delivered_objects(lab: Lab) -> Note:
    """Wait until the bucket holds an object of the lab's flow log."""
    _require_flow_log(lab, Destination("s3", lab.bucket))
    return Note(lab.wait(lambda: _has_objects(lab), what="an object of the flow log in the bucket"))


def list_delivered_objects(lab: Lab) -> pd.DataFrame:
    """The objects that the lab's flow log put into the bucket: key, bytes, last_modified."""
    import pandas as pd

    found = [(each["Key"], each["Size"], each["LastModified"]) for each in delivered.objects(lab)]
    return pd.DataFrame(found, columns=["key", "bytes", "last_modified"])


def read_delivered_objects(lab: Lab, *, limit: int = 10) -> pd.DataFrame:
    """The flow log records in the latest `limit` objects of the lab's flow log, a column for each field."""
    import pyarrow as pa

    from labkit.flowlog import reader

    require_positive(limit=limit)
    keys = [each["Key"] for each in delivered.objects(lab)][-limit:]
    if not keys:
        raise LabError(
            "The bucket holds no object of the lab's flow log yet: run wait_for_delivered_objects(lab) first."
        )
    bodies = (lab.client("s3").get_object(Bucket=lab.bucket, Key=key)["Body"].read() for key in keys)
    return reader.frame(pa.concat_tables(map(reader.read, bodies)))


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left: both flow logs."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for the web server's group, records of accepted and rejected SSH traffic, and delivered objects."""
    objects = right("flow log files in the bucket")
    if not _has_objects(lab):
        objects = absent("flow log files in the bucket", hint="Wait: they come 5 to 15 minutes after the traffic.")
    return Check(KEY, (_group_item(lab), *(_record_item(lab, action) for action in ACTIONS), objects))


def solve(lab: Lab) -> Note:
    """Connects, is turned away, connects again, and waits for the records, as the notebook does."""
    for group in (OPEN_GROUP, CLOSED_GROUP, OPEN_GROUP):
        swap_security_group(lab, group)
        connect_by_ssh(lab)
    for action in ACTIONS:
        wait_for_log_events(lab, action=action)
    return wait_for_delivered_objects(lab)


def clean_up(lab: Lab) -> Note:
    """Attach the group that the web server came with; the records go with the flow logs."""
    return Note(f"Security group {OPEN_GROUP} of the Web Server: {swap_security_group(lab, OPEN_GROUP).outcome}.")


def _group_item(lab: Lab) -> Item:
    name, seen = "security group of the Web Server", ", ".join(lab.web_server.security_groups)
    if seen == OPEN_GROUP:
        return right(name, seen, given=True)
    return wrong(
        name, seen=seen, wanted=OPEN_GROUP, hint=f'swap_security_group(lab, "{OPEN_GROUP}") lets SSH in again.'
    )


def _record_item(lab: Lab, action: str) -> Item:
    name = f"record of SSH traffic with {action}"
    if has_ssh_record(lab, action):
        return right(name)
    group = OPEN_GROUP if action == "ACCEPT" else CLOSED_GROUP
    return absent(name, hint=f"With {group} attached, connect_by_ssh(lab); then wait 5 to 15 minutes for the record.")


def _require_flow_log(lab: Lab, destination: Destination) -> None:
    """Raise if there is no flow log: the wait would be long and for nothing."""
    if not any(destination.receives(each) and each["ResourceId"] == lab.vpc.id for each in find_flow_logs(lab)):
        raise LabError(
            f'No flow log of {lab.vpc.name} delivers to {destination}: run lab.catch_up(before="{KEY}") first.'
        )


def _has_objects(lab: Lab) -> bool:
    return any(islice(delivered.objects(lab), 1))


def log_events(lab: Lab, log_group: str, pattern: str, **bounds: Any) -> Iterator[Mapping[str, Any]]:
    """The events of the log group that match, in the order of time; empty if the group does not exist."""
    asked = {"logGroupName": log_group, **({"filterPattern": pattern} if pattern else {}), **bounds}
    try:
        for page in lab.client("logs").get_paginator("filter_log_events").paginate(**asked):
            yield from page["events"]
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] != "ResourceNotFoundException":
            raise


def _messages(lab: Lab, log_group: str, pattern: str, **bounds: Any) -> Iterator[str]:
    return (event["message"] for event in log_events(lab, log_group, pattern, **bounds))
