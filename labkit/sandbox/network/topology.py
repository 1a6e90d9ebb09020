"""What a packet meets on its way, as plain values: interfaces, security groups, network ACLs, routes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_FAMILY_BEFORE_NITRO = re.compile(r"t[12]|m[1-4]|c[134]|cc[12]|cg1|cr1|hi1|r[34]|i[23]|d2|h1|hs1|x1e?|g2|g3s?|p[23]|f1")
_PRIVATE: tuple[Network, ...] = tuple(
    map(ip_network, ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"])
)


@dataclass(frozen=True)
class SecurityGroupRule:
    """One rule. `protocol` is None for all of them; for ICMP the ports are its type and code, -1 standing for any."""

    id: str
    protocol: int | None
    from_port: int
    to_port: int
    networks: tuple[Network, ...] = ()
    group_id: str | None = None

    @property
    def peers(self) -> str:
        """Whom the rule admits, in words."""
        return self.group_id or ", ".join(map(str, self.networks))


@dataclass(frozen=True)
class SecurityGroup:
    """A security group: a packet that no rule of any of an interface's groups admits is dropped."""

    id: str
    name: str
    ingress: tuple[SecurityGroupRule, ...]
    egress: tuple[SecurityGroupRule, ...]


@dataclass(frozen=True)
class NetworkAclEntry:
    """One entry of a network ACL. None stands for all protocols, ports, ICMP types or codes."""

    number: int
    allow: bool
    network: Network
    protocol: int | None = None
    ports: tuple[int, int] | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None


@dataclass(frozen=True)
class NetworkAcl:
    """A network ACL, its entries in the order in which they are tried."""

    id: str
    ingress: tuple[NetworkAclEntry, ...]
    egress: tuple[NetworkAclEntry, ...]


@dataclass(frozen=True)
class Route:
    """Where packets to a network go: `local`, or the id of a gateway, interface or peering connection."""

    network: Network
    target: str
    active: bool = True


@dataclass(frozen=True)
class RouteTable:
    """The routes of a subnet."""

    id: str
    routes: tuple[Route, ...]

    def route_to(self, address: Address) -> Route | None:
        """The route with the longest prefix that holds the address."""
        matching = [route for route in self.routes if route.network.version == address.version]
        matching = [route for route in matching if address in route.network]
        return max(matching, key=lambda route: route.network.prefixlen, default=None)


@dataclass(frozen=True)
class Interface:
    """A network interface with all that decides over its packets."""

    id: str
    region: str
    account_id: str
    vpc_id: str
    subnet_id: str
    az_id: str
    addresses: tuple[IPv4Address, ...]
    """Its private IPv4 addresses, the primary one first."""
    ipv6_addresses: tuple[IPv6Address, ...]
    public_address: IPv4Address | None
    instance_id: str | None
    instance_type: str | None
    running: bool
    """Whether something answers behind it: its instance runs, or it is a service's own, such as a NAT gateway's."""
    groups: tuple[SecurityGroup, ...]
    acl: NetworkAcl
    route_table: RouteTable
    internet_gateway_id: str | None
    subnet_networks: tuple[Network, ...]
    vpc_networks: tuple[Network, ...]
    type: str | None = None
    """As the field interface-type names what it belongs to, such as a NAT gateway; None for an instance's."""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    instance_tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def group_ids(self) -> frozenset[str]:
        """The ids of its security groups."""
        return frozenset(group.id for group in self.groups)

    @property
    def nitro(self) -> bool:
        """Whether its instance is built on Nitro, so that aggregation takes a minute at most."""
        if self.instance_type is None:
            return False
        if self.instance_type.endswith("metal"):
            return True
        return _FAMILY_BEFORE_NITRO.fullmatch(self.instance_type.partition(".")[0]) is None

    @property
    def routers(self) -> frozenset[Address]:
        """The addresses of its subnet's router: the first one after the network's own."""
        return frozenset(network[1] for network in self.subnet_networks if network.version == 4)

    @property
    def resolvers(self) -> frozenset[Address]:
        """The addresses at which the Amazon DNS server answers in its VPC: "VPC+2"."""
        return frozenset(network[2] for network in self.vpc_networks if network.version == 4)

    def owns(self, address: Address) -> bool:
        """Whether the address is one of its own, private or public."""
        return address in self.addresses or address in self.ipv6_addresses or address == self.public_address

    def own_address(self, version: int) -> Address | None:
        """Its primary address of an IP version, as flow logs show it."""
        of_version: tuple[Address, ...] = self.addresses if version == 4 else self.ipv6_addresses
        return of_version[0] if of_version else None

    def shares_subnet(self, address: Address) -> bool:
        """Whether packets to the address stay in its subnet, where no network ACL looks at them."""
        return any(address in network for network in self.subnet_networks if network.version == address.version)

    def shares_vpc(self, address: Address) -> bool:
        """Whether the address belongs to its VPC's networks."""
        return any(address in network for network in self.vpc_networks if network.version == address.version)


def is_private(address: Address) -> bool:
    """Whether an address is one that the internet does not carry (RFC 1918, RFC 4193, link-local)."""
    return any(address in network for network in _PRIVATE if network.version == address.version)
