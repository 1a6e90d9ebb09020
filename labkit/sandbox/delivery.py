"""Delivery of flow logs: files into Amazon S3 and events into CloudWatch Logs, if their policies let it happen.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html and
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import iam, s3
from labkit.sandbox.network.files import File
from labkit.sandbox.network.flow_logs import FlowLog
from labkit.sandbox.network.records import Capture
from labkit.sandbox.policies import Request, allows, several

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

ACCESS_ERROR = "Access error"
"""What DescribeFlowLogs says of a destination that can't be written to."""

_DELIVERY_SERVICE = "delivery.logs.amazonaws.com"
_FLOW_LOGS_SERVICE = "vpc-flow-logs.amazonaws.com"
_WRITE, _ACL_CHECK = "AWSLogDeliveryWrite", "AWSLogDeliveryAclCheck"
"""The ids of the statements that let flow logs deliver."""
_LOGS_ACTIONS = ("logs:CreateLogStream", "logs:PutLogEvents")


class Undeliverable(Exception):
    """A destination that can't be written to now; `error` is AWS's message."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class Delivery:
    """Puts the records of flow logs where they belong, and knows whether it may."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def error(self, flow_log: FlowLog) -> str | None:
        """What keeps a flow log from its destination now, in AWS's words; None when nothing does."""
        try:
            self._check(flow_log)
        except Undeliverable as refusal:
            return refusal.error
        return None

    def put_file(self, flow_log: FlowLog, slot: int, file: File) -> None:
        """Stores a file of the five minutes that begin at `slot`; raises Undeliverable."""
        self._check(flow_log)
        time = datetime.fromtimestamp(slot, UTC)
        digest = f"{self.sandbox.random.getrandbits(32):08x}"
        key = flow_log.layout.key(flow_log.account_id, flow_log.region, flow_log.id, time, digest)
        s3.put_object(str(flow_log.bucket), key, file.close(), account_id=flow_log.account_id)

    def put_events(self, flow_log: FlowLog, capture: Capture) -> None:
        """Writes records as events, a log stream for each interface; raises Undeliverable."""
        self._check(flow_log)
        self._ensure_group(flow_log)
        messages = capture.lines(flow_log.log_format).result()
        times = capture.flows["first"] * 1000
        for interface, begin, end in capture.by_interface():
            stream = f"{interface}-{flow_log.stream_suffix}"
            where = flow_log.region, str(flow_log.group), stream
            texts = capture.texts(flow_log.log_format, begin, end)
            self.sandbox.wiring.deliver_events(*where, times[begin:end], messages[begin:end], texts)

    def _check(self, flow_log: FlowLog) -> None:
        if not (self._may_write_bucket(flow_log) if flow_log.bucket else self._may_write_group(flow_log)):
            raise Undeliverable(ACCESS_ERROR)

    def _may_write_bucket(self, flow_log: FlowLog) -> bool:
        if not s3.bucket_exists(str(flow_log.bucket), flow_log.account_id):
            return False
        policy = s3.bucket_policy(str(flow_log.bucket), flow_log.account_id)
        return may_deliver(policy, flow_log, self.sandbox.clock.now())

    def _may_write_group(self, flow_log: FlowLog) -> bool:
        role = iam.role(flow_log.account_id, str(flow_log.role_arn))
        if role is None:
            return False
        now = self.sandbox.clock.now()
        context = _context(flow_log, _FLOW_LOGS_SERVICE, flow_log.arn, now)
        if not allows([role.trust_policy], Request("sts:AssumeRole", "", _FLOW_LOGS_SERVICE, context)):
            return False
        times = _times(now)
        resource = f"arn:aws:logs:{flow_log.region}:{flow_log.account_id}:log-group:{flow_log.group}"
        actions = _LOGS_ACTIONS if self._group_exists(flow_log) else ("logs:CreateLogGroup", *_LOGS_ACTIONS)
        return all(
            allows(role.policies, Request(action, f"{resource}:*", context=times))
            or allows(role.policies, Request(action, resource, context=times))
            for action in actions
        )

    def _group_exists(self, flow_log: FlowLog) -> bool:
        try:
            self.sandbox.wiring.find_log_group(flow_log.region, str(flow_log.group))
        except ServiceError:
            return False
        return True

    def _ensure_group(self, flow_log: FlowLog) -> None:
        """AWS makes a missing log group once there is something to put into it."""
        if not self._group_exists(flow_log):
            self.sandbox.wiring.create_log_group(flow_log.region, str(flow_log.group))


def may_deliver(bucket_policy: str | None, flow_log: FlowLog, moment: datetime) -> bool:
    """Whether a bucket's policy lets flow logs deliver at a moment."""
    source = f"arn:aws:logs:{flow_log.region}:{flow_log.account_id}:delivery-source:{flow_log.id}"
    context = {**_context(flow_log, _DELIVERY_SERVICE, source, moment), "s3:x-amz-acl": "bucket-owner-full-control"}
    folder = flow_log.layout.folder(flow_log.account_id, flow_log.region)
    resource = f"arn:aws:s3:::{flow_log.bucket}/{folder}file"
    return allows([bucket_policy or "{}"], Request("s3:PutObject", resource, _DELIVERY_SERVICE, context))


def _context(flow_log: FlowLog, service: str, source_arn: str, moment: datetime) -> dict[str, str]:
    """The condition keys of a call that a service makes on behalf of a flow log.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return {
        "aws:sourceaccount": flow_log.account_id,
        "aws:sourcearn": source_arn,
        "aws:principalisawsservice": "true",
        "aws:principalservicename": service,
        "aws:securetransport": "true",
        "aws:requestedregion": flow_log.region,
        **_times(moment),
    }


def _times(moment: datetime) -> dict[str, str]:
    return {"aws:currenttime": moment.isoformat(), "aws:epochtime": str(moment.timestamp())}


def policy_with_delivery(bucket_policy: str | None, flow_log: FlowLog) -> str:
    """The bucket's policy with the statements that AWS adds when the owner of a bucket makes a flow log to it."""
    document: dict[str, Any] = json.loads(bucket_policy or '{"Version": "2012-10-17"}')
    statements = several(document.get("Statement", []))
    number = _free_number({statement.get("Sid") for statement in statements})
    account, bucket = flow_log.account_id, f"arn:aws:s3:::{flow_log.bucket}"
    prefix = f"{flow_log.layout.prefix}/" if flow_log.layout.prefix else ""
    owner = f"aws-account-id={account}" if flow_log.layout.hive_compatible else account
    same_account = {"aws:SourceAccount": account}
    source = {"aws:SourceArn": f"arn:aws:logs:{flow_log.region}:{account}:*"}
    principal = {"Service": _DELIVERY_SERVICE}
    document["Statement"] = [
        *statements,
        {
            "Sid": f"{_WRITE}{number}",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:PutObject",
            "Resource": f"{bucket}/{prefix}AWSLogs/{owner}/*",
            "Condition": {
                "StringEquals": {**same_account, "s3:x-amz-acl": "bucket-owner-full-control"},
                "ArnLike": source,
            },
        },
        {
            "Sid": f"{_ACL_CHECK}{number}",
            "Effect": "Allow",
            "Principal": principal,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket,
            "Condition": {"StringEquals": same_account, "ArnLike": source},
        },
    ]
    return json.dumps(document)


def _free_number(taken: set[str | None]) -> str:
    """What makes the statements' ids the only ones of their kind: nothing, or the first number that is free."""
    numbers = ("", *(str(number) for number in range(1, len(taken) + 1)))
    return next(each for each in numbers if not {f"{_WRITE}{each}", f"{_ACL_CHECK}{each}"} & taken)
