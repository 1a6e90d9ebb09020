"""Rewrites admitted requests into one form: signed in the header, by version 4.

Code behind the gate then needn't know that a URL may carry a signature. moto looks for the service, the region and the
caller in the `Authorization` header; without one it guesses, even from the body. And S3 treats a parameter `x-amz-…` of
a presigned URL as the header of that name, which is how SDKs sign headers that a browser won't send.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote_plus

from werkzeug.wrappers import Request

from labkit.sandbox.kernel.signatures import ALGORITHM, Signature
from labkit.sandbox.kernel.signing import target

_OF_THE_SIGNATURE = frozenset(
    (
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"),
        *("x-amz-signature", "awsaccesskeyid", "signature", "expires"),
        *("content-type", "content-md5"),  # boto3 writes them into URLs of version 2; the headers count
    )
)


def to_header_form(request: Request, signature: Signature) -> None:
    """Rewrite an admitted request in place, unless it is already signed in the header by version 4."""
    if signature.version == 4 and not signature.presigned:
        return
    environ = request.environ
    day = signature.date or "20000101"  # version 2 has no scope, and a scope must have a day to be parsed
    credential = f"{signature.access_key_id}/{day}/{signature.region}/{signature.service}/aws4_request"
    environ["HTTP_AUTHORIZATION"] = (
        f"{ALGORITHM} Credential={credential}, SignedHeaders=host, Signature={'0' * 64}"  # it was checked: not again
    )
    environ.setdefault("HTTP_X_AMZ_DATE", signature.moment)
    if signature.presigned:
        path, query = target(request)
        kept = "&".join(part for part in query.split("&") if not _is_dropped(part))
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name.lower().startswith("x-amz-") and name.lower() not in _OF_THE_SIGNATURE:
                environ.setdefault(f"HTTP_{name.upper().replace('-', '_')}", value)
        environ["QUERY_STRING"], environ["RAW_URI"] = kept, f"{path}?{kept}" if kept else path
        request.query_string = kept.encode("latin-1")
        # werkzeug caches these on the request, and they were read from the old query string.
        for cached in ("args", "values", "full_path", "url"):
            request.__dict__.pop(cached, None)


def _is_dropped(parameter: str) -> bool:
    """Tell whether a parameter of a presigned URL stands for a header or belongs to the signature."""
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return name.startswith("x-amz-") or name in _OF_THE_SIGNATURE
