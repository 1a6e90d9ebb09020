from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest

from labkit.sandbox.network import background
from labkit.sandbox.network.firewall import Packet, judge_by_network_acl, judge_by_security_groups
from labkit.sandbox.network.flows import Book
from labkit.sandbox.network.topology import NetworkAcl
from tests.sandbox.network.vpc import ANYBODY, entry, group, interface, rule

MINUTE = 29_893_500
RESERVED = [ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "100.64.0.0/10")]


def drawn(here=None, *, minute=MINUTE, level=40.0, seed=7, addresses=None):
    return background.flows(here or interface(), 3, addresses or Book(), minute=minute, level=level, seed=seed)


def test_a_minute_depends_on_seed_interface_minute_and_level_only():
    assert np.array_equal(drawn(), drawn())
    changed = [drawn(seed=8), drawn(minute=MINUTE + 1), drawn(replace(interface(), id="eni-2")), drawn(level=41.0)]
    assert all(len(each) != len(drawn()) or not np.array_equal(each, drawn()) for each in changed)


def test_nobody_reaches_an_interface_without_a_public_address_and_silence_is_silent():
    assert len(drawn(replace(interface(), public_address=None))) == 0
    assert len(drawn(level=0)) == 0


def test_twice_the_level_is_about_twice_the_traffic():
    usual, twice = (sum(len(drawn(level=level, minute=MINUTE + n)) for n in range(20)) for level in (20, 40))
    assert 1.8 < twice / usual < 2.2


def test_users_come_by_day():
    at_four, by_day = (np.count_nonzero(drawn(minute=hour * 60)["destination_port"] == 80) for hour in (4, 16))
    assert by_day > 2 * at_four


def test_all_outsiders_have_reserved_addresses():
    addresses = Book()
    rows = drawn(addresses=addresses)
    numbers = set(rows["source"].tolist()) | set(rows["destination"].tolist())
    outsiders = {addresses.names[number] for number in numbers} - {"10.0.1.10"}
    assert len(outsiders) > 100
    assert all(any(ip_address(each) in network for network in RESERVED) for each in outsiders)


def test_rows_stay_within_their_minute_and_make_sense():
    rows = drawn()
    assert ((rows["first"] // 60 == MINUTE) & (rows["last"] // 60 == MINUTE)).all()
    assert (rows["first"] <= rows["last"]).all()
    assert (rows["packets"] >= 1).all()
    assert (rows["bytes"] >= 40 * rows["packets"]).all()
    assert set(np.unique(rows["protocol"]).tolist()) == {1, 6, 17}
    assert (rows["tcp_flags"][rows["protocol"] != 6] == 0).all()
    assert (rows["interface"] == 3).all()


def test_only_what_is_let_in_is_answered():
    rows = drawn()
    requests, answers = rows[~rows["egress"]], rows[rows["egress"]]
    assert np.count_nonzero(requests["accepted"]) == len(answers)
    assert set(answers["source_port"].tolist()) == {22, 80}
    assert (answers["tcp_flags"] == 19).all()
    assert (answers["path"] == 8).all()
    assert (requests["path"] == 0).all()


def test_a_port_that_is_admitted_but_closed_is_refused():
    here = replace(interface(), groups=(group(rule(6, 0, 65535, ANYBODY)),))
    rows = drawn(here)
    refusals = rows[rows["egress"] & (rows["tcp_flags"] == 4)]
    assert len(refusals) > 20
    assert (refusals["bytes"] == 40).all()
    assert not {22, 80} & set(refusals["source_port"].tolist())


def test_a_ping_has_no_ports():
    here = replace(interface(), groups=(group(rule(None, -1, -1, ANYBODY)),))
    pings = drawn(here, level=200.0)
    pings = pings[(pings["protocol"] == 1) & (pings["bytes"] == 84)]
    assert len(pings)
    assert (pings["source_port"] == 0).all()
    assert (pings["destination_port"] == 0).all()


FIREWALLS = {
    "web server": interface(),
    "nothing admitted": replace(interface(), groups=(group(),)),
    "half of the scanners": replace(interface(), groups=(group(rule(6, 0, 1023, "198.51.100.0/25")),)),
    "everything from two networks": replace(
        interface(), groups=(group(rule(None, -1, -1, "203.0.113.0/24"), rule(17, 53, 5060, "198.51.100.64/26")),)
    ),
    "network ACL with holes": replace(
        interface(),
        acl=NetworkAcl(
            "acl-1",
            (entry(90, False, "198.51.100.128/25"), entry(95, False, protocol=6, ports=(23, 80)), entry(100, True)),
            (entry(90, False, protocol=6, ports=(40000, 49999)), entry(100, True)),
        ),
        groups=(group(rule(None, -1, -1, ANYBODY)),),
    ),
}


@pytest.mark.parametrize("name", FIREWALLS)
def test_each_row_is_what_the_rules_say_of_its_own_packet(name):
    here, addresses = FIREWALLS[name], Book()
    rows = drawn(here, addresses=addresses)
    for row in rows[rows["protocol"] != 1]:
        packet = Packet(
            ip_address(addresses.names[row["source"]]),
            ip_address(addresses.names[row["destination"]]),
            int(row["protocol"]),
            int(row["source_port"]),
            int(row["destination_port"]),
        )
        direction = "egress" if row["egress"] else "ingress"
        allowed = judge_by_network_acl(here.acl, direction, packet).allowed
        if direction == "ingress":
            allowed = allowed and judge_by_security_groups(here.groups, direction, packet).allowed
        assert row["accepted"] == allowed, packet


def test_no_flow_is_drawn_twice_as_two_rows_of_the_same_kind():
    rows = drawn(level=5.0)
    keys = {
        (r["egress"], r["source"], r["destination"], r["source_port"], r["destination_port"], r["protocol"])
        for r in rows
    }
    assert len(keys) == len(rows)
