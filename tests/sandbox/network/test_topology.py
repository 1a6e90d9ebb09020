import json
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.network.topology import Route, RouteTable, is_private
from tests.sandbox.network.vpc import group, interface, ipv6, rule

INSTANCE_TYPES = json.loads((Path(__file__).parent / "instance_types.json").read_text())
DUAL = interface(
    ipv6_addresses=(ipv6("2001:db8:1::5"), ipv6("2001:db8:1::6")),
    addresses=(ip_address("10.0.1.10"), ip_address("10.0.1.11")),
    subnet_networks=(ip_network("10.0.1.0/24"), ip_network("2001:db8:1::/64")),
    vpc_networks=(ip_network("10.0.0.0/16"), ip_network("100.64.0.0/16"), ip_network("2001:db8:1::/56")),
)


def table(*routes):
    return RouteTable("rtb-1", tuple(Route(ip_network(network), target) for network, target in routes))


@pytest.mark.parametrize("instance_type", INSTANCE_TYPES["nitro"])
def test_an_instance_type_that_aws_lists_under_nitro_is_one(instance_type):
    assert interface(instance_type=instance_type).nitro


@pytest.mark.parametrize("instance_type", INSTANCE_TYPES["before_nitro"])
def test_an_instance_type_of_the_generations_before_is_none(instance_type):
    assert not interface(instance_type=instance_type).nitro


def test_an_interface_without_an_instance_is_not_on_nitro():
    assert not interface(instance_type=None).nitro


# The example of "Route priority" in the VPC User Guide, https://docs.aws.amazon.com/vpc/latest/userguide/
# route-tables-priority.html: the most specific route that matches the traffic is used.

ROUTES = table(
    ("10.0.0.0/16", "local"),
    ("172.31.0.0/16", "pcx-11223344556677889"),
    ("0.0.0.0/0", "igw-12345678901234567"),
    ("2001:db8:1234:1a00::/56", "local"),
    ("::/0", "eigw-aabbccddee1122334"),
)


@pytest.mark.parametrize(
    ("destination", "target"),
    [
        ("10.0.0.0", "local"),
        ("10.0.255.255", "local"),
        ("10.1.0.0", "igw-12345678901234567"),
        ("172.31.0.1", "pcx-11223344556677889"),
        ("172.32.0.1", "igw-12345678901234567"),
        ("198.51.100.7", "igw-12345678901234567"),
        ("2001:db8:1234:1aff::1", "local"),
        ("2001:db8:1234:1b00::1", "eigw-aabbccddee1122334"),
    ],
)
def test_the_most_specific_route_is_taken_of_the_packet_s_own_ip_version(destination, target):
    assert ROUTES.route_to(ip_address(destination)).target == target


def test_without_a_default_route_nothing_leads_outside():
    assert table(("10.0.0.0/16", "local")).route_to(ip_address("198.51.100.7")) is None
    assert table(("0.0.0.0/0", "igw-1")).route_to(ip_address("2001:db8::1")) is None


networks = st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.10/32", "192.0.2.0/24"])


@settings(max_examples=60)
@given(st.lists(networks, unique=True), st.sampled_from(["10.0.1.10", "10.0.1.11", "10.9.9.9", "192.0.2.1"]))
def test_no_route_that_matches_is_more_specific_than_the_one_taken(listed, destination):
    taken = table(*((network, f"to {network}") for network in listed)).route_to(ip_address(destination))
    matching = [ip_network(each) for each in listed if ip_address(destination) in ip_network(each)]
    longest = max((network.prefixlen for network in matching), default=None)
    assert (taken.network.prefixlen if taken else None) == longest


def test_an_interface_owns_all_of_its_addresses_and_shows_the_primary_one_of_each_version():
    owned = ["10.0.1.10", "10.0.1.11", "2001:db8:1::5", "2001:db8:1::6", "198.19.0.10"]
    assert all(DUAL.owns(ip_address(address)) for address in owned)
    assert not DUAL.owns(ip_address("10.0.1.12"))
    assert (DUAL.own_address(4), DUAL.own_address(6)) == (ip_address("10.0.1.10"), ip_address("2001:db8:1::5"))
    assert interface().own_address(6) is None


@pytest.mark.parametrize(
    ("address", "in_subnet", "in_vpc"),
    [
        ("10.0.1.255", True, True),
        ("10.0.2.0", False, True),
        ("100.64.7.7", False, True),
        ("10.1.0.0", False, False),
        ("2001:db8:1::99", True, True),
        ("2001:db8:1:1::1", False, True),
        ("2001:db8:2::1", False, False),
    ],
)
def test_an_address_is_of_the_subnet_of_the_vpc_or_of_neither(address, in_subnet, in_vpc):
    there = ip_address(address)
    assert (DUAL.shares_subnet(there), DUAL.shares_vpc(there)) == (in_subnet, in_vpc)


def test_the_second_and_third_address_of_a_network_are_amazon_s_own():
    """https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html: the VPC router, and the DNS server."""
    assert DUAL.routers == {ip_address("10.0.1.1")}
    assert ip_address("10.0.0.2") in DUAL.resolvers


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("172.15.255.255", False),
        ("172.16.0.0", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.0.1", True),
        ("192.169.0.1", False),
        ("169.254.169.254", True),
        ("198.51.100.7", False),
        ("fc00::1", True),
        ("fdff::1", True),
        ("fe80::1", True),
        ("2001:db8::1", False),
    ],
)
def test_the_internet_does_not_carry_private_addresses(address, private):
    assert is_private(ip_address(address)) is private


def test_a_rule_tells_whom_it_admits():
    assert rule(6, 22, 22, "198.51.100.0/24").peers == "198.51.100.0/24"
    assert rule(6, 22, 22, "sg-7").peers == "sg-7"
    assert interface(groups=(group(), group())).group_ids == frozenset({"sg-1"})
