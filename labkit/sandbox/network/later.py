"""Results that a thread works out beside the simulation, long before they are due."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_WRITER = ThreadPoolExecutor(1, "flow log writer")
"""One thread: whatever was asked for first is done first."""


class Later(Generic[T]):
    """The result of some work, which goes on meanwhile."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._future: Future[T] = _WRITER.submit(work)

    @classmethod
    def done(cls, result: T) -> Later[T]:
        """Wrap a result that is there already."""
        later = cls.__new__(cls)
        later._future = Future()
        later._future.set_result(result)
        return later

    @property
    def is_there(self) -> bool:
        """Whether the result is there."""
        return self._future.done()

    def result(self) -> T:
        """Return the result, once it is there."""
        return self._future.result()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the result: a thread's work can't be carried on elsewhere."""
        return Later.done, (self.result(),)
