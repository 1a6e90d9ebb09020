"""IPv6 from end to end: addresses, rules, routes and records, as Amazon EC2's API has them."""

import pytest

from labkit.flowlog import reader
from labkit.flowlog.formats import LogFormat
from tests.sandbox.in_process import client_maker
from tests.sandbox.network.vpc import Vpc

FORMAT = LogFormat.parse(
    "${type} ${srcaddr} ${dstaddr} ${dstport} ${protocol} ${action} ${traffic-path} ${flow-direction}"
)
PEER = "2001:db8:ffff::7"


class DualStack(Vpc):
    """A VPC with both kinds of networks, whose web server has an IPv6 address too."""

    def __init__(self, host):
        super().__init__(host.sandbox)
        self.client = client_maker(host)("ec2")
        self.client.associate_vpc_cidr_block(VpcId=self.id, AmazonProvidedIpv6CidrBlock=True)
        (vpc,) = self.client.describe_vpcs(VpcIds=[self.id])["Vpcs"]
        network = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        self.client.associate_subnet_cidr_block(SubnetId=self.subnet.id, Ipv6CidrBlock=network.replace("/56", "/64"))
        interface = self.interface().id
        assigned = self.client.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1)
        self.ipv6 = assigned["AssignedIpv6Addresses"][0]
        self.route_outside(self.gateway.id)
        self.allow(self.ssh, "tcp", 22, 22, "::/0")
        everything = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        self.client.authorize_security_group_egress(GroupId=self.ssh, IpPermissions=[everything])

    def route_outside(self, target):
        member = "EgressOnlyInternetGatewayId" if target.startswith("eigw-") else "GatewayId"
        route = {"RouteTableId": self.routes.id, "DestinationIpv6CidrBlock": "::/0"}
        self.client.create_route(**route, **{member: target})

    def records(self):
        """The records so far, what came in before what went out."""
        rows = reader.read_lines(self.messages(), FORMAT).to_pylist()
        return sorted(rows, key=lambda row: row["flow_direction"], reverse=True)


@pytest.fixture
def vpc(host):
    vpc = DualStack(host)
    host.sandbox.network.set_background(0)
    return vpc


def test_who_connects_by_ipv6_comes_from_an_address_of_the_same_kind(vpc):
    told = vpc.connect(22, destination=vpc.ipv6)
    assert (told["outcome"], told["source"]) == ("connected", "2001:db8::25")
    assert vpc.connect(22)["source"] == "203.0.113.25"


def test_a_record_of_ipv6_says_so_and_shows_the_interface_s_own_address(host, vpc):
    vpc.log_to_group(LogFormat=str(FORMAT))
    vpc.connect(22, destination=vpc.ipv6, source=PEER)
    host.sandbox.clock.advance(300)
    there, back = vpc.records()
    assert (there["type"], there["srcaddr"], there["dstaddr"]) == ("IPv6", PEER, vpc.ipv6)
    assert (back["type"], back["srcaddr"], back["dstaddr"]) == ("IPv6", vpc.ipv6, PEER)
    assert (there["traffic_path"], back["traffic_path"]) == (None, 8)
    assert {row["action"] for row in (there, back)} == {"ACCEPT"}


def test_a_rule_for_ipv4_admits_nobody_by_ipv6(host, vpc):
    vpc.log_to_group(LogFormat=str(FORMAT))
    assert vpc.connect(80)["outcome"] == "connected"
    told = vpc.connect(80, destination=vpc.ipv6, source=PEER)
    assert told["outcome"] == "timed out"
    assert told["why"].endswith(f"allows tcp port 80 from {PEER}")
    host.sandbox.clock.advance(300)
    assert [row["action"] for row in vpc.records() if row["type"] == "IPv6"] == ["REJECT"]


def test_a_ping_by_ipv6_is_icmpv6(host, vpc):
    vpc.allow(vpc.ssh, "icmpv6", -1, -1, "::/0")
    vpc.log_to_group(LogFormat=str(FORMAT))
    assert vpc.connect(0, destination=vpc.ipv6, source=PEER, protocol="icmp")["outcome"] == "connected"
    host.sandbox.clock.advance(300)
    assert [(row["protocol"], row["dstport"]) for row in vpc.records()] == [(58, 0), (58, 0)]


def test_the_default_network_acl_of_a_vpc_with_ipv6_lets_it_pass_and_a_deny_does_not(vpc):
    (acl,) = vpc.client.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc.id]}])["NetworkAcls"]
    assert vpc.connect(22, destination=vpc.ipv6, source=PEER)["outcome"] == "connected"
    deny = {"NetworkAclId": acl["NetworkAclId"], "Protocol": "-1", "RuleAction": "deny", "Egress": False}
    vpc.client.create_network_acl_entry(**deny, RuleNumber=50, Ipv6CidrBlock="2001:db8::/32")
    told = vpc.connect(22, destination=vpc.ipv6, source=PEER)
    assert (told["outcome"], told["decided_by"]["rule"]) == ("timed out", "50")
    assert vpc.connect(22, destination=vpc.ipv6, source="2001:db9::7")["outcome"] == "connected"
    assert vpc.connect(22)["outcome"] == "connected", "which is IPv4"


def test_an_instance_reaches_the_internet_by_ipv6_without_a_public_ipv4_address(host, vpc):
    vpc.log_to_group(LogFormat=str(FORMAT))
    assert vpc.connect(443, source=vpc.ipv6, destination=PEER)["outcome"] == "connected"
    host.sandbox.clock.advance(300)
    back, there = vpc.records()
    assert (there["srcaddr"], there["dstaddr"], there["traffic_path"]) == (vpc.ipv6, PEER, 8)
    assert (back["srcaddr"], back["dstaddr"], back["flow_direction"]) == (PEER, vpc.ipv6, "ingress")


def test_an_egress_only_gateway_lets_out_and_nobody_in(vpc):
    """https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html"""
    vpc.client.delete_route(RouteTableId=vpc.routes.id, DestinationIpv6CidrBlock="::/0")
    made = vpc.client.create_egress_only_internet_gateway(VpcId=vpc.id)["EgressOnlyInternetGateway"]
    vpc.route_outside(made["EgressOnlyInternetGatewayId"])
    assert vpc.connect(443, source=vpc.ipv6, destination=PEER)["outcome"] == "connected"
    assert vpc.connect(22, destination=vpc.ipv6, source=PEER)["outcome"] == "timed out"


def test_without_a_route_for_ipv6_nothing_comes_back(vpc):
    vpc.client.delete_route(RouteTableId=vpc.routes.id, DestinationIpv6CidrBlock="::/0")
    told = vpc.connect(22, destination=vpc.ipv6, source=PEER)
    assert (told["outcome"], told["decided_by"]["type"]) == ("timed out", "route")
    assert told["why"].endswith(f"has no route to {PEER}")


def test_an_address_that_is_written_otherwise_is_the_same(vpc):
    long = ":".join(part.zfill(4) for part in vpc.ipv6.split(":")) if "::" not in vpc.ipv6 else vpc.ipv6
    assert vpc.connect(22, destination=long.upper(), source=PEER.upper())["outcome"] == "connected"
