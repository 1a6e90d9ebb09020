"""Bodies in chunks: any bytes are read to the end, or refused with an error of S3's, in whatever pieces they come."""

from __future__ import annotations

from werkzeug.datastructures import Headers

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.payloads import ChunkedBody

WORDS = [
    *("\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "a\r\n", "ffffffffffffffff\r\n", ";chunk-signature=", "0" * 64, "\n"),
    *("x-amz-checksum-crc32:", "x-amz-trailer-signature:", "NhCmhg==", "x-amz-checksum-sha256:", "-1", "\r\n\r\n"),
]
SEEDS = [
    b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    b"2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
    b"5;chunk-signature=%b\r\nhello\r\n0;chunk-signature=%b\r\n\r\n" % (b"0" * 64, b"0" * 64),
]
_KINDS = ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")


def try_bytes(data: bytes) -> None:
    """Read a body at once, and byte by byte."""
    for kind in _KINDS:
        headers = {"X-Amz-Content-SHA256": kind, "X-Amz-Decoded-Content-Length": "5"}
        if kind.endswith("-TRAILER"):
            headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
        whole = _outcome(headers, [data])
        assert whole == _outcome(headers, [bytes([byte]) for byte in data]), data
        assert isinstance(whole, str) or len(whole) == 5, (data, whole)


def _outcome(headers: dict[str, str], pieces: list[bytes]) -> bytes | str:
    """Return what the chunks hold, or the code of the error."""
    body = ChunkedBody(Headers(headers))
    try:
        content = b"".join([body.feed(piece) for piece in pieces])
        body.finish()
    except ServiceError as error:
        return _code(error)
    return content


def _code(error: ServiceError) -> str:
    assert 400 <= error.status < 500, error
    return error.code
