"""What each actor does, as flows that nobody has accepted or rejected yet.

Every scene has a random generator of its own, so a change in one leaves the others as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from labkit.flowlog.story import rhythm
from labkit.flowlog.story.cast import WEB_SERVER
from labkit.flowlog.story.flows import ICMP, TCP, UDP, Column, Flows, Numbers, make_flows, number_of, numbers_of

Generator = np.random.Generator
Scene = Callable[[Generator, Numbers], Flows]

SERVER = number_of(WEB_SERVER)
BRUTE_FORCERS = numbers_of("198.51.100.24/29")[:3]
SWARM_COMES = datetime(2026, 10, 14, 14, 10, tzinfo=UTC).timestamp()
SWARM_STAYS = 40 * 60

NOISE_PORTS: dict[tuple[int, int], float] = {
    (TCP, 23): 18,
    (TCP, 22): 10,
    (TCP, 445): 12,
    (TCP, 3389): 11,
    (TCP, 8080): 8,
    (TCP, 80): 6,
    (TCP, 443): 5,
    (TCP, 1433): 5,
    (TCP, 5900): 4,
    (TCP, 3306): 4,
    (TCP, 6379): 4,
    (TCP, 8443): 4,
    (UDP, 5060): 4,
    (TCP, 2323): 3,
    (TCP, 21): 2,
    (TCP, 25): 2,
    (TCP, 5432): 2,
    (TCP, 9200): 2,
    (TCP, 2375): 2,
    (UDP, 53): 2,
    (UDP, 123): 2,
    (UDP, 161): 2,
    (UDP, 1900): 2,
    (ICMP, 0): 3,
}
"""What scanners of the whole internet knock at (protocol, port), and how often; ICMP has no ports."""


def arrivals(rng: Generator, hours: Numbers, flows_an_hour: Column) -> Numbers:
    """Moments in these hours: independent of each other, with a given average per hour."""
    counts = rng.poisson(flows_an_hour, len(hours))
    moments: Numbers = np.repeat(hours, counts) + rng.random(counts.sum()) * rhythm.HOUR
    return moments


def knock(rng: Generator, moments: Numbers, source: Column, ports: Column, protocol: Column = TCP) -> Flows:
    """One to three packets that ask for a connection: a refused SYN is sent again after one second, and after three."""
    packets = rng.choice([1, 2, 3], len(moments), p=[0.7, 0.2, 0.1])
    return make_flows(
        moments,
        seconds=np.array([0, 1, 3])[packets - 1],
        source=source,
        source_port=np.where(np.equal(protocol, ICMP), 0, rng.integers(32768, 61000, len(moments))),
        destination=SERVER,
        destination_port=ports,
        protocol=protocol,
        packets=packets,
        bytes=packets * rng.choice([40, 44, 60], len(moments)),
    )


def browse(rng: Generator, moments: Numbers, source: Column) -> Flows:
    """Visits to the shop: nine of ten encrypted."""
    packets = rng.integers(5, 25, len(moments))
    return make_flows(
        moments,
        seconds=rng.exponential(20, len(moments)) // 1,
        source=source,
        source_port=rng.integers(1024, 65535, len(moments)),
        destination=SERVER,
        destination_port=rng.choice([443, 80], len(moments), p=[0.9, 0.1]),
        protocol=TCP,
        packets=packets,
        bytes=packets * rng.integers(60, 240, len(moments)),
    )


def staff(rng: Generator, hours: Numbers) -> Flows:
    """The staff work in the shop's back office, all behind one address."""
    return browse(rng, arrivals(rng, hours, rhythm.at_work(hours)), number_of("203.0.113.10"))


def home_customers(rng: Generator, hours: Numbers) -> Flows:
    """Households that come back again and again."""
    moments = arrivals(rng, hours, rhythm.at_home(hours))
    households = number_of("198.18.0.0") + rng.choice(2**17, 400, replace=False)
    return browse(rng, moments, rng.choice(households, len(moments)))


def mobile_customers(rng: Generator, hours: Numbers) -> Flows:
    """Phones behind the carrier's translators: seldom the same address twice."""
    moments = arrivals(rng, hours, rhythm.on_the_move(hours))
    return browse(rng, moments, number_of("100.64.0.0") + rng.integers(1, 2**16, len(moments)))


def administrator(rng: Generator, hours: Numbers) -> Flows:
    """Logs in from the office on working mornings and stays for a while."""
    local = rhythm.irish_time(hours)
    morning = ~rhythm.is_weekend(local) & (rhythm.hour_of_day(local) == 9)
    moments = arrivals(rng, hours, np.where(morning, 1.4, 0.0))
    return ssh_session(rng, moments, rng.uniform(300, 2400, len(moments)) // 1, number_of("203.0.113.10"))


def ssh_session(rng: Generator, moments: Numbers, seconds: Numbers, source: Column) -> Flows:
    """Somebody is logged in and types: about three packets a second."""
    packets = (seconds * rng.uniform(2, 4, len(moments))).astype(int) + 20
    return make_flows(
        moments,
        seconds=seconds,
        source=source,
        source_port=rng.integers(49152, 65535, len(moments)),
        destination=SERVER,
        destination_port=22,
        protocol=TCP,
        packets=packets,
        bytes=packets * rng.integers(70, 130, len(moments)),
    )


def uptime_monitor(rng: Generator, hours: Numbers) -> Flows:
    """Every ten minutes, twenty seconds past."""
    moments = (hours[:, None] + 600 * np.arange(6) + 20).ravel()
    return make_flows(
        moments,
        seconds=1,
        source=number_of("192.0.2.10"),
        source_port=rng.integers(32768, 61000, len(moments)),
        destination=SERVER,
        destination_port=80,
        protocol=TCP,
        packets=6,
        bytes=410,
    )


def housekeeping(rng: Generator, hours: Numbers) -> Flows:
    """What the server asks for itself: the time every hour, updates every morning at 06:25 UTC."""
    clock = make_flows(
        hours + 1020,
        source=SERVER,
        source_port=123,
        destination=number_of("203.0.113.123"),
        destination_port=123,
        protocol=UDP,
        packets=1,
        bytes=76,
    )
    mornings = hours[rhythm.hour_of_day(hours) == 6] + 1500 + rng.integers(0, 60, len(hours) // 24)
    packets = rng.integers(400, 4000, len(mornings))
    updates = make_flows(
        mornings,
        seconds=rng.integers(20, 90, len(mornings)),
        source=SERVER,
        source_port=rng.integers(32768, 61000, len(mornings)),
        destination=number_of("203.0.113.80"),
        destination_port=443,
        protocol=TCP,
        packets=packets,
        bytes=52 * packets,
    )
    return np.concatenate([clock, updates])


def internet_noise(rng: Generator, hours: Numbers) -> Flows:
    """Scanners that try every address there is; a few of them much more often than the rest."""
    moments = arrivals(rng, hours, 52.0)
    scanners = np.concatenate(
        [numbers_of("192.0.2.96/27"), numbers_of("192.0.2.128/25"), numbers_of("198.51.100.128/25")]
    )
    rng.shuffle(scanners)
    eagerness = 1 / np.arange(3, len(scanners) + 3)
    kinds = rng.choice(len(NOISE_PORTS), len(moments), p=np.array([*NOISE_PORTS.values()]) / sum(NOISE_PORTS.values()))
    protocols, ports = np.array([*NOISE_PORTS]).T
    sources = rng.choice(scanners, len(moments), p=eagerness / eagerness.sum())
    return knock(rng, moments, sources, ports[kinds], protocols[kinds])


def night_shift(rng: Generator, hours: Numbers) -> Flows:
    """Three hosts that share the work unequally: SSH and nothing else."""
    moments = arrivals(rng, hours, rhythm.on_night_shift(hours))
    return knock(rng, moments, rng.choice(BRUTE_FORCERS, len(moments), p=[0.5, 0.3, 0.2]), 22)


def surveyor(rng: Generator, hours: Numbers) -> Flows:
    """One port after the other, one every eight minutes or so: 5000 ports in four weeks, never twice the same."""
    gaps = rng.uniform(300, 660, int(len(hours) * rhythm.HOUR / 480))
    moments = hours[0] + np.cumsum(gaps)
    moments = moments[moments < hours[-1] + rhythm.HOUR]
    return knock(rng, moments, number_of("192.0.2.77"), 1 + np.arange(len(moments)))


def swarm(rng: Generator, hours: Numbers) -> Flows:
    """A botnet's forty minutes: a hundred and twenty cameras ask for telnet, many times each."""
    moments = np.sort(SWARM_COMES + SWARM_STAYS * rng.beta(2, 3, 3600))
    moments = moments[(moments >= hours[0]) & (moments < hours[-1] + rhythm.HOUR)]
    cameras = rng.choice(numbers_of("203.0.113.128/25")[:120], len(moments))
    return knock(rng, moments, cameras, rng.choice([23, 2323], len(moments), p=[0.8, 0.2]))


SCENES: tuple[Scene, ...] = (
    staff,
    home_customers,
    mobile_customers,
    administrator,
    uptime_monitor,
    housekeeping,
    internet_noise,
    night_shift,
    surveyor,
    swarm,
)
