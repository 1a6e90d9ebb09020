"""Runs moto as one WSGI application for each service.

moto's own server guesses the service from paths, hosts and headers: a bucket called `moto-api` or `latest` would reach
moto's control API or its instance metadata. Here the caller decides, by the name that the request is signed for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import create_backend_app

from labkit.sandbox.moto import patches, services


class AnyText(RegexConverter):
    """moto's converter for a part of a path, which here may contain line breaks: keys of S3 do."""

    def __init__(self, url_map: Any, *items: Any) -> None:
        super().__init__(url_map, *items)
        self.regex = f"(?s:{self.regex})"


WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Adapter:
    """Makes moto's applications, each when its service is first used, because importing all of moto takes long."""

    def __init__(self) -> None:
        self._applications: dict[str, WsgiApp] = {}

    def application(self, service: str) -> WsgiApp:
        """Return the application for a service, by botocore's name; raise ServiceError for a service not supported."""
        services.check(service)
        if service not in self._applications:
            self._applications[service] = _make(service)
        return self._applications[service]


def _make(service: str) -> WsgiApp:
    patches.install_for(service)
    application = create_backend_app(cast(Any, services.ANSWERED[service]))
    # Flask would answer 500 itself; the dispatcher needs the exception, to translate it into AWS's error.
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return cast(WsgiApp, application)
