"""What the interfaces that somebody logs have seen, minute by minute, until all flow logs have taken it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.flows import (
    FLOW,
    MADE_NOW,
    MINUTE,
    OK,
    Book,
    Burst,
    Flows,
    aggregate,
    in_order,
    joined,
    take,
)
from labkit.sandbox.network.journey import AMAZON_SERVICES, Leg, Sighting
from labkit.sandbox.network.protocols import UDP
from labkit.sandbox.network.topology import Interface

_DHCP_PORTS = frozenset({67, 68, 546, 547})


class Recorder:
    """Rows of flows by minute. Interfaces and addresses are numbers of its books."""

    def __init__(self) -> None:
        self.interfaces = Book()
        self.addresses = Book()
        self.met: dict[int, Interface] = {}
        """Interfaces by their numbers, as they were when last seen."""
        self._rows: dict[int, list[tuple[object, ...]]] = {}
        self._flows: dict[int, list[Flows]] = {}

    def meet(self, interface: Interface) -> int:
        """The number of an interface."""
        number = self.interfaces.number(interface.id)
        self.met[number] = interface
        return number

    def record(self, sighting: Sighting, bursts: Iterable[Burst]) -> None:
        """Writes down what an interface saw of a flow, unless AWS logs no such traffic."""
        leg = sighting.leg
        if not is_logged(leg.interface, leg.packet):
            return
        flow = self._flow(leg)
        for part in (part for burst in bursts for part in burst.by_minute()):
            times = (int(part.first), int(part.last))
            row = (*flow, part.packets, part.bytes, *times, sighting.accepted, part.tcp_flags, leg.path, OK, MADE_NOW)
            self._rows.setdefault(times[0] // MINUTE, []).append(row)

    def add(self, minute: int, flows: Flows) -> None:
        """Takes rows that are made already, all of one minute and each of a flow of its own."""
        self._flows.setdefault(minute, []).append(flows)

    def flows(self, minutes: range, since: float = 0) -> Flows:
        """The flows of some minutes of the epoch, one row each, by interface and time; packets before `since` left out.

        Rows that came ready-made are of different flows within a minute, and need no aggregation there.
        """
        made = joined(part for minute in minutes for part in self._flows.get(minute, []))
        rows = np.array([row for minute in minutes for row in self._rows.get(minute, [])], FLOW)
        if since > minutes.start * MINUTE:
            made, rows = (take(each, each["first"] >= int(since)) for each in (made, rows))
        if len(minutes) > 1:
            together = aggregate(joined([made, rows]))
            together["origin"] = MADE_NOW
            return in_order(together)
        return in_order(joined([made, aggregate(rows)]))

    def forget_before(self, minute: int) -> None:
        """Drops what all flow logs have taken."""
        for kept in (self._rows, self._flows):
            for old in [each for each in kept if each < minute]:
                del kept[old]

    def forget_all(self) -> None:
        """Drops everything: nobody logs any more."""
        self._rows.clear()
        self._flows.clear()

    def _flow(self, leg: Leg) -> tuple[object, ...]:
        """A row's values before its counts: interface, direction, addresses, ports, protocol."""
        original = leg.original or leg.packet
        return (
            self.meet(leg.interface),
            leg.direction == "egress",
            *self._shown(leg.interface, leg.packet, leg.direction == "egress"),
            self.addresses.number(str(original.source)),
            self.addresses.number(str(original.destination)),
            leg.packet.source_port,
            leg.packet.destination_port,
            leg.packet.protocol,
        )

    def _shown(self, interface: Interface, packet: Packet, egress: bool) -> tuple[int, int]:
        """srcaddr and dstaddr: on the interface's own side always its primary address."""
        own = str(interface.own_address(packet.source.version))
        source, destination = (own, packet.destination) if egress else (packet.source, own)
        return self.addresses.number(str(source)), self.addresses.number(str(destination))


def is_logged(interface: Interface, packet: Packet) -> bool:
    """Whether flow logs record such a packet at all.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html
    """
    ends = {packet.source, packet.destination}
    if ends & AMAZON_SERVICES.keys():
        return False
    if packet.protocol == UDP and {packet.source_port, packet.destination_port} <= _DHCP_PORTS:
        return False
    return not ends & (interface.routers | interface.resolvers)
