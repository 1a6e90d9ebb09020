"""How the bytes of S3's objects get into moto and out of it without passing through memory.

moto takes what it stores from a request's body and puts what it gives into a response's. A `Passage` in the WSGI
environment carries both by reference, if they are large. It carries small bodies too: moto's reading of forms would
leave nothing of one that says it is a form, as what `curl --data-binary` sends does.

CompleteMultipartUpload is done here: moto copies the parts into one another, and takes the same CRC for all three.
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
"""The name of a `Passage` in a WSGI environment."""


@dataclass
class Passage:
    """What goes around the body of a request to S3, and around that of its response."""

    body: bytes | Content | None = None
    answer: Content | None = None

    @classmethod
    def of(cls, request: Request, files: FileStore) -> Passage:
        """Return the passage of a request to S3. What a browser's form uploads is left for moto to find."""
        if (name := request.environ.get(FILE)) is not None:
            return cls(Content((Piece(name, 0, files.size(name)),), request.environ.get(MD5)))
        is_form = request.method == "POST" and request.mimetype == "multipart/form-data"
        return cls(None if is_form else request.get_data())

    def through(self, response: Response, files: FileStore) -> Response:
        """Return moto's response with the bytes that went around it, which are read as they are sent."""
        if self.answer is None:
            return response
        content = self.answer
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
    """Have moto take the body of a request from its passage."""

    @wraps(set_up)
    def set_up_with_body(response: Any, request: Any, *arguments: Any, **named: Any) -> None:
        set_up(response, request, *arguments, **named)
        passage: Passage | None = request.environ.get(PASSAGE)
        if passage is not None and passage.body is not None:
            response.body = passage.body
            response.raw_body = passage.body if isinstance(passage.body, bytes) else b""

    return set_up_with_body


def passing_answer(respond: Callable[..., Any]) -> Callable[..., Any]:
    """Have moto leave a large object's bytes to the passage."""

    @wraps(respond)
    def respond_by_passage(response: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        with by_reference():
            status, headers, content = respond(response, request, *arguments, **named)
        if isinstance(content, Content):
            request.environ[PASSAGE].answer = content
            content = b""
        return status, headers, content

    return respond_by_passage


def keeping_checksum(upload_part: Callable[..., Any]) -> Callable[..., Any]:
    """As moto's, which forgets a part's checksum: an object's is made of its parts'."""

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
    """As moto's, which lets go of the parts before the object has them."""

    @wraps(complete)
    def complete_upload(backend: Any, bucket_name: str, multipart_id: str, *arguments: Any) -> Any:
        parts = backend.get_bucket(bucket_name).multiparts[multipart_id].parts.values()
        with held([piece for part in parts for piece in part._value_buffer.content.pieces]):
            return complete(backend, bucket_name, multipart_id, *arguments)

    return complete_upload


def checksum(body: bytes | Content, algorithm: str, encode_base64: bool = True) -> bytes:
    """As moto's, which has one CRC for all three, and wants the bytes at once."""
    value = checksums.of(algorithm.upper(), body.chunks() if isinstance(body, Content) else [body])
    return base64.b64encode(value) if encode_base64 else value


def complete(upload: Any, named_parts: Iterable[tuple[int, str]]) -> tuple[Any, str, tuple[str, str, int] | None]:
    """As moto's: the object's content, its ETag, and its checksum's kind, value and number of parts."""
    parts: list[Any] = []
    for number, etag in named_parts:
        if parts and number <= parts[-1].name:
            raise exceptions.InvalidPartOrder
        part = upload.parts.get(number)
        if part is None or part.etag.strip('"') != etag.strip('"'):
            raise exceptions.InvalidPart
        if parts and parts[-1].contentsize < S3_UPLOAD_PART_MIN_SIZE:
            raise exceptions.EntityTooSmall
        parts.append(part)
    if not parts:
        raise exceptions.MalformedXML
    digests = b"".join(bytes.fromhex(part.etag.strip('"')) for part in parts)
    etag = f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"
    content = joined([part._value_buffer.content for part in parts])
    return content, etag, _checksum_of(upload, parts)


def _checksum_of(upload: Any, parts: list[Any]) -> tuple[str, str, int] | None:
    """Return nothing for an upload that asked for none: S3's own default is not kept."""
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
    """The checksum that the part came with, which was held against its bytes; made now if it came with another."""
    if part.checksum_algorithm == algorithm and part.checksum_value:
        return base64.b64decode(part.checksum_value)
    return checksums.of(algorithm, part._value_buffer.content.chunks())
