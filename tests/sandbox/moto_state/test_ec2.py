from ipaddress import IPv4Address, ip_address, ip_network

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labkit.sandbox.moto_state import ec2
from labkit.sandbox.network.firewall import Packet, judge_by_security_groups
from labkit.sandbox.network.topology import NetworkAclEntry, Route
from tests.sandbox.in_process import client_maker
from tests.sandbox.network.vpc import ANYBODY, Vpc


def test_an_interface_comes_with_its_surroundings(sandbox, vpc):
    seen = vpc.interface()
    assert (seen.region, seen.vpc_id, seen.subnet_id, seen.az_id) == ("eu-west-1", vpc.id, vpc.subnet.id, "euw1-az3")
    assert (seen.instance_id, seen.instance_type, seen.running) == (vpc.server.id, "t3.nano", True)
    assert seen.addresses == (IPv4Address(vpc.server.private_ip),)
    assert seen.public_address == IPv4Address(vpc.server.public_ip)
    assert [group.name for group in seen.groups] == ["HTTPAndSSH"]
    assert seen.internet_gateway_id == vpc.gateway.id
    assert seen.route_table.routes == (
        Route(ip_network("10.0.0.0/16"), "local"),
        Route(ip_network(ANYBODY), vpc.gateway.id),
    )
    assert seen.subnet_networks == (ip_network("10.0.1.0/24"),)
    assert seen.vpc_networks == (ip_network("10.0.0.0/16"),)


def test_it_is_found_by_each_of_its_addresses_in_any_region(sandbox, vpc):
    there = Vpc(sandbox, cidr="10.9.0.0/16", region="us-east-1")
    for each in (vpc, there):
        for address in (each.interface().public_address, each.interface().addresses[0]):
            assert [found.id for found in ec2.interfaces_with(sandbox.account_id, address)] == [each.interface().id]
    assert ec2.interfaces_with(sandbox.account_id, ip_address("192.0.2.1")) == []


def test_an_elastic_address_is_a_public_one_of_a_range_for_tests(vpc):
    address = vpc.ec2.allocate_address("vpc")
    vpc.ec2.associate_address(
        eni=vpc.ec2.get_network_interface(vpc.interface().id), allocation_id=address.allocation_id
    )
    assert ip_address(address.public_ip) in ip_network("198.18.0.0/15")
    assert vpc.interface().public_address == ip_address(address.public_ip)
    assert vpc.connect(22)["outcome"] == "connected"


def test_a_stopped_instance_does_not_run(sandbox, vpc):
    vpc.server.stop()
    assert not vpc.interface().running
    vpc.server.start()
    assert vpc.interface().running


def test_an_interface_of_nobody_does_not_run(sandbox, vpc):
    alone = vpc.ec2.create_network_interface(vpc.subnet, None)
    (seen,) = (each for each in ec2.interfaces(sandbox.account_id, "eu-west-1") if each.id == alone.id)
    assert (seen.instance_id, seen.running) == (None, False)


def test_a_subnet_s_own_route_table_goes_before_the_main_one(vpc):
    own = vpc.ec2.create_route_table(vpc.id)
    vpc.ec2.associate_route_table(own.id, subnet_id=vpc.subnet.id)
    assert vpc.interface().route_table.id == own.id
    assert [route.target for route in vpc.interface().route_table.routes] == ["local"]


def test_network_acl_entries_come_in_order_and_apart_by_direction(vpc):
    vpc.deny(90, egress=True, ports=(32768, 65535))
    vpc.deny(50, egress=False, protocol="-1")
    acl = vpc.interface().acl
    everything = ip_network(ANYBODY)
    assert acl.ingress[0] == NetworkAclEntry(50, False, everything, None, (0, 65535))
    assert acl.egress[0] == NetworkAclEntry(90, False, everything, 6, (32768, 65535))
    assert [entry.number for entry in acl.ingress] == [50, 100]
    assert [entry.number for entry in acl.egress] == [90, 100]


def test_a_rule_may_name_a_prefix_list_or_a_group(vpc):
    entries = [{"Cidr": "198.51.100.0/24", "Description": ""}, {"Cidr": "203.0.113.0/24", "Description": ""}]
    several = vpc.ec2.create_managed_prefix_list("IPv4", entries, "5", "partners", [])
    group = vpc.add_group("partners")
    vpc.ec2.authorize_security_group_ingress(
        group, "tcp", "22", "22", [], prefix_list_ids=[{"PrefixListId": several.id}]
    )
    vpc.ec2.authorize_security_group_ingress(group, "tcp", "80", "80", [], source_groups=[{"GroupId": vpc.web}])
    vpc.swap_groups(group)
    by_list, by_group = vpc.interface().groups[0].ingress
    assert by_list.networks == (ip_network("198.51.100.0/24"), ip_network("203.0.113.0/24"))
    assert by_group.group_id == vpc.web


def test_what_exists_is_known(sandbox, vpc):
    account = sandbox.account_id
    interface = vpc.interface()
    assert ec2.vpc_exists(account, "eu-west-1", vpc.id)
    assert not ec2.vpc_exists(account, "us-east-1", vpc.id)
    assert ec2.subnet_exists(account, "eu-west-1", vpc.subnet.id)
    assert not ec2.subnet_exists(account, "eu-west-1", "subnet-0")
    assert ec2.interface_exists(account, "eu-west-1", interface.id)
    assert not ec2.interface_exists(account, "eu-west-1", "eni-0")
    assert ec2.instance_vpc(account, "eu-west-1", vpc.server.id) == vpc.id
    assert ec2.interface_vpc(account, "eu-west-1", interface.id) == vpc.id
    assert ec2.security_group_vpc(account, "eu-west-1", vpc.web) == vpc.id
    assert ec2.instance_vpc(account, "eu-west-1", "i-0") is ec2.interface_vpc(account, "eu-west-1", "eni-0") is None


def test_peering_carries_packets_once_it_is_accepted(sandbox, vpc):
    other = Vpc(sandbox, cidr="10.9.0.0/16")
    peering = vpc.ec2.create_vpc_peering_connection(vpc.vpc, other.vpc)
    vpc.ec2.create_route(vpc.routes.id, "10.9.0.0/16", vpc_peering_connection_id=peering.id)
    other.ec2.create_route(other.routes.id, "10.0.0.0/16", vpc_peering_connection_id=peering.id)
    far, near = other.private_address, vpc.private_address
    assert vpc.connect(22, source=near, destination=far)["outcome"] == "timed out"
    vpc.ec2.accept_vpc_peering_connection(peering.id)
    assert vpc.connect(22, source=near, destination=far)["outcome"] == "connected"


def test_a_nat_gateway_lets_a_private_instance_out(sandbox, vpc):
    address = vpc.ec2.allocate_address("vpc")
    gateway = vpc.ec2.create_nat_gateway(vpc.subnet.id, address.allocation_id)
    hidden = vpc.add_subnet("10.0.7.0/24")
    routes = vpc.ec2.create_route_table(vpc.id)
    vpc.ec2.associate_route_table(routes.id, subnet_id=hidden.id)
    vpc.ec2.create_route(routes.id, ANYBODY, nat_gateway_id=gateway.id)
    inside = str(vpc.interface(vpc.add_instance([vpc.web], subnet=hidden, public=False)).addresses[0])
    assert vpc.connect(443, source=inside, destination="198.51.100.9")["outcome"] == "connected"
    vpc.ec2.delete_nat_gateway(gateway.id)
    assert vpc.connect(443, source=inside, destination="198.51.100.9")["outcome"] == "timed out"


permissions = st.tuples(
    st.sampled_from(
        [("tcp", 20, 22), ("tcp", 22, 80), ("udp", 80, 443), ("tcp", 443, 443), ("-1", -1, -1), ("icmp", -1, -1)]
    ),
    st.sampled_from([ANYBODY, "198.51.100.0/24", "198.51.100.7/32"]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(permissions, max_size=3, unique=True), st.data())
def test_rules_made_through_the_api_are_read_literally(vpc, several, data):
    group = vpc.add_group(f"group-{len(vpc.ec2.groups[vpc.id])}")
    for span, cidr in several:
        vpc.allow(group, *span, cidr)
    vpc.swap_groups(group)
    source = data.draw(st.sampled_from(["198.51.100.7", "198.51.100.8", "203.0.113.1"]))
    protocol, number = data.draw(st.sampled_from([("tcp", 6), ("udp", 17)]))
    port = data.draw(st.sampled_from([19, 20, 22, 79, 80, 443, 444]))
    expected = any(
        (name == "-1" or (name == protocol and port in range(first, last + 1)))
        and ip_address(source) in ip_network(cidr)
        for (name, first, last), cidr in several
    )
    here = vpc.interface()
    packet = Packet(ip_address(source), here.addresses[0], number, 40000, port)
    assert judge_by_security_groups(here.groups, "ingress", packet).allowed is expected


def test_a_vpc_s_default_security_group_admits_its_own_members(host):
    """https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html"""
    ec2 = client_maker(host)("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])["SecurityGroups"]
    (inbound,), (outbound,) = group["IpPermissions"], group["IpPermissionsEgress"]
    assert (group["GroupName"], group["Description"]) == ("default", "default VPC security group")
    assert inbound["IpProtocol"] == outbound["IpProtocol"] == "-1"
    assert [pair["GroupId"] for pair in inbound["UserIdGroupPairs"]] == [group["GroupId"]]
    assert (inbound["IpRanges"], outbound["IpRanges"]) == ([], [{"CidrIp": "0.0.0.0/0"}])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group["GroupId"]]}])
    assert sorted(rule["IsEgress"] for rule in rules["SecurityGroupRules"]) == [False, True]
    ec2.delete_vpc(VpcId=vpc_id)
    assert vpc_id not in [each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]]


def test_another_security_group_admits_nobody_until_it_has_rules(host):
    ec2 = client_maker(host)("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    group_id = ec2.create_security_group(GroupName="web", Description="x", VpcId=vpc_id)["GroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    assert group["IpPermissions"] == []
    assert [each["IpRanges"] for each in group["IpPermissionsEgress"]] == [[{"CidrIp": "0.0.0.0/0"}]]


def test_rules_by_ipv6_networks_and_icmpv6_are_read_as_such(host):
    ec2_client = client_maker(host)("ec2")
    there = Vpc(host.sandbox)
    group = ec2_client.create_security_group(GroupName="six", Description="x", VpcId=there.id)["GroupId"]
    permissions = [
        {"IpProtocol": "icmpv6", "FromPort": 128, "ToPort": 0, "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    ]
    ec2_client.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    there.swap_groups(group)
    rules = there.interface().groups[0].ingress
    assert [(rule.protocol, rule.from_port, rule.to_port) for rule in rules] == [(58, 128, 0), (6, 22, 22)]
    assert [rule.networks for rule in rules] == [(ip_network("2001:db8::/32"),), (ip_network("::/0"),)]
