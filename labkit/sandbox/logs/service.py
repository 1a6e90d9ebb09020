"""Amazon CloudWatch Logs: the API's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.sandbox.logs.event_operations import EventOperations
from labkit.sandbox.logs.group_operations import GroupOperations
from labkit.sandbox.logs.insights.service import InsightsOperations
from labkit.sandbox.logs.metric_filters import MetricFilterOperations
from labkit.sandbox.logs.subscription_filters import SubscriptionFilterOperations
from labkit.sandbox.moto_state.logs import own_log_groups

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox


class LogsService(
    GroupOperations, EventOperations, MetricFilterOperations, SubscriptionFilterOperations, InsightsOperations
):
    """Amazon CloudWatch Logs. moto answers none of it; an operation that isn't here is an error."""

    answered_by_moto = frozenset()

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        own_log_groups(self.create_group_of_stack, self.delete_group_of_stack)
