"""Who is who in the sample data: every address that speaks in it, and what it wants.

All outsiders have addresses that are nobody's: the documentation ranges of RFC 5737, the benchmarking range of
RFC 2544 and the shared space of RFC 6598, so no chart of the lab ever points at a real network.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address, ip_network

ACCOUNT_ID = "123456789012"
WEB_SERVER = "10.0.1.10"
INTERFACE_ID = "eni-0c0ffee5eed1ab000"


@dataclass(frozen=True)
class Actor:
    """Somebody in the story: a name for charts, the networks it speaks from, what it does there.

    >>> Actor("Night shift", ("198.51.100.24/29",), "attacker", "Guesses SSH passwords.").speaks_from("198.51.100.25")
    True
    """

    name: str
    networks: tuple[str, ...]
    role: str
    """inside, friend, noise or attacker"""
    does: str

    def speaks_from(self, address: str) -> bool:
        """Whether the address is one of this actor's."""
        return any(ip_address(address) in ip_network(network) for network in self.networks)


_CAST = (
    Actor(
        "Web server", ("10.0.1.10/32",), "inside", "Serves the shop on ports 80 and 443 and keeps itself up to date."
    ),
    Actor(
        "Head office", ("203.0.113.10/32",), "friend", "The staff at work; an administrator logs in by SSH from here."
    ),
    Actor("Package mirror", ("203.0.113.80/32",), "friend", "Where the web server fetches its updates every morning."),
    Actor("Time server", ("203.0.113.123/32",), "friend", "Tells the web server the time, once an hour."),
    Actor("Uptime monitor", ("192.0.2.10/32",), "friend", "Asks for the start page every ten minutes, day and night."),
    Actor(
        "Home customers", ("198.18.0.0/15",), "friend", "Customers on home broadband: in the evening and at weekends."
    ),
    Actor("Mobile customers", ("100.64.0.0/10",), "friend", "Customers on their phones: at lunch and on the way home."),
    Actor("Night shift", ("198.51.100.24/30",), "attacker", "Guesses SSH passwords at night and all weekend."),
    Actor(
        "Surveyor", ("192.0.2.77/32",), "attacker", "Tries one port after the other, so slowly that no alarm sees it."
    ),
    Actor("Swarm", ("203.0.113.128/25",), "attacker", "Hijacked cameras that look for telnet, all at once."),
    Actor(
        "Internet noise", ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"), "noise", "Scanners that try everybody."
    ),
)


def cast() -> tuple[Actor, ...]:
    """Everybody in the story, the more particular first."""
    return _CAST


@cache
def who(address: str) -> str:
    """The name of who speaks from an address.

    >>> who("192.0.2.77"), who("192.0.2.78"), who("10.9.9.9")
    ('Surveyor', 'Internet noise', 'unknown')
    """
    return next((actor.name for actor in _CAST if actor.speaks_from(address)), "unknown")
