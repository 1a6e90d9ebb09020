"""Keeps the bytes of S3 objects in the sandbox's file store instead of in memory.

moto keeps an object's bytes in what it takes for a temporary file. Here that is a `Body`, which only refers to the
bytes: in a file of the store if they came as one, in several files if they are the parts of an upload, otherwise in the
store's pack. A body is pickled as that reference, so a checkpoint needn't copy the bytes.

moto reads an object's bytes as one `bytes`. Within `by_reference` it gets a `Content` for a large object, which can be
measured, sliced and stored again like bytes, without ever being read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from types import SimpleNamespace
from typing import Any

from labkit.sandbox.kernel.files import FileStore, Piece

LOG = logging.getLogger(__name__)

LARGE = 1 << 20
"""From this size on, in bytes, an object is passed by reference. Tests lower it."""

_store: FileStore | None = None
"""The store of this process's sandbox. It is global because moto's state is."""


def keep_in(store: FileStore) -> None:
    """Keep moto's objects in a store from now on."""
    global _store
    _store = store


def _current() -> FileStore:
    if _store is None:
        raise RuntimeError("no sandbox has said where objects are kept")
    return _store


@dataclass(frozen=True, slots=True)
class Content:
    """A reference to bytes: the pieces they consist of, and their MD5 in hex if it is known."""

    pieces: tuple[Piece, ...] = ()
    md5: str | None = None
    inline: bytes | None = None
    """The bytes themselves, if the disk was full when they were to be stored."""

    def __len__(self) -> int:
        return sum(piece.size for piece in self.pieces) if self.inline is None else len(self.inline)

    def __getitem__(self, place: slice) -> Content:
        begin, end, _ = place.indices(len(self))
        if self.inline is not None:
            return Content(inline=self.inline[begin:end])
        found = []
        for file, offset, size in self.pieces:
            first, last = max(begin, 0), min(end, size)
            if first < last:
                found.append(Piece(file, offset + first, last - first))
            begin, end = begin - size, end - size
        return Content(tuple(found))

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, one chunk at a time."""
        return _current().chunks(self.pieces) if self.inline is None else iter((self.inline,))

    def read(self) -> bytes:
        """Return all the bytes at once."""
        return b"".join(self.chunks())


def joined(contents: list[Content]) -> Content:
    """Return several contents as one, without reading them."""
    # Inline bytes have no place in the store to refer to, so one such part makes the whole inline.
    if any(content.inline is not None for content in contents):
        return Content(inline=b"".join(content.read() for content in contents))
    return Content(tuple(piece for content in contents for piece in content.pieces))


@contextmanager
def held(pieces: list[Piece]) -> Iterator[None]:
    """Keep pieces in the store during this block, even if nothing else holds them."""
    store = _current()
    for piece in pieces:
        store.hold(piece)
    try:
        yield
    finally:
        for piece in pieces:
            store.release(piece)


class Body:
    """Replaces the temporary file in which moto keeps an object's bytes: written once, read from any offset."""

    __slots__ = ("_place", "_store", "content")

    def __init__(self, max_size: int = 0) -> None:
        self._store = _current()
        self.content = Content()
        self._place = 0

    def seek(self, place: int) -> None:
        """Set the offset to read from."""
        self._place = place

    def truncate(self) -> None:
        """Release the bytes."""
        for piece in self.content.pieces:
            self._store.release(piece)
        self.content = Content()

    def write(self, data: bytes | Content) -> None:
        """Store all bytes of the object, or a reference to them."""
        if isinstance(data, Content):
            for piece in data.pieces:
                self._store.hold(piece)
            self.content = data
        else:
            self.content = self._written(data)

    def read(self, size: int | None = None) -> bytes:
        """Return `size` bytes from the current offset on, or all that are left."""
        end = None if size is None else self._place + size
        data = self.content[self._place : end].read()
        self._place += len(data)
        return data

    def close(self) -> None:
        """Release the bytes."""
        self.truncate()

    def _written(self, data: bytes) -> Content:
        try:
            return Content((self._store.append(data),) if data else ())
        except OSError as error:  # the change is in the journal and must be made; a delivery has no client to tell
            LOG.error("an object of %s bytes is held in memory, the disk takes no more: %s", len(data), error)
            return Content(inline=data)

    def __reduce__(self) -> tuple[Callable[[Content], Body], tuple[Content]]:
        return _restored, (self.content,)


def _restored(content: Content) -> Body:
    body = Body()
    body.write(content)
    return body


# For each thread: another one, such as a query's, may need an object as bytes at the same time.
_handed_out = threading.local()


@contextmanager
def by_reference() -> Iterator[None]:
    """Give moto a `Content` for the bytes of large objects in this block, on this thread."""
    before, _handed_out.by_reference = getattr(_handed_out, "by_reference", False), True
    try:
        yield
    finally:
        _handed_out.by_reference = before


def passing_references(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of moto's that does no more with an object's bytes than a `Content` supports."""

    @wraps(function)
    def passing(*arguments: Any, **named: Any) -> Any:
        with by_reference():
            return function(*arguments, **named)

    return passing


def _value(key: Any) -> bytes | Content:
    content: Content = key._value_buffer.content
    if getattr(_handed_out, "by_reference", False) and len(content) >= LARGE:
        return content
    return content.read()


def _set_value(key: Any, value: bytes | Content) -> None:
    key._value_buffer.truncate()
    key._value_buffer.write(value)
    key.contentsize = len(value)
    if isinstance(value, Content) and key._etag is None:
        key._etag = value.md5


def state(key: Any) -> dict[str, Any]:
    """Return what is pickled of a key; its body is pickled as a reference."""
    # moto's own would read the bytes; the lock can't be pickled, and `set_state` makes a new one.
    return {name: value for name, value in vars(key).items() if name != "lock"}


def set_state(key: Any, state: dict[str, Any]) -> None:
    """Restore a key from what `state` returned."""
    vars(key).update(state)
    key.lock = threading.Lock()


TEMPFILE = SimpleNamespace(SpooledTemporaryFile=Body)
"""Replaces the module `tempfile` in moto's S3."""
VALUE = property(_value, _set_value)
"""Replaces moto's property for an object's bytes."""
