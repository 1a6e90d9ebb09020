from ipaddress import ip_address

import numpy as np
import pytest

from labkit.flowlog import reader, writer
from labkit.flowlog.fields import FIELDS
from labkit.flowlog.formats import DEFAULT_FORMAT, LogFormat
from labkit.sandbox.network.firewall import Packet
from labkit.sandbox.network.flows import FLOW, NODATA, Burst, joined
from labkit.sandbox.network.journey import Leg, Sighting
from labkit.sandbox.network.recorder import Recorder
from labkit.sandbox.network.records import Capture, table, without_flow
from tests.sandbox.network.vpc import interface

EVERYTHING = LogFormat(FIELDS)


def sighting(direction, source, destination, *, accepted=True, path=0, here=None, **ports):
    packet = Packet(ip_address(source), ip_address(destination), ports.get("protocol", 6), 40000, 22)
    return Sighting(Leg(here or interface(), direction, packet, path), accepted)


def capture(*sightings, extra=None, amazon=()):
    recorder = Recorder()
    for each in sightings:
        recorder.record(each, [Burst(1_793_610_000.0, 1_793_610_000.0, 1, 60, 2)])
    flows = recorder.flows(range(29_893_500, 29_893_600))
    if extra is not None:
        recorder.meet(interface())
        flows = joined([flows, np.array([extra], FLOW)])
    return Capture(flows, recorder.met, recorder.addresses, frozenset(amazon))


def values(capture, log_format=EVERYTHING):
    """The records as texts by the fields' names."""
    lines = writer.lines(table(capture, log_format), log_format).to_pylist()
    return [dict(zip(log_format.names, line.split(" "), strict=True)) for line in lines]


INBOUND = sighting("ingress", "198.51.100.7", "10.0.1.10", accepted=False)
OUTBOUND = sighting("egress", "10.0.1.10", "198.51.100.7", path=8)

EXPECTED = {
    "version": "11",
    "account-id": "123456789012",
    "interface-id": "eni-1",
    "srcaddr": "198.51.100.7",
    "dstaddr": "10.0.1.10",
    "srcport": "40000",
    "dstport": "22",
    "protocol": "6",
    "packets": "1",
    "bytes": "60",
    "start": "1793610000",
    "end": "1793610000",
    "action": "REJECT",
    "log-status": "OK",
    "vpc-id": "vpc-1",
    "subnet-id": "subnet-1",
    "instance-id": "i-1",
    "tcp-flags": "2",
    "type": "IPv4",
    "pkt-srcaddr": "198.51.100.7",
    "pkt-dstaddr": "10.0.1.10",
    "region": "eu-west-1",
    "az-id": "euw1-az1",
    "flow-direction": "ingress",
}


@pytest.mark.parametrize("field", [field.name for field in FIELDS])
def test_every_documented_field_has_its_value_or_a_dash(field):
    (record,) = values(capture(INBOUND))
    assert record[field] == EXPECTED.get(field, "-")


@pytest.mark.parametrize("field", [field.name for field in FIELDS])
def test_a_format_of_one_field_says_the_same_of_it(field):
    log_format = LogFormat.of([field])
    (record,) = values(capture(INBOUND), log_format)
    expected = str(log_format.version) if field == "version" else EXPECTED.get(field, "-")
    assert record == {field: expected}


def test_outgoing_traffic_names_its_path():
    (record,) = values(capture(OUTBOUND))
    assert (record["flow-direction"], record["traffic-path"], record["action"]) == ("egress", "8", "ACCEPT")
    assert (record["srcaddr"], record["dstaddr"]) == ("10.0.1.10", "198.51.100.7")


def test_addresses_of_our_own_on_the_internet_are_amazon_s():
    (record,) = values(capture(INBOUND, amazon=["198.51.100.7"]))
    assert (record["pkt-src-aws-service"], record["pkt-dst-aws-service"]) == ("EC2", "-")


def test_ipv6_is_told_as_such():
    here = interface(ipv6_addresses=(ip_address("2001:db8::a"),))
    (record,) = values(capture(sighting("ingress", "2001:db8:1::1", "2001:db8::a", here=here)))
    assert (record["type"], record["srcaddr"], record["dstaddr"]) == ("IPv6", "2001:db8:1::1", "2001:db8::a")


def test_an_interface_without_an_instance_has_a_dash_for_it():
    here = interface(instance_id=None, instance_type=None)
    (record,) = values(capture(sighting("ingress", "198.51.100.7", "10.0.1.10", here=here)))
    assert record["instance-id"] == "-"


def test_tags_are_those_that_the_flow_log_names_and_hold_no_space():
    here = interface(
        type="nat_gateway",
        tags={"Name": "door", "team": "net"},
        instance_tags={"Name": "Web Server", "path": "a/b=ü-1"},
    )
    keys = (("instance-tag", "Name"), ("instance-tag-2", "path"), ("interface-tag", "team"))
    log_format = LogFormat(EVERYTHING.fields, keys)
    (record,) = values(capture(sighting("ingress", "198.51.100.7", "10.0.1.10", here=here)), log_format)
    assert (record["instance-tag"], record["instance-tag-2"]) == ("Web%20Server", "a%2Fb%3D%C3%BC-1")
    assert (record["interface-tag"], record["interface-tag-2"], record["interface-type"]) == ("net", "-", "nat_gateway")


def test_no_data_leaves_out_what_a_flow_would_have():
    captured = capture(extra=without_flow(1, 1_793_610_000, 1_793_610_060, NODATA))
    (record,) = values(captured)
    known = {name for name, value in record.items() if value != "-"}
    assert record["log-status"] == "NODATA"
    assert known == {
        "version", "account-id", "interface-id", "start", "end", "log-status",
        "vpc-id", "subnet-id", "instance-id", "region", "az-id",
    }  # fmt: skip
    line = writer.lines(table(captured, DEFAULT_FORMAT), DEFAULT_FORMAT)[0].as_py()
    assert line == "2 123456789012 eni-1 - - - - - - - 1793610000 1793610059 - NODATA"


def test_records_are_read_back_as_they_were_written():
    captured = capture(INBOUND, OUTBOUND, extra=without_flow(1, 1_793_610_000, 1_793_610_060, NODATA))
    made = table(captured, EVERYTHING)
    plain = writer.conform(made, EVERYTHING)
    assert reader.read(writer.gzip_text(made, EVERYTHING)).equals(plain)
    assert reader.read(writer.parquet(made, EVERYTHING)).equals(plain)
