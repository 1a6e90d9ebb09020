"""Amazon CloudWatch Logs: the API's operations."""

from __future__ import annotations

from labkit.sandbox.service import Service


class LogsService(Service):
    """Amazon CloudWatch Logs."""

    name = "logs"
    answered_by_moto = None
