"""Flows: what an interface saw of one direction of one 5-tuple, as rows of a numpy array.

Addresses and interfaces are numbers in the rows and names in a `Book`, so that a million rows stay small and quick.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FLOW = np.dtype(
    [
        ("interface", np.int32),
        ("egress", np.bool_),
        ("source", np.int32),
        ("destination", np.int32),
        ("packet_source", np.int32),
        ("packet_destination", np.int32),
        ("source_port", np.int32),
        ("destination_port", np.int32),
        ("protocol", np.int32),
        ("packets", np.int64),
        ("bytes", np.int64),
        ("first", np.int64),
        ("last", np.int64),
        ("accepted", np.bool_),
        ("tcp_flags", np.int32),
        ("path", np.int32),
        ("status", np.int8),
        ("origin", np.int32),
    ]
)
Flows: TypeAlias = NDArray[np.void]

OK, NODATA, SKIPDATA = 0, 1, 2
MADE_NOW = -1
"""The origin of a row that was not drawn ahead; of one that was, its place in the block."""
NO_FLOWS: Flows = np.empty(0, FLOW)
MINUTE = 60

_ROW = np.dtype((np.void, FLOW.itemsize))
"""A row as so many bytes: numpy moves them five times as fast as a row of fields."""


class Book:
    """Names by number, in the order in which they were first seen; number 0 is nobody's."""

    def __init__(self) -> None:
        self.names: list[str] = [""]
        self._numbers: dict[str, int] = {}
        self._column = pa.array(self.names)

    def number(self, name: str) -> int:
        """The number of a name, a new one for a new name."""
        if name not in self._numbers:
            self._numbers[name] = len(self.names)
            self.names.append(name)
        return self._numbers[name]

    def column(self) -> pa.StringArray:
        """The names as a column, so that a number is a place in it."""
        if len(self._column) < len(self.names):
            self._column = pa.array(self.names)
        return self._column


@dataclass(frozen=True)
class Burst:
    """Packets of one flow, evenly spaced from `first` to `last`, in seconds since the epoch."""

    first: float
    last: float
    packets: int
    bytes: int
    tcp_flags: int = 0

    def by_minute(self) -> list[Burst]:
        """The burst cut at the minutes of the clock, since no record spans two aggregation intervals."""
        if self.packets == 1 or self.first // MINUTE == self.last // MINUTE:
            return [self]
        step = (self.last - self.first) / (self.packets - 1)
        times = [self.first + number * step for number in range(self.packets)]
        parts: dict[float, list[float]] = {}
        for time in times:
            parts.setdefault(time // MINUTE, []).append(time)
        shares = _shares(self.bytes, [len(part) for part in parts.values()])
        return [
            Burst(part[0], part[-1], len(part), share, self.tcp_flags)
            for part, share in zip(parts.values(), shares, strict=True)
        ]


def _shares(total: int, weights: list[int]) -> list[int]:
    """`total` cut in proportion to the weights, without losing any of it."""
    ends = [total * sum(weights[: n + 1]) // sum(weights) for n in range(len(weights))]
    return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]


def aggregate(flows: Flows) -> Flows:
    """One row a flow: packets and bytes summed, times spanned, TCP flags or-ed over rows of the same key."""
    if len(flows) < 2:
        return flows
    keys = _keys(flows)
    order = np.lexsort(keys)
    rows = take(flows, order)
    new = np.ones(len(rows), np.bool_)
    new[1:] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    begins = np.flatnonzero(new)
    result = take(rows, begins)
    for name, join in (("packets", np.add), ("bytes", np.add), ("first", np.minimum), ("last", np.maximum)):
        result[name] = join.reduceat(rows[name], begins)
    result["tcp_flags"] = np.bitwise_or.reduceat(rows["tcp_flags"], begins)
    return result


def _keys(flows: Flows) -> list[NDArray[np.int64]]:
    """What tells flows apart, packed into a few whole numbers a row."""

    def packed(*fields: tuple[str, int]) -> NDArray[np.int64]:
        key = np.zeros(len(flows), np.int64)
        for name, bits in fields:
            key = key << bits | flows[name]
        return key

    return [
        packed(("source_port", 16), ("destination_port", 16), ("protocol", 8), ("path", 4), ("status", 2)),
        packed(("packet_source", 32), ("packet_destination", 31)),
        packed(("source", 32), ("destination", 31)),
        packed(("interface", 32), ("egress", 1), ("accepted", 1)),
    ]


def in_order(flows: Flows) -> Flows:
    """The rows by interface and then by time, as they lie in log streams; ties stay as they were."""
    return take(flows, np.argsort(flows["interface"].astype(np.int64) << 36 | flows["first"], kind="stable"))


def take(flows: Flows, places: NDArray[Any]) -> Flows:
    """The rows at some places, or those that a mask lets through."""
    taken: Flows = flows.view(_ROW)[places].view(FLOW)
    return taken


def joined(parts: Iterable[Flows]) -> Flows:
    """Several arrays as one."""
    several = [part.view(_ROW) for part in parts if len(part)]
    return np.concatenate(several).view(FLOW) if several else NO_FLOWS
