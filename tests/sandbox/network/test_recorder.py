from ipaddress import ip_address, ip_network

import pytest

from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.flows import Burst
from labkit.sandbox.network.journey import Leg, Sighting
from labkit.sandbox.network.recorder import Recorder, is_logged
from tests.sandbox.network.vpc import interface, ipv6

HERE = interface(addresses=(ip_address("10.0.1.10"), ip_address("10.0.1.11")))


def packet(source="198.51.100.7", destination="10.0.1.10", protocol=6, source_port=40000, port=22):
    return Packet(ip_address(source), ip_address(destination), protocol, source_port, port)


def recorded(leg, *bursts, accepted=True):
    recorder = Recorder()
    recorder.record(Sighting(leg, accepted), bursts or [Burst(600.0, 600.0, 1, 60, 2)])
    return recorder, recorder.flows(range(0, 100))


def test_a_packet_becomes_a_row():
    recorder, (row,) = recorded(Leg(HERE, "ingress", packet()), accepted=False)
    assert recorder.interfaces.names[row["interface"]] == "eni-1"
    assert [recorder.addresses.names[row[name]] for name in ("source", "destination")] == ["198.51.100.7", "10.0.1.10"]
    assert (row["source_port"], row["destination_port"], row["protocol"]) == (40000, 22, 6)
    assert (row["packets"], row["bytes"], row["first"], row["last"], row["tcp_flags"]) == (1, 60, 600, 600, 2)
    assert (row["egress"], row["accepted"]) == (False, False)


def test_on_its_own_side_an_interface_shows_its_primary_address():
    recorder, (row,) = recorded(Leg(HERE, "ingress", packet(destination="10.0.1.11")))
    assert recorder.addresses.names[row["destination"]] == "10.0.1.10"
    assert recorder.addresses.names[row["packet_destination"]] == "10.0.1.11"
    recorder, (row,) = recorded(Leg(HERE, "egress", packet("10.0.1.11", "198.51.100.7")))
    assert recorder.addresses.names[row["source"]] == "10.0.1.10"
    assert recorder.addresses.names[row["packet_source"]] == "10.0.1.11"


def test_the_original_packet_is_what_the_pkt_fields_show():
    leg = Leg(HERE, "ingress", packet("10.0.1.5", "10.0.1.10"), original=packet("10.0.1.5", "203.0.113.5"))
    recorder, (row,) = recorded(leg)
    assert recorder.addresses.names[row["packet_destination"]] == "203.0.113.5"
    assert recorder.addresses.names[row["destination"]] == "10.0.1.10"


def test_rows_are_kept_by_minute_until_they_are_forgotten():
    leg = Leg(HERE, "ingress", packet())
    recorder, everything = recorded(leg, Burst(600.0, 690.0, 4, 400))
    assert everything["packets"].tolist() == [4]
    assert recorder.flows(range(10, 11))["first"].tolist() == [600]
    assert recorder.flows(range(11, 12))["packets"].tolist() == [2]
    recorder.forget_before(11)
    assert recorder.flows(range(0, 100))["first"].tolist() == [660]
    recorder.forget_all()
    assert len(recorder.flows(range(0, 100))) == 0


DUAL = interface(
    ipv6_addresses=(ipv6("2001:db8::5"),), subnet_networks=(ip_network("10.0.1.0/24"), ip_network("2001:db8::/64"))
)
NOT_LOGGED = [
    packet(destination="169.254.169.254", port=80),
    packet(source="169.254.169.254"),
    packet(destination="169.254.169.123", protocol=17, port=123),
    packet(destination="169.254.169.253", protocol=17, port=53),
    packet(destination="10.0.0.2", protocol=17, port=53),
    packet(destination="10.0.1.1", protocol=1, source_port=0, port=0),
    packet(source="10.0.1.1", protocol=17, source_port=67, port=68),
    packet(source="0.0.0.0", destination="255.255.255.255", protocol=17, source_port=68, port=67),
    packet(source="2001:db8::5", destination="fd00:ec2::254"),
]
LOGGED = [
    packet(),
    packet(destination="10.0.1.53", protocol=17, port=53),
    packet(destination="10.0.2.1"),
    packet(protocol=17, source_port=40000, port=67),
    packet(protocol=6, source_port=67, port=68),
    packet(source="2001:db8::1", destination="2001:db8::5"),
]


@pytest.mark.parametrize(("packet", "logged"), [(p, False) for p in NOT_LOGGED] + [(p, True) for p in LOGGED])
def test_aws_does_not_log_some_traffic(packet, logged):
    assert is_logged(DUAL, packet) is logged
    assert len(recorded(Leg(DUAL, "ingress", packet))[1]) == int(logged)
