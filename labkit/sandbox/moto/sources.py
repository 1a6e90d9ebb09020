"""Makes moto draw its ids, secrets and keys from one seeded source, so that a replay draws the same ones again.

moto has such a source (`mock_random`), but not all of its code uses it. The rest gets objects of this module in place
of `os`, `uuid` and `random`.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from moto.moto_api._internal import mock_random

from labkit.sandbox.moto import keys


class Overlay:
    """An object with some of its attributes replaced: `Overlay(os, urandom=...)`."""

    def __init__(self, under: Any, **replaced: Any) -> None:
        self._under = under
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._under, name)


OS = Overlay(os, urandom=mock_random.randbytes)
RANDOM = Overlay(random, randint=mock_random.randint)
UUID = Overlay(uuid, uuid1=mock_random.uuid1, uuid4=mock_random.uuid4)
UUID4 = mock_random.uuid4


def _generate_rsa(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
    return keys.rsa_key(mock_random, key_size)


def _generate_ec(curve: ec.EllipticCurve, backend: Any = None) -> ec.EllipticCurvePrivateKey:
    return keys.ec_key(mock_random, curve)


def _generate_ed25519() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(mock_random.randbytes(32))


RSA = Overlay(rsa, generate_private_key=_generate_rsa)
EC = Overlay(ec, generate_private_key=_generate_ec)
ED25519 = Overlay(Ed25519PrivateKey, generate=_generate_ed25519)

_seed = ""


LEAVING_HALVES = frozenset(("cloudformation", "glue", "s3"))
"""Services of moto that are known to reject a request after they have made half of what it asks for."""


def drawn(service: str) -> object:
    """Return what changes when one of `LEAVING_HALVES` makes something: an id is drawn for all but one of them."""
    if service == "glue":
        return object()  # differs from any other: Glue makes its default registry without an id, and then refuses
    return mock_random.getstate() if service in LEAVING_HALVES else None


def aside(draw: Callable[..., str]) -> Callable[..., str]:
    """Have moto draw the id of a response without moving the seeded source on.

    It is no part of the state, and a refused request that draws one has made nothing.
    """

    @wraps(draw)
    def draw_aside(*arguments: Any, **named: Any) -> str:
        state = mock_random.getstate()
        try:
            return draw(*arguments, **named)
        finally:
            mock_random.setstate(state)

    return draw_aside


def set_seed(seed: str) -> None:
    """Set the seed of the streams of `own_stream`, which they combine with their labels."""
    global _seed
    _seed = seed


@contextmanager
def own_stream(label: str) -> Iterator[None]:
    """Draw from a separate stream in this block: it depends on the label, and not on what was drawn before."""
    # Restored afterwards, so that the change under way draws as if nothing had been drawn here.
    state = mock_random.getstate()
    mock_random.seed(f"{_seed} {label}")
    try:
        yield
    finally:
        mock_random.setstate(state)


_shared = False


@contextmanager
def shared_stream() -> Iterator[None]:
    """Let backends that are made in this block draw from the stream of the change that makes them.

    Use it only for the provided environment, which is the first change of a region.
    """
    global _shared
    _shared, before = True, _shared
    try:
        yield
    finally:
        _shared = before


def with_own_stream(get_item: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """Make a backend (with its default VPC, say) the same, whether a read or a change is the first to use it.

    A replay repeats only changes. If a backend's ids came from the stream of the change that first uses it, a read
    before that change would shift everything that the change draws.
    """

    @wraps(get_item)
    def get(backends: Any, region_name: str) -> Any:
        if _shared or region_name in backends.keys():  # noqa: SIM118 (moto's `in` tells of every region of AWS)
            return get_item(backends, region_name)
        with own_stream(f"backend {backends.service_name} {backends.account_id} {region_name}"):
            return get_item(backends, region_name)

    return get


def offerings_with_own_stream(ensure: Callable[..., Any]) -> Callable[..., Any]:
    """Draw the prices of reserved instances, which a read makes, by their region alone."""

    @wraps(ensure)
    def call(backend: Any, *arguments: Any, **named: Any) -> Any:
        with own_stream(f"reserved instances {backend.region_name}"):
            return ensure(backend, *arguments, **named)

    return call
