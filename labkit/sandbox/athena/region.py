"""What Athena holds in a region."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.workgroups import PRIMARY, WorkGroup
from labkit.sandbox.service import Call


@dataclass
class Region:
    """The state of a region."""

    created: datetime
    work_groups: dict[str, WorkGroup] = field(default_factory=dict)
    executions: dict[str, QueryExecution] = field(default_factory=dict)
    named_queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    prepared: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, str]] = field(default_factory=dict)
    """ClientRequestToken -> the execution or named query that it made, and what was asked."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    catalogs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        configuration = {
            "ResultConfiguration": {},
            "EnforceWorkGroupConfiguration": False,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
        }
        self.work_groups[PRIMARY] = WorkGroup(PRIMARY, self.created, configuration=configuration)

    def tag(self, call: Call, resource: str, tags: list[dict[str, str]]) -> None:
        """Tags a resource of the region."""
        arn = f"arn:aws:athena:{call.region}:{call.account_id}:{resource}"
        self.tags.setdefault(arn, {}).update({tag["Key"]: tag.get("Value", "") for tag in tags})
