from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.network.firewall import Packet, judge_by_network_acl, judge_by_security_groups
from labkit.sandbox.network.topology import NetworkAcl, SecurityGroup
from tests.sandbox.network.vpc import ANYBODY, entry, group, rule

OUTSIDER, SERVER = "198.51.100.7", "10.0.1.10"


def packet(protocol=6, port=22, *, source=OUTSIDER, destination=SERVER, source_port=40000, **icmp):
    return Packet(ip_address(source), ip_address(destination), protocol, source_port, port, **icmp)


PING = packet(1, 0, source_port=0, icmp_type=8)

RULES = [
    ("the port", rule(6, 22, 22, ANYBODY), packet(), True),
    ("another port", rule(6, 80, 80, ANYBODY), packet(), False),
    ("first of a range", rule(6, 22, 25, ANYBODY), packet(), True),
    ("last of a range", rule(6, 20, 22, ANYBODY), packet(), True),
    ("just past a range", rule(6, 20, 21, ANYBODY), packet(), False),
    ("another protocol", rule(17, 22, 22, ANYBODY), packet(), False),
    ("all protocols", rule(None, -1, -1, ANYBODY), packet(47, 0), True),
    ("the source port is not looked at", rule(6, 22, 22, ANYBODY), packet(port=80, source_port=22), False),
    ("one address", rule(6, 22, 22, f"{OUTSIDER}/32"), packet(), True),
    ("a neighbour of the address", rule(6, 22, 22, "198.51.100.6/32"), packet(), False),
    ("network", rule(6, 22, 22, "198.51.100.0/24"), packet(), True),
    ("IPv6 rule and IPv4 packet", rule(6, 22, 22, "::/0"), packet(), False),
    (
        "IPv4 rule and IPv6 packet",
        rule(6, 22, 22, ANYBODY),
        packet(source="2001:db8::1", destination="2001:db8::2"),
        False,
    ),
    ("IPv6", rule(6, 22, 22, "2001:db8::/64"), packet(source="2001:db8::1", destination="2001:db8::2"), True),
    ("any ICMP", rule(1, -1, -1, ANYBODY), PING, True),
    ("ICMP type", rule(1, 8, -1, ANYBODY), PING, True),
    ("ICMP type and code", rule(1, 8, 0, ANYBODY), PING, True),
    ("another ICMP type", rule(1, 3, -1, ANYBODY), PING, False),
    ("another ICMP code", rule(1, 8, 1, ANYBODY), PING, False),
    ("protocol without ports", rule(47, -1, -1, ANYBODY), packet(47, 0), True),
]


@pytest.mark.parametrize(("rule", "packet", "allowed"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_a_security_group_rule_admits(rule, packet, allowed):
    assert judge_by_security_groups([group(rule)], "ingress", packet).allowed is allowed


def test_an_egress_rule_looks_at_the_destination():
    out = group(egress=(rule(6, 443, 443, "198.51.100.0/24"),))
    to_web = packet(port=443, source=SERVER, destination=OUTSIDER)
    elsewhere = packet(port=443, source=SERVER, destination="192.0.2.1")
    assert judge_by_security_groups([out], "egress", to_web).allowed
    assert not judge_by_security_groups([out], "egress", elsewhere).allowed


def test_one_of_several_groups_is_enough_and_none_is_too_few():
    web, ssh = group(rule(6, 80, 80, ANYBODY)), group(rule(6, 22, 22, ANYBODY))
    assert judge_by_security_groups([web, ssh], "ingress", packet()).allowed
    assert not judge_by_security_groups([web], "ingress", packet()).allowed
    assert not judge_by_security_groups([], "ingress", packet()).allowed


def test_a_rule_that_names_a_group_admits_the_interfaces_in_it():
    peers = group(rule(6, 22, 22, "sg-7"))
    assert judge_by_security_groups([peers], "ingress", packet(), frozenset({"sg-7", "sg-8"})).allowed
    assert not judge_by_security_groups([peers], "ingress", packet(), frozenset({"sg-8"})).allowed
    assert not judge_by_security_groups([peers], "ingress", packet()).allowed


def test_the_verdict_names_the_rule_or_the_groups_that_lack_one():
    admitted = judge_by_security_groups([group(rule(6, 22, 22, ANYBODY, "sgr-22"))], "ingress", packet())
    assert (admitted.id, admitted.rule) == ("sg-1", "sgr-22")
    assert admitted.reason == "inbound rule sgr-22 of security group web (sg-1) allows tcp port 22 from 0.0.0.0/0"
    refused = judge_by_security_groups([group(), SecurityGroup("sg-2", "db", (), ())], "ingress", PING)
    assert (refused.id, refused.rule) == ("sg-1", None)
    assert refused.reason == (
        "no inbound rule of security group web (sg-1) and db (sg-2) allows icmp type 8 code 0 from 198.51.100.7"
    )


ENTRIES = [
    ("allowed", [entry(100, True)], packet(), "100", True),
    ("denied", [entry(100, False)], packet(), "100", False),
    ("nothing matches", [], packet(), "*", False),
    ("the lower number decides", [entry(90, False), entry(100, True)], packet(), "90", False),
    ("what does not match is passed over", [entry(90, False, "192.0.2.0/24"), entry(100, True)], packet(), "100", True),
    ("port in range", [entry(90, False, protocol=6, ports=(20, 22)), entry(100, True)], packet(), "90", False),
    ("port past range", [entry(90, False, protocol=6, ports=(20, 21)), entry(100, True)], packet(), "100", True),
    ("all ports", [entry(90, False, protocol=6), entry(100, True)], packet(), "90", False),
    ("another protocol", [entry(90, False, protocol=17, ports=(22, 22)), entry(100, True)], packet(), "100", True),
    ("ICMP type", [entry(90, False, protocol=1, icmp_type=8), entry(100, True)], PING, "90", False),
    ("another ICMP type", [entry(90, False, protocol=1, icmp_type=0), entry(100, True)], PING, "100", True),
    (
        "another ICMP code",
        [entry(90, False, protocol=1, icmp_type=8, icmp_code=1), entry(100, True)],
        PING,
        "100",
        True,
    ),
    ("IPv6 entry, IPv4 packet", [entry(90, False, "::/0"), entry(100, True)], packet(), "100", True),
]


@pytest.mark.parametrize(
    ("entries", "packet", "decided_by", "allowed"), [case[1:] for case in ENTRIES], ids=[case[0] for case in ENTRIES]
)
def test_the_first_entry_of_a_network_acl_that_matches_decides(entries, packet, decided_by, allowed):
    verdict = judge_by_network_acl(NetworkAcl("acl-1", tuple(entries), ()), "ingress", packet)
    assert (verdict.rule, verdict.allowed) == (decided_by, allowed)


def test_a_network_acl_has_other_entries_for_the_other_direction():
    acl = NetworkAcl("acl-1", (entry(100, True),), (entry(100, False),))
    out = packet(source=SERVER, destination=OUTSIDER)
    assert judge_by_network_acl(acl, "ingress", packet()).allowed
    assert judge_by_network_acl(acl, "egress", out).reason == (
        "outbound rule 100 of network ACL acl-1 denies tcp port 22 to 198.51.100.7"
    )


def test_the_last_rule_of_a_network_acl_is_told_by_its_star():
    reason = judge_by_network_acl(NetworkAcl("acl-1", (), ()), "ingress", packet()).reason
    assert reason == (
        "no numbered inbound rule of network ACL acl-1 matches tcp port 22 from 198.51.100.7, "
        "so its last rule (*) denies it"
    )


def bits(address: str) -> str:
    value = ip_address(address)
    return f"{int(value):0{32 if value.version == 4 else 128}b}"


def literally_in(address: str, cidr: str) -> bool:
    """Whether the first bits of the address are those of the network, and both are of one length."""
    network, _, length = cidr.partition("/")
    return len(bits(address)) == len(bits(network)) and bits(address)[: int(length)] == bits(network)[: int(length)]


addresses = st.sampled_from(["198.51.100.0", "198.51.100.7", "198.51.101.7", "10.0.1.10", "255.255.255.255", "0.0.0.0"])
cidrs = st.sampled_from(
    ["0.0.0.0/0", "198.51.100.0/24", "198.51.100.0/23", "198.51.100.7/32", "128.0.0.0/1", "10.0.0.0/8", "::/0"]
)
protocols = st.sampled_from([1, 6, 17, 47])
ports = st.sampled_from([0, 1, 21, 22, 23, 1023, 1024, 32768, 65535])
ranges = st.tuples(ports, ports).map(sorted)


@st.composite
def packets(draw):
    protocol = draw(protocols)
    if protocol == 1:
        icmp = {"icmp_type": draw(st.sampled_from([0, 3, 8])), "icmp_code": draw(st.integers(0, 1))}
        return packet(1, 0, source=draw(addresses), destination=draw(addresses), source_port=0, **icmp)
    port, source_port = (draw(ports), draw(ports)) if protocol != 47 else (0, 0)
    return packet(protocol, port, source=draw(addresses), destination=draw(addresses), source_port=source_port)


rules = st.builds(
    lambda protocol, span, icmp, cidr: (protocol, icmp if protocol == 1 else span, cidr),
    st.none() | protocols,
    ranges,
    st.tuples(st.sampled_from([-1, 0, 3, 8]), st.sampled_from([-1, 0, 1])),
    cidrs,
)


def literally_admits(rule, packet, far_end) -> bool:
    """Each sentence of AWS's description of a security group rule, one after the other."""
    protocol, (low, high), cidr = rule
    if not literally_in(str(far_end), cidr):
        return False
    if protocol is None:
        return True
    if protocol != packet.protocol:
        return False
    if protocol == 1:
        return (low == -1 or low == packet.icmp_type) and (high == -1 or high == packet.icmp_code)
    if protocol in (6, 17):
        return packet.destination_port in range(low, high + 1)
    return True


@settings(max_examples=300)
@given(st.lists(st.lists(rules, max_size=4), max_size=3), packets(), st.sampled_from(["ingress", "egress"]))
def test_security_groups_agree_with_a_literal_reading(groups, packet, direction):
    made = [
        SecurityGroup(f"sg-{n}", "g", tuple(rule(p, low, high, cidr) for p, (low, high), cidr in several), ())
        for n, several in enumerate(groups)
    ]
    if direction == "egress":
        made = [SecurityGroup(each.id, each.name, (), each.ingress) for each in made]
    far_end = packet.source if direction == "ingress" else packet.destination
    expected = any(literally_admits(each, packet, far_end) for several in groups for each in several)
    assert judge_by_security_groups(made, direction, packet).allowed is expected


entries = st.dictionaries(st.integers(1, 50), st.tuples(st.booleans(), rules), max_size=6)


def literal_verdict(numbered, packet, far_end) -> tuple[bool, str]:
    """Go up through the numbers; the first entry that the packet matches says yes or no; at the end stands a no."""
    for number in range(1, 51):
        if number in numbered:
            allow, each = numbered[number]
            if literally_admits(each, packet, far_end):
                return allow, str(number)
    return False, "*"


def made_entries(numbered):
    """The entries as the sandbox has them."""
    return tuple(
        entry(
            number,
            allow,
            cidr,
            protocol=protocol,
            ports=(low, high) if protocol in (6, 17) else None,
            icmp_type=low if protocol == 1 and low != -1 else None,
            icmp_code=high if protocol == 1 and high != -1 else None,
        )
        for number, (allow, (protocol, (low, high), cidr)) in sorted(numbered.items())
    )


@settings(max_examples=300)
@given(entries, packets(), st.sampled_from(["ingress", "egress"]))
def test_network_acls_agree_with_a_literal_reading(numbered, packet, direction):
    made = made_entries(numbered)
    acl = NetworkAcl("acl-1", made, ()) if direction == "ingress" else NetworkAcl("acl-1", (), made)
    far_end = packet.source if direction == "ingress" else packet.destination
    verdict = judge_by_network_acl(acl, direction, packet)
    assert (verdict.allowed, verdict.rule) == literal_verdict(numbered, packet, far_end)
