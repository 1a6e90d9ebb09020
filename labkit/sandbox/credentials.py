"""The sandbox's own credentials, and the check that a request was made with them (AWS Signature Version 4).

The procedure is that of "Create a signed AWS API request" in the IAM User Guide.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from werkzeug.wrappers import Request

from labkit.sandbox.service import ServiceError

_HEADER = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,\s]+),\s*SignedHeaders=(?P<signed>[^,\s]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]+)"
)


@dataclass(frozen=True)
class Credentials:
    """An access key of the sandbox, and the token of its control API."""

    access_key_id: str
    secret_access_key: str
    token: str

    @classmethod
    def create(cls) -> Credentials:
        """New random credentials."""
        return cls(f"LKIASANDBOX{secrets.token_hex(5).upper()}", secrets.token_urlsafe(30), secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Signature:
    """What a request says of its signer: an Authorization header, or the X-Amz parameters of a presigned URL."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    presigned: bool

    @classmethod
    def of(cls, request: Request) -> Signature | None:
        """The signature of a request; None where there is none that can be read."""
        header = _HEADER.match(request.headers.get("Authorization", ""))
        if header:
            credential, signed, signature = header["credential"], header["signed"], header["signature"]
        elif "X-Amz-Credential" in request.args:
            credential, signed = request.args["X-Amz-Credential"], request.args.get("X-Amz-SignedHeaders", "")
            signature = request.args.get("X-Amz-Signature", "")
        else:
            return None
        scope = credential.rsplit("/", 4)
        if len(scope) != 5:
            return None
        key, date, region, service, _ = scope
        return cls(key, date, region, service, tuple(signed.split(";")), signature, header is None)


def verify(request: Request, signature: Signature | None, credentials: Credentials) -> None:
    """Raises the error AWS answers a request with that was not signed with these credentials."""
    if signature is None:
        raise ServiceError("MissingAuthenticationToken", "Request is missing Authentication Token", status=403)
    if signature.access_key_id != credentials.access_key_id:
        message = "The security token included in the request is invalid."
        raise ServiceError("InvalidClientTokenId", message, status=403)
    wanted = _sign(request, signature, credentials.secret_access_key)
    if not hmac.compare_digest(wanted, signature.signature):
        raise ServiceError(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
            "Access Key and signing method. Consult the service documentation for details.",
            status=403,
        )


def _sign(request: Request, signature: Signature, secret: str) -> str:
    scope = f"{signature.date}/{signature.region}/{signature.service}/aws4_request"
    moment = request.args["X-Amz-Date"] if signature.presigned else request.headers.get("X-Amz-Date", "")
    digest = hashlib.sha256(_canonical_request(request, signature).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}".encode(), "sha256").hex()


def _canonical_request(request: Request, signature: Signature) -> str:
    raw_path, _, raw_query = request.environ.get("RAW_URI", request.full_path).partition("?")
    path = raw_path if signature.service == "s3" else quote(raw_path, safe="/-_.~")
    values = ((name, request.headers.get(name, "")) for name in signature.signed_headers)
    headers = "".join(f"{name}:{_canonical_value(value)}\n" for name, value in values)
    payload = request.headers.get("X-Amz-Content-SHA256")
    if payload is None:
        payload = "UNSIGNED-PAYLOAD" if signature.presigned else hashlib.sha256(request.get_data()).hexdigest()
    signed = ";".join(signature.signed_headers)
    return "\n".join([request.method, path or "/", _canonical_query(raw_query), headers, signed, payload])


def _canonical_value(value: str) -> str:
    return " ".join(value.split())


def _canonical_query(raw_query: str) -> str:
    def pairs() -> Iterator[tuple[str, str]]:
        for part in filter(None, raw_query.split("&")):
            name, _, value = part.partition("=")
            if name != "X-Amz-Signature":
                yield name, value

    return "&".join(f"{name}={value}" for name, value in sorted(pairs()))
