"""Reads the body of a request: bounded, into memory if it is small, into a file of the store if it is large.

Nothing is read before it is asked for, so whatever can be rejected without the body is rejected without reading it. The
file of a large body belongs to the change that keeps it; the draft of a rejected request is discarded.

Sources: S3 API Reference, "Error responses" (ErrorResponses.html) and PutObject (API_PutObject.html); the largest
requests of other services are from their quotas pages.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request
from werkzeug.wsgi import get_input_stream

from labkit.sandbox.kernel import checksums
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.files import Draft, FileStore

LOG = logging.getLogger(__name__)

FILE, MD5 = "labkit.body.file", "labkit.body.md5"
"""Names in a WSGI environment: the file of the store that has the body (the input is then empty), and its MD5."""
IN_MEMORY = 1 << 20
"""The largest object body that is kept in memory, in bytes. Tests lower it."""
MAX_BODY = 16 << 20
"""The largest body of other requests: PutRecords takes 10 MiB, which is 13.4 in base64, and few take more."""
MAX_BODIES = {"lambda": 70_167_211}
"""The largest bodies of services that take more, in bytes."""
MAX_INFLATED = 64 << 20
MAX_OBJECT = 5 << 30
MAX_XML = 4 << 20
"""The largest XML document that S3 needs: the list of 10,000 parts with their checksums."""
_CHUNK = 1 << 20
_SUBRESOURCES = frozenset(("acl", "tagging", "retention", "legal-hold", "torrent", "encryption", "renameObject"))
_CHECKSUM = "X-Amz-Checksum-"


class Decoder(Protocol):
    """Removes the framing of AWS's own chunked encoding (`aws-chunked`) from a body."""

    trailers: dict[str, str]

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece of the body; return the contents in it."""

    def finish(self) -> None:
        """Raise AWS's error for a body that ends too early, or isn't what its headers say."""


class PlainRequest(Request):
    """A request whose whole body has been read and checked."""

    max_form_memory_size = None  # werkzeug's own bound for forms would answer 413 where the intake has let it pass

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self.get_data(cache=True, parse_form_data=False)  # first: reading a form would leave nothing of it


@dataclass
class _Received:
    data: bytes
    draft: Draft | None
    size: int
    sha256: str
    """The hash of the body as it was sent; empty if a word such as UNSIGNED-PAYLOAD stood for it."""
    md5: bytes
    checksums: dict[str, bytes]
    trailers: dict[str, str]


class Intake:
    """The body of one request: call `receive`, then `plain`, then `keep` or `discard`."""

    def __init__(self, request: Request, service: str, store: FileStore) -> None:
        self.request = request
        self._service = service
        self._store = store
        self._is_object = service == "s3" and _puts_object(request)
        self._is_framed = service == "s3" and request.headers.get("X-Amz-Content-SHA256", "").startswith("STREAMING-")
        self._received: _Received | None = None

    def sha256(self) -> str:
        """Return the SHA-256 of the body as it was sent, in hex; this reads the body."""
        return self.receive().sha256

    def receive(self, decoder: Decoder | None = None) -> _Received:
        """Read the body unless it was read before. Raise AWS's error for one that is too large or cut short."""
        if self._received is None:
            self._check_length()
            self._received = self._read(decoder)
        return self._received

    def plain(self) -> PlainRequest:
        """Return the request with the body as the client had it: verified, without framing, decompressed."""
        received = self.receive()
        if self._service == "s3":
            self._check_digests(received)
        data = received.data if self._service == "s3" else _inflated(self.request, received.data)
        # werkzeug keeps the old request there, and a new one would find it and its spent input.
        environ = {name: value for name, value in self.request.environ.items() if not name.startswith("werkzeug.")}
        for name in ("HTTP_TRANSFER_ENCODING", "wsgi.input_terminated"):
            environ.pop(name, None)
        if data is not received.data:
            del environ["HTTP_CONTENT_ENCODING"]
        environ |= {"wsgi.input": io.BytesIO(data), "CONTENT_LENGTH": str(len(data))}
        if self._service == "s3":
            _without_frames(environ, received)
        if received.draft is not None:
            environ |= {MD5: received.md5.hex()}
        return PlainRequest(environ)

    def keep(self) -> str | None:
        """Keep a large body as a file of the store; return the file's name, or None if the body is in memory."""
        if self._received is None or self._received.draft is None:
            return None
        return self._store.keep(self._received.draft)

    def discard(self) -> None:
        """Remove the draft of the body, unless it was kept."""
        if self._received is not None and self._received.draft is not None:
            self._received.draft.discard()

    def _check_length(self) -> None:
        """Raise AWS's error for a declared length that is too large, or for an object without one."""
        # The bound is on the contents: the framing of a chunked upload comes on top of it.
        decoded = self.request.headers.get("X-Amz-Decoded-Content-Length", type=int) if self._is_framed else None
        length = self.request.content_length if decoded is None else decoded
        if length is not None and length > self._limit:
            raise self._too_large(length)
        if not self._is_object or length is not None:
            return
        if "chunked" in self.request.headers.get("Transfer-Encoding", "").lower():
            message = "A header you provided implies functionality that is not implemented"
            raise ServiceError("NotImplemented", message, status=501, Header="Transfer-Encoding")
        raise ServiceError("MissingContentLength", "You must provide the Content-Length HTTP header.", status=411)

    @property
    def _limit(self) -> int:
        if self._service == "s3":
            return MAX_OBJECT if self._is_object else MAX_XML if self.request.args else MAX_BODY
        return MAX_BODIES.get(self._service, MAX_BODY)

    def _too_large(self, size: int) -> ServiceError:
        if self._is_object:
            message = "Your proposed upload exceeds the maximum allowed size"
            return ServiceError("EntityTooLarge", message, ProposedSize=size, MaxSizeAllowed=MAX_OBJECT)
        if self._service == "s3":
            return ServiceError("MaxMessageLengthExceeded", "Your request was too big.")
        message = f"Request size exceeded: the sandbox takes {self._limit} bytes at most."
        return ServiceError("RequestEntityTooLarge", message, status=413)

    def _read(self, decoder: Decoder | None) -> _Received:
        sink = _Sink(self._store if self._is_object else None, self._algorithms())
        # Hashing gigabytes takes seconds, and for an S3 upload with UNSIGNED-PAYLOAD nobody asks for the hash.
        whole = hashlib.sha256() if self._service != "s3" or self._declares_digest() else None
        try:
            for piece in self._pieces():
                if whole is not None:
                    whole.update(piece)
                sink.write(decoder.feed(piece) if decoder is not None else piece)
            if decoder is not None:
                decoder.finish()
        except BaseException:
            sink.discard()
            raise
        trailers = decoder.trailers if decoder is not None else {}
        return sink.received(whole.hexdigest() if whole is not None else "", trailers)

    def _declares_digest(self) -> bool:
        """Tell whether a request to S3 declares its body's hash, and not a word that stands for it."""
        value = self.request.headers.get("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD")
        return not self._is_framed and value != "UNSIGNED-PAYLOAD"

    def _pieces(self) -> Iterator[bytes]:
        stream = get_input_stream(self.request.environ)
        size, limit = (
            0,
            self._limit * (2 if self._is_framed else 1),
        )  # the decoder holds what is in the frames to account
        try:
            while piece := stream.read(_CHUNK):
                size += len(piece)
                if size > limit:
                    raise self._too_large(size)
                yield piece
        except (
            ClientDisconnected,
            OSError,
            ValueError,
        ) as error:  # the frames of a chunked transfer are broken, or it was cut
            code = "IncompleteBody" if self._service == "s3" else "BadRequest"
            raise ServiceError(code, "The request body terminated unexpectedly", detail=str(error)) from error

    def _algorithms(self) -> list[str]:
        announced = self.request.headers.get("X-Amz-Trailer", "").upper()
        return [
            name
            for name in checksums.ALGORITHMS
            if f"{_CHECKSUM}{name}" in self.request.headers
            or f"{_CHECKSUM}{name}".upper() in announced
            or self.request.headers.get("X-Amz-Sdk-Checksum-Algorithm", "").upper() == name
        ]

    def _check_digests(self, received: _Received) -> None:
        """Compare Content-MD5 and the checksums with the body; raise S3's error if one differs."""
        given = self.request.headers.get("Content-MD5")
        if given is not None:
            expected = _decoded(given)
            if len(expected) != len(received.md5):
                message = "The Content-MD5 you specified was invalid."
                raise ServiceError("InvalidDigest", message)
            if expected != received.md5:
                message = "The Content-MD5 you specified did not match what we received."
                calculated = base64.b64encode(received.md5).decode()
                raise ServiceError("BadDigest", message, ExpectedDigest=given, CalculatedDigest=calculated)
        for name, computed in received.checksums.items():
            header = f"{_CHECKSUM}{name}".lower()
            value = received.trailers.get(header) or self.request.headers.get(header)
            if value is None:
                continue
            if len(_decoded(value)) != len(computed):
                raise ServiceError("InvalidRequest", f"Value for {header} header is invalid.")
            if _decoded(value) != computed:
                raise ServiceError("BadDigest", f"The {name} you specified did not match the calculated checksum.")


class _Sink:
    """Collects the pieces of a body: in memory while it is small, then in a draft if there is a store for it."""

    def __init__(self, store: FileStore | None, algorithms: list[str]) -> None:
        self._store = store
        self._draft: Draft | None = None
        self._data = bytearray()
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._checksums = {name: checksums.new(name) for name in algorithms}

    def write(self, piece: bytes) -> None:
        """Take the next piece. Raise ServiceError (503) if the disk is full."""
        self._size += len(piece)
        self._md5.update(piece)
        for checksum in self._checksums.values():
            checksum.update(piece)
        if self._draft is None:
            self._data += piece
            if self._store is None or self._size <= IN_MEMORY:
                return
        try:
            if self._draft is None:
                self._draft = self._store.draft() if self._store is not None else None
                piece, self._data = bytes(self._data), bytearray()
            assert self._draft is not None
            self._draft.write(piece)
        except OSError as error:
            LOG.error("the body of a request could not be kept: %s", error)
            message = f"The sandbox has no room for this body, and has not made this change ({error}). Free some space."
            raise ServiceError("ServiceUnavailable", message, status=503) from error

    def discard(self) -> None:
        """Remove the draft, if there is one."""
        if self._draft is not None:
            self._draft.discard()

    def received(self, sha256: str, trailers: dict[str, str]) -> _Received:
        """Return the collected body with its digests."""
        if self._draft is not None:
            self._draft.close()
        made = {name: checksum.digest() for name, checksum in self._checksums.items()}
        return _Received(bytes(self._data), self._draft, self._size, sha256, self._md5.digest(), made, trailers)


def _puts_object(request: Request) -> bool:
    """Tell whether the body is the bytes of an object or of a part of one."""
    key = request.path.strip("/").partition("/")[2]
    is_copy = "X-Amz-Copy-Source" in request.headers
    return request.method == "PUT" and bool(key) and not is_copy and not _SUBRESOURCES & {*request.args}


def _decoded(text: str) -> bytes:
    """Return the bytes of a digest in base64; empty if it isn't base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _without_frames(environ: dict[str, Any], received: _Received) -> None:
    """Change the headers to those of a request without AWS's framing, with the checksums that came as trailers."""
    if environ.get("HTTP_X_AMZ_CONTENT_SHA256", "").startswith("STREAMING-"):
        environ["HTTP_X_AMZ_CONTENT_SHA256"] = "UNSIGNED-PAYLOAD"
    encodings = [each.strip() for each in environ.get("HTTP_CONTENT_ENCODING", "").split(",")]
    if "aws-chunked" in encodings:
        environ["HTTP_CONTENT_ENCODING"] = ",".join(each for each in encodings if each != "aws-chunked")
    for name, value in received.checksums.items():
        environ[f"HTTP_X_AMZ_CHECKSUM_{name}"] = base64.b64encode(value).decode()
        environ.setdefault("HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM", name)


def _inflated(request: Request, data: bytes) -> bytes:
    """Return a body as it was before the client compressed it, as boto3 does with a long PutMetricData."""
    if request.headers.get("Content-Encoding", "").lower() != "gzip":
        return data
    parts, size, rest = [], 0, data
    try:
        while rest:  # gzip allows several members in a row
            member = zlib.decompressobj(wbits=31)
            # Bounded while it is decompressed: a few kilobytes can become gigabytes. One byte more tells of the excess.
            part = member.decompress(rest, MAX_INFLATED + 1 - size)
            size += len(part)
            if size > MAX_INFLATED:
                message = f"Request size exceeded: it is more than {MAX_INFLATED} bytes without its compression."
                raise ServiceError("RequestEntityTooLarge", message, status=413)
            if not member.eof:
                raise zlib.error("the compressed body is cut off")
            parts.append(part)
            rest = member.unused_data
    except zlib.error as error:
        raise ServiceError("SerializationException", f"Could not decompress the request: {error}") from error
    return b"".join(parts)
