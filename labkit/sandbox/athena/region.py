"""Athena's state in a region."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.workgroups import PRIMARY, WorkGroup, bad_request
from labkit.sandbox.service import Call


@dataclass
class Region:
    """The state of a region."""

    created: datetime
    work_groups: dict[str, WorkGroup] = field(default_factory=dict)
    executions: dict[str, QueryExecution] = field(default_factory=dict)
    named_queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    prepared: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """Operation and ClientRequestToken -> the execution or named query that it made, and what was asked."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        configuration = {
            "ResultConfiguration": {},
            "EnforceWorkGroupConfiguration": False,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
        }
        self.work_groups[PRIMARY] = WorkGroup(PRIMARY, self.created, configuration=configuration)

    def made_before(self, call: Call) -> str | None:
        """What the call's ClientRequestToken made; raises where it comes with other parameters than then."""
        held, asked = self.tokens.get((call.operation, call.params.get("ClientRequestToken", "")), (None, None))
        if held and asked != call.params:
            raise bad_request("Idempotent parameters do not match")
        return held

    def remember(self, call: Call, made: str) -> None:
        """Keeps what the call made for its ClientRequestToken, if it has one."""
        if token := call.params.get("ClientRequestToken"):
            self.tokens[call.operation, token] = (made, dict(call.params))

    def forget(self, call: Call, group: str) -> None:
        """Removes a work group and what is in it."""
        del self.work_groups[group]
        self.executions = {key: each for key, each in self.executions.items() if each.work_group != group}
        self.named_queries = {key: each for key, each in self.named_queries.items() if each["WorkGroup"] != group}
        self.prepared = {key: each for key, each in self.prepared.items() if key[0] != group}
        self.tags.pop(arn(call, f"workgroup/{group}"), None)

    def tag(self, call: Call, resource: str, tags: list[dict[str, str]]) -> None:
        """Tags a resource of the region."""
        self.tags.setdefault(arn(call, resource), {}).update({tag["Key"]: tag.get("Value", "") for tag in tags})


def arn(call: Call, resource: str) -> str:
    """The ARN of a resource in the region of a call."""
    return f"arn:aws:athena:{call.region}:{call.account_id}:{resource}"
