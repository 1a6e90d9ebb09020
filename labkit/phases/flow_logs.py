"""Flow logs of the lab VPC: published to S3 and to CloudWatch Logs.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from labkit.checks.items import Item, absent, right, wrong
from labkit.flowlog.formats import DEFAULT_FORMAT
from labkit.lab import ledger
from labkit.lab.cloud import WaitedInVain
from labkit.lab.errors import LabError
from labkit.lab.ledger import TAGS
from labkit.lab.resources import Role
from labkit.lab.session import Lab
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.explain import next_step
from labkit.show.tables import Table

LOG_GROUP = "VPCFlowLogs"
_NOT_KNOWN_YET = ("Unable to assume given IAM role", "Access Denied for LogDestination")
"""EC2's errors for a missing role or bucket policy, which it also gives for some seconds after one was made.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""
_DEFAULT, _PLAIN = "the default", "plain text, a folder for each day"
_MAY_WRITE_TO_BUCKET = (
    "See that the bucket is there, and with explain_bucket_policy(lab) that delivery.logs.amazonaws.com may write."
)
_MAY_WRITE_TO_GROUP = (
    "See that the role lets VPC Flow Logs in (vpc-flow-logs.amazonaws.com in its trust policy) and may do "
    "logs:CreateLogStream and logs:PutLogEvents."
)
FlowLog = Mapping[str, Any]


@dataclass(frozen=True)
class Destination:
    """Where a flow log delivers to: `s3` and a bucket, or `cloud-watch-logs` and a log group."""

    type: str
    name: str

    def receives(self, flow_log: FlowLog) -> bool:
        """Return whether the flow log delivers here, under any prefix."""
        if flow_log.get("LogDestinationType", "cloud-watch-logs") != self.type:
            return False
        if self.type == "s3":
            return f"{flow_log['LogDestination']}/".startswith(f"arn:aws:s3:::{self.name}/")
        return bool(flow_log.get("LogGroupName") == self.name)

    def __str__(self) -> str:
        return f"the bucket {self.name}" if self.type == "s3" else f"the log group {self.name}"


def publish_to_s3(lab: Lab, bucket: str, aggregation_seconds: int = 60) -> Card:
    """Publish all traffic of the lab VPC to the bucket; a flow log that does so already stays as it is.

    The card's `id` is the flow log's. https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3.html
    """
    destination = Destination("s3", bucket)
    return _publish(lab, destination, aggregation_seconds, LogDestination=f"arn:aws:s3:::{bucket}")


def publish_to_cloudwatch(
    lab: Lab, log_group: str = LOG_GROUP, role: Role | None = None, aggregation_seconds: int = 60
) -> Card:
    """Publish all traffic of the lab VPC to the log group, by the provided role if no other is given.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-cwl.html
    """
    if not isinstance(role, Role | None):
        raise LabError(f"role={role!r}: give the role itself, `role=lab.delivery_role`, or leave it out.")
    destination = Destination("cloud-watch-logs", log_group)
    role_arn = (role or lab.delivery_role).arn
    return _publish(lab, destination, aggregation_seconds, LogGroupName=log_group, DeliverLogsPermissionArn=role_arn)


def create_log_group(lab: Lab, name: str = LOG_GROUP) -> Card:
    """Make the log group; one of that name stays as it is."""
    mark = lab.calls.mark()
    outcome = "already there"
    if find_log_group(lab, name) is None:
        lab.client("logs").create_log_group(logGroupName=name, tags=TAGS)
        ledger.note(lab, "log group", name)
        outcome = "created"
    group = find_log_group(lab, name) or {}
    days = group.get("retentionInDays")
    details = {"ARN": group.get("arn", ""), "Retention": f"{days} days" if days else "never expires"}
    return Card(
        "Log group",
        name,
        outcome,
        details=details,
        console=console.log_group(lab.region, name),
        calls=lab.calls.lines_since(mark),
    )


def find_log_group(lab: Lab, name: str) -> Mapping[str, Any] | None:
    """Return the log group with exactly that name."""
    return next((group for group in log_groups(lab, logGroupNamePrefix=name) if group["logGroupName"] == name), None)


def log_groups(lab: Lab, **asked: str) -> Iterator[Mapping[str, Any]]:
    """The region's log groups, or those whose names begin with `logGroupNamePrefix`; pages are read as needed."""
    for page in lab.client("logs").get_paginator("describe_log_groups").paginate(**asked):
        yield from page["logGroups"]


def find_flow_logs(lab: Lab) -> list[FlowLog]:
    """All flow logs of the region."""
    pages = lab.client("ec2").get_paginator("describe_flow_logs").paginate()
    return [flow_log for page in pages for flow_log in page["FlowLogs"]]


def explain_bucket_policy(lab: Lab) -> Table:
    """The bucket's policy, statement by statement, in words: who may write what under `AWSLogs/`."""
    policy = json.loads(lab.client("s3").get_bucket_policy(Bucket=lab.bucket)["Policy"])
    rows = [_statement_row(statement) for statement in policy["Statement"]]
    return Table(f"Policy of the bucket {lab.bucket}", ("statement", "who", "may", "on", "if"), rows)


def check_flow_log(lab: Lab, destination: Destination) -> tuple[Item, ...]:
    """The items of a check for a flow log of the lab VPC to that destination."""
    name = f"flow log of the lab VPC to {destination}"
    flow_logs = find_flow_logs(lab)
    here = [each for each in flow_logs if destination.receives(each)]
    ours = [each for each in here if each["ResourceId"] == lab.vpc.id]
    if ours:
        best = max(ours, key=lambda each: sum(item.wanted == "" for item in _settings_items(each)))
        return right(name, best["FlowLogId"]), *_settings_items(best)
    if here:
        hint = f"Create a flow log for {lab.vpc.id}, the VPC named {lab.vpc.name}; delete this one."
        seen = f"{here[0]['FlowLogId']} records {here[0]['ResourceId']}"
        return (wrong(name, seen=seen, wanted=lab.vpc.id, hint=hint),)
    hint = f"Create a flow log for the VPC {lab.vpc.id} with {destination} as its destination."
    return (absent(name, hint=hint),)


def delete_flow_logs(lab: Lab, destination: Destination) -> tuple[str, ...]:
    """Delete the flow logs to that destination that the lab made. Returns their ids."""
    doomed = tuple(each["FlowLogId"] for each in find_flow_logs(lab) if is_the_labs(lab, each, destination))
    if doomed:
        _raise_unsuccessful(lab.client("ec2").delete_flow_logs(FlowLogIds=list(doomed)))
    for flow_log_id in (*doomed, *_gone(lab)):
        ledger.forget_flow_log(lab, flow_log_id)
    return doomed


def delete_log_group(lab: Lab, name: str) -> str:
    """Delete the log group with its events, if the lab made it, and say what happened to it."""
    group = find_log_group(lab, name)
    if group is not None and not is_the_labs_group(lab, group):
        return "stays, the lab did not make it"
    if group is not None:
        lab.client("logs").delete_log_group(logGroupName=name)
    ledger.forget(lab, "log group", name)
    return "already gone" if group is None else "deleted"


def is_the_labs_group(lab: Lab, group: Mapping[str, Any]) -> bool:
    """Return whether the lab made this log group."""
    name = group["logGroupName"]
    if ledger.is_the_labs(lab, "log group", name):
        return True
    arn = group["arn"].removesuffix(":*")
    return ledger.is_the_labs(
        lab, "log group", name, lab.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
    )


def is_the_labs(lab: Lab, flow_log: FlowLog, destination: Destination) -> bool:
    """Return whether this is a flow log to that destination that the lab made."""
    return is_in_place(lab, flow_log, destination) and ledger.is_the_labs(
        lab, "flow log", flow_log["FlowLogId"], _tags(flow_log)
    )


def is_in_place(lab: Lab, flow_log: FlowLog, destination: Destination) -> bool:
    """Return whether this flow log to that destination is the lab VPC's or tagged, whoever made it."""
    is_tagged = _tags(flow_log).items() >= TAGS.items()
    return destination.receives(flow_log) and (is_tagged or flow_log["ResourceId"] == lab.vpc.id)


def _tags(flow_log: FlowLog) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in flow_log.get("Tags", [])}


def _gone(lab: Lab) -> set[str]:
    """Return recorded flow logs that were deleted by other means."""
    return set(ledger.names(lab, "flow log")) - {each["FlowLogId"] for each in find_flow_logs(lab)}


def _publish(lab: Lab, destination: Destination, aggregation_seconds: int, **delivery: str) -> Card:
    mark = lab.calls.mark()
    flow_log = _find_same(lab, destination, aggregation_seconds)
    outcome = "already there"
    if flow_log is None:
        wanted = {
            "ResourceType": "VPC",
            "ResourceIds": [lab.vpc.id],
            "TrafficType": "ALL",
            "LogDestinationType": destination.type,
            "MaxAggregationInterval": aggregation_seconds,
            "TagSpecifications": [
                {"ResourceType": "vpc-flow-log", "Tags": [{"Key": key, "Value": value} for key, value in TAGS.items()]}
            ],
            **delivery,
        }
        flow_log_id = _create_settled(lab, wanted)
        ledger.note_flow_log(lab, flow_log_id)
        outcome = "created"
        flow_log = _find_same(lab, destination, aggregation_seconds) or {"FlowLogId": flow_log_id}
    return _card(lab, flow_log, destination, outcome, lab.calls.lines_since(mark))


def _create_settled(lab: Lab, wanted: Mapping[str, Any]) -> str:
    """Create the flow log and return its id; wait for a role or bucket policy that is only seconds old."""
    refusals: list[LabError | ClientError] = []
    created: list[str] = []

    def attempt() -> bool:
        try:
            created.append(_create(lab, wanted))
        except (LabError, ClientError) as refusal:
            if not any(words in str(refusal) for words in _NOT_KNOWN_YET):
                raise
            refusals.append(refusal)
        return bool(created)

    try:
        lab.cloud.wait_until(attempt, timeout=lab.cloud.settling_seconds, what="AWS to know of the role and the bucket")
    except WaitedInVain:
        raise refusals[-1] from None
    return created[0]


def _create(lab: Lab, wanted: Mapping[str, Any]) -> str:
    answer = lab.client("ec2").create_flow_logs(**wanted)
    _raise_unsuccessful(answer)
    return str(answer["FlowLogIds"][0])


def _find_same(lab: Lab, destination: Destination, aggregation_seconds: int) -> FlowLog | None:
    for each in find_flow_logs(lab):
        settings = (each["ResourceId"], each.get("TrafficType"), each.get("MaxAggregationInterval"))
        is_same = settings == (lab.vpc.id, "ALL", aggregation_seconds) and _format(each) == _DEFAULT
        if destination.receives(each) and is_same and _files(each) == _PLAIN:
            return each
    return None


def _card(lab: Lab, flow_log: FlowLog, destination: Destination, outcome: str, calls: tuple[str, ...]) -> Card:
    details = {
        "VPC": f"{lab.vpc.id} ({lab.vpc.name})",
        "Traffic": flow_log.get("TrafficType", "ALL"),
        "Aggregation": f"{flow_log.get('MaxAggregationInterval', '?')} s",
        "Destination": str(destination),
    }
    if trouble := flow_log.get("DeliverLogsErrorMessage"):
        details["Delivery"] = f"{flow_log.get('DeliverLogsStatus', 'FAILED')}: {trouble}"
    status = flow_log.get("FlowLogStatus", "")
    link = console.vpc(lab.region, lab.vpc.id)
    return Card("Flow log", flow_log["FlowLogId"], outcome, status, details, link, calls)


def _settings_items(flow_log: FlowLog) -> tuple[Item, ...]:
    anew = "A flow log can't be changed: delete it and create it anew"
    is_in_bucket = flow_log.get("LogDestinationType") == "s3"
    files = ("files in the bucket", _files(flow_log), _PLAIN, f"{anew}, to the bucket itself and with AWS's defaults.")
    facts = (
        ("all traffic", flow_log.get("TrafficType", ""), "ALL", f"{anew}."),
        ("aggregated over 1 minute", f"{flow_log.get('MaxAggregationInterval', 600)} s", "60 s", f"{anew}."),
        ("format of the records", _format(flow_log), _DEFAULT, f"{anew}, with AWS's default format."),
        *([files] if is_in_bucket else []),
        ("active", flow_log.get("FlowLogStatus", ""), "ACTIVE", "Wait a moment and check again."),
        ("delivering", _delivery(flow_log), "no error", _MAY_WRITE_TO_BUCKET if is_in_bucket else _MAY_WRITE_TO_GROUP),
    )
    return tuple(
        right(name, seen) if seen == wanted else wrong(name, seen=seen, wanted=wanted, hint=advice)
        for name, seen, wanted, advice in facts
    )


def _format(flow_log: FlowLog) -> str:
    """Check the format: the lab's filter pattern and table expect the default format's fields in order."""
    asked = str(flow_log.get("LogFormat", DEFAULT_FORMAT))
    return _DEFAULT if asked == str(DEFAULT_FORMAT) else f"one of its own, with {asked.count('${')} fields"


def _files(flow_log: FlowLog) -> str:
    """Check the layout of its files for anything that would keep the lab's table from finding or reading them."""
    if flow_log.get("LogDestinationType") != "s3":
        return _PLAIN
    options = flow_log.get("DestinationOptions", {})
    folder = str(flow_log["LogDestination"]).partition("/")[2].strip("/")
    odd = {
        "Parquet": options.get("FileFormat", "plain-text") == "parquet",
        "Hive-compatible folders": options.get("HiveCompatiblePartitions", False),
        "a folder for each hour": options.get("PerHourPartition", False),
        f"all of it under {folder}/": bool(folder),
    }
    return ", ".join(words for words, is_so in odd.items() if is_so) or _PLAIN


def _delivery(flow_log: FlowLog) -> str:
    """Check the delivery: AWS reports a failing one as FAILED, with a message such as `Access error`."""
    if flow_log.get("DeliverLogsStatus") == "FAILED":
        return str(flow_log.get("DeliverLogsErrorMessage") or "FAILED")
    return "no error"


def _raise_unsuccessful(answer: Mapping[str, Any]) -> None:
    """Raise for what EC2 could not do: it answers 200 and lists that as unsuccessful."""
    for failure in answer.get("Unsuccessful", []):
        error = failure["Error"]
        said = f"AWS refused: {error['Code']}: {error['Message']}"
        raise LabError(f"{said}\nNext: {next_step(error['Code'], said)}")


def _statement_row(statement: Mapping[str, Any]) -> tuple[str, ...]:
    principal = statement.get("Principal", "")
    who = ", ".join(map(_listed, principal.values())) if isinstance(principal, Mapping) else str(principal)
    conditions = [
        f"{key} is {_listed(value)}" if "Like" not in operator else f"{key} is like {_listed(value)}"
        for operator, pairs in statement.get("Condition", {}).items()
        for key, value in pairs.items()
    ]
    may = _listed(statement["Action"]) if statement["Effect"] == "Allow" else f"not {_listed(statement['Action'])}"
    return (
        statement.get("Sid", ""),
        who,
        may,
        _listed(statement["Resource"]).replace("arn:aws:s3:::", ""),
        " and ".join(conditions) or "always",
    )


def _listed(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
