"""What moto would do outside of this process: nothing. It posts to no address, and starts no container."""

from __future__ import annotations

from typing import Any, NoReturn

import requests

from labkit.sandbox.moto.sources import Overlay


def _refuse(*arguments: Any, **named: Any) -> NoReturn:
    """Refuse to send a request; the dispatcher answers with NotImplemented."""
    raise NotImplementedError("requests to other machines")


REQUESTS = Overlay(requests, delete=_refuse, get=_refuse, patch=_refuse, post=_refuse, put=_refuse, request=_refuse)


def _no_docker(model: Any) -> NoReturn:
    raise NotImplementedError("containers")


DOCKER_CLIENT = property(_no_docker)
