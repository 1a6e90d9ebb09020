"""Topics, subscriptions and mails (Amazon SNS): the API's operations."""

from __future__ import annotations

from labkit.sandbox.service import Service


class NotificationService(Service):
    """Topics, subscriptions and mails (Amazon SNS)."""

    name = "sns"
    answered_by_moto = None
