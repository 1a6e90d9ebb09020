"""A host in this process, and boto3 clients that reach it without a socket."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from werkzeug.test import run_wsgi_app

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Journal, Origin

ENDPOINT = "http://127.0.0.1:4566"
CREDENTIALS = Credentials("LKIASANDBOXTEST", "secret", "token")
SESSION = boto3.session.Session()
"""One for all: a session keeps the service models that it has read."""
ORIGIN = Origin(start=1793610000.0, frozen=True, seed=7, provision=True, region="eu-west-1")


class Body:
    """What botocore reads an answer from."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content

    def read(self, *_: Any) -> bytes:
        content, self._content = self._content, b""
        return content


def open_host(journal: Path, origin: Origin = ORIGIN) -> Host:
    """A host on a journal, new or not; close it before the next is opened: they share the process's time."""
    return Host(origin, Journal(journal), CREDENTIALS, ENDPOINT)


def client_maker(host: Host) -> Callable[[str], Any]:
    """What makes boto3 clients of a host."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        answer, status, headers = run_wsgi_app(host, _environment(request))
        content = b"".join(answer)
        return AWSResponse(request.url, int(status.split()[0]), headers, Body(content))

    def make(service: str) -> Any:
        client = SESSION.client(
            service,
            region_name="eu-west-1",
            endpoint_url=ENDPOINT,
            aws_access_key_id=CREDENTIALS.access_key_id,
            aws_secret_access_key=CREDENTIALS.secret_access_key,
            config=Config(retries={"max_attempts": 0}),
        )
        client.meta.events.register("before-send", send)
        return client

    return make


def _environment(request: AWSPreparedRequest) -> dict[str, Any]:
    url = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    body = body.encode() if isinstance(body, str) else body
    environment: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(url.path or "/").decode("latin-1"),
        "QUERY_STRING": url.query,
        "RAW_URI": (url.path or "/") + (f"?{url.query}" if url.query else ""),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "4566",
        "HTTP_HOST": "127.0.0.1:4566",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in request.headers.items():
        text = value.decode() if isinstance(value, bytes) else value
        key = name.upper().replace("-", "_")
        environment[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    environment["CONTENT_LENGTH"] = str(len(body))
    return environment
