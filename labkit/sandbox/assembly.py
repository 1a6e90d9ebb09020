"""A whole sandbox: its services made, and wired to each other. The only file that knows all services."""

from __future__ import annotations

from typing import Any

from labkit.sandbox.alarms.service import CloudWatchService
from labkit.sandbox.athena.service import AthenaService
from labkit.sandbox.logs.service import LogsService
from labkit.sandbox.network.service import NetworkService
from labkit.sandbox.notifications.service import NotificationService
from labkit.sandbox.sandbox import Sandbox


class AssembledSandbox(Sandbox):
    """A sandbox with all its services."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.logs = LogsService(self)
        self.cloudwatch = CloudWatchService(self)
        self.notifications = NotificationService(self)
        self.athena = AthenaService(self)
        self.network = NetworkService(self)
        services = (self.logs, self.cloudwatch, self.notifications, self.athena, self.network)
        self.services.update((service.name, service) for service in services)
        wiring = self.wiring
        wiring.record_metric = self.cloudwatch.record
        wiring.publish = self.notifications.publish
        wiring.deliver_events = self.logs.deliver
        wiring.find_log_group = self.logs.group
        wiring.create_log_group = self.logs.create_group
        wiring.log_format = self.network.log_format
