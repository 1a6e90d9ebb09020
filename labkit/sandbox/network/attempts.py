"""What a connection puts on the wire: packets, bytes and TCP flags of the request's side and of the answer's."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from labkit.sandbox.network.flows import Burst
from labkit.sandbox.network.journey import Journey
from labkit.sandbox.network.protocols import ICMP, ICMPV6, TCP

FIN, SYN, RST, SYN_ACK = 1, 2, 4, 18
EPHEMERAL_PORTS = (32768, 60999)
"""What Linux takes source ports from."""

_SYN_RETRIES = (0, 1, 3, 7, 15)
"""Seconds at which Linux sends the first packet and repeats it, until a person gives up after some twenty."""
_SYN_BYTES, _RST_BYTES, _FIN_BYTES, _PING_BYTES, _DATAGRAM_BYTES, _UNREACHABLE_BYTES = 60, 40, 52, 84, 78, 106


class Session(NamedTuple):
    """The usual size of a TCP session on a port: packets and bytes each way between handshake and end, seconds."""

    packets: int
    bytes: int
    answer_packets: int
    answer_bytes: int
    seconds: float


_SESSIONS = {22: Session(22, 4100, 19, 4500, 6.0), 80: Session(5, 480, 4, 3100, 0.4)}
_OTHER_SESSION = Session(6, 700, 5, 1600, 1.0)


class Bursts(NamedTuple):
    """The packets of a request and of its answer."""

    request: list[Burst]
    answer: list[Burst]


def bursts(journey: Journey, protocol: int, port: int, begin: float, random: Random) -> Bursts:
    """What a journey's interfaces see from `begin` on. Legs that a packet did not reach see none of it."""
    if journey.outcome == "refused":
        return _refused(protocol, begin)
    if protocol in (ICMP, ICMPV6):
        return _pings(begin)
    if protocol != TCP:
        return Bursts(
            [Burst(begin, begin, 1, _DATAGRAM_BYTES)], [Burst(begin + 0.05, begin + 0.05, 1, _DATAGRAM_BYTES)]
        )
    if journey.outcome == "timed out":
        return _unanswered(begin)
    return _session(_SESSIONS.get(port, _OTHER_SESSION), begin, random)


def _unanswered(begin: float) -> Bursts:
    """A SYN, repeated; and its SYN-ACKs, for the interfaces that saw one that got lost further on."""
    times = [begin + seconds for seconds in _SYN_RETRIES]
    request = [Burst(time, time, 1, _SYN_BYTES, SYN) for time in times]
    answer = [Burst(time + 0.001, time + 0.001, 1, _SYN_BYTES, SYN_ACK) for time in times]
    return Bursts(request, answer)


def _refused(protocol: int, begin: float) -> Bursts:
    """One packet, and the RST (or the ICMP message) that says that nobody listens."""
    after = begin + 0.001
    if protocol == TCP:
        return Bursts([Burst(begin, begin, 1, _SYN_BYTES, SYN)], [Burst(after, after, 1, _RST_BYTES, RST)])
    return Bursts([Burst(begin, begin, 1, _DATAGRAM_BYTES)], [Burst(after, after, 1, _UNREACHABLE_BYTES)])


def _pings(begin: float) -> Bursts:
    """Four echo requests, a second apart, as `ping -c 4` sends them."""
    pings = [Burst(begin, begin + 3, 4, 4 * _PING_BYTES)]
    return Bursts(pings, pings)


def _session(usual: Session, begin: float, random: Random) -> Bursts:
    """Handshake, talk and end of a TCP connection, sized like its port's usual ones and no two alike."""
    scale = random.uniform(0.8, 1.25)
    seconds = usual.seconds * random.uniform(0.7, 1.5)
    end = begin + seconds
    return Bursts(
        _side(begin, end, max(2, round(usual.packets * scale)), round(usual.bytes * scale), SYN),
        _side(
            begin + 0.001, end, max(2, round(usual.answer_packets * scale)), round(usual.answer_bytes * scale), SYN_ACK
        ),
    )


def _side(begin: float, end: float, packets: int, size: int, opening: int) -> list[Burst]:
    return [
        Burst(begin, begin, 1, _SYN_BYTES, opening),
        Burst(begin, end, packets, size),
        Burst(end, end, 1, _FIN_BYTES, FIN),
    ]
