"""Amazon CloudWatch Logs: the API's operations."""

from __future__ import annotations

from labkit.sandbox.logs.event_operations import EventOperations
from labkit.sandbox.logs.group_operations import GroupOperations
from labkit.sandbox.logs.insights.service import InsightsOperations
from labkit.sandbox.logs.metric_filters import MetricFilterOperations


class LogsService(GroupOperations, EventOperations, MetricFilterOperations, InsightsOperations):
    """Amazon CloudWatch Logs. moto answers none of it; what is not here is refused."""

    answered_by_moto = frozenset()
