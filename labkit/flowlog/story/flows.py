"""Flows as one numpy array: what the scenes of the story are made of before they become flow log records."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Flows: TypeAlias = NDArray[np.void]
Numbers: TypeAlias = NDArray[np.float64]
Truths: TypeAlias = NDArray[np.bool_]
Column: TypeAlias = NDArray[Any] | float
"""A value for each flow, or one for all."""

TCP, UDP, ICMP = 6, 17, 1
WINDOW_SECONDS = 600
"""The sample's flow log has the default maximum aggregation interval, 10 minutes."""

FLOW = np.dtype(
    [
        ("start", np.float64),
        ("seconds", np.float64),
        ("source", np.uint32),
        ("destination", np.uint32),
        ("source_port", np.uint16),
        ("destination_port", np.uint16),
        ("protocol", np.uint8),
        ("packets", np.uint32),
        ("bytes", np.uint64),
        ("accepted", np.bool_),
    ]
)


def make_flows(start: Numbers, **columns: Column) -> Flows:
    """Flows from their columns; a scalar stands for all of them, an absent column for zero."""
    flows = np.zeros(len(start), FLOW)
    flows["start"] = start
    for name, values in columns.items():
        flows[name] = values
    return flows


def number_of(address: str) -> int:
    """An IPv4 address as the number that flows hold."""
    return int(ip_address(address))


def numbers_of(network: str) -> NDArray[np.uint32]:
    """All the addresses of a network, as numbers; without its first and last where it has more than two."""
    hosts = ip_network(network)
    return np.array([int(address) for address in hosts.hosts()], np.uint32)


def responses(flows: Flows, rng: np.random.Generator) -> Flows:
    """The traffic back: a flow log has a record of its own for each direction of an accepted conversation."""
    asked = flows[flows["accepted"]]
    back: Flows = asked.copy()
    for to, origin in (("source", "destination"), ("source_port", "destination_port")):
        back[to], back[origin] = asked[origin], asked[to]
    from_the_web = np.isin(asked["destination_port"], (80, 443))
    uploaded = asked["bytes"] > 1000 * asked["packets"]
    generosity = np.where(from_the_web, rng.lognormal(2.0, 0.8, len(back)), rng.uniform(0.8, 1.3, len(back)))
    back["bytes"] = np.maximum(asked["bytes"] * np.where(uploaded, 0, generosity), 40 * asked["packets"])
    back["packets"] = np.maximum(asked["packets"], back["bytes"] // 1400 + 1)
    return back


def cut_at_windows(flows: Flows) -> Flows:
    """Flows cut where an aggregation window ends: a long conversation is a record in every window it touches."""
    first = flows["start"] // WINDOW_SECONDS
    pieces = (((flows["start"] + flows["seconds"]) // WINDOW_SECONDS) - first + 1).astype(int)
    cut: Flows = np.repeat(flows, pieces)
    piece = np.arange(len(cut)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begins = (np.repeat(first, pieces) + piece) * WINDOW_SECONDS
    ends = np.minimum(cut["start"] + cut["seconds"], begins + WINDOW_SECONDS - 1)
    cut["start"] = np.maximum(cut["start"], begins)
    cut["seconds"] = np.maximum(ends - cut["start"], 0)
    shares = np.repeat(pieces, pieces)
    cut["packets"] = np.maximum(cut["packets"] // shares, 1)
    cut["bytes"] = np.maximum(cut["bytes"] // shares, 40 * cut["packets"])
    return cut
