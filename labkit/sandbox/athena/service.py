"""Amazon Athena: the API's operations."""

from __future__ import annotations

from labkit.sandbox.service import Service


class AthenaService(Service):
    """Amazon Athena."""

    name = "athena"
    answered_by_moto = None
