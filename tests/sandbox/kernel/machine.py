"""A machine whose clock is set by hand: a host's, and that of the boto3 clients in this process."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate
from types import SimpleNamespace

import pytest


class Machine:
    """The machine's clock. It goes on only as it is told, or as somebody sleeps."""

    def __init__(self, moment: float) -> None:
        self.moment = moment

    def __call__(self) -> float:
        """Return the time."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.moment += seconds

    def sign_by(self, patch: pytest.MonkeyPatch) -> None:
        """Have botocore sign by this clock."""
        patch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(self.moment, UTC))
        patch.setattr("botocore.auth.time", SimpleNamespace(time=self))
        patch.setattr("botocore.auth.formatdate", lambda usegmt: formatdate(self.moment, usegmt=usegmt))
