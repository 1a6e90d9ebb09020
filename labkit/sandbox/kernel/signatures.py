"""Parses the signature of a request: Signature Version 4 in a header or a URL, and S3's Signature Version 2.

It only checks whether the signature can be parsed, and never looks at the body. AWS words its errors in two ways: as S3
does, and as all other services do.

Sources: IAM User Guide, "AWS Signature Version 4 for API requests" (reference_sigv.html) and "Troubleshoot Signature
Version 4" (reference_sigv-troubleshooting.html); S3 API Reference, "Authenticating Requests" (sig-v4-authenticating-
requests.html); S3 User Guide, "Authenticating Requests (AWS Signature Version 2)" (auth-request-sig-v2.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from werkzeug.wrappers import Request

from labkit.sandbox.kernel.errors import ServiceError, not_here

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_REGION = "us-east-1"
"""The region of a request signed by Version 2, which has no regions."""
QUERY_PARAMETERS = ("X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires")
_ASYMMETRIC = "AWS4-ECDSA-P256-SHA256"
_HEADER_MALFORMED = "The authorization header is malformed; "
_QUERY_MALFORMED = "Error parsing the X-Amz-Credential parameter; "


@dataclass(frozen=True)
class Signature:
    """A parsed signature: whose it is, and what it covers."""

    access_key_id: str
    date: str
    """The day of the credential scope; empty in version 2."""
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    presigned: bool
    version: int = 4
    terminator: str = "aws4_request"
    moment: str = ""
    """When it was signed, as sent in `X-Amz-Date` or `Date`; for a URL of version 2, when it expires."""
    expires: str = ""
    """How many seconds a URL of version 4 lives, as it was sent."""

    @classmethod
    def of(cls, request: Request) -> Signature | None:
        """Return the signature of a request; None if it has none. Raise AWS's error if it can't be parsed."""
        header = request.headers.get("Authorization", "").strip()
        in_query = is_presigned_v4(request), is_presigned_v2(request)
        if sum((bool(header), *in_query)) > 1:
            raise ServiceError("InvalidArgument", _ONE_MECHANISM, ArgumentName="Authorization", ArgumentValue=header)
        if in_query[0]:
            return _of_query(request)
        if in_query[1]:
            return _of_query_v2(request)
        if not header:
            return None
        scheme, _, rest = header.partition(" ")
        if scheme == ALGORITHM:
            return _of_header(request, rest.strip(), header)
        if scheme == "AWS":
            return _of_header_v2(request, rest.strip(), header)
        if scheme == _ASYMMETRIC:
            raise not_here("Signature Version 4A")
        if is_for_s3(request):
            message = "Unsupported Authorization Type"
            raise ServiceError("InvalidArgument", message, ArgumentName="Authorization", ArgumentValue=header)
        raise ServiceError("IncompleteSignature", f"Unsupported AWS 'algorithm': '{scheme:.100}'.")


def is_signed(request: Request) -> bool:
    """Tell whether a request has a signature, valid or not."""
    header = request.headers.get("Authorization", "").strip()
    return header.startswith("AWS") or is_presigned_v4(request) or is_presigned_v2(request)


def is_presigned_v4(request: Request) -> bool:
    """Tell whether the query of a request has a signature of version 4."""
    return any(name in request.args for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"))


def is_presigned_v2(request: Request) -> bool:
    """Tell whether the query string of a request has a signature of version 2."""
    return "Signature" in request.args and "AWSAccessKeyId" in request.args


def service_of(request: Request) -> str:
    """Guess which service a request is for, so that errors are worded as that service does. It needn't exist."""
    credential = re.search(r"Credential=([^,\s]+)", request.headers.get("Authorization", ""))
    scope = (credential[1] if credential else request.args.get("X-Amz-Credential", "")).split("/")
    if len(scope) == 5:
        return scope[3]
    if "X-Amz-Target" in request.headers or "smithy-protocol" in request.headers:
        return "logs"
    return "sts" if "Action" in request.args or (request.method == "POST" and request.path == "/") else "s3"


def is_for_s3(request: Request) -> bool:
    """Tell whether a request is for S3, as far as can be seen before its signature is parsed."""
    return service_of(request) == "s3"


def _of_header(request: Request, text: str, header: str) -> Signature:
    """Read `Credential=…, SignedHeaders=…, Signature=…`."""
    of_s3 = is_for_s3(request)
    parts = _parts(text, header, of_s3=of_s3)
    moment = request.headers.get("X-Amz-Date") or request.headers.get("Date", "")
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if missing and of_s3:
        raise ServiceError("AuthorizationHeaderMalformed", _HEADER_MALFORMED + _THREE_COMPONENTS)
    if not moment and of_s3:
        raise ServiceError("AccessDenied", _NO_DATE, status=403)
    if not moment:
        missing.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
    if missing:
        raise ServiceError("IncompleteSignature", f"{' '.join(missing)} Authorization={header:.400}")
    key, date, region, service, terminator = _scope(parts["Credential"], of_s3=of_s3, presigned=False)
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    signature = parts["Signature"]
    return Signature(key, date, region, service, signed, signature, False, terminator=terminator, moment=moment)


def _parts(text: str, header: str, *, of_s3: bool) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in re.split(r"[,\s]+", text):
        name, equals, value = part.partition("=")
        if part and not equals and not of_s3:
            message = (
                f"'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header:.400}'."
            )
            raise ServiceError("IncompleteSignature", message)
        parts.setdefault(name, value)  # the first one counts
    return parts


def _scope(credential: str, *, of_s3: bool, presigned: bool) -> list[str]:
    """Split a credential into the access key, the day, the region, the service and the terminator."""
    parts = credential.split("/")
    if len(parts) == 5:
        return parts
    if not of_s3:
        message = f"{_FIVE_ELEMENTS}, got '{credential:.400}'"
        raise ServiceError("IncompleteSignature", message)
    raise malformed(_MALFORMED_CREDENTIAL, presigned=presigned)


def malformed(what: str, *, presigned: bool) -> ServiceError:
    """Return S3's error for a malformed credential; `what` says what is wrong with it."""
    if presigned:
        return ServiceError("AuthorizationQueryParametersError", _QUERY_MALFORMED + what)
    return ServiceError("AuthorizationHeaderMalformed", _HEADER_MALFORMED + what)


def _of_query(request: Request) -> Signature:
    """Read the X-Amz parameters of a URL."""
    args, of_s3 = request.args, is_for_s3(request)
    algorithm = args.get("X-Amz-Algorithm", "")
    if algorithm == _ASYMMETRIC:
        raise not_here("Signature Version 4A")
    if algorithm and algorithm != ALGORITHM:
        if of_s3:
            raise ServiceError("AuthorizationQueryParametersError", _ONLY_ALGORITHMS)
        raise ServiceError("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm:.100}'.")
    required = ("X-Amz-Algorithm", *QUERY_PARAMETERS) if of_s3 else ("X-Amz-Algorithm", *QUERY_PARAMETERS[:-1])
    if missing := [name for name in required if not args.get(name)]:
        if of_s3:
            raise ServiceError("AuthorizationQueryParametersError", _SIX_PARAMETERS)
        raise ServiceError(
            "IncompleteSignature", " ".join(f"AWS query-string parameters must include '{name}'." for name in missing)
        )
    key, date, region, service, terminator = _scope(args["X-Amz-Credential"], of_s3=of_s3, presigned=True)
    signed = tuple(args["X-Amz-SignedHeaders"].lower().split(";"))
    return Signature(
        key, date, region, service, signed, args["X-Amz-Signature"], True,
        terminator=terminator, moment=args["X-Amz-Date"], expires=args.get("X-Amz-Expires", ""),
    )  # fmt: skip


def _of_header_v2(request: Request, text: str, header: str) -> Signature:
    """Read `AWS KEY:SIGNATURE`."""
    key, colon, signature = text.partition(":")
    if not (key and colon and signature) or " " in text:
        message = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        raise ServiceError("InvalidArgument", message, ArgumentName="Authorization", ArgumentValue=header)
    moment = request.headers.get("X-Amz-Date") or request.headers.get("Date", "")
    if not moment:
        raise ServiceError("AccessDenied", _NO_DATE, status=403)
    return Signature(key, "", DEFAULT_REGION, "s3", (), signature, False, version=2, moment=moment)


def _of_query_v2(request: Request) -> Signature:
    """Read AWSAccessKeyId, Signature and Expires of a URL."""
    args = request.args
    if "SignatureVersion" in args:
        raise not_here("Signature Version 2 of other services than S3")
    if not args.get("Expires"):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise ServiceError("AccessDenied", message, status=403)
    key, signature, expires = args["AWSAccessKeyId"], args["Signature"], args["Expires"]
    return Signature(key, "", DEFAULT_REGION, "s3", (), signature, True, version=2, moment=expires)


_ONE_MECHANISM = (
    "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or "
    "the Authorization header should be specified"
)
_NO_DATE = "AWS authentication requires a valid Date or x-amz-date header"
_THREE_COMPONENTS = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
_MALFORMED_CREDENTIAL = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
_FIVE_ELEMENTS = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
_ONLY_ALGORITHMS = 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'
_SIX_PARAMETERS = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
