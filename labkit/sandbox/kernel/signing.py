"""Computes signatures as AWS does: version 4 for all services, version 2 for S3.

Sources: IAM User Guide, "Create a signed AWS API request" (reference_sigv-create-signed-request.html); S3 User Guide,
"Signing and Authenticating REST Requests" (RESTAuthentication.html).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote, unquote

from werkzeug.wrappers import Request

from labkit.sandbox.kernel.signatures import ALGORITHM, Signature

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_SUBRESOURCES = frozenset(
    (
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location"),
        *("logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment"),
        *("response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires", "restore", "select"),
        *("select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning"),
        *("versions", "website"),
    )
)
"""The query parameters that version 2 covers; it ignores all others."""


def canonical_request(request: Request, signature: Signature, payload: str) -> str:
    """Return the canonical request of version 4; `payload` is the hash of the body, or what stands for it."""
    raw_path, raw_query = target(request)
    # The path is encoded a second time, except for S3, whose keys may contain anything.
    path = raw_path if signature.service == "s3" else quote(raw_path, safe="/-_.~")
    values = ((name, request.headers.get(name, "")) for name in signature.signed_headers)
    headers = "".join(f"{name}:{' '.join(value.split())}\n" for name, value in values)
    signed = ";".join(signature.signed_headers)
    return "\n".join([request.method, path or "/", _canonical_query(raw_query), headers, signed, payload])


def string_to_sign(signature: Signature, moment: str, canonical: str) -> str:
    """Return the text that version 4 signs; `moment` is in ISO 8601's basic form (20261201T133000Z)."""
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{moment}\n{scope(signature)}\n{digest}"


def scope(signature: Signature) -> str:
    """Return the credential scope (`20261201/eu-west-1/s3/aws4_request`), without the access key."""
    return f"{signature.date}/{signature.region}/{signature.service}/{signature.terminator}"


def signing_key(secret: str, signature: Signature) -> bytes:
    """Return the key that version 4 derives for one day, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope(signature).split("/"):
        key = hmac.digest(key, part.encode("utf-8", "surrogateescape"), "sha256")
    return key


def sign(key: bytes, text: str) -> str:
    """Return version 4's signature of a text."""
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256").hex()


def strings_to_sign_v2(request: Request, signature: Signature) -> list[str]:
    """Return the texts that version 2 may sign: boto3 adds a slash after the name of a bucket, other clients don't.

    In a URL, a header `x-amz-…` may be in the query instead, which is where boto3 puts it.
    """
    headers = {name.lower(): value.strip() for name, value in request.headers.items()}
    if signature.presigned:
        args = {name.lower(): value for name, value in request.args.items()}
        headers |= {name: value for name, value in args.items() if name.startswith("x-amz-")}
        date = signature.moment
    else:
        date = "" if "x-amz-date" in headers else headers.get("date", "")
    custom = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-amz-"))
    standard = "\n".join([request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date])
    path, query = target(request)
    paths = [path, f"{path}/"] if path.count("/") == 1 and path != "/" else [path]
    return [f"{standard}\n{custom}{each}{_covered(query)}" for each in paths]


def sign_v2(secret: str, text: str) -> str:
    """Return version 2's signature of a text."""
    return base64.b64encode(hmac.digest(secret.encode(), text.encode("utf-8", "surrogateescape"), "sha1")).decode()


def target(request: Request) -> tuple[str, str]:
    """Return the path and the query of a request as they were sent."""
    # Not from werkzeug's decoded path: decoding and encoding again doesn't give back what the client signed.
    path, _, query = request.environ.get("RAW_URI", request.full_path).partition("?")
    if path.startswith("http://"):  # a request as it is sent to a proxy
        path = "/" + path.removeprefix("http://").partition("/")[2]
    return path, query


def _canonical_query(raw_query: str) -> str:
    pairs = [part.partition("=") for part in raw_query.split("&") if part]
    return "&".join(f"{name}={value}" for name, _, value in sorted(pairs) if name != "X-Amz-Signature")


def _covered(query: str) -> str:
    """Return the part of a query that version 2 covers, with its question mark; empty if there is none."""
    pairs = [part.partition("=") for part in query.split("&")]
    covered = sorted((name, unquote(value), equals) for name, equals, value in pairs if name in _SUBRESOURCES)
    return ("?" if covered else "") + "&".join(f"{name}{equals}{value}" for name, value, equals in covered)
