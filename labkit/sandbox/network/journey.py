"""The way of a packet to its destination and of the answer back: which interfaces see it, and what stops it.

A security group is stateful: it looks at the first packet and lets the answer pass. A network ACL is stateless: it
looks at every packet that crosses the border of a subnet, both ways.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html#VPC_Security_Comparison
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from labkit.sandbox.network.firewall import (
    Direction,
    Packet,
    Verdict,
    judge_by_network_acl,
    judge_by_security_groups,
)
from labkit.sandbox.network.protocols import ICMP, ICMPV6, TCP, name_of
from labkit.sandbox.network.topology import Address, Interface, Route, is_private

Outcome = Literal["connected", "refused", "timed out"]

OPEN_PORTS = frozenset({(TCP, 22), (TCP, 80)})
"""What listens on an instance: SSH and a web server."""

AMAZON_SERVICES: dict[Address, str] = {
    ip_address("169.254.169.254"): "the instance metadata service",
    ip_address("fd00:ec2::254"): "the instance metadata service",
    ip_address("169.254.169.253"): "the Amazon DNS server",
    ip_address("fd00:ec2::253"): "the Amazon DNS server",
    ip_address("169.254.169.123"): "the Amazon Time Sync Service",
    ip_address("fd00:ec2::123"): "the Amazon Time Sync Service",
    ip_address("169.254.169.250"): "Windows licence activation",
    ip_address("169.254.169.251"): "Windows licence activation",
}

SAME_VPC, INTERNET_GATEWAY, VIRTUAL_PRIVATE_GATEWAY, PEERING, PEERING_OF_REGIONS = 1, 2, 3, 4, 5
GATEWAY_ENDPOINT_NITRO, INTERNET_GATEWAY_NITRO = 7, 8
"""Values of the field traffic-path; before Nitro, a gateway endpoint has the internet gateway's."""
_PORT_UNREACHABLE = {ICMP: (3, 3), ICMPV6: (1, 4)}


@dataclass(frozen=True)
class Leg:
    """A packet at one interface, as the interface sees it."""

    interface: Interface
    direction: Direction
    packet: Packet
    path: int = 0
    original: Packet | None = None
    """The packet itself, where address translation makes it differ."""
    answers: bool = False
    """Whether it answers a packet that the security groups let through."""
    peer_groups: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Sighting:
    """A leg, and whether security groups and network ACL let the packet pass there."""

    leg: Leg
    accepted: bool


@dataclass(frozen=True)
class Journey:
    """What became of a packet: how it ended, what decided, and who saw the request and the answer."""

    outcome: Outcome
    verdict: Verdict
    request: tuple[Sighting, ...] = ()
    answer: tuple[Sighting, ...] = ()


@dataclass(frozen=True)
class World:
    """Whom addresses belong to, and where gateways lead."""

    interfaces_with: Callable[[Address], list[Interface]]
    peered_vpcs: Callable[[Interface, str], dict[str, str]]
    """The VPCs that an active peering connection joins, with their regions."""
    nat_interface: Callable[[Interface, str], Interface | None]


class Stopped(Exception):
    """Something lets the packet, or its answer, go no further."""

    def __init__(self, by: str, id: str, reason: str, rule: str | None = None) -> None:
        super().__init__(reason)
        self.verdict = Verdict(False, by, id, rule, reason)


def travel(world: World, packet: Packet) -> Journey:
    """Sends a packet from one address to another and follows it, and the answer, until something stops them."""
    return _Traveller(world, packet).go()


class _Traveller:
    def __init__(self, world: World, packet: Packet) -> None:
        self.world = world
        self.packet = packet
        self.sender, self.receiver = self._ends()
        self.private_link = False
        self.seen: dict[str, list[Sighting]] = {"request": [], "answer": []}

    def go(self) -> Journey:
        service = self._amazon_service()
        if service:
            return Journey("connected", _by_host(f"{service} answered; flow logs do not record this traffic"))
        try:
            admitted = self._follow("request", self._request())
            outcome, answer, told = self._at_the_host()
            self._follow("answer", self._answer(answer))
        except Stopped as stopped:
            return self._journey("timed out", stopped.verdict)
        return self._journey(outcome, told or admitted)

    def _amazon_service(self) -> str | None:
        """What answers an instance at an address that is Amazon's own; None where the packet goes elsewhere."""
        if self.sender is None:
            return None
        resolver = "the Amazon DNS server" if self.packet.destination in self.sender.resolvers else None
        return AMAZON_SERVICES.get(self.packet.destination, resolver)

    def _journey(self, outcome: Outcome, verdict: Verdict) -> Journey:
        return Journey(outcome, verdict, tuple(self.seen["request"]), tuple(self.seen["answer"]))

    def _ends(self) -> tuple[Interface | None, Interface | None]:
        """The interfaces at both ends. Of several with the same private address those of one VPC belong together."""
        senders = self.world.interfaces_with(self.packet.source)
        receivers = self.world.interfaces_with(self.packet.destination)
        together = [(one, other) for one in senders for other in receivers if one.vpc_id == other.vpc_id]
        return together[0] if together else (next(iter(senders), None), next(iter(receivers), None))

    def _follow(self, part: str, legs: Iterator[Leg]) -> Verdict:
        """Passes one leg after the other; returns the last verdict that let the packet through."""
        verdict = _by_host(f"{self.packet.destination} answered")
        for leg in legs:
            verdict = _judge(leg)
            self.seen[part].append(Sighting(leg, verdict.allowed))
            if not verdict.allowed:
                raise Stopped(verdict.by, verdict.id, verdict.reason, verdict.rule)
        return verdict

    def _request(self) -> Iterator[Leg]:
        source = self.packet.source
        if self.sender is None:
            self._enter()
        else:
            source = yield from self._depart(self.sender)
        if self.receiver is not None:
            yield self._arrive(self.receiver, source)

    def _enter(self) -> None:
        """From an address that is no interface's: a host on the VPC's own networks, or one on the internet."""
        source, destination, receiver = self.packet.source, self.packet.destination, self.receiver
        if receiver is None:
            raise Stopped("address", str(destination), f"no network interface has the address {destination}")
        if receiver.shares_vpc(source) and destination in (*receiver.addresses, *receiver.ipv6_addresses):
            return
        if destination in receiver.addresses:
            reason = f"{destination} is a private address of {receiver.id}: the internet has no route to it"
            raise Stopped("route", receiver.route_table.id, reason)
        if is_private(source):
            raise Stopped("address", str(source), f"{source} is a private address: the internet does not carry it")
        if receiver.internet_gateway_id is None:
            reason = f"{receiver.vpc_id} has no internet gateway, so nothing reaches {destination} from the internet"
            raise Stopped("internet gateway", receiver.vpc_id, reason)

    def _depart(self, sender: Interface) -> Generator[Leg, None, Address]:
        """The legs on the sender's side; returns the source address that the far end will see."""
        own = sender.own_address(self.packet.destination.version)
        if self.packet.source in (*sender.addresses, *sender.ipv6_addresses):
            own = self.packet.source
        if own is None:
            raise Stopped("address", sender.id, f"{sender.id} has no IPv{self.packet.destination.version} address")
        packet = replace(self.packet, source=own)
        route = sender.route_table.route_to(packet.destination)
        self.private_link = route is not None and (route.target == "local" or route.target.startswith("pcx-"))
        groups = self.receiver.group_ids if self.receiver and self.private_link else frozenset()
        yield Leg(sender, "egress", packet, self._path(sender, route), peer_groups=groups)
        if route is not None and route.target.startswith("nat-"):
            return (yield from self._through_nat(sender, route, packet))
        return self._through(sender, route, packet)

    def _through(self, sender: Interface, route: Route | None, packet: Packet) -> Address:
        """Out of the sender's subnet by its route; returns the source address that the far end will see."""
        destination, target = packet.destination, route.target if route else "none"
        if target == "local":
            if self.receiver is None or self.receiver.vpc_id != sender.vpc_id:
                raise Stopped("address", str(destination), f"no network interface of {sender.vpc_id} has {destination}")
            return packet.source
        if target.startswith("pcx-"):
            vpcs = self.world.peered_vpcs(sender, target)
            if self.receiver is None or self.receiver.vpc_id not in vpcs:
                raise Stopped("route", target, f"{target} carries nothing to {destination}")
            return packet.source
        if target.startswith(("igw-", "eigw-")):
            return self._through_internet_gateway(sender, target, packet)
        raise _no_route(sender, destination, route)

    def _through_internet_gateway(self, sender: Interface, target: str, packet: Packet) -> Address:
        if target.startswith("igw-") and sender.internet_gateway_id != target:
            raise Stopped("internet gateway", target, f"internet gateway {target} is not attached to {sender.vpc_id}")
        source: Address | None = packet.source if packet.source.version == 6 else sender.public_address
        if source is None:
            raise Stopped("address", sender.id, f"{sender.id} has no public address to reach the internet with")
        if self.receiver is not None and self.receiver.internet_gateway_id is None:
            reason = f"{self.receiver.vpc_id} has no internet gateway, so nothing reaches {packet.destination}"
            raise Stopped("internet gateway", self.receiver.vpc_id, reason)
        if self.receiver is None and is_private(packet.destination):
            raise Stopped("address", str(packet.destination), f"the internet has no route to {packet.destination}")
        return source

    def _through_nat(self, sender: Interface, route: Route, packet: Packet) -> Generator[Leg, None, Address]:
        """Through a NAT gateway, whose interface sees the packet come and go."""
        nat = self.world.nat_interface(sender, route.target)
        if nat is None:
            raise Stopped("route", route.target, f"NAT gateway {route.target} is not available")
        onward = replace(packet, source=nat.addresses[0])
        yield Leg(nat, "ingress", replace(packet, destination=nat.addresses[0]), original=packet)
        onward_route = nat.route_table.route_to(packet.destination)
        yield Leg(nat, "egress", onward, self._path(nat, onward_route))
        return self._through(nat, onward_route, onward)

    def _arrive(self, receiver: Interface, source: Address) -> Leg:
        if not receiver.running:
            what = f"instance {receiver.instance_id}" if receiver.instance_id else f"network interface {receiver.id}"
            raise Stopped("instance", receiver.instance_id or receiver.id, f"{what} is not running")
        own = self.packet.destination
        if own == receiver.public_address:
            own = receiver.addresses[0]
        packet = replace(self.packet, source=source, destination=own)
        groups = self.sender.group_ids if self.sender and self.private_link else frozenset()
        return Leg(receiver, "ingress", packet, peer_groups=groups)

    def _at_the_host(self) -> tuple[Outcome, Packet, Verdict | None]:
        """What the destination does with the packet: the outcome, its answer, and what to tell if it says no."""
        if self.receiver is None:
            return "connected", self.packet.reply(), _by_host(f"{self.packet.destination} answered")
        packet = self.seen["request"][-1].leg.packet
        if packet.protocol in (ICMP, ICMPV6) or (packet.protocol, packet.destination_port) in OPEN_PORTS:
            return "connected", packet.reply(), None
        where = f"{name_of(packet.protocol)} port {packet.destination_port}"
        reason = f"the packet was let through, but nothing listens on {where} of {self.receiver.id}"
        refusal = Verdict(False, "host", self.receiver.instance_id or self.receiver.id, None, reason)
        if packet.protocol == TCP:
            return "refused", packet.reply(), refusal
        return "refused", _unreachable(packet), refusal

    def _answer(self, answer: Packet) -> Iterator[Leg]:
        if self.receiver is not None:
            route = self.receiver.route_table.route_to(answer.destination)
            yield Leg(self.receiver, "egress", answer, self._path(self.receiver, route), answers=True)
            if not self._leads_back(self.receiver, route):
                raise _no_route(self.receiver, answer.destination, route)
        for sighting in reversed(self.seen["request"]):
            leg = sighting.leg
            if leg.interface is not self.receiver:
                yield from self._back(leg, answer)

    def _leads_back(self, receiver: Interface, route: Route | None) -> bool:
        """Whether a route of the receiver's takes the answer the way that the request came."""
        target = route.target if route else "none"
        if target.startswith("pcx-"):
            return self.sender is not None and self.sender.vpc_id in self.world.peered_vpcs(receiver, target)
        if target == "local":
            return self.sender is None or self.sender.vpc_id == receiver.vpc_id
        return target == receiver.internet_gateway_id and not self.private_link

    def _back(self, leg: Leg, answer: Packet) -> Iterator[Leg]:
        """The answer at an interface that saw the request: the same packet turned round, the other way."""
        turned = replace(answer, source=leg.packet.destination, destination=leg.packet.source)
        direction: Direction = "ingress" if leg.direction == "egress" else "egress"
        original = replace(turned, source=leg.original.destination) if leg.original else None
        path = SAME_VPC if direction == "egress" else 0
        yield Leg(leg.interface, direction, turned, path, original, answers=True)

    def _path(self, interface: Interface, route: Route | None) -> int:
        """The field traffic-path of a packet that leaves by a route; 0 where AWS names none."""
        target = route.target if route else "none"
        if target == "local" or target.startswith("nat-"):
            return SAME_VPC
        if target.startswith("igw-"):
            return INTERNET_GATEWAY_NITRO if interface.nitro else INTERNET_GATEWAY
        if target.startswith("vpce-"):
            return GATEWAY_ENDPOINT_NITRO if interface.nitro else INTERNET_GATEWAY
        if target.startswith("vgw-"):
            return VIRTUAL_PRIVATE_GATEWAY
        if target.startswith("pcx-"):
            regions = set(self.world.peered_vpcs(interface, target).values())
            return PEERING_OF_REGIONS if len(regions) > 1 else PEERING
        return 0


def _judge(leg: Leg) -> Verdict:
    """Security groups and network ACL in the order in which a packet meets them."""
    judges: list[Callable[[], Verdict]] = []
    if not leg.interface.shares_subnet(leg.packet.peer(leg.direction)):
        judges.append(lambda: judge_by_network_acl(leg.interface.acl, leg.direction, leg.packet))
    if not leg.answers:
        groups = leg.interface.groups
        judges.append(lambda: judge_by_security_groups(groups, leg.direction, leg.packet, leg.peer_groups))
    if leg.direction == "egress":
        judges.reverse()
    verdict = Verdict(
        True, "host", leg.interface.id, None, "an answer passes the security groups that let the request in"
    )
    for judge in judges:
        verdict = judge()
        if not verdict.allowed:
            break
    return verdict


def _unreachable(packet: Packet) -> Packet:
    """The ICMP message of a host on whose UDP port nothing listens."""
    protocol = ICMP if packet.source.version == 4 else ICMPV6
    kind, code = _PORT_UNREACHABLE[protocol]
    return Packet(packet.destination, packet.source, protocol, icmp_type=kind, icmp_code=code)


def _by_host(reason: str) -> Verdict:
    return Verdict(True, "host", "", None, reason)


def _no_route(interface: Interface, destination: Address, route: Route | None) -> Stopped:
    table = interface.route_table.id
    if route is None:
        return Stopped("route", table, f"route table {table} of {interface.subnet_id} has no route to {destination}")
    reason = f"route table {table} sends {destination} to {route.target}, which does not lead there in the sandbox"
    return Stopped("route", table, reason, str(route.network))
