"""Posts to HTTP endpoints on this machine, and to nowhere else.

An endpoint is checked when it is subscribed, but a name may lead somewhere else later, and an endpoint may answer with
a redirect. So each connection is made to an address that has been looked at, redirects are not followed, and no proxy
is asked.
"""

from __future__ import annotations

import http.client
import socket
import urllib.request
from ipaddress import ip_address
from typing import IO, Any


class NotOnThisMachine(OSError):
    """An endpoint leads away from this machine."""


def post(request: urllib.request.Request, timeout: float) -> None:
    """Send a request; raise OSError or HTTPException if it isn't taken."""
    _OPENER.open(request, timeout=timeout).close()


def _connect(
    address: tuple[str, int], timeout: float | None = None, source_address: tuple[str, int] | None = None
) -> socket.socket:
    """Connect to one of the addresses of a name; all of them have to be loopback addresses."""
    host, port = address
    found = [entry[4] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for place in found:
        if not ip_address(str(place[0]).partition("%")[0]).is_loopback:
            raise NotOnThisMachine(f"{host} leads to {place[0]}, which is not on this machine")
    error: OSError = NotOnThisMachine(f"{host} has no address")
    for place in found:
        try:
            return socket.create_connection((str(place[0]), port), timeout, source_address)
        except OSError as failed:
            error = failed
    raise error


class _Connection(http.client.HTTPConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = _connect


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = _connect


class _Handler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, req)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_SecureConnection, req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Follow no redirect: the answer stays an error."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Handler, _SecureHandler, _NoRedirect)
