"""Give memory that was used and freed back to the system: allocators keep it for later, and a burst may be the last.

malloc_trim: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import pyarrow as pa


def give_back() -> None:
    """Return unused memory to the system. It takes some hundredths of a second: call it after much work, not often."""
    pa.default_memory_pool().release_unused()
    _trim()(0)


@cache
def _trim() -> Callable[[int], object]:
    """Return glibc's malloc_trim, or a function that does nothing where the C library has none (macOS, musl)."""
    try:
        trim: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return lambda _: None
    return trim
