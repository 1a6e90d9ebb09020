"""Every AWS call that the lab makes, as it was asked: shown as AWS CLI lines, counted for the IAM policy.

The lines are what a learner would type in a terminal; https://docs.aws.amazon.com/cli/latest/userguide/
cli-usage-parameters-types.html and cli-usage-shorthand.html say how parameters are written there.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore import xform_name

_CLI_SERVICES = {"s3": "s3api"}
_SHORTHAND_SAFE = re.compile(r"[A-Za-z0-9_./:@*+-][A-Za-z0-9_./:@*+ -]*")
_LONGEST = 800
_READING = re.compile("(Describe|Get|BatchGet|List|Head|Filter|Test|Lookup|Simulate|Search|StartQuery$|StopQuery$)")


@dataclass(frozen=True)
class Call:
    """One call: the service and the operation as botocore names them (`ec2`, `CreateFlowLogs`), and its parameters."""

    service: str
    operation: str
    params: Mapping[str, Any]

    @property
    def reads(self) -> bool:
        """True if the operation changes nothing."""
        return is_reading(self.operation)

    def as_cli(self) -> str:
        """The call as a line for a shell.

        >>> Call("ec2", "DescribeVpcs", {"Filters": [{"Name": "tag:Name", "Values": ["Lab VPC"]}]}).as_cli()
        "aws ec2 describe-vpcs --filters 'Name=tag:Name,Values=Lab VPC'"
        """
        command = ["aws", _CLI_SERVICES.get(self.service, self.service), xform_name(self.operation, "-")]
        for name, value in self.params.items():
            command += _parameter(f"--{xform_name(name, '-')}", value)
        return shlex.join(command)


class Recorder:
    """Records the calls of every client of the sessions that it listens to."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def listen(self, events: Any) -> None:
        """Record the calls of clients made from now on; `events` are those of a botocore session."""
        events.register("provide-client-params.*.*", self._note, unique_id="labkit-calls")

    def mark(self) -> int:
        """Return the current place in the list, for a later `lines_since`."""
        return len(self.calls)

    def lines_since(self, mark: int) -> tuple[str, ...]:
        """Return the calls made since then as AWS CLI lines, a repeated call once."""
        return tuple(dict.fromkeys(call.as_cli() for call in self.calls[mark:]))

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        self.calls.append(Call(service, model.name, dict(params)))


def is_reading(operation: str) -> bool:
    """True for operations that change nothing, by their names: Describe..., Get..., List... and the like.

    >>> is_reading("DescribeFlowLogs"), is_reading("CreateFlowLogs")
    (True, False)
    """
    return _READING.match(operation) is not None


def shortened(line: str) -> str:
    """Return the line as it is shown: a very long one, such as four weeks of partitions, is cut in the middle."""
    if len(line) <= _LONGEST:
        return line
    kept = _LONGEST // 2
    return f"{line[:kept]} ... {len(line) - 2 * kept} characters more ... {line[-kept:]}"


def _parameter(option: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-", 1)]
    if isinstance(value, list | tuple):
        return [option, *map(_argument, value)]
    return [option, _argument(value)]


def _argument(value: Any) -> str:
    if isinstance(value, Mapping):
        return _shorthand(value) or json.dumps(value, default=_scalar)
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


def _shorthand(value: Mapping[str, Any]) -> str:
    """Return `Name=x,Values=a,b`, or an empty text if only JSON can express the value."""
    parts = []
    for key, member in value.items():
        written = _shorthand_member(member)
        if not written:
            return ""
        parts.append(f"{key}={written}")
    return ",".join(parts)


def _shorthand_member(member: Any) -> str:
    if isinstance(member, bool):
        return str(member).lower()
    if isinstance(member, Mapping):
        inner = _shorthand(member)
        return inner and f"{{{inner}}}"
    if isinstance(member, list | tuple):
        written = [_shorthand_member(each) for each in member]
        nested = len(written) > 1 or any(isinstance(each, Mapping) for each in member)
        return "" if not all(written) else f"[{','.join(written)}]" if nested else written[0] if written else "[]"
    text = _scalar(member)
    return text if _SHORTHAND_SAFE.fullmatch(text) else ""
