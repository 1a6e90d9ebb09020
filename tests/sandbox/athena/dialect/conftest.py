"""One Athena for a table of cases: they change nothing."""

from collections.abc import Iterator

import pytest

from tests.sandbox.athena.conftest import Athena, make_athena


@pytest.fixture(scope="module")
def dialect_athena() -> Iterator[Athena]:
    """An Athena of 2026-11-02 09:00:00 UTC for what changes nothing."""
    athena = make_athena()
    yield athena
    athena.sandbox.close()
