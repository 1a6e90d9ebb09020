"""IP protocols by name and number.

Source: https://www.iana.org/assignments/protocol-numbers
"""

from __future__ import annotations

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58

_NUMBERS = {"icmp": ICMP, "tcp": TCP, "udp": UDP, "icmpv6": ICMPV6, "gre": 47, "esp": 50, "ah": 51, "sctp": 132}
_NAMES = {number: name for name, number in _NUMBERS.items()}


def number_of(protocol: str | int) -> int:
    """The number of a protocol given by name or number; raises ValueError for anything else.

    >>> number_of("tcp"), number_of("17"), number_of(1)
    (6, 17, 1)
    """
    text = str(protocol).lower()
    if text in _NUMBERS:
        return _NUMBERS[text]
    if not text.isdecimal() or int(text) > 255:
        raise ValueError(f"{protocol!r} is no IP protocol: neither a number from 0 to 255 nor one of {list(_NUMBERS)}")
    return int(text)


def name_of(protocol: int) -> str:
    """How people call a protocol.

    >>> name_of(6), name_of(112)
    ('tcp', 'protocol 112')
    """
    return _NAMES.get(protocol, f"protocol {protocol}")
