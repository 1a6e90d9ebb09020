from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.host import Host
from tests.conftest import NO_IMAGES
from tests.sandbox.in_process import BARE, open_host
from tests.sandbox.network.vpc import Vpc


@pytest.fixture(autouse=True, scope="module")
def no_images() -> Iterator[None]:
    """No test of this folder asks for an image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*NO_IMAGES)
        yield


@pytest.fixture
def sandbox() -> Iterator[AssembledSandbox]:
    """A sandbox in this process, its clock still at Monday 2 November 2026, 09:00 UTC."""
    sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
    yield sandbox
    sandbox.close()


@pytest.fixture
def vpc(sandbox: AssembledSandbox) -> Vpc:
    """A small VPC of the sandbox, without the noise of the internet."""
    vpc = Vpc(sandbox)
    sandbox.network.set_background(0)
    return vpc


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A host in this process, of an empty account, its clock still at Monday 2 November 2026, 09:00 UTC."""
    host = open_host(tmp_path / "journal.sqlite", BARE)
    yield host
    host.close()
