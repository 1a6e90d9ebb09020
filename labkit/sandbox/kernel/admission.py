"""Decides which requests are admitted: by the host they name, by who signed them and when, and by the signature.

Whatever can be rejected without the body is rejected before the body is read. The checks come in AWS's order.

Sources: S3 API Reference, "Error responses" (ErrorResponses.html) and "Authenticating Requests: Using Query
Parameters" (sigv4-query-string-auth.html); IAM User Guide, "Troubleshoot Signature Version 4"
(reference_sigv-troubleshooting.html).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from werkzeug.wrappers import Request

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.kernel import payloads, signing
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.lives import check_life, check_life_v2
from labkit.sandbox.kernel.machine_time import Moments
from labkit.sandbox.kernel.signatures import Signature, malformed

LOCAL_NAMES = frozenset(("127.0.0.1", "localhost", "[::1]"))
MAX_SKEW = timedelta(minutes=15)
BASIC_FORM = "%Y%m%dT%H%M%SZ"
SERVER_FORM = "%Y-%m-%dT%H:%M:%SZ"
Digest = Callable[[], str]
"""Returns the SHA-256 of the body, in hex; reads the body if it has not been read."""


def is_local(host: str) -> bool:
    """Tell whether a `Host` header names this machine, in any case, with or without a port and a trailing dot."""
    # A page in the user's browser can point a name of its own at 127.0.0.1 (DNS rebinding); its Host gives it away.
    name = re.fullmatch(r"(\[[0-9a-fA-F:.]*\]|[^:\[\]]*)(:\d{1,5})?", host)
    return name is not None and name[1].lower().removesuffix(".") in LOCAL_NAMES


def check_address(request: Request) -> None:
    """Raise InvalidURI for a query string that isn't ASCII: other characters have to be percent-encoded."""
    if not request.query_string.isascii():
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI.")


class Gate:
    """Admits requests that are signed with the sandbox's key by a client whose clock is right.

    With `any_credentials` it admits other access keys too, without checking their signatures.
    """

    def __init__(self, credentials: Credentials, moments: Moments, *, any_credentials: bool = False) -> None:
        self._credentials = credentials
        self._moments = moments
        self._any_credentials = any_credentials

    def admit(self, request: Request, reading: float, digest: Digest) -> Signature:
        """Return the signature of a request that may come in; raise AWS's error otherwise.

        `reading` is the sandbox's clock, in seconds since the epoch. `digest` is called, and so the body read, only if
        the signature covers the body and the request doesn't declare its hash. A declared hash is believed here;
        `payloads.check` compares it later.
        """
        signature = Signature.of(request)
        if signature is None:
            raise ServiceError("MissingAuthenticationToken", "Request is missing Authentication Token", status=403)
        if signature.version == 2:
            self._check_time_v2(signature, reading)
        elif signature.service == "s3":
            self._check_s3(request, signature, reading)
        else:
            self._check_others(signature, reading)
        # After the time, as in AWS: only this check may need the body, and an expired request is not worth reading it.
        secret = self._secret(signature)
        if secret is not None:
            _check_signature(request, signature, secret, digest)
        return signature

    def chunks(self, request: Request, signature: Signature) -> payloads.ChunkedBody | None:
        """Return a reader for the body of an admitted request if it is chunked (`aws-chunked`); None if it isn't."""
        if not payloads.is_chunked(request.headers, signature):
            return None
        secret, signed_at = self._secret(signature), _moment(signature.moment)
        if secret is None or signed_at is None or signature.presigned:
            return payloads.ChunkedBody(request.headers)
        key, scope = signing.signing_key(secret, signature), signing.scope(signature)
        signer = payloads.ChunkSigner(key, signed_at.strftime(BASIC_FORM), scope, signature.signature)
        return payloads.ChunkedBody(request.headers, signer)

    def _secret(self, signature: Signature) -> str | None:
        """Return the secret of the signature's access key; None if the key is unknown and any key will do."""
        if signature.access_key_id == self._credentials.access_key_id:
            return self._credentials.secret_access_key
        if self._any_credentials:
            return None
        message = "The security token included in the request is invalid."
        raise ServiceError("InvalidClientTokenId", message, status=403)

    def _check_s3(self, request: Request, signature: Signature, reading: float) -> None:
        now = self._now()
        if signature.presigned:
            signed_at = _moment(signature.moment)
            if signed_at is None or not signature.moment.endswith("Z") or "T" not in signature.moment:
                raise ServiceError("AuthorizationQueryParametersError", _LONG_FORMAT)
            check_life(signature, signed_at, now, reading, self._moments)
        else:
            payloads.check_header(request.headers)
            signed_at = _moment(signature.moment)
            if signed_at is None:
                raise ServiceError("AccessDenied", _NO_DATE, status=403)
            if abs(now - signed_at) > MAX_SKEW:
                raise _skewed(signature.moment, now)
        if fault := _scope_fault_s3(signature, signed_at):
            raise malformed(fault, presigned=signature.presigned)
        _check_all_signed(request, signature)

    def _check_others(self, signature: Signature, reading: float) -> None:
        signed_at = _moment(signature.moment)
        if signed_at is None:
            message = f"Date must be in ISO-8601 'basic format'. Got '{signature.moment:.100}'."
            raise ServiceError("IncompleteSignature", f"{message} See http://en.wikipedia.org/wiki/ISO_8601")
        if signature.presigned and signature.expires:
            check_life(signature, signed_at, self._now(), reading, self._moments)
        else:
            _check_age(signed_at, self._now())
        if faults := _scope_faults(signature, signed_at):
            raise ServiceError("SignatureDoesNotMatch", faults, status=403)
        if "host" not in signature.signed_headers:
            message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
            raise ServiceError("SignatureDoesNotMatch", message, status=403)

    def _check_time_v2(self, signature: Signature, reading: float) -> None:
        if signature.presigned:
            check_life_v2(signature, reading, self._moments)
            return
        signed_at, now = _moment(signature.moment), self._now()
        if signed_at is None:
            raise ServiceError("AccessDenied", _NO_DATE, status=403)
        if abs(now - signed_at) > MAX_SKEW:
            raise _skewed(signature.moment, now)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._moments.machine(), UTC)


def _moment(text: str) -> datetime | None:
    """Read a date in ISO 8601's basic form or in one of HTTP's; None if it can't be read."""
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", text, re.ASCII):
            return datetime.strptime(text, BASIC_FORM).replace(tzinfo=UTC)
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _check_age(signed_at: datetime, now: datetime) -> None:
    """Reject a request signed more than 15 minutes ago or ahead, in the words of all services but S3."""
    signed, present = signed_at.strftime(BASIC_FORM), now.strftime(BASIC_FORM)
    if now - signed_at > MAX_SKEW:
        bound = (now - MAX_SKEW).strftime(BASIC_FORM)
        message = f"Signature expired: {signed} is now earlier than {bound} ({present} - 15 min.)"
        raise ServiceError("SignatureDoesNotMatch", message, status=403)
    if signed_at - now > MAX_SKEW:
        bound = (now + MAX_SKEW).strftime(BASIC_FORM)
        message = f"Signature not yet current: {signed} is still later than {bound} ({present} + 15 min.)"
        raise ServiceError("SignatureDoesNotMatch", message, status=403)


def _skewed(sent: str, now: datetime) -> ServiceError:
    return ServiceError(
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        status=403,
        RequestTime=sent,
        ServerTime=now.strftime(SERVER_FORM),
        MaxAllowedSkewMilliseconds=str(int(MAX_SKEW.total_seconds() * 1000)),
    )


def _is_region(text: str) -> bool:
    return re.fullmatch(r"[a-z]{2,4}(-[a-z]{1,16}){1,3}-\d{1,2}", text, re.ASCII) is not None


def _is_service(text: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text, re.ASCII) is not None


def _scope_fault_s3(signature: Signature, signed_at: datetime) -> str | None:
    """Return what is wrong with the credential scope of a request to S3, in S3's words; None if nothing is."""
    if not _is_day(signature.date):
        return (
            f'incorrect date format "{signature.date}". This date in the credential must be in the format "yyyyMMdd".'
        )
    if not signature.region:
        return "a non-empty region must be provided in the credential."
    if not _is_region(signature.region):
        return f"the region '{signature.region}' is wrong; expecting 'us-east-1'"
    if signature.terminator != "aws4_request":
        return f'incorrect terminal "{signature.terminator}". This endpoint uses "aws4_request".'
    if signature.date != signed_at.strftime("%Y%m%d"):
        if signature.presigned:
            return (
                f'Invalid credential date "{signature.date}". This date is not the same as X-Amz-Date: '
                f'"{signed_at:%Y%m%d}".'
            )
        return "Invalid credential date. Date is not the same as X-Amz-Date."
    return None


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{8}", text, re.ASCII):
        return False
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return True


def _scope_faults(signature: Signature, signed_at: datetime) -> str:
    """Return everything that is wrong with a credential scope, as all services but S3 do; empty if nothing is."""
    faults = []  # these services list all faults at once, S3 only the first
    if not _is_region(signature.region):
        faults.append("Credential should be scoped to a valid region.")
    if not _is_service(signature.service):
        faults.append(f"Credential should be scoped to correct service, not '{signature.service:.100}'.")
    if signature.terminator != "aws4_request":
        faults.append(
            f"Credential should be scoped with a valid terminator: 'aws4_request', not '{signature.terminator:.100}'."
        )
    if signature.date != signed_at.strftime("%Y%m%d"):
        faults.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{signature.date:.100}' != '{signed_at:%Y%m%d}', from '{signed_at.strftime(BASIC_FORM)}'."
        )
    return " ".join(faults)


def _check_all_signed(request: Request, signature: Signature) -> None:
    """Reject a request to S3 with unsigned headers that change what it does: anybody could have added them."""
    unsigned = sorted(
        name
        for name in {name.lower() for name, _ in request.headers} - set(signature.signed_headers)
        if name in ("host", "content-md5") or (name.startswith("x-amz-") and name != "x-amz-content-sha256")
    )
    if unsigned:
        message = "There were headers present in the request which were not signed"
        raise ServiceError("AccessDenied", message, status=403, HeadersNotSigned=", ".join(unsigned))


def _check_signature(request: Request, signature: Signature, secret: str, digest: Digest) -> None:
    if signature.version == 2:
        texts, canonical = signing.strings_to_sign_v2(request, signature), ""
        wanted = [signing.sign_v2(secret, text) for text in texts]
    else:
        payload = payloads.declared(request.headers, signature.service)
        if payload is None and signature.presigned and signature.service == "s3":
            payload = signing.UNSIGNED_PAYLOAD
        signed_at = _moment(signature.moment)
        assert signed_at is not None, "a signature's time is checked before"
        canonical = signing.canonical_request(request, signature, payload if payload is not None else digest())
        texts = [signing.string_to_sign(signature, signed_at.strftime(BASIC_FORM), canonical)]
        wanted = [signing.sign(signing.signing_key(secret, signature), texts[0])]
    given = signature.signature.encode("utf-8", "surrogateescape")
    # Bytes, not str: compare_digest raises TypeError for a str that isn't ASCII, and this one comes from outside.
    if any(hmac.compare_digest(each.encode(), given) for each in wanted):
        return
    if signature.service != "s3":
        raise payloads.signature_mismatch()
    details = {"AWSAccessKeyId": signature.access_key_id, "StringToSign": texts[0]}
    details |= {"SignatureProvided": signature.signature} | ({"CanonicalRequest": canonical} if canonical else {})
    raise ServiceError("SignatureDoesNotMatch", _MISMATCH_S3, status=403, **details)


_LONG_FORMAT = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
_NO_DATE = "AWS authentication requires a valid Date or x-amz-date header"
_MISMATCH_S3 = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
