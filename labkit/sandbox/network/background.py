"""The internet's noise and ordinary users: what reaches every public interface without anybody's doing.

Scanners try the ports that scanners try, users read the web page. All addresses are from ranges reserved for
documentation and tests. Each minute of each interface is drawn from a random source of its own, so what a minute holds
depends on nothing but the seed, the interface and the level.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address

import numpy as np
from numpy.typing import NDArray

from labkit.sandbox.network.attempts import EPHEMERAL_PORTS, FIN, RST, SYN, SYN_ACK
from labkit.sandbox.network.firewall import ECHO_REQUEST, Packet
from labkit.sandbox.network.flows import FLOW, MADE_NOW, MINUTE, NO_FLOWS, OK, Book, Flows, joined, take
from labkit.sandbox.network.journey import OPEN_PORTS, Journey, World, travel
from labkit.sandbox.network.protocols import ICMP, TCP, UDP
from labkit.sandbox.network.topology import Interface

Numbers = NDArray[np.int64]

SCANS_PER_MINUTE, VISITS_PER_MINUTE = 6.0, 6.0
_PORTS = [
    (TCP, 23, 18),
    (TCP, 22, 16),
    (TCP, 3389, 10),
    (TCP, 445, 9),
    (TCP, 8080, 7),
    (TCP, 443, 7),
    (TCP, 80, 6),
    (TCP, 5900, 4),
    (TCP, 6379, 4),
    (TCP, 3306, 3),
    (TCP, 1433, 3),
    (TCP, 2375, 2),
    (TCP, 9200, 2),
    (UDP, 5060, 4),
    (UDP, 53, 2),
    (UDP, 161, 2),
    (ICMP, 0, 1),
]
"""What scanners try, and how often."""
_SCANNED_PROTOCOLS, _SCANNED_PORTS, _WEIGHTS = np.array(_PORTS).T.copy()
_SHARES = np.cumsum(_WEIGHTS / _WEIGHTS.sum())
_SHARES /= _SHARES[-1]
_SCAN_SIZES = np.array([40, 44, 44, 60])
_STRIDE = 7919  # a prime: its multiples meet every port before they come round again
_DATAGRAM_BYTES, _PING_BYTES, _SYN_BYTES, _RST_BYTES = 78, 84, 60, 40


def _block(first: str, count: int) -> Numbers:
    return int(IPv4Address(first)) + np.arange(count)


_SCANNERS = np.concatenate([_block("198.51.100.1", 254), _block("203.0.113.128", 127)])
_VISITORS = np.concatenate([_block("192.0.2.1", 254), _block("100.64.0.1", 2000)])
OUTSIDERS = np.concatenate([_SCANNERS, _VISITORS])
"""Whom packets come from."""
NAMES = [str(IPv4Address(int(address))) for address in OUTSIDERS]
"""Their addresses, by place."""


@dataclass(frozen=True)
class Draw:
    """Packets of a minute before anything looked at them, column by column."""

    source: Numbers
    """Places among OUTSIDERS."""
    source_port: Numbers
    protocol: Numbers
    port: Numbers
    first: Numbers
    visit: NDArray[np.bool_]


def flows(
    interface: Interface,
    number: int,
    addresses: Book,
    *,
    minute: int,
    level: float,
    seed: int,
    judge: Judge | None = None,
) -> Flows:
    """The background of one minute at one interface. Only an interface with a public address has any.

    A `judge` of the interface's own, kept from minute to minute, has seen most of it before.
    """
    if interface.public_address is None or not level:
        return NO_FLOWS
    random = np.random.default_rng([seed, zlib.crc32(interface.id.encode()), minute])
    drawn = _draw(random, minute, level)
    outcomes, journeys = (judge or Judge(interface)).judge(drawn)
    if not any(journey.request for journey in journeys):  # the way ends before the interface, for all or for none
        return NO_FLOWS
    rows = _blank(interface, number, drawn, addresses)
    parts = []
    for outcome, journey in enumerate(journeys):
        chosen = np.flatnonzero(outcomes == outcome)
        parts += _seen(journey, take(rows, chosen), drawn.visit[chosen], random)
    return joined(parts)


def _draw(random: np.random.Generator, minute: int, level: float) -> Draw:
    scans = random.poisson(SCANS_PER_MINUTE * level)
    visits = random.poisson(VISITS_PER_MINUTE * level * _rhythm(minute))
    count = scans + visits
    kinds = np.searchsorted(_SHARES, random.random(scans), side="right")  # as `choice` does, at a fifth of its cost
    protocols = np.concatenate([_SCANNED_PROTOCOLS[kinds], np.full(visits, TCP)])
    scanners = random.integers(0, len(_SCANNERS), scans)
    visitors = random.integers(len(_SCANNERS), len(OUTSIDERS), visits)
    return Draw(
        source=np.concatenate([scanners, visitors]),
        source_port=np.where(protocols == ICMP, 0, _source_ports(random, count)),
        protocol=protocols,
        port=np.concatenate([_SCANNED_PORTS[kinds], np.full(visits, 80)]),
        first=minute * MINUTE + random.integers(0, MINUTE, count),
        visit=np.arange(count) >= scans,
    )


def _source_ports(random: np.random.Generator, count: int) -> Numbers:
    """Ports that look drawn and are all different, up to as many as there are: no two packets are of one flow."""
    first, last = EPHEMERAL_PORTS
    return first + (random.integers(0, last) + _STRIDE * np.arange(count)) % (last - first + 1)


def _rhythm(minute: int) -> float:
    """Users come by day: from 0.4 of the average at four in the morning to 1.6 at four in the afternoon, UTC."""
    return 1 - 0.6 * math.cos(2 * math.pi * (minute - 4 * 60) / (24 * 60))


class Judge:
    """Tells what becomes of packets to an interface: one of every kind is sent on its way, and only once.

    Packets that no rule tells apart are of one kind.
    """

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._ports = _port_borders(interface)
        addresses = _address_borders(interface)
        self._address_kinds = np.searchsorted(addresses, OUTSIDERS, side="right") * (len(self._ports) + 1) ** 2
        self._world = World(
            lambda address: [interface] if interface.owns(address) else [], lambda *_: {}, lambda *_: None
        )
        self._journeys: dict[int, Journey] = {}

    def judge(self, drawn: Draw) -> tuple[Numbers, list[Journey]]:
        """Return the journeys that packets of the draw make, and for each packet which of them is its own."""
        source_kinds = np.searchsorted(self._ports, drawn.source_port, side="right")
        kinds = np.searchsorted(self._ports, drawn.port, side="right")
        kinds += self._address_kinds[drawn.source] + source_kinds * (len(self._ports) + 1)
        several, examples, outcomes = np.unique(kinds * 256 + drawn.protocol, return_index=True, return_inverse=True)
        for kind, example in zip(several.tolist(), examples.tolist(), strict=True):
            if kind not in self._journeys:
                self._journeys[kind] = travel(self._world, _packet(self.interface, drawn, example))
        return outcomes.reshape(-1), [self._journeys[kind] for kind in several.tolist()]


def _packet(interface: Interface, drawn: Draw, place: int) -> Packet:
    protocol = int(drawn.protocol[place])
    return Packet(
        source=IPv4Address(int(OUTSIDERS[drawn.source[place]])),
        destination=interface.public_address or interface.addresses[0],
        protocol=protocol,
        source_port=int(drawn.source_port[place]),
        destination_port=int(drawn.port[place]),
        icmp_type=ECHO_REQUEST.get(protocol, 0),
    )


def _address_borders(interface: Interface) -> Numbers:
    """Where, along the IPv4 addresses, a network of some rule, entry or route begins or ends."""
    rules = [rule for group in interface.groups for rule in (*group.ingress, *group.egress)]
    networks = [network for rule in rules for network in rule.networks]
    networks += [entry.network for entry in (*interface.acl.ingress, *interface.acl.egress)]
    networks += [route.network for route in interface.route_table.routes]
    networks += [*interface.vpc_networks, *interface.subnet_networks]
    spans = [(int(n.network_address), int(n.broadcast_address) + 1) for n in networks if n.version == 4]
    return _borders(spans)


def _port_borders(interface: Interface) -> Numbers:
    """Where, along the ports, a range of some rule or entry, or an open port, begins or ends."""
    rules = [rule for group in interface.groups for rule in (*group.ingress, *group.egress)]
    spans = [(rule.from_port, rule.to_port + 1) for rule in rules]
    entries = (*interface.acl.ingress, *interface.acl.egress)
    spans += [(entry.ports[0], entry.ports[1] + 1) for entry in entries if entry.ports]
    spans += [(port, port + 1) for _, port in OPEN_PORTS]
    return _borders(spans)


def _borders(spans: Iterable[tuple[int, int]]) -> Numbers:
    return np.array(sorted({border for span in spans for border in span}), np.int64)


def _blank(interface: Interface, number: int, drawn: Draw, addresses: Book) -> Flows:
    """Requests as rows; packets, bytes, flags and action are filled in once their outcome is known."""
    numbers = np.zeros(len(OUTSIDERS), np.int32)
    for place in np.unique(drawn.source).tolist():
        numbers[place] = addresses.number(NAMES[place])
    own = addresses.number(str(interface.addresses[0]))
    rows = np.zeros(len(drawn.source), FLOW)
    rows["interface"] = number
    rows["source"] = rows["packet_source"] = numbers[drawn.source]
    rows["destination"] = rows["packet_destination"] = own
    rows["source_port"], rows["destination_port"] = drawn.source_port, drawn.port
    rows["protocol"] = drawn.protocol
    rows["first"] = rows["last"] = drawn.first
    rows["packets"], rows["status"], rows["origin"] = 1, OK, MADE_NOW
    return rows


def _seen(journey: Journey, rows: Flows, visit: NDArray[np.bool_], random: np.random.Generator) -> list[Flows]:
    """What the interface records of packets with one outcome: the requests, and the answers to them."""
    if not journey.request:
        return []
    answers = _turned(rows)
    if journey.outcome == "connected" and rows["protocol"][0] == TCP:
        _fill_sessions(rows, answers, visit, random)
    else:
        _fill_single(journey, rows, answers, random)
    rows["accepted"] = journey.request[-1].accepted
    if not journey.answer:
        return [rows]
    sighting = journey.answer[0]
    answers["accepted"], answers["path"] = sighting.accepted, sighting.leg.path
    answers["protocol"] = sighting.leg.packet.protocol
    return [rows, answers]


def _turned(rows: Flows) -> Flows:
    """The answers to requests: the other way round, out of the interface."""
    answers = rows.copy()
    for one, other in (("source", "destination"), ("packet_source", "packet_destination")):
        answers[one], answers[other] = rows[other], rows[one]
    answers["source_port"], answers["destination_port"] = rows["destination_port"], rows["source_port"]
    answers["egress"] = True
    return answers


def _fill_sessions(rows: Flows, answers: Flows, visit: NDArray[np.bool_], random: np.random.Generator) -> None:
    """TCP connections that came about: a page read, or a scanner that tries the door and leaves."""
    count = len(rows)
    pages = np.where(visit, random.integers(1, 6, count), 1)
    rows["packets"] = 4 + 2 * pages
    rows["bytes"] = 4 * 52 + 8 + pages * random.integers(380, 640, count)
    answers["packets"] = 3 + 2 * pages
    answers["bytes"] = 3 * 52 + 8 + pages * np.where(visit, random.integers(900, 6000, count), 200)
    ends = (rows["first"] // MINUTE + 1) * MINUTE - 1
    rows["last"] = answers["last"] = np.minimum(rows["first"] + random.integers(0, 8, count), ends)
    rows["tcp_flags"], answers["tcp_flags"] = SYN | FIN, SYN_ACK | FIN


def _fill_single(journey: Journey, rows: Flows, answers: Flows, random: np.random.Generator) -> None:
    """One packet that nobody answered, or that was told no; and pings and datagrams."""
    tcp = rows["protocol"] == TCP
    datagram = np.where(rows["protocol"] == ICMP, _PING_BYTES, _DATAGRAM_BYTES)
    rows["bytes"] = np.where(tcp, random.choice(_SCAN_SIZES, len(rows)), datagram)
    rows["tcp_flags"] = np.where(tcp, SYN, 0)
    refused = journey.outcome == "refused"
    answers["bytes"] = np.where(tcp, _RST_BYTES if refused else _SYN_BYTES, datagram)
    answers["tcp_flags"] = np.where(tcp, RST if refused else SYN_ACK, 0)
    if journey.answer and not journey.answer[0].leg.packet.source_port:
        answers["source_port"] = answers["destination_port"] = 0
