"""The background of minutes to come, drawn and written down in one go while the clock has a long way before it.

What a minute holds depends on the seed, the interface and the level alone, and so does the text of its records. Drawn
and written minute by minute that costs much more: so a block of minutes is made at once, and each minute takes its rows
from there when it is over. Should the interface or the level change on the way, the rest of the block is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labkit.flowlog import writer
from labkit.flowlog.formats import LogFormat
from labkit.sandbox.logs.texts import Texts
from labkit.sandbox.network import background
from labkit.sandbox.network.flows import Book, Flows, joined
from labkit.sandbox.network.topology import Interface

MOST_MINUTES = 120
MOST_ROWS = 6000
"""About so many rows are made at once at most: busy minutes gain nothing, and take much memory."""
_ROWS_PER_MINUTE = 20


@dataclass
class Block:
    """The background of some minutes at one interface."""

    interface: Interface
    level: float
    minutes: range
    flows: Flows
    """Its rows; addresses are numbers of its own book."""
    addresses: Book
    ends: NDArray[np.int64]
    """The row after the last of each minute."""
    _texts: dict[LogFormat, Texts] = field(default_factory=dict)

    def fits(self, interface: Interface, level: float, minute: int) -> bool:
        """Whether it has a minute of an interface as it is now."""
        return minute in self.minutes and level == self.level and interface == self.interface

    def rows(self, minute: int) -> slice:
        """Where the rows of a minute are."""
        place = minute - self.minutes.start
        return slice(int(self.ends[place - 1]) if place else 0, int(self.ends[place]))

    def texts(self, log_format: LogFormat, table: Callable[[], pa.Table]) -> Texts:
        """The lines of all rows, of which `table` makes the records."""
        if log_format not in self._texts:
            self._texts[log_format] = Texts(writer.lines(table(), log_format))
        return self._texts[log_format]


class Ahead:
    """Draws the background of interfaces, some minutes ahead where there is time."""

    def __init__(self, seed: int) -> None:
        self.blocks: dict[int, Block] = {}
        """The block that is in use, by the interface's number."""
        self._seed = seed
        self._judges: dict[int, background.Judge] = {}
        self._numbers: dict[int, NDArray[np.int32]] = {}
        """For each address of a block, by the interface's number: its number in the recorder's book; 0 if unknown."""

    def flows(
        self, interface: Interface, number: int, addresses: Book, *, minute: int, level: float, minutes_left: int
    ) -> Flows:
        """The background of a minute; with minutes left to go, they are drawn as well."""
        several = min(minutes_left, MOST_MINUTES, int(MOST_ROWS / (_ROWS_PER_MINUTE * level)) if level else 0)
        block = self.blocks.get(number)
        if block is None or not block.fits(interface, level, minute):
            self.blocks.pop(number, None)
            if several < 2 or interface.public_address is None:
                return self._draw(interface, number, addresses, minute, level)
            block = self.blocks[number] = self._block(interface, number, range(minute, minute + several), level)
        return self._taken(block, number, addresses, minute)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle nothing of what can be drawn again."""
        return Ahead, (self._seed,)

    def _draw(self, interface: Interface, number: int, addresses: Book, minute: int, level: float) -> Flows:
        judge = self._judges.get(number)
        if judge is None or judge.interface != interface:
            judge = self._judges[number] = background.Judge(interface)
        return background.flows(interface, number, addresses, minute=minute, level=level, seed=self._seed, judge=judge)

    def _block(self, interface: Interface, number: int, minutes: range, level: float) -> Block:
        addresses = _book(interface)
        self._numbers[number] = np.zeros(len(addresses.names), np.int32)
        parts = [self._draw(interface, number, addresses, minute, level) for minute in minutes]
        flows = joined(parts)
        flows["origin"] = np.arange(len(flows))
        return Block(interface, level, minutes, flows, addresses, np.cumsum([len(part) for part in parts]))

    def _taken(self, block: Block, number: int, addresses: Book, minute: int) -> Flows:
        """The rows of a minute, with addresses numbered as if they had been drawn now: in the order of their places."""
        rows: Flows = block.flows[block.rows(minute)].copy()
        numbers = self._numbers[number]
        outside = np.where(rows["egress"], rows["destination"], rows["source"])
        for place in np.unique(outside[numbers[outside] == 0]).tolist():
            numbers[place] = addresses.number(block.addresses.names[place])
        if len(rows):
            numbers[-1] = addresses.number(block.addresses.names[-1])
        for name in ("source", "destination", "packet_source", "packet_destination"):
            rows[name] = numbers[rows[name]]
        return rows


def _book(interface: Interface) -> Book:
    """Everybody whom packets come from, in order, and the interface's own address at the end."""
    book = Book()
    for name in (*background.NAMES, str(interface.addresses[0])):
        book.number(name)
    return book
