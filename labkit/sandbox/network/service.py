"""The part of Amazon EC2 that the sandbox answers itself: flow logs: the API's operations."""

from __future__ import annotations

from labkit.sandbox.service import Service


class NetworkService(Service):
    """The part of Amazon EC2 that the sandbox answers itself: flow logs."""

    name = "ec2"
    answered_by_moto = None
