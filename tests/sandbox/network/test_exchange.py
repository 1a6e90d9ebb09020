"""A packet and its answer at one interface, held against a literal reading of AWS's comparison of the two firewalls.

"Security groups are stateful [...] network ACLs are stateless": https://docs.aws.amazon.com/vpc/latest/userguide/
infrastructure-security.html#VPC_Security_Comparison
"""

from dataclasses import replace
from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.journey import travel
from labkit.sandbox.network.topology import NetworkAcl, SecurityGroup
from tests.sandbox.network.test_firewall import (
    addresses,
    entries,
    literal_verdict,
    literally_admits,
    made_entries,
    rules,
)
from tests.sandbox.network.test_journey import WEB, seen, world
from tests.sandbox.network.vpc import rule

OWN, PUBLIC = str(WEB.addresses[0]), str(WEB.public_address)
OUTSIDERS = addresses.filter(lambda address: address.startswith("198.51."))
LISTENS = {6: {22, 80}, 17: set()}

requests = st.one_of(
    st.tuples(st.just(6), st.sampled_from([22, 80, 443, 1024]), st.sampled_from([1023, 1024, 32768, 65535])),
    st.tuples(st.just(17), st.sampled_from([22, 53]), st.sampled_from([53, 32768])),
    st.tuples(st.just(1), st.just(0), st.just(0)),
)


def literal_answer(protocol, source, port, source_port):
    """What goes back: the same flow the other way round; for a ping a pong; for UDP that nobody takes, ICMP's no."""
    here, there = ip_address(OWN), ip_address(source)
    if protocol == 1:
        return Packet(here, there, 1, icmp_type=0)
    if protocol == 17:
        return Packet(here, there, 1, icmp_type=3, icmp_code=3)
    return Packet(here, there, 6, port, source_port)


def literal_exchange(groups, inbound, outbound, request, source):
    """The outcome, and what the flow log shows: each packet that met the interface, accepted or not."""
    protocol, port, source_port = request
    there = ip_address(source)
    asked = Packet(there, ip_address(OWN), protocol, source_port, port, icmp_type=8 if protocol == 1 else 0)
    let_in = literal_verdict(inbound, asked, there)[0] and any(
        literally_admits(each, asked, there) for several in groups for each in several
    )
    flows = [("ingress", let_in)]
    if not let_in:
        return "timed out", flows
    let_out, _ = literal_verdict(outbound, literal_answer(protocol, source, port, source_port), there)
    flows.append(("egress", let_out))  # no rule of a security group is asked: it remembers the request
    if not let_out:
        return "timed out", flows
    return "connected" if protocol == 1 or port in LISTENS[protocol] else "refused", flows


mostly_open = entries.map(lambda numbered: {**numbered, 50: (True, (None, (0, 0), "0.0.0.0/0"))})


@settings(max_examples=300)
@given(
    st.lists(st.lists(rules, max_size=4), max_size=3),
    entries | mostly_open,
    entries | mostly_open,
    requests,
    OUTSIDERS,
)
def test_a_request_and_its_answer_agree_with_a_literal_reading(groups, inbound, outbound, request, source):
    made = tuple(
        SecurityGroup(f"sg-{n}", "g", tuple(rule(p, low, high, cidr) for p, (low, high), cidr in several), ())
        for n, several in enumerate(groups)
    )
    web = replace(WEB, groups=made, acl=NetworkAcl("acl-1", made_entries(inbound), made_entries(outbound)))
    protocol, port, source_port = request
    kind = 8 if protocol == 1 else 0
    journey = travel(world(web), Packet(ip_address(source), ip_address(PUBLIC), protocol, source_port, port, kind))
    flows = [(direction, accepted) for _, direction, _, _, accepted in seen((*journey.request, *journey.answer))]
    assert (journey.outcome, flows) == literal_exchange(groups, inbound, outbound, request, source)
