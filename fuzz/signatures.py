"""Who signed a request: any method, address and headers are refused with an error of AWS's, before the body is read.

An input is a method, an address and headers, one a line. Nobody can sign without the secret, so nobody gets in.
"""

from __future__ import annotations

from http import HTTPStatus

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.kernel.admission import Gate, check_address
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.machine_time import Moments

KEY = "LKIASANDBOXTEST"
NOW = 1793610000
TIME = "20261102T090000Z"
SCOPE = f"{KEY}/20261102/eu-west-1/s3/aws4_request"
NONE = "0" * 64

WORDS = [
    *("AWS4-HMAC-SHA256 ", "AWS ", "Bearer ", "Credential=", "SignedHeaders=", "Signature=", ", ", "/", ";", "&", "?"),
    *("X-Amz-Date: ", "Date: ", "Authorization: ", "X-Amz-Content-SHA256: ", "X-Amz-Target: ", "X-Amz-Expires=", "\n"),
    *("X-Amz-Algorithm=", "X-Amz-Credential=", "X-Amz-Signature=", "X-Amz-SignedHeaders=", "AWSAccessKeyId=", "%2F"),
    *("Expires=", "Mon, 02 Nov 2026 09:00:00 GMT", TIME, "20260230", "eu-west-1", "logs", "s3", "aws4_request", SCOPE),
    *("99999999999999999999", "-1", "UNSIGNED-PAYLOAD", NONE, "host", "SignatureVersion=2", "Action=", "\u00b2"),
]

_HEADER = f"AWS4-HMAC-SHA256 Credential={SCOPE}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={NONE}"
_QUERY = (
    f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={SCOPE.replace('/', '%2F')}&X-Amz-Date={TIME}"
    f"&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature={NONE}"
)
SEEDS = [
    text.encode()
    for text in (
        f"GET /bucket/key\nX-Amz-Date: {TIME}\nX-Amz-Content-SHA256: {NONE}\nAuthorization: {_HEADER}",
        f"POST /\nX-Amz-Date: {TIME}\nAuthorization: {_HEADER.replace('s3', 'logs')}\nX-Amz-Target: Logs.A",
        f"POST /\nDate: Mon, 02 Nov 2026 09:00:00 GMT\nAuthorization: {_HEADER.replace('s3', 'ec2')}",
        f"GET /bucket/key?{_QUERY}",
        f"GET /?Action=ListTopics&{_QUERY.replace('s3', 'sns')}",
        f"PUT /bucket/key?AWSAccessKeyId={KEY}&Signature=abc%3D&Expires={NOW + 60}&x-amz-acl=private",
        f"GET /bucket?policy\nDate: Mon, 02 Nov 2026 09:00:00 GMT\nAuthorization: AWS {KEY}:abc=",
        "GET /",
    )
]

_GATES = [
    Gate(
        Credentials(KEY, "a secret that no fuzzer guesses", "token"), Moments(machine=lambda: NOW), any_credentials=any_
    )
    for any_ in (False, True)
]


def try_bytes(data: bytes) -> None:
    """Ask to be let in, with the sandbox's own key or, where any will do, with another one."""
    request = _request(data.decode("latin-1"))
    try:
        check_address(request)
    except ServiceError:
        return
    for gate in _GATES:
        try:
            signature = gate.admit(request, NOW, lambda: NONE)
        except ServiceError as error:
            _check_refusal(error)
        else:
            assert gate is _GATES[1], data
            assert signature.access_key_id != KEY, data


def _check_refusal(error: ServiceError) -> None:
    assert 400 <= error.status < 500 or error.status == HTTPStatus.NOT_IMPLEMENTED, error
    assert error.message


def _request(text: str) -> Request:
    """Build a request as the server hands it on: whatever its parser lets through of a header."""
    first, *lines = text.split("\n")
    method, _, address = first.partition(" ")
    path, _, query = address.partition("?")
    environ = EnvironBuilder("/").get_environ()
    environ |= {"REQUEST_METHOD": method.upper() or "GET", "PATH_INFO": path, "QUERY_STRING": query, "RAW_URI": address}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            environ[f"HTTP_{name.strip().upper().replace('-', '_')}"] = value.strip()
    return Request(environ)
