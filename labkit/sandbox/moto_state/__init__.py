"""The only place that knows moto's internals: its app, its randomness, and what its backends hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from moto.backends import get_backend
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def reset() -> None:
    """Empties every backend of moto."""
    moto_api_backend.reset()


def seed(label: str) -> None:
    """Makes the ids that moto draws next a function of `label`."""
    mock_random.seed(label)


def app() -> WsgiApp:
    """moto's own server application."""
    return DomainDispatcherApplication(create_backend_app)


def backend(service: str, account_id: str, region: str) -> Any:
    """moto's backend object of a service in a region (`aws` for global services such as S3 and IAM)."""
    return get_backend(service)[account_id][region]  # type: ignore[call-overload]
