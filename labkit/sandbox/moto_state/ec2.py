"""Reads Amazon EC2's state out of moto: the network that packets meet, as plain values.

Nothing here is cached: each call builds the values from moto's objects as they are, so a change counts at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from moto.backends import get_backend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.moto_api._internal import mock_random

from labkit.sandbox import moto_state
from labkit.sandbox.network.protocols import number_of
from labkit.sandbox.network.topology import (
    Address,
    Interface,
    Network,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
)

GROUP_SET = property(lambda interface: interface._group_set)
"""An interface's own groups. An instance has those of its primary interface; `set_..._groups` keep the two equal."""


def public_ip() -> str:
    """Return a public address from a range reserved for tests (RFC 2544); moto would draw one that somebody owns."""
    return f"198.19.{mock_random.randint(0, 255)}.{mock_random.randint(1, 254)}"


def name_flow_logs(prefixes: dict[str, str]) -> None:
    """Correct moto's resource type of flow logs to the one that DescribeTags returns."""
    prefixes["fl"] = "vpc-flow-log"


_create_security_group = SecurityGroupBackend.create_security_group


def create_security_group(backend: Any, *arguments: Any, **named: Any) -> Any:
    """Make a group as moto does, plus the rule of a VPC's default group that admits its own members.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    group = _create_security_group(backend, *arguments, **named)
    if group.is_default:
        drawn = mock_random.getstate()  # the extra rule must not change the ids of what is made next
        members = [{"GroupId": group.id}]
        backend.authorize_security_group_ingress(
            group.id, "-1", None, None, [], source_groups=members, vpc_id=group.vpc_id
        )
        mock_random.setstate(drawn)
        group.ingress_rules[0].id = f"sgr-{group.id.removeprefix('sg-')}"
    return group


_LAST_ENTRY = 32767  # the entry that denies everything else; whoever applies an ACL denies by default
_ANY_IPV6_ENTRY = NetworkAclEntry(101, True, ip_network("::/0"))
_ANYTHING = (SecurityGroupRule("", None, -1, -1, (ip_network("0.0.0.0/0"), ip_network("::/0"))),)
_NO_FILTER = SecurityGroup("", "of no interface", _ANYTHING, _ANYTHING)
"""Stands for the security groups of a NAT gateway, which has none and lets everything pass."""


def regions_in_use(account_id: str) -> list[str]:
    """Return the regions in which EC2 has been used, in alphabetical order."""
    return sorted(get_backend("ec2")[account_id])


def vpc_exists(account_id: str, region: str, vpc_id: str) -> bool:
    """Tell whether the region has the VPC."""
    return vpc_id in _backend(account_id, region).vpcs


def subnet_exists(account_id: str, region: str, subnet_id: str) -> bool:
    """Tell whether the region has the subnet."""
    return any(subnet_id in by_zone for by_zone in _backend(account_id, region).subnets.values())


def interface_exists(account_id: str, region: str, interface_id: str) -> bool:
    """Tell whether the region has the network interface."""
    return interface_id in _backend(account_id, region).enis


def interfaces(account_id: str, region: str) -> list[Interface]:
    """Return every network interface of a region, in order of creation."""
    return [_interface(_backend(account_id, region), each) for each in _backend(account_id, region).enis.values()]


def interfaces_with(account_id: str, address: Address) -> list[Interface]:
    """Return the interfaces in all regions that have an address; a private one may exist in several VPCs."""
    found = []
    for region in regions_in_use(account_id):
        backend = _backend(account_id, region)
        found += [_interface(backend, each) for each in backend.enis.values() if str(address) in _addresses(each)]
    return found


def peering_is_active(account_id: str, region: str, peering_id: str) -> bool:
    """Tell whether a VPC peering connection carries packets."""
    peering = _backend(account_id, region).vpc_pcxs.get(peering_id)
    return peering is not None and peering._status.code == "active"


def peered_vpcs(account_id: str, region: str, peering_id: str) -> dict[str, str]:
    """Return the regions of a peering connection's two VPCs by VPC id; empty if there is no such connection."""
    peering = _backend(account_id, region).vpc_pcxs.get(peering_id)
    return {vpc.id: vpc.ec2_backend.region_name for vpc in (peering.vpc, peering.peer_vpc)} if peering else {}


def nat_gateway_interface(account_id: str, region: str, nat_gateway_id: str) -> Interface | None:
    """Return the network interface of a NAT gateway; None unless the gateway is available."""
    backend = _backend(account_id, region)
    gateway = backend.nat_gateways.get(nat_gateway_id)
    if gateway is None or gateway.state != "available":
        return None
    return _interface(backend, gateway._eni)


def security_group_vpc(account_id: str, region: str, group_id: str) -> str | None:
    """Return the VPC of a security group; None if there is no such group."""
    group = _backend(account_id, region).get_security_group_from_id(group_id)
    return str(group.vpc_id) if group else None


def instance_vpc(account_id: str, region: str, instance_id: str) -> str | None:
    """Return the VPC of an instance; None if there is no such instance."""
    instance = _instances(_backend(account_id, region)).get(instance_id)
    return str(instance.vpc_id) if instance else None


def interface_vpc(account_id: str, region: str, interface_id: str) -> str | None:
    """Return the VPC of a network interface; None if there is no such interface."""
    interface = _backend(account_id, region).enis.get(interface_id)
    return str(interface.vpc_id) if interface else None


def set_instance_groups(account_id: str, region: str, instance_id: str, group_ids: list[str]) -> None:
    """Set the security groups of an instance's primary interface, and so of the instance."""
    backend = _backend(account_id, region)
    instance = backend.get_instance(instance_id)
    instance.security_groups = [backend.get_security_group_from_id(group_id) for group_id in group_ids]
    instance.nics[0]._group_set = list(instance.security_groups)


def set_interface_groups(account_id: str, region: str, interface_id: str, group_ids: list[str]) -> None:
    """Set the security groups of a network interface; an instance shows those of its primary interface."""
    backend = _backend(account_id, region)
    interface = backend.get_network_interface(interface_id)
    interface._group_set = [backend.get_security_group_from_id(group_id) for group_id in group_ids]
    if interface.instance and interface.device_index == 0:
        interface.instance.security_groups = list(interface._group_set)


def keep_tags(account_id: str, region: str, resource_id: str, tags: dict[str, str]) -> dict[str, str]:
    """Set the first tags of a resource; return moto's own dictionary, which CreateTags and DeleteTags change later."""
    kept: dict[str, str] = _backend(account_id, region).tags[resource_id]
    kept.update(tags)
    return kept


def drop_tags(account_id: str, region: str, resource_id: str) -> None:
    """Forget the tags of a resource that no longer exists."""
    _backend(account_id, region).tags.pop(resource_id, None)


def _backend(account_id: str, region: str) -> Any:
    return moto_state.backend("ec2", account_id, region)


def _instances(backend: Any) -> dict[str, Any]:
    return {instance.id: instance for instance in backend.all_instances()}


def _addresses(interface: Any) -> set[str]:
    private = {str(each.get("PrivateIpAddress")) for each in interface.private_ip_addresses}
    return private | {str(interface.private_ip_address), str(interface.public_ip)} | set(_ipv6(interface))


def _ipv6(interface: Any) -> list[str]:
    texts = [each if isinstance(each, str) else each["Ipv6Address"] for each in interface.ipv6_addresses]
    return [str(ip_address(text)) for text in texts]  # one spelling for an address, whatever the client wrote


def _interface(backend: Any, interface: Any) -> Interface:
    subnet, instance = interface.subnet, interface.instance
    vpc = backend.get_vpc(subnet.vpc_id)
    is_nat_gateway = _is_nat_gateway(backend, interface)
    secondary = [str(each["PrivateIpAddress"]) for each in interface.private_ip_addresses]
    private = dict.fromkeys([str(interface.private_ip_address), *secondary])
    return Interface(
        id=interface.id,
        region=backend.region_name,
        account_id=backend.account_id,
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.id,
        az_id=subnet.availability_zone_id,
        addresses=tuple(map(IPv4Address, private)),
        ipv6_addresses=tuple(map(IPv6Address, _ipv6(interface))),
        public_address=IPv4Address(interface.public_ip) if interface.public_ip else None,
        instance_id=instance.id if instance else None,
        instance_type=instance.instance_type if instance else None,
        running=instance.state == "running" if instance else is_nat_gateway,
        groups=_groups(backend, interface),
        acl=_network_acl(backend, subnet, vpc),
        route_table=_route_table(backend, subnet),
        internet_gateway_id=_internet_gateway_id(backend, subnet.vpc_id),
        subnet_networks=tuple(_subnet_networks(subnet)),
        vpc_networks=tuple(_vpc_networks(vpc)),
        type="nat_gateway" if is_nat_gateway else None,
        tags=dict(backend.tags.get(interface.id, {})),
        instance_tags=dict(backend.tags.get(instance.id, {})) if instance else {},
    )


def _is_nat_gateway(backend: Any, interface: Any) -> bool:
    return any(gateway._eni is interface and gateway.state == "available" for gateway in backend.nat_gateways.values())


def _groups(backend: Any, interface: Any) -> tuple[SecurityGroup, ...]:
    if _is_nat_gateway(backend, interface):
        return (_NO_FILTER,)
    return tuple(_security_group(backend, group) for group in interface._group_set)


def _subnet_networks(subnet: Any) -> Iterator[Network]:
    yield ip_network(subnet.cidr_block, strict=False)
    for association in subnet.ipv6_cidr_block_associations.values():
        yield ip_network(association["ipv6CidrBlock"], strict=False)


def _vpc_networks(vpc: Any) -> Iterator[Network]:
    for ipv6 in (False, True):
        for association in vpc.get_cidr_block_association_set(ipv6=ipv6):
            yield ip_network(association["cidr_block"], strict=False)


def _internet_gateway_id(backend: Any, vpc_id: str) -> str | None:
    attached = [each.id for each in backend.internet_gateways.values() if each.vpc and each.vpc.id == vpc_id]
    return attached[0] if attached else None


def _security_group(backend: Any, group: Any) -> SecurityGroup:
    return SecurityGroup(
        group.id,
        group.name,
        tuple(_security_group_rule(backend, rule) for rule in group.ingress_rules),
        tuple(_security_group_rule(backend, rule) for rule in group.egress_rules),
    )


def _security_group_rule(backend: Any, rule: Any) -> SecurityGroupRule:
    protocol = None if rule.ip_protocol in (None, "-1") else number_of(rule.ip_protocol)
    return SecurityGroupRule(
        id=rule.id,
        protocol=protocol,
        from_port=-1 if rule.from_port is None else int(rule.from_port),
        to_port=-1 if rule.to_port is None else int(rule.to_port),
        networks=tuple(_rule_networks(backend, rule)),
        group_id=rule.source_group.get("GroupId") if rule.source_group else None,
    )


def _rule_networks(backend: Any, rule: Any) -> Iterator[Network]:
    for member in ("CidrIp", "CidrIpv6"):
        if rule.ip_range and rule.ip_range.get(member):
            yield ip_network(rule.ip_range[member], strict=False)
    if rule.prefix_list_id:
        yield from _prefix_list_networks(backend, rule.prefix_list_id)


def _prefix_list_networks(backend: Any, prefix_list_id: str) -> Iterable[Network]:
    prefix_list = backend.managed_prefix_lists.get(prefix_list_id)
    entries = prefix_list.entries.get(prefix_list.version) if prefix_list else None
    return [ip_network(entry["Cidr"], strict=False) for entry in entries or []]


def _network_acl(backend: Any, subnet: Any, vpc: Any) -> NetworkAcl:
    acl = next(
        acl
        for acl in backend.network_acls.values()
        if any(association.subnet_id == subnet.id for association in acl.associations)
    )
    entries: dict[bool, list[NetworkAclEntry]] = {False: [], True: []}
    for entry in acl.network_acl_entries:
        if entry.rule_number < _LAST_ENTRY:
            entries[str(entry.egress).lower() == "true"].append(_network_acl_entry(entry))
    if acl.default and vpc.get_cidr_block_association_set(ipv6=True):
        # AWS adds this entry to a default network ACL when the VPC gets an IPv6 block; moto doesn't.
        entries = {egress: [*several, _ANY_IPV6_ENTRY] for egress, several in entries.items()}
    return NetworkAcl(acl.id, _in_order(entries[False]), _in_order(entries[True]))


def _in_order(entries: list[NetworkAclEntry]) -> tuple[NetworkAclEntry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.number))


def _network_acl_entry(raw: Any) -> NetworkAclEntry:
    ports = None
    if raw.port_range_from is not None and raw.port_range_to is not None:
        ports = (int(raw.port_range_from), int(raw.port_range_to))
    return NetworkAclEntry(
        number=int(raw.rule_number),
        allow=raw.rule_action == "allow",
        network=ip_network(raw.cidr_block or raw.ipv6_cidr_block, strict=False),
        protocol=None if str(raw.protocol) == "-1" else number_of(raw.protocol),
        ports=ports,
        icmp_type=_any_or(raw.icmp_type),
        icmp_code=_any_or(raw.icmp_code),
    )


def _any_or(value: Any) -> int | None:
    return None if value is None or int(value) == -1 else int(value)


def _route_table(backend: Any, subnet: Any) -> RouteTable:
    tables = [table for table in backend.route_tables.values() if table.vpc_id == subnet.vpc_id]
    own = [table for table in tables if subnet.id in table._associations.values()]
    main = [table for table in tables if table.main_association_id is not None]
    table = (own or main)[0]  # a subnet without an association uses the VPC's main table
    routes = [_routes(backend, route) for route in table.routes]
    return RouteTable(table.id, tuple(route for several in routes for route in several))


def _routes(backend: Any, route: Any) -> list[Route]:
    """Return one route for each network of moto's route; a route to a prefix list has several."""
    if route.destination_prefix_list is not None:
        networks = list(_prefix_list_networks(backend, route.destination_prefix_list.id))
    else:
        networks = [ip_network(route.destination_cidr_block or route.destination_ipv6_cidr_block, strict=False)]
    target = next(filter(None, (_target(route, name) for name in _TARGETS)), "blackhole")
    return [Route(network, target) for network in networks]


_TARGETS = (
    "gateway_id",
    "nat_gateway_id",
    "vpc_peering_connection_id",
    "egress_only_internet_gateway_id",
    "transit_gateway_id",
    "network_interface_id",
    "instance_id",
    "carrier_gateway_id",
)


def _target(route: Any, name: str) -> str | None:
    value = getattr(route, name)
    return None if value is None else str(value)
