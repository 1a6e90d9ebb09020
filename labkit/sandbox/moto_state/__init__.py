"""The only place that knows moto's internals: its app, its randomness, and what its backends hold."""

# ruff: noqa: E402
from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from labkit.sandbox.moto_state import lean

lean.prepare()

from moto.backends import get_backend
from moto.ec2.models import elastic_network_interfaces
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server import werkzeug_app
from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import STSBackend

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def _public_ip() -> str:
    """A public address from a range reserved for tests (RFC 2544), where moto would draw one that somebody has."""
    return f"198.19.{mock_random.randint(0, 255)}.{mock_random.randint(1, 254)}"


elastic_network_interfaces.random_public_ip = _public_ip  # type: ignore[attr-defined]


class _AnyText(RegexConverter):
    """moto's part of a path, which may hold line ends: keys of S3 do."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


werkzeug_app.RegexConverter = _AnyText  # type: ignore[attr-defined]

LEARNER_ID, LEARNER = "AIDAEXAMPLELEARNER000", "learner"
_get_caller_identity = STSBackend.get_caller_identity


def _identity(backend: STSBackend, access_key_id: str, region: str) -> tuple[str, str, str]:
    """moto's, which knows nobody behind the sandbox's own access key: an IAM user, as most learners are on AWS."""
    user_id, arn, account_id = _get_caller_identity(backend, access_key_id, region)
    if not arn.endswith(":user/moto"):
        return user_id, arn, account_id
    return LEARNER_ID, f"arn:{arn.split(':')[1]}:iam::{account_id}:user/{LEARNER}", account_id


setattr(STSBackend, "get_caller_identity", _identity)  # noqa: B010 (mypy)


def reset() -> None:
    """Empties every backend of moto."""
    moto_api_backend.reset()


def seed(label: str) -> None:
    """Makes the ids that moto draws next a function of `label`."""
    mock_random.seed(label)


def app() -> WsgiApp:
    """moto's own server application."""
    return DomainDispatcherApplication(_backend_app)


def _amend(service: str) -> None:
    """Makes a service of moto's what the sandbox needs, once it is used: importing all of moto takes long."""
    if service == "glue":
        importlib.import_module("labkit.sandbox.moto_state.glue_names")
    if service == "cloudformation":
        importlib.import_module("labkit.sandbox.moto_state.cloudformation")


def _backend_app(service: Any) -> Any:
    if service is None:
        raise NotImplementedError("moto has no such service")
    _amend(str(service))
    application = create_backend_app(service)
    application.config["PROPAGATE_EXCEPTIONS"] = True  # the dispatcher tells what is not implemented from what failed
    return application


def backend(service: str, account_id: str, region: str) -> Any:
    """moto's backend object of a service in a region (`aws` for global services such as S3 and IAM)."""
    _amend(service)
    return get_backend(service)[account_id][region]  # type: ignore[call-overload]
