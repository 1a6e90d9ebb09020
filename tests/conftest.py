from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

from labkit.lab import session
from labkit.lab.cloud import SandboxCloud
from labkit.lab.settings import Settings
from labkit.notebook import Lab
from labkit.sandbox import process
from labkit.sandbox.process import Server

settings.register_profile("lab", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lab")
"""No test depends on how fast the machine is."""

SESSION = boto3.session.Session()
"""One for all tests: a session keeps the service models that it has read."""
NO_IMAGES = ("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
"""Keeps moto from making 1,300 images for every region of every sandbox, which takes longer than most tests."""
FROZEN_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A sandbox in a process of its own, frozen and seeded; shared by all tests."""
    home = Path(tmp_path_factory.mktemp("sandbox")) / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(*NO_IMAGES)
        server = process.start(home, frozen_at=FROZEN_AT, seed=7)
    yield server
    process.stop(home)


@pytest.fixture
def server(running_server: Server) -> Server:
    """The shared sandbox, started anew for this test."""
    running_server.control("POST", "/faults", {"faults": []})
    running_server.control("POST", "/reset", {})
    return running_server


@pytest.fixture
def client(server: Server) -> Callable[..., Any]:
    """Makes boto3 clients of the sandbox: `client("ec2")`, `client("logs", "us-east-1")`."""
    return client_maker(server)


@pytest.fixture
def lab(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The lab on the shared sandbox, with the settings it has before the form is filled in."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    lab = Lab(Settings(), SandboxCloud(server))
    monkeypatch.setattr(session.Lab, "last_opened", lab)
    return lab


def lend(server: Server, home: Path) -> None:
    """Lets a sandbox that runs be that of another home too."""
    home.mkdir(exist_ok=True)
    (home / "sandbox").symlink_to(psutil.Process(server.pid).cwd())


def client_maker(server: Server) -> Callable[..., Any]:
    """What makes boto3 clients of a server, with no say for the environment or ~/.aws."""

    def make(service: str, region: str = "eu-west-1", **credentials: str) -> Any:
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=server.endpoint,
            aws_access_key_id=credentials.get("access_key_id", server.access_key_id),
            aws_secret_access_key=credentials.get("secret_access_key", server.secret_access_key),
            config=Config(retries={"max_attempts": 0}, signature_version="v4" if service != "s3" else "s3v4"),
        )

    return make
