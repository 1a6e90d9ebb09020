"""A host in this process, and boto3 clients that reach it without a socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.credentials import Credentials as Signer
from urllib3 import HTTPResponse
from werkzeug.test import Client, run_wsgi_app

from labkit.lab import session
from labkit.lab.calls import Recorder
from labkit.lab.cloud import SandboxCloud
from labkit.lab.settings import Settings
from labkit.notebook import Lab
from labkit.sandbox.credentials import Credentials
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Journal, Origin
from labkit.sandbox.kernel.machine_time import Moments
from labkit.sandbox.process import Server
from tests import conftest

ENDPOINT = "http://127.0.0.1:4566"
CREDENTIALS = Credentials("LKIASANDBOXTEST", "secret", "token")
SERVER = Server(ENDPOINT, 4566, 0, *vars(CREDENTIALS).values())
"""What clients are told of a host."""
CONTROL_HEADERS = {"Authorization": f"Bearer {CREDENTIALS.token}", "Host": "127.0.0.1:4566"}
ORIGIN = Origin(start=1793610000.0, frozen=True, seed=7, provision=True, region="eu-west-1")
BARE = replace(ORIGIN, provision=False)
"""An account without the lab's environment, which takes a moment to deploy."""


def open_host(journal: Path, origin: Origin = ORIGIN, moments: Moments | None = None, **options: Any) -> Host:
    """A host on a journal, new or not; close it before the next is opened: they share the process's time.

    Clients in this process sign by the sandbox's clock, which is the machine's for them and for the host.
    """
    moments = moments or Moments(machine=time.time)
    return Host(origin, Journal(journal), CREDENTIALS, ENDPOINT, moments=moments, **options)


def client_maker(host: Host) -> Callable[[str], Any]:
    """What makes boto3 clients of a host."""

    def make(service: str) -> Any:
        client = conftest.client_maker(SERVER)(service)
        client.meta.events.register("before-send", sender(host))
        return client

    return make


def sender(host: Host, after: Callable[[], None] = lambda: None) -> Callable[..., AWSResponse]:
    """What hands a client's requests to a host, to be registered for `before-send`; `after` follows each answer."""

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        answer, status, headers = run_wsgi_app(host, environment(request))
        raw = HTTPResponse(BytesIO(b"".join(answer)), preload_content=False)
        after()
        return AWSResponse(request.url, int(status.split()[0]), headers, raw)

    return send


def send_signed(
    host: Host,
    service: str,
    body: bytes,
    headers: dict[str, str],
    *,
    path: str = "/",
    method: str = "POST",
    payload: str | None = None,
) -> AWSResponse:
    """A host's answer to a request as it stands, signed; `service` is the name that requests are signed with.

    `payload` is what stands for the body in the signature, if it is not the body's hash.
    """
    request = AWSRequest(method=method, url=f"{ENDPOINT}{path}", data=body, headers=headers)
    signer = Signer(CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key)
    auth = (S3SigV4Auth if service == "s3" else SigV4Auth)(signer, service, "eu-west-1")
    if payload is not None:
        auth.payload = lambda _: payload  # type: ignore[method-assign]
    auth.add_auth(request)
    return sender(host)(request.prepare())


class InProcessCloud(SandboxCloud):
    """The lab's sandbox cloud on a host in this process; `after` follows each answer to whatever was asked of it."""

    def __init__(self, host: Host, after: Callable[[], None] = lambda: None) -> None:
        super().__init__(SERVER)
        self.host = host
        self._after = after

    def session(self, region: str, calls: Recorder) -> boto3.Session:
        """A session whose clients need no socket."""
        session = super().session(region, calls)
        session.events.register("before-send", sender(self.host, self._after))
        return session

    def follow(self, link: str) -> None:
        """Opens a link from a mail."""
        self._ask("GET", link.removeprefix(ENDPOINT))

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask(method, f"/_sandbox{path}", body)

    def _ask(self, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
        answer = Client(self.host).open(address, method=method, json=body, headers=CONTROL_HEADERS)
        self._after()
        assert answer.status_code == 200, answer.text
        return answer.json if answer.is_json else None


@contextmanager
def open_lab(folder: Path) -> Iterator[Lab]:
    """The lab on a host of its own in this process, `lab.cloud.host`; what it keeps lies in the folder."""
    with closing(open_host(folder / "journal.sqlite")) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(folder / "home"))
        lab = Lab(Settings(), InProcessCloud(host))
        patch.setattr(session.Lab, "last_opened", lab)
        yield lab


def environment(request: AWSPreparedRequest) -> dict[str, Any]:
    """The WSGI environment of a request that a client of boto3's would send."""
    url = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body or b""
    body = body.encode() if isinstance(body, str) else body
    made: dict[str, Any] = {
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
    }
    for name, value in request.headers.items():
        text = value.decode() if isinstance(value, bytes) else value
        key = name.upper().replace("-", "_")
        made[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = text
    made["CONTENT_LENGTH"] = str(len(body))
    return made
