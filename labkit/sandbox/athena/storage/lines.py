"""The lines of an object of S3, uncompressed, some megabytes at a time.

What compressed an object is told by the end of its key, in lower case, as in Athena. gzip goes through ISA-L, which
takes a third of the time that zlib does. What ends a line is what Trino's TextLineReader takes for an end: LF, CR, or
both.
"""

from __future__ import annotations

import bz2
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from isal import igzip

from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.storage.location import ScannedObject
from labkit.sandbox.moto_state import s3

_NEWLINE = 10
_CHUNK = 4 * 1024**2
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNREAD_CODECS = (".snappy", ".lz4", ".lzo", ".deflate")


def blocks(each: ScannedObject, skipped: int) -> Iterator[bytes]:
    """The text after its first lines, in blocks of whole lines: every line of a block ends with LF, the last one too.

    Raises NOT_SUPPORTED for a codec that is not read, HIVE_CURSOR_ERROR for an object that is damaged.
    """
    ending = Path(each.key).suffix
    if ending in _UNREAD_CODECS:
        raise not_supported(f"objects compressed as {ending} ({each.path})")
    body = io.BytesIO(s3.get_object(each.bucket, each.key))
    try:
        with _OPENERS.get(ending, _plain)(body, "rb") as text:
            for block in _whole_lines(text):
                while skipped and block:
                    block = block[block.find(b"\n") + 1 :]
                    skipped -= 1
                if block:
                    yield block
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file: {each.path}: {error}") from None


def count(block: bytes) -> int:
    """Count the lines of a block; numpy takes a tenth of the time of `bytes.count`."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == _NEWLINE))


def _plain(body: io.BytesIO, mode: str) -> io.BytesIO:
    return body


def _zstandard(body: io.BytesIO, mode: str) -> pa.NativeFile:
    return pa.CompressedInputStream(pa.BufferReader(body.getbuffer()), "zstd")


def _whole_lines(text: Any) -> Iterator[bytes]:
    rest = b""
    is_first = True
    while chunk := text.read(_CHUNK):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield _ended(b"".join((rest, memoryview(chunk)[:end])), is_first)
            rest, is_first = chunk[end:], False
        else:
            rest += chunk
    if rest:
        last = _ended(rest, is_first)
        yield last if last.endswith(b"\n") else last + b"\n"


def _ended(block: bytes, is_first: bool) -> bytes:
    """Lines that LF alone ends."""
    if is_first:
        block = block.removeprefix(_BYTE_ORDER_MARK)
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block


_OPENERS: dict[str, Callable[..., Any]] = {".gz": igzip.open, ".bz2": bz2.open, ".zst": _zstandard}
