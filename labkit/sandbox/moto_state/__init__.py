"""The only place that knows moto's internals: its randomness, and what its backends hold."""

# ruff: noqa: E402
from __future__ import annotations

from typing import Any

from labkit.sandbox.moto import patches
from labkit.sandbox.moto_state import lean

lean.prepare()
patches.install_first()

from moto.backends import get_backend
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend

from labkit.sandbox.moto import sources


def reset(seed: str = "") -> None:
    """Empties every backend of moto; what is made again by itself is drawn from `seed`."""
    patches.install()
    sources.set_seed(seed)
    moto_api_backend.reset()


def seed(label: str) -> None:
    """Makes the ids that moto draws next a function of `label`."""
    mock_random.seed(label)


def backend(service: str, account_id: str, region: str) -> Any:
    """moto's backend object of a service in a region (`aws` for global services such as S3 and IAM)."""
    patches.install_for(service)
    return get_backend(service)[account_id][region]  # type: ignore[call-overload]
