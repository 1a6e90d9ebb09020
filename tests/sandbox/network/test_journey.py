from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.journey import World, travel
from labkit.sandbox.network.topology import NetworkAcl, Route, RouteTable
from tests.sandbox.network.vpc import ANYBODY, LEARNER, OPEN_ACL, entry, group, interface, ipv6, rule

WEB = interface()
PEER = interface(
    id="eni-2", addresses=(IPv4Address("10.0.2.20"),), public_address=None, subnet_id="subnet-2", instance_id="i-2",
    subnet_networks=(ip_network("10.0.2.0/24"),),
)  # fmt: skip
NEIGHBOUR = replace(
    PEER, addresses=(IPv4Address("10.0.1.20"),), subnet_id="subnet-1", subnet_networks=WEB.subnet_networks
)


def world(*interfaces, peered=None, nat=None) -> World:
    return World(
        lambda address: [each for each in interfaces if each.owns(address)],
        lambda near, id: (peered or {}).get(id, {}),
        lambda near, id: nat,
    )


def go(world, source, destination, protocol=6, port=22):
    kind = {1: 8, 58: 128}.get(protocol, 0)
    source_port = 40000 if protocol in (6, 17) else 0
    port = port if protocol in (6, 17) else 0
    return travel(world, Packet(ip_address(source), ip_address(destination), protocol, source_port, port, kind))


def seen(sightings):
    """What each interface saw: its id, the direction, both addresses, and whether it was let through."""
    return [
        (s.leg.interface.id, s.leg.direction, str(s.leg.packet.source), str(s.leg.packet.destination), s.accepted)
        for s in sightings
    ]


def test_an_open_port_that_is_admitted_is_connected():
    journey = go(world(WEB), LEARNER, "198.19.0.10")
    assert journey.outcome == "connected"
    assert seen(journey.request) == [("eni-1", "ingress", LEARNER, "10.0.1.10", True)]
    assert seen(journey.answer) == [("eni-1", "egress", "10.0.1.10", LEARNER, True)]
    assert journey.verdict.by == "security group"


def test_a_port_that_no_rule_admits_times_out():
    journey = go(world(WEB), LEARNER, "198.19.0.10", port=443)
    assert (journey.outcome, journey.verdict.by) == ("timed out", "security group")
    assert seen(journey.request) == [("eni-1", "ingress", LEARNER, "10.0.1.10", False)]
    assert not journey.answer


def test_a_closed_port_that_is_admitted_is_refused():
    web = replace(WEB, groups=(group(rule(6, 443, 443, ANYBODY)),))
    journey = go(world(web), LEARNER, "198.19.0.10", port=443)
    assert (journey.outcome, journey.verdict.by) == ("refused", "host")
    assert journey.verdict.reason == "the packet was let through, but nothing listens on tcp port 443 of eni-1"
    assert [s.accepted for s in (*journey.request, *journey.answer)] == [True, True]


def test_the_answer_passes_the_security_group_whatever_its_rules():
    web = replace(WEB, groups=(group(rule(6, 22, 22, ANYBODY), egress=()),))
    assert go(world(web), LEARNER, "198.19.0.10").outcome == "connected"


def test_the_answer_must_pass_the_network_acl():
    acl = NetworkAcl(
        "acl-1", (entry(100, True),), (entry(90, False, protocol=6, ports=(32768, 65535)), entry(100, True))
    )
    journey = go(world(replace(WEB, acl=acl)), LEARNER, "198.19.0.10")
    assert (journey.outcome, journey.verdict.by, journey.verdict.rule) == ("timed out", "network ACL", "90")
    assert seen(journey.request) == [("eni-1", "ingress", LEARNER, "10.0.1.10", True)]
    assert seen(journey.answer) == [("eni-1", "egress", "10.0.1.10", LEARNER, False)]


def test_the_network_acl_is_asked_before_the_security_group_on_the_way_in():
    closed = replace(WEB, acl=NetworkAcl("acl-1", (), ()), groups=())
    assert go(world(closed), LEARNER, "198.19.0.10").verdict.by == "network ACL"


def test_a_ping_that_is_admitted_is_answered():
    web = replace(WEB, groups=(group(rule(1, 8, -1, ANYBODY)),))
    journey = go(world(web), LEARNER, "198.19.0.10", protocol=1)
    assert journey.outcome == "connected"
    assert journey.answer[0].leg.packet.icmp_type == 0


def test_a_datagram_to_a_closed_port_is_answered_by_icmp():
    web = replace(WEB, groups=(group(rule(17, 53, 53, ANYBODY)),))
    journey = go(world(web), LEARNER, "198.19.0.10", protocol=17, port=53)
    assert journey.outcome == "refused"
    answer = journey.answer[0].leg.packet
    assert (answer.protocol, answer.icmp_type, answer.icmp_code, answer.source_port) == (1, 3, 3, 0)


UNREACHED = [
    ("nobody has the address", [WEB], LEARNER, "198.19.0.99", "no network interface has the address 198.19.0.99"),
    ("private from outside", [WEB], LEARNER, "10.0.1.10", "10.0.1.10 is a private address of eni-1"),
    ("private source from outside", [WEB], "192.168.0.9", "198.19.0.10", "192.168.0.9 is a private address"),
    ("stopped", [replace(WEB, running=False)], LEARNER, "198.19.0.10", "instance i-1 is not running"),
    ("no gateway", [replace(WEB, internet_gateway_id=None)], LEARNER, "198.19.0.10", "vpc-1 has no internet gateway"),
]


@pytest.mark.parametrize(
    ("interfaces", "source", "destination", "reason"),
    [case[1:] for case in UNREACHED],
    ids=[case[0] for case in UNREACHED],
)
def test_what_does_not_reach_an_interface_is_seen_by_none(interfaces, source, destination, reason):
    journey = go(world(*interfaces), source, destination)
    assert journey.outcome == "timed out"
    assert journey.verdict.reason.startswith(reason)
    assert not journey.request


def test_without_a_route_back_the_answer_is_lost_behind_the_interface():
    lost = replace(WEB, route_table=RouteTable("rtb-9", (Route(ip_network("10.0.0.0/16"), "local"),)))
    journey = go(world(lost), LEARNER, "198.19.0.10")
    assert journey.outcome == "timed out"
    assert journey.verdict.reason == "route table rtb-9 of subnet-1 has no route to 203.0.113.25"
    assert [s.accepted for s in (*journey.request, *journey.answer)] == [True, True]


def test_the_longest_prefix_chooses_the_route():
    routes = (*WEB.route_table.routes, Route(ip_network("203.0.113.0/24"), "blackhole"))
    journey = go(world(replace(WEB, route_table=RouteTable("rtb-1", routes))), LEARNER, "198.19.0.10")
    assert journey.outcome == "timed out"
    assert "sends 203.0.113.25 to blackhole" in journey.verdict.reason


def test_between_subnets_of_a_vpc_both_interfaces_see_the_packets():
    journey = go(world(WEB, PEER), "10.0.1.10", "10.0.2.20")
    assert journey.outcome == "connected"
    assert seen(journey.request) == [
        ("eni-1", "egress", "10.0.1.10", "10.0.2.20", True),
        ("eni-2", "ingress", "10.0.1.10", "10.0.2.20", True),
    ]
    assert seen(journey.answer) == [
        ("eni-2", "egress", "10.0.2.20", "10.0.1.10", True),
        ("eni-1", "ingress", "10.0.2.20", "10.0.1.10", True),
    ]
    assert [s.leg.path for s in (*journey.request, *journey.answer)] == [1, 0, 1, 0]


def test_the_sender_s_own_group_may_stop_a_packet():
    mute = replace(WEB, groups=(group(egress=()),))
    journey = go(world(mute, PEER), "10.0.1.10", "10.0.2.20")
    assert journey.outcome == "timed out"
    assert seen(journey.request) == [("eni-1", "egress", "10.0.1.10", "10.0.2.20", False)]


def test_what_the_far_end_rejects_the_sender_has_sent():
    deaf = replace(PEER, groups=(group(),))
    journey = go(world(WEB, deaf), "10.0.1.10", "10.0.2.20")
    assert [(s.leg.interface.id, s.accepted) for s in journey.request] == [("eni-1", True), ("eni-2", False)]


def test_a_network_acl_does_not_look_at_traffic_within_its_subnet():
    closed = NetworkAcl("acl-1", (), ())
    near, far = replace(WEB, acl=closed), replace(NEIGHBOUR, acl=closed)
    assert go(world(near, far), "10.0.1.10", "10.0.1.20").outcome == "connected"
    assert go(world(near, replace(PEER, acl=OPEN_ACL)), "10.0.1.10", "10.0.2.20").outcome == "timed out"


def test_a_group_reference_holds_for_private_addresses_only():
    members = replace(PEER, groups=(group(rule(6, 22, 22, "sg-1")),), public_address=IPv4Address("198.19.0.20"))
    assert go(world(WEB, members), "10.0.1.10", "10.0.2.20").outcome == "connected"
    assert go(world(WEB, members), "10.0.1.10", "198.19.0.20").outcome == "timed out"


def test_through_the_internet_gateway_the_far_end_sees_the_public_address():
    public = replace(PEER, public_address=IPv4Address("198.19.0.20"))
    journey = go(world(WEB, public), "10.0.1.10", "198.19.0.20")
    assert seen(journey.request) == [
        ("eni-1", "egress", "10.0.1.10", "198.19.0.20", True),
        ("eni-2", "ingress", "198.19.0.10", "10.0.2.20", True),
    ]
    assert seen(journey.answer) == [
        ("eni-2", "egress", "10.0.2.20", "198.19.0.10", True),
        ("eni-1", "ingress", "198.19.0.20", "10.0.1.10", True),
    ]
    assert journey.request[0].leg.path == 8


def test_out_to_the_internet_takes_a_public_address():
    assert go(world(WEB), "10.0.1.10", "198.51.100.7", port=443).outcome == "connected"
    hidden = replace(WEB, public_address=None)
    journey = go(world(hidden), "10.0.1.10", "198.51.100.7", port=443)
    assert journey.outcome == "timed out"
    assert journey.verdict.reason == "eni-1 has no public address to reach the internet with"
    assert seen(journey.request) == [("eni-1", "egress", "10.0.1.10", "198.51.100.7", True)]


def test_an_older_instance_names_the_internet_gateway_s_path_otherwise():
    old = replace(WEB, instance_type="t2.micro")
    assert go(world(old), LEARNER, "198.19.0.10").answer[0].leg.path == 2


def test_a_host_on_the_vpc_s_networks_that_is_no_interface_reaches_private_addresses():
    journey = go(world(WEB), "10.0.9.9", "10.0.1.10")
    assert journey.outcome == "connected"
    assert journey.answer[0].leg.path == 1


def test_a_peering_connection_joins_two_vpcs():
    there = replace(
        PEER, id="eni-3", vpc_id="vpc-2", addresses=(IPv4Address("10.1.0.5"),),
        vpc_networks=(ip_network("10.1.0.0/16"),), subnet_networks=(ip_network("10.1.0.0/24"),),
        route_table=RouteTable("rtb-2", (Route(ip_network("10.0.0.0/16"), "pcx-1"),)),
    )  # fmt: skip
    here = replace(WEB, route_table=RouteTable("rtb-1", (Route(ip_network("10.1.0.0/16"), "pcx-1"),)))
    near = {"pcx-1": {"vpc-1": "eu-west-1", "vpc-2": "eu-west-1"}}
    far = {"pcx-1": {"vpc-1": "eu-west-1", "vpc-2": "eu-central-1"}}
    assert [s.leg.path for s in go(world(here, there, peered=near), "10.0.1.10", "10.1.0.5").request] == [4, 0]
    assert [s.leg.path for s in go(world(here, there, peered=far), "10.0.1.10", "10.1.0.5").request] == [5, 0]
    ended = go(world(here, there), "10.0.1.10", "10.1.0.5")
    assert (ended.outcome, ended.verdict.reason) == ("timed out", "pcx-1 carries nothing to 10.1.0.5")


def test_a_nat_gateway_shows_each_packet_twice():
    nat = interface(
        id="eni-nat",
        addresses=(IPv4Address("10.0.0.220"),),
        public_address=IPv4Address("198.19.0.5"),
        instance_id=None,
        instance_type=None,
        subnet_networks=(ip_network("10.0.0.0/24"),),
        groups=(group(rule(None, -1, -1, ANYBODY)),),
    )
    routes = (Route(ip_network("10.0.0.0/16"), "local"), Route(ip_network(ANYBODY), "nat-1"))
    inside = replace(WEB, public_address=None, route_table=RouteTable("rtb-2", routes))
    journey = go(world(inside, nat, nat=nat), "10.0.1.10", "203.0.113.5", port=443)
    assert journey.outcome == "connected"
    assert seen(journey.request) == [
        ("eni-1", "egress", "10.0.1.10", "203.0.113.5", True),
        ("eni-nat", "ingress", "10.0.1.10", "10.0.0.220", True),
        ("eni-nat", "egress", "10.0.0.220", "203.0.113.5", True),
    ]
    assert seen(journey.answer) == [
        ("eni-nat", "ingress", "203.0.113.5", "10.0.0.220", True),
        ("eni-nat", "egress", "10.0.0.220", "10.0.1.10", True),
        ("eni-1", "ingress", "203.0.113.5", "10.0.1.10", True),
    ]
    originals = [
        (str(s.leg.original.source), str(s.leg.original.destination)) for s in (journey.request[1], journey.answer[1])
    ]
    assert originals == [("10.0.1.10", "203.0.113.5"), ("203.0.113.5", "10.0.1.10")]


def test_ipv6_needs_no_translation():
    routes = (*WEB.route_table.routes, Route(ip_network("::/0"), "igw-1"))
    dual = replace(
        WEB, ipv6_addresses=(ipv6("2001:db8:1::a"),), route_table=RouteTable("rtb-1", routes),
        groups=(group(rule(6, 22, 22, "::/0")),),
    )  # fmt: skip
    journey = go(world(dual), "2001:db8:ffff::1", "2001:db8:1::a")
    assert journey.outcome == "connected"
    assert seen(journey.request) == [("eni-1", "ingress", "2001:db8:ffff::1", "2001:db8:1::a", True)]
    assert dual.own_address(6) == IPv6Address("2001:db8:1::a")


def test_amazon_s_own_services_answer_and_nobody_sees_it():
    journey = go(world(WEB), "10.0.1.10", "169.254.169.254", port=80)
    assert journey.outcome == "connected"
    assert not journey.request
    assert "flow logs do not record" in journey.verdict.reason


def test_of_equal_private_addresses_those_of_the_sender_s_vpc_are_meant():
    elsewhere = replace(PEER, id="eni-9", vpc_id="vpc-9")
    journey = go(world(elsewhere, WEB, PEER), "10.0.1.10", "10.0.2.20")
    assert [s.leg.interface.id for s in journey.request] == ["eni-1", "eni-2"]


@pytest.mark.parametrize(
    ("target", "instance_type", "path"),
    [
        ("igw-1", "t3.nano", 8),
        ("igw-1", "t2.micro", 2),
        ("vpce-1", "t3.nano", 7),
        ("vpce-1", "t2.micro", 2),
        ("vgw-1", "t3.nano", 3),
        ("nat-1", "t3.nano", 1),
        ("tgw-1", "t3.nano", 0),
        ("eigw-1", "t3.nano", 0),
    ],
)
def test_the_route_tells_the_path_of_what_leaves(target, instance_type, path):
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html: traffic-path; 0 stands for a dash."""
    routes = RouteTable("rtb-1", (Route(ip_network("10.0.0.0/16"), "local"), Route(ip_network(ANYBODY), target)))
    here = replace(WEB, route_table=routes, instance_type=instance_type)
    leg = go(world(here), "10.0.1.10", "198.51.100.7", port=443).request[0].leg
    assert (leg.direction, leg.path) == ("egress", path)


@pytest.mark.parametrize("target", ["tgw-1", "vgw-1", "vpce-1", "eni-7", "i-7", "blackhole"])
def test_a_target_that_the_sandbox_does_not_follow_is_named(target):
    here = replace(WEB, route_table=RouteTable("rtb-1", (Route(ip_network(ANYBODY), target),)))
    journey = go(world(here), "10.0.1.10", "198.51.100.7", port=443)
    assert (journey.outcome, journey.verdict.by, journey.verdict.rule) == ("timed out", "route", ANYBODY)
    assert journey.verdict.reason.endswith(f"to {target}, which does not lead there in the sandbox")


def test_the_amazon_dns_server_of_a_vpc_answers_at_its_second_address():
    """https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html: "VPC+2"."""
    for protocol in (17, 6):
        journey = go(world(WEB), "10.0.1.10", "10.0.0.2", protocol=protocol, port=53)
        assert (journey.outcome, journey.request) == ("connected", ())
        assert journey.verdict.reason.startswith("the Amazon DNS server answered")


@pytest.mark.parametrize(
    ("address", "service"),
    [
        ("169.254.169.254", "the instance metadata service"),
        ("fd00:ec2::254", "the instance metadata service"),
        ("169.254.169.253", "the Amazon DNS server"),
        ("fd00:ec2::253", "the Amazon DNS server"),
        ("169.254.169.123", "the Amazon Time Sync Service"),
        ("169.254.169.250", "Windows licence activation"),
    ],
)
def test_what_amazon_answers_itself_needs_no_route_and_no_rule(address, service):
    shut = replace(
        WEB, groups=(group(egress=()),), acl=NetworkAcl("acl-1", (), ()), route_table=RouteTable("rtb-1", ())
    )
    dual = replace(shut, ipv6_addresses=(ipv6("2001:db8:1::a"),))
    source = "2001:db8:1::a" if ":" in address else "10.0.1.10"
    journey = go(world(dual), source, address, protocol=17, port=123)
    assert (journey.outcome, journey.request, journey.answer) == ("connected", (), ())
    assert journey.verdict.reason == f"{service} answered; flow logs do not record this traffic"


def test_only_an_instance_reaches_what_is_link_local():
    assert go(world(WEB), LEARNER, "169.254.169.254", port=80).outcome == "timed out"


def test_an_instance_reaches_itself_by_its_public_address_through_the_gateway():
    journey = go(world(WEB), "10.0.1.10", "198.19.0.10", port=80)
    assert journey.outcome == "connected"
    assert [(s.leg.direction, str(s.leg.packet.source)) for s in journey.request] == [
        ("egress", "10.0.1.10"),
        ("ingress", "198.19.0.10"),
    ]


def test_a_gateway_of_another_vpc_leads_nowhere():
    here = replace(WEB, internet_gateway_id="igw-2")
    journey = go(world(here), "10.0.1.10", "198.51.100.7", port=443)
    assert journey.verdict.reason == "internet gateway igw-1 is not attached to vpc-1"
    nowhere = go(world(WEB), "10.0.1.10", "192.168.7.7", port=443)
    assert nowhere.verdict.reason == "the internet has no route to 192.168.7.7"


def test_an_address_of_the_vpc_that_nobody_has_answers_nobody():
    journey = go(world(WEB), "10.0.1.10", "10.0.9.9")
    assert journey.outcome == "timed out"
    assert journey.verdict.reason == "no network interface of vpc-1 has 10.0.9.9"
    assert seen(journey.request) == [("eni-1", "egress", "10.0.1.10", "10.0.9.9", True)]
