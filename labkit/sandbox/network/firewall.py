"""Security groups and network ACLs: what decides over one packet, and in which words it is told.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html and
https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from labkit.sandbox.network.protocols import ICMP, ICMPV6, TCP, UDP, name_of
from labkit.sandbox.network.topology import (
    Address,
    NetworkAcl,
    NetworkAclEntry,
    SecurityGroup,
    SecurityGroupRule,
)

Direction = Literal["ingress", "egress"]

_WORDS: dict[Direction, tuple[str, str]] = {"ingress": ("inbound", "from"), "egress": ("outbound", "to")}
_ECHO_REPLY = {ICMP: 0, ICMPV6: 129}
ECHO_REQUEST = {ICMP: 8, ICMPV6: 128}


@dataclass(frozen=True)
class Packet:
    """What the rules see of a packet. Ports are 0 for a protocol without them; type and code are ICMP's."""

    source: Address
    destination: Address
    protocol: int
    source_port: int = 0
    destination_port: int = 0
    icmp_type: int = 0
    icmp_code: int = 0

    def peer(self, direction: Direction) -> Address:
        """The far end, as the interface's rules see it."""
        return self.source if direction == "ingress" else self.destination

    def reply(self) -> Packet:
        """The packet that answers this one."""
        return replace(
            self,
            source=self.destination,
            destination=self.source,
            source_port=self.destination_port,
            destination_port=self.source_port,
            icmp_type=_ECHO_REPLY.get(self.protocol, 0),
        )

    def what(self) -> str:
        """The packet's kind, in words."""
        if self.protocol in (TCP, UDP):
            return f"{name_of(self.protocol)} port {self.destination_port}"
        if self.protocol in (ICMP, ICMPV6):
            return f"{name_of(self.protocol)} type {self.icmp_type} code {self.icmp_code}"
        return name_of(self.protocol)


@dataclass(frozen=True)
class Verdict:
    """Whether something lets a packet through, and what it is."""

    allowed: bool
    by: str
    """security group, network ACL, route, instance, host or address."""
    id: str
    rule: str | None
    """The id or number of the rule that decided; None where no rule matched."""
    reason: str


def judge_by_security_groups(
    groups: Iterable[SecurityGroup],
    direction: Direction,
    packet: Packet,
    peer_groups: frozenset[str] = frozenset(),
) -> Verdict:
    """The verdict of an interface's security groups: one rule of one group is enough.

    `peer_groups` are the groups of the interface at the far end, if the packet has its private address there.
    """
    groups = tuple(groups)
    way, preposition = _WORDS[direction]
    for group in groups:
        for rule in group.ingress if direction == "ingress" else group.egress:
            if _matches_rule(rule, direction, packet, peer_groups):
                reason = (
                    f"{way} rule {rule.id} of security group {group.name} ({group.id}) allows {packet.what()} "
                    f"{preposition} {rule.peers}"
                )
                return Verdict(True, "security group", group.id, rule.id, reason)
    names = " and ".join(f"{group.name} ({group.id})" for group in groups) or "none"
    reason = f"no {way} rule of security group {names} allows {packet.what()} {preposition} {packet.peer(direction)}"
    return Verdict(False, "security group", groups[0].id if groups else "", None, reason)


def judge_by_network_acl(acl: NetworkAcl, direction: Direction, packet: Packet) -> Verdict:
    """The verdict of a subnet's network ACL: the first entry that matches decides; none, and the packet is dropped."""
    way, preposition = _WORDS[direction]
    what = f"{packet.what()} {preposition} {packet.peer(direction)}"
    for entry in acl.ingress if direction == "ingress" else acl.egress:
        if _matches_entry(entry, direction, packet):
            verb = "allows" if entry.allow else "denies"
            reason = f"{way} rule {entry.number} of network ACL {acl.id} {verb} {what}"
            return Verdict(entry.allow, "network ACL", acl.id, str(entry.number), reason)
    reason = f"no numbered {way} rule of network ACL {acl.id} matches {what}, so its last rule (*) denies it"
    return Verdict(False, "network ACL", acl.id, "*", reason)


def _matches_rule(rule: SecurityGroupRule, direction: Direction, packet: Packet, peer_groups: frozenset[str]) -> bool:
    if rule.protocol is not None and rule.protocol != packet.protocol:
        return False
    if rule.protocol in (TCP, UDP) and not rule.from_port <= packet.destination_port <= rule.to_port:
        return False
    if rule.protocol in (ICMP, ICMPV6) and not (
        rule.from_port in (-1, packet.icmp_type) and rule.to_port in (-1, packet.icmp_code)
    ):
        return False
    peer = packet.peer(direction)
    return rule.group_id in peer_groups or any(
        peer in network for network in rule.networks if network.version == peer.version
    )


def _matches_entry(entry: NetworkAclEntry, direction: Direction, packet: Packet) -> bool:
    peer = packet.peer(direction)
    if entry.protocol not in (None, packet.protocol) or entry.network.version != peer.version:
        return False
    first, last = entry.ports or (0, 65535)
    if entry.protocol in (TCP, UDP) and not first <= packet.destination_port <= last:
        return False
    if entry.protocol in (ICMP, ICMPV6) and not (
        entry.icmp_type in (None, packet.icmp_type) and entry.icmp_code in (None, packet.icmp_code)
    ):
        return False
    return peer in entry.network
