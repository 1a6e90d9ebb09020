"""Passes the bytes of S3 objects into moto and out of it without reading them into memory.

moto takes what it stores from a request's body and puts what it returns into a response's. A `Passage` in the WSGI
environment carries both by reference if they are large. It carries small bodies too: moto would parse a body that
claims to be a form, as `curl --data-binary` does, and leave nothing of it.

CompleteMultipartUpload is implemented here: moto copies the parts into one another, and uses one CRC for all three.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from moto.s3 import exceptions
from moto.settings import S3_UPLOAD_PART_MIN_SIZE
from werkzeug.wrappers import Request, Response

from labkit.sandbox.kernel import checksums
from labkit.sandbox.kernel.files import FileStore, Piece
from labkit.sandbox.kernel.intake import FILE, MD5
from labkit.sandbox.moto_state.object_bodies import Content, by_reference, held, joined

PASSAGE = "labkit.objects"
"""The key of the `Passage` in a WSGI environment."""


@dataclass
class Passage:
    """The bodies of a request to S3 and of its response, which bypass moto's own reading and writing."""

    body: bytes | Content | None = None
    answer: Content | None = None

    @classmethod
    def of(cls, request: Request, files: FileStore) -> Passage:
        """Return the passage of a request to S3. The file in a browser's form is left for moto to find."""
        if (name := request.environ.get(FILE)) is not None:
            return cls(Content((Piece(name, 0, files.size(name)),), request.environ.get(MD5)))
        is_form = request.method == "POST" and request.mimetype == "multipart/form-data"
        return cls(None if is_form else request.get_data())

    def through(self, response: Response, files: FileStore) -> Response:
        """Return moto's response with the bytes that bypassed it, which are read while they are sent."""
        if self.answer is None:
            return response
        content = self.answer
        # Held until the response is closed: the object may be deleted or overwritten while it is sent.
        for piece in content.pieces:
            files.hold(piece)

        def let_go() -> None:
            for piece in content.pieces:
                files.release(piece)

        response.response = content.chunks()
        response.content_length = len(content)
        response.call_on_close(let_go)
        return response


def with_passed_body(set_up: Callable[..., None]) -> Callable[..., None]:
    """Wrap moto's set-up of a request so that it takes the body from the passage."""

    @wraps(set_up)
    def set_up_with_body(response: Any, request: Any, *arguments: Any, **named: Any) -> None:
        set_up(response, request, *arguments, **named)
        passage: Passage | None = request.environ.get(PASSAGE)
        if passage is not None and passage.body is not None:
            response.body = passage.body
            response.raw_body = passage.body if isinstance(passage.body, bytes) else b""

    return set_up_with_body


def passing_answer(respond: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's answer so that a large object's bytes go into the passage."""

    @wraps(respond)
    def respond_by_passage(response: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        # Only around this call: elsewhere moto does with an object's bytes what only `bytes` can do.
        with by_reference():
            status, headers, content = respond(response, request, *arguments, **named)
        if isinstance(content, Content):
            request.environ[PASSAGE].answer = content
            content = b""
        return status, headers, content

    return respond_by_passage


def keeping_checksum(upload_part: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's UploadPart to keep a part's checksum, which the object's checksum is computed from."""

    @wraps(upload_part)
    def upload_part_with_checksum(response: Any) -> Any:
        status, headers, content = upload_part(response)
        upload = response.backend.get_bucket(response.bucket_name).multiparts[response._get_param("uploadId")]
        part = upload.parts[response._get_int_param("partNumber")]
        for algorithm in checksums.ALGORITHMS:
            if value := headers.get(f"x-amz-checksum-{algorithm.lower()}"):
                part.checksum_algorithm, part.checksum_value = algorithm, value
        return status, headers, content

    return upload_part_with_checksum


def holding_parts(complete: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap moto's CompleteMultipartUpload to hold the parts, which moto releases before the object has them."""

    @wraps(complete)
    def complete_upload(backend: Any, bucket_name: str, multipart_id: str, *arguments: Any) -> Any:
        parts = backend.get_bucket(bucket_name).multiparts[multipart_id].parts.values()
        with held([piece for part in parts for piece in part._value_buffer.content.pieces]):
            return complete(backend, bucket_name, multipart_id, *arguments)

    return complete_upload


def checksum(body: bytes | Content, algorithm: str, encode_base64: bool = True) -> bytes:
    """Replace moto's function, which uses one CRC for all three and needs all bytes at once."""
    value = checksums.of(algorithm.upper(), body.chunks() if isinstance(body, Content) else [body])
    return base64.b64encode(value) if encode_base64 else value


def complete(upload: Any, named_parts: Iterable[tuple[int, str]]) -> tuple[Any, str, tuple[str, str, int] | None]:
    """Replace moto's method: return the object's content, its ETag, and its checksum's type, value and part count.

    Raise S3's error for parts that are missing, too small or out of order.
    """
    parts: list[Any] = []
    for number, etag in named_parts:
        if parts and number <= parts[-1].name:
            raise exceptions.InvalidPartOrder
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise exceptions.InvalidPart
        # The previous part, because only the last one may be smaller than the minimum.
        if parts and parts[-1].contentsize < S3_UPLOAD_PART_MIN_SIZE:
            raise exceptions.EntityTooSmall
        parts.append(part)
    if not parts:
        raise exceptions.MalformedXML
    # S3's ETag of a multipart object: the MD5 of the parts' MD5s, with their number, so no part is read again.
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    content = joined([part._value_buffer.content for part in parts])
    return content, etag, _checksum_of(upload, parts)


def _checksum_of(upload: Any, parts: list[Any]) -> tuple[str, str, int] | None:
    """Return the object's checksum; None if the upload asked for none, because S3's own default isn't kept."""
    algorithm = (upload.metadata.get("x-amz-checksum-algorithm") or "").upper()
    if algorithm not in checksums.ALGORITHMS:
        return None
    default = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = upload.metadata.get("x-amz-checksum-type") or default
    values = [_part_checksum(part, algorithm) for part in parts]
    if kind == "COMPOSITE":
        return kind, base64.b64encode(checksums.of(algorithm, values)).decode(), len(parts)
    whole = values[0]
    for part, value in zip(parts[1:], values[1:], strict=True):
        whole = checksums.combined(algorithm, whole, value, part.contentsize)
    return kind, base64.b64encode(whole).decode(), 1


def _part_checksum(part: Any, algorithm: str) -> bytes:
    """Return a part's checksum: the verified one that it came with, or a new one if that has another algorithm."""
    if part.checksum_algorithm == algorithm and part.checksum_value:
        return base64.b64decode(part.checksum_value)
    return checksums.of(algorithm, part._value_buffer.content.chunks())
