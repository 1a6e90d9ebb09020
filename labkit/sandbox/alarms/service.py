"""Metrics, alarms and their evaluation (Amazon CloudWatch): the API's operations."""

from __future__ import annotations

from labkit.sandbox.service import Service


class CloudWatchService(Service):
    """Metrics, alarms and their evaluation (Amazon CloudWatch)."""

    name = "cloudwatch"
    answered_by_moto = None
