"""The bytes of S3's objects, in the sandbox's file store: memory is for what works with them.

moto keeps an object's bytes in what it takes for a temporary file. Here that is a `Body`, which only knows where the
bytes lie: in a file of the store, if they came as one, or in several, if they are the parts of an upload; otherwise in
the store's pack. A body is pickled as that reference, so that a checkpoint need not copy what it holds.

moto reads an object's bytes as one `bytes`. Within `by_reference` it is given a `Content` for a large one, which can be
measured, cut and stored again as bytes can, and is never read for that.
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
"""From this size on, bytes are handed around by reference. Tests lower it."""

_store: FileStore | None = None
"""The store of this process's sandbox: moto has one state a process, too."""


def keep_in(store: FileStore) -> None:
    """Have moto's objects kept in a store from now on."""
    global _store
    _store = store


def _current() -> FileStore:
    if _store is None:
        raise RuntimeError("no sandbox has said where objects are kept")
    return _store


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes by reference: where they lie, how many they are, and their MD5 if it is known."""

    pieces: tuple[Piece, ...] = ()
    md5: str | None = None
    inline: bytes | None = None
    """The bytes themselves, which a full disk had no room for."""

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
        """Read the bytes, a chunk at a time."""
        return _current().chunks(self.pieces) if self.inline is None else iter((self.inline,))

    def read(self) -> bytes:
        """Read all the bytes at once."""
        return b"".join(self.chunks())


def joined(contents: list[Content]) -> Content:
    """Return the bytes of several contents as one."""
    if any(content.inline is not None for content in contents):
        return Content(inline=b"".join(content.read() for content in contents))
    return Content(tuple(piece for content in contents for piece in content.pieces))


@contextmanager
def held(pieces: list[Piece]) -> Iterator[None]:
    """Keep pieces where they are, though nothing else may hold them meanwhile."""
    store = _current()
    for piece in pieces:
        store.hold(piece)
    try:
        yield
    finally:
        for piece in pieces:
            store.release(piece)


class Body:
    """What moto keeps an object's bytes in: a file as moto uses one, written at once and read from any place."""

    __slots__ = ("_place", "_store", "content")

    def __init__(self, max_size: int = 0) -> None:
        self._store = _current()
        self.content = Content()
        self._place = 0

    def seek(self, place: int) -> None:
        """Go to a place to read from."""
        self._place = place

    def truncate(self) -> None:
        """Forget the bytes."""
        for piece in self.content.pieces:
            self._store.release(piece)
        self.content = Content()

    def write(self, data: bytes | Content) -> None:
        """Take all bytes of the object, or what refers to them."""
        if isinstance(data, Content):
            for piece in data.pieces:
                self._store.hold(piece)
            self.content = data
        else:
            self.content = self._written(data)

    def read(self, size: int | None = None) -> bytes:
        """Read so many bytes from the place on, or all that there are."""
        end = None if size is None else self._place + size
        data = self.content[self._place : end].read()
        self._place += len(data)
        return data

    def close(self) -> None:
        """Forget the bytes."""
        self.truncate()

    def _written(self, data: bytes) -> Content:
        try:
            return Content((self._store.append(data),) if data else ())
        except OSError as error:  # what is written down already must be made, and a delivery has nobody to refuse it to
            LOG.error("an object of %s bytes is held in memory, the disk takes no more: %s", len(data), error)
            return Content(inline=data)

    def __reduce__(self) -> tuple[Callable[[Content], Body], tuple[Content]]:
        return _restored, (self.content,)


def _restored(content: Content) -> Body:
    body = Body()
    body.write(content)
    return body


_handed_out = threading.local()


@contextmanager
def by_reference() -> Iterator[None]:
    """Have moto given large objects' bytes as a `Content` on this thread."""
    before, _handed_out.by_reference = getattr(_handed_out, "by_reference", False), True
    try:
        yield
    finally:
        _handed_out.by_reference = before


def passing_references(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of moto's one that does no more with an object's bytes than a `Content` can do."""

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
    """Return what is pickled of a key: its body is a reference."""
    return {name: value for name, value in vars(key).items() if name != "lock"}


def set_state(key: Any, state: dict[str, Any]) -> None:
    """Make a key of what was pickled."""
    vars(key).update(state)
    key.lock = threading.Lock()


TEMPFILE = SimpleNamespace(SpooledTemporaryFile=Body)
"""What moto's S3 has for the module `tempfile`."""
VALUE = property(_value, _set_value)
"""An object's bytes."""
