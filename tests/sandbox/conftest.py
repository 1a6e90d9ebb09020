from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from labkit.sandbox.sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process, its clock still at Monday 2 November 2026, 09:00 UTC."""
    sandbox = Sandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
    yield sandbox
    sandbox.close()
