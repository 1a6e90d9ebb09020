"""Verifies a body against what its request declares about it.

All of it works while a body is read piece by piece: `check` needs only the digest, and `ChunkedBody` takes an upload in
chunks (`aws-chunked`) in pieces of any size and returns the contents of the chunks.

Sources: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple
Chunks" (sigv4-streaming.html), "… Including Trailing Headers (Chunked Upload)" (sigv4-streaming-trailers.html) and
"Error responses" (ErrorResponses.html).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from werkzeug.datastructures import Headers

from labkit.sandbox.kernel import checksums
from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.kernel.signatures import Signature

HEADER = "X-Amz-Content-SHA256"
SIGNED_CHUNKS = frozenset(("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"))
UNSIGNED_CHUNKS = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
_ASYMMETRIC = frozenset(
    ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER")
)
_WORDS = frozenset(("UNSIGNED-PAYLOAD", UNSIGNED_CHUNKS)) | SIGNED_CHUNKS
_EMPTY = hashlib.sha256(b"").hexdigest()
LONGEST_LINE = 4096
"""The most bytes that the head of a chunk, or a trailing header, may have."""
MAX_TRAILERS = 16


def check_header(headers: Headers) -> None:
    """Raise S3's error for a request, signed in its header, whose x-amz-content-sha256 is missing or invalid."""
    value = headers.get(HEADER)
    if value is None:
        raise ServiceError("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if value in _ASYMMETRIC:
        raise not_here("Signature Version 4A")
    if value not in _WORDS and not _is_digest(value):
        raise ServiceError("InvalidArgument", _BAD_VALUE, ArgumentName="x-amz-content-sha256", ArgumentValue=value)


def declared(headers: Headers, service: str) -> str | None:
    """Return what stands for the body in the canonical request; None if that is the body's hash, to be computed.

    Only S3 accepts a word such as UNSIGNED-PAYLOAD in place of a hash.
    """
    value = headers.get(HEADER)
    return value if value is not None and (service == "s3" or _is_digest(value)) else None


def check(headers: Headers, signature: Signature, digest: Callable[[], str]) -> None:
    """Raise AWS's error for a body that differs from the declared hash; `digest` returns its SHA-256 in hex."""
    value = headers.get(HEADER)
    if value is None or not _is_digest(value):
        return
    computed = digest()
    if value.lower() == computed:
        return
    if signature.service != "s3":
        raise signature_mismatch()
    raise ServiceError(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ClientComputedContentSHA256=value,
        S3ComputedContentSHA256=computed,
    )


def signature_mismatch() -> ServiceError:
    """Return the error of all services but S3 for a signature that doesn't match."""
    return ServiceError(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details.",
        status=403,
    )


def is_chunked(headers: Headers, signature: Signature) -> bool:
    """Tell whether a body is in AWS's own chunked encoding (`aws-chunked`)."""
    return signature.service == "s3" and headers.get(HEADER, "").startswith("STREAMING-")


@dataclass
class ChunkSigner:
    """Checks the signatures of chunks. Each covers the previous one; the first covers the request's signature."""

    key: bytes
    moment: str
    scope: str
    previous: str

    def check(self, digest: str, given: str) -> None:
        """Raise SignatureDoesNotMatch for a chunk with a wrong signature; `digest` is its SHA-256 in hex."""
        self._check(
            f"AWS4-HMAC-SHA256-PAYLOAD\n{self.moment}\n{self.scope}\n{self.previous}\n{_EMPTY}\n{digest}", given
        )

    def check_trailer(self, digest: str, given: str) -> None:
        """Raise SignatureDoesNotMatch for trailing headers with a wrong signature."""
        self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self.moment}\n{self.scope}\n{self.previous}\n{digest}", given)

    def _check(self, text: str, given: str) -> None:
        wanted = hmac.digest(self.key, text.encode(), "sha256").hex()
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            message = (
                "The request signature we calculated does not match the signature you provided. Check your key and "
                "signing method."
            )
            raise ServiceError("SignatureDoesNotMatch", message, status=403)
        self.previous = wanted


class ChunkedBody:
    """Decodes a chunked body, in pieces of any size, and checks its framing, signatures, length and checksums.

    It is a state machine: `_step` is the method that reads next. Each such method takes what it can from the rest and
    returns whether it got anywhere.
    """

    def __init__(self, headers: Headers, signer: ChunkSigner | None = None) -> None:
        self.trailers: dict[str, str] = {}
        self._signed = headers.get(HEADER) in SIGNED_CHUNKS
        self._trailing = headers.get(HEADER, "").endswith("-TRAILER")
        self._wanted = _names(headers.get("X-Amz-Trailer", ""))
        self._signer = signer if self._signed else None
        self._length = _decoded_length(headers)
        self._sums = {name: _CHECKSUMS[name]() for name in self._wanted if name in _CHECKSUMS}
        self._read = 0
        self._left = 0
        self._chunk = hashlib.sha256()
        self._chunk_signature = ""
        self._rest = b""
        self._at = 0
        """How far the rest has been read. It is cut once for each piece, so that many small chunks cost no more."""
        self._step = self._head

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece of the body; return the contents of the chunks in it."""
        self._rest += piece
        parts: list[bytes] = []
        while self._step(parts):
            pass
        self._rest, self._at = self._rest[self._at :], 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def finish(self) -> None:
        """Raise AWS's error for a body that ends too early, or isn't what its headers say."""
        if self._step == self._trailer and not self._rest and not self._trailing:
            self._step = self._after  # some clients leave out the empty line at the end
        if self._step != self._after:
            raise ServiceError("IncompleteBody", "The request body terminated unexpectedly")
        if self._read != self._length:
            message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
            raise ServiceError("IncompleteBody", message)
        if missing := self._wanted - set(self.trailers):
            raise _malformed_trailer(f"{', '.join(sorted(missing))} is missing")
        for name, checksum in self._sums.items():
            _check_sum(name, self.trailers[name], checksum.digest())

    def _head(self, parts: list[bytes]) -> bool:
        """Read the head of a chunk: its size in hex, and its signature if the chunks are signed."""
        line = self._line()
        if line is None:
            return False
        head = re.fullmatch(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?", line)
        if head is None or (self._signed and head[2] is None):
            raise _broken(f"the head of a chunk is {line[:80]!r}")
        self._left = int(head[1], 16)
        self._chunk, self._chunk_signature = hashlib.sha256(), (head[2] or b"").decode()
        # Before the contents: the declared length was held against the largest object, the chunks were not.
        if self._read + self._left > self._length:
            raise _broken(f"the chunks hold more than the {self._length} bytes of x-amz-decoded-content-length")
        if self._left:
            self._step = self._content
        else:
            self._check_chunk()  # the last chunk is empty, but signed: without it a body could be cut off unnoticed
            self._step = self._trailer
        return True

    def _content(self, parts: list[bytes]) -> bool:
        content = self._rest[self._at : self._at + self._left]
        if not content:
            return False
        self._at += len(content)
        self._left -= len(content)
        self._read += len(content)
        if self._signer is not None:
            self._chunk.update(content)
        for checksum in self._sums.values():
            checksum.update(content)
        parts.append(content)
        if not self._left:
            self._step = self._end
        return True

    def _end(self, parts: list[bytes]) -> bool:
        if len(self._rest) < self._at + 2:
            return False
        if self._rest[self._at : self._at + 2] != b"\r\n":
            raise _broken("a chunk is longer than it says")
        self._at += 2
        self._check_chunk()
        self._step = self._head
        return True

    def _trailer(self, parts: list[bytes]) -> bool:
        """Read a trailing header; an empty line ends the body."""
        line = self._line()
        if line is None:
            return False
        if not line:
            self._check_trailer()
            self._step = self._after
            return True
        name, colon, value = line.decode("latin-1").partition(":")
        name = name.strip().lower()
        is_signature = name == "x-amz-trailer-signature" and self._signed
        if not colon or not self._trailing or not (is_signature or name in self._wanted):
            raise _malformed_trailer(f"{line[:80]!r} was not announced by x-amz-trailer")
        if len(self.trailers) >= MAX_TRAILERS:
            raise _malformed_trailer(f"there are more than {MAX_TRAILERS} trailing headers")
        self.trailers[name] = value.strip()
        return True

    def _after(self, parts: list[bytes]) -> bool:
        if self._rest[self._at :].strip(b"\r\n"):
            raise _broken("there is more after the last chunk")
        return False

    def _check_chunk(self) -> None:
        if self._signer is not None:
            self._signer.check(self._chunk.hexdigest(), self._chunk_signature)

    def _check_trailer(self) -> None:
        if self._signer is None or not self._trailing:
            return
        given = self.trailers.pop("x-amz-trailer-signature", "")  # it doesn't cover itself
        lines = "".join(f"{name}:{value}\n" for name, value in self.trailers.items())
        self._signer.check_trailer(hashlib.sha256(lines.encode("latin-1")).hexdigest(), given)

    def _line(self) -> bytes | None:
        end = self._rest.find(b"\n", self._at, self._at + LONGEST_LINE)
        if end < 0:
            if len(self._rest) >= self._at + LONGEST_LINE:
                raise _broken(f"a line is longer than {LONGEST_LINE} bytes")
            return None
        line, self._at = self._rest[self._at : end], end + 1
        return line.removesuffix(b"\r")


_CHECKSUMS: dict[str, Callable[[], checksums.Checksum]] = {
    f"x-amz-checksum-{name.lower()}": partial(checksums.new, name) for name in ("CRC32", "SHA1", "SHA256")
}
"""The checksums that Python computes fast; the intake verifies CRC32C and CRC64NVME."""


def _is_digest(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{64}", text, re.ASCII) is not None


def _names(text: str) -> set[str]:
    return {name.strip().lower() for name in text.split(",") if name.strip()}


def _decoded_length(headers: Headers) -> int:
    text = headers.get("X-Amz-Decoded-Content-Length")
    if text is None:
        raise ServiceError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        message = f"x-amz-decoded-content-length is not a number of bytes: {text:.100}"
        raise ServiceError("InvalidArgument", message)
    return int(text)


def _check_sum(name: str, given: str, made: bytes) -> None:
    algorithm = name.rpartition("-")[2].upper()
    try:
        value = base64.b64decode(given, validate=True)
    except ValueError:
        value = b""
    if len(value) != len(made):
        raise ServiceError("InvalidRequest", f"Value for {name} trailing header is invalid.")
    if value != made:
        message = f"The {algorithm} you specified did not match the calculated checksum."
        raise ServiceError("BadDigest", message)


def _broken(detail: str) -> ServiceError:
    return ServiceError("IncompleteBody", "The request body terminated unexpectedly", detail=f"aws-chunked: {detail}.")


def _malformed_trailer(detail: str) -> ServiceError:
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return ServiceError("MalformedTrailerError", message, detail=f"aws-chunked: {detail}.")


_BAD_VALUE = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or "
    "a valid sha256 value."
)
