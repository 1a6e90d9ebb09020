"""Memory that is given back to the system."""

from __future__ import annotations

import ctypes

import pyarrow as pa
import pytest

from labkit.sandbox.kernel import spare_memory


def test_what_is_in_use_stays() -> None:
    kept = pa.array(range(1000))
    spare_memory.give_back()
    assert kept.to_pylist() == list(range(1000))


def test_a_system_without_malloc_trim_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    spare_memory._trim.cache_clear()
    try:
        spare_memory.give_back()
    finally:
        spare_memory._trim.cache_clear()
