"""Keeps moto inside this process: it sends no request to any address, and starts no container."""

from __future__ import annotations

from typing import Any, NoReturn

import requests

from labkit.sandbox.moto.sources import Overlay


def _refuse(*arguments: Any, **named: Any) -> NoReturn:
    """Raise NotImplementedError, which the dispatcher answers with NotImplemented, instead of sending a request."""
    raise NotImplementedError("requests to other machines")


REQUESTS = Overlay(requests, delete=_refuse, get=_refuse, patch=_refuse, post=_refuse, put=_refuse, request=_refuse)


def _no_docker(model: Any) -> NoReturn:
    raise NotImplementedError("containers")


DOCKER_CLIENT = property(_no_docker)
