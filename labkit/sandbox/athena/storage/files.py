"""Objects laid down as files for DuckDB to read, uncompressed on the way.

What compressed them is told by the end of their keys, as Hadoop does. gzip goes through ISA-L, which takes half the
time that DuckDB's own inflating does.
"""

from __future__ import annotations

import bz2
import io
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from isal import igzip

from labkit.sandbox.athena.errors import QueryError, not_supported
from labkit.sandbox.athena.storage.location import ScannedObject
from labkit.sandbox.moto_state import s3

ROUND_BYTES = 64 * 1024**2
"""How many bytes of objects are laid down at a time; as text they are about four times that."""
_AT_ONCE = 2
_CHUNK = 1024**2
_UNREAD_CODECS = (".snappy", ".lz4", ".lzo", ".deflate")
_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": igzip.open,
    ".bz2": bz2.open,
}


def rounds(objects: Sequence[ScannedObject]) -> Iterator[list[ScannedObject]]:
    """The objects, in order, as many at a time as are laid down together."""
    batch: list[ScannedObject] = []
    size = 0
    for each in objects:
        if batch and size + each.size > ROUND_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(each)
        size += each.size
    if batch:
        yield batch


def lay_down(objects: Sequence[ScannedObject], directory: Path, name: str) -> list[Path]:
    """A file of each object's text, in their order.

    Raises NOT_SUPPORTED for a codec that is not read, HIVE_CURSOR_ERROR for an object that is damaged.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        numbered = [(each, directory / f"{name}-{number}") for number, each in enumerate(objects)]
        return list(pool.map(lambda pair: _lay_down(*pair), numbered))


def _lay_down(each: ScannedObject, path: Path) -> Path:
    ending = Path(each.key).suffix.lower()
    if ending in _UNREAD_CODECS:
        raise not_supported(f"objects compressed as {ending} ({each.path})")
    path = path.with_suffix(".zst" if ending == ".zst" else ".txt")
    body = s3.get_object(each.bucket, each.key)
    if ending not in _OPENERS:
        path.write_bytes(body)
        return path
    try:
        with _OPENERS[ending](io.BytesIO(body), "rb") as text, path.open("wb") as file:
            shutil.copyfileobj(text, file, _CHUNK)
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError("HIVE_CURSOR_ERROR", f"Failed to read file: {each.path}: {error}") from None
    return path
