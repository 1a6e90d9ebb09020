"""moto as one WSGI application a service.

moto's own server guesses the service from paths, hosts and headers: a bucket called `moto-api` or `latest` would reach
its control API or its instance metadata. Here the caller decides, by the name that the request is signed for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import create_backend_app

from labkit.sandbox.moto import patches, services


class AnyText(RegexConverter):
    """moto's part of a path, which may hold line ends: keys of S3 do."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Adapter:
    """moto's applications, each made when its service is first used: importing all of moto takes long."""

    def __init__(self) -> None:
        self._applications: dict[str, WsgiApp] = {}

    def application(self, service: str) -> WsgiApp:
        """Return the application that answers a request to a service, by botocore's name of it."""
        services.check(service)
        if service not in self._applications:
            self._applications[service] = _make(service)
        return self._applications[service]


def _make(service: str) -> WsgiApp:
    patches.install_for(service)
    application = create_backend_app(cast(Any, services.ANSWERED[service]))
    application.config["PROPAGATE_EXCEPTIONS"] = True  # the dispatcher tells what is not implemented from what failed
    return cast(WsgiApp, application)
