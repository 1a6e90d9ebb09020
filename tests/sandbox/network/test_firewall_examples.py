"""The examples of AWS's guides: rules made through Amazon EC2's API, and what becomes of packets under them."""

import json
from ipaddress import ip_address
from pathlib import Path

import pytest

from labkit.sandbox.network.firewall import Packet, judge_by_network_acl, judge_by_security_groups
from labkit.sandbox.network.protocols import number_of
from tests.sandbox.in_process import client_maker
from tests.sandbox.network.vpc import ANYBODY, Vpc

HERE = Path(__file__).parent
RULES = json.loads((HERE / "security_group_rules.json").read_text())["cases"]
ACL = json.loads((HERE / "network_acl_example.json").read_text())
OWN = {4: ip_address("10.0.1.10"), 6: ip_address("2001:db8:1::5")}


@pytest.fixture
def vpc(host):
    return Vpc(host.sandbox)


@pytest.fixture
def ec2(host):
    return client_maker(host)("ec2")


def packet(described, direction="ingress"):
    """The packet, between its far end and our own address."""
    far = ip_address(described["from"])
    ends = (far, OWN[far.version]) if direction == "ingress" else (OWN[far.version], far)
    protocol = number_of(described["protocol"])
    source_port = 40000 if protocol in (6, 17) else 0
    return Packet(*ends, protocol, source_port, described["port"], described.get("type", 0), described.get("code", 0))


def permission(rule, group_ids):
    """A rule as the API takes it."""
    protocol, first, last, peer = rule
    made = {"IpProtocol": protocol, "FromPort": first, "ToPort": last}
    if peer.startswith("sg-"):
        return {**made, "UserIdGroupPairs": [{"GroupId": group_ids[peer]}]}
    if ":" in peer:
        return {**made, "Ipv6Ranges": [{"CidrIpv6": peer}]}
    return {**made, "IpRanges": [{"CidrIp": peer}]}


@pytest.mark.parametrize("case", RULES, ids=lambda case: case["name"])
def test_a_security_group_admits_what_the_guide_says(vpc, ec2, case):
    direction = case.get("direction", "ingress")
    names = {each[3] for each in case["rules"] if each[3].startswith("sg-")} | {*case.get("peer_groups", [])}
    group_ids = {name: vpc.add_group(name[3:]) for name in sorted(names)}
    group = ec2.create_security_group(GroupName="example", Description="x", VpcId=vpc.id)["GroupId"]
    permissions = [permission(rule, group_ids) for rule in case["rules"]]
    if direction == "egress":
        (default,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[default])
    authorize = {"ingress": ec2.authorize_security_group_ingress, "egress": ec2.authorize_security_group_egress}
    if permissions:
        authorize[direction](GroupId=group, IpPermissions=permissions)
    ec2.modify_instance_attribute(InstanceId=vpc.server.id, Groups=[group])
    peers = frozenset(group_ids[name] for name in case.get("peer_groups", []))
    verdict = judge_by_security_groups(vpc.interface().groups, direction, packet(case["packet"], direction), peers)
    assert verdict.allowed is case["allowed"], verdict.reason


def make_empty_acl(ec2, vpc):
    """A new network ACL, on the web server's subnet."""
    acl = ec2.create_network_acl(VpcId=vpc.id)["NetworkAcl"]["NetworkAclId"]
    found = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [vpc.subnet.id]}])
    (own,) = (each for each in found["NetworkAcls"][0]["Associations"] if each["SubnetId"] == vpc.subnet.id)
    ec2.replace_network_acl_association(AssociationId=own["NetworkAclAssociationId"], NetworkAclId=acl)
    return acl


def make_acl(ec2, vpc):
    """The guide's custom network ACL, on the web server's subnet."""
    acl = make_empty_acl(ec2, vpc)
    for egress in (False, True):
        for number, action, protocol, (first, last), network in ACL["egress" if egress else "ingress"]:
            ec2.create_network_acl_entry(
                NetworkAclId=acl,
                RuleNumber=number,
                RuleAction=action,
                Protocol=str(number_of(protocol)),
                PortRange={"From": first, "To": last},
                Egress=egress,
                **{"Ipv6CidrBlock" if ":" in network else "CidrBlock": network},
            )
    return acl


def test_the_guide_s_network_acl_decides_as_its_table_says(vpc, ec2):
    make_acl(ec2, vpc)
    acl = vpc.interface().acl
    decided = [
        judge_by_network_acl(acl, each["direction"], packet(each["packet"], each["direction"])) for each in ACL["cases"]
    ]
    said = {each["name"]: (verdict.rule, verdict.allowed) for each, verdict in zip(ACL["cases"], decided, strict=True)}
    assert said == {each["name"]: (each["rule"], each["allowed"]) for each in ACL["cases"]}


def test_a_new_network_acl_denies_everything_until_it_has_rules(vpc, ec2):
    acl = make_empty_acl(ec2, vpc)
    told = vpc.connect(22)
    assert (told["outcome"], told["decided_by"]["type"]) == ("timed out", "network ACL")
    assert (told["decided_by"]["id"], told["decided_by"]["rule"]) == (acl, "*")


def test_without_rules_for_ephemeral_ports_nobody_gets_an_answer(vpc, ec2):
    acl = make_acl(ec2, vpc)
    assert vpc.connect(80)["outcome"] == "connected"
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=140, Egress=True)
    told = vpc.connect(80)
    assert (told["outcome"], told["decided_by"]["rule"]) == ("timed out", "*")
    assert told["why"].startswith(f"no numbered outbound rule of network ACL {acl} matches")


def test_rules_are_tried_from_the_lowest_number_whatever_the_order_they_were_made_in(vpc, ec2):
    acl = make_acl(ec2, vpc)
    one_host = {"NetworkAclId": acl, "Protocol": "-1", "CidrBlock": "203.0.113.25/32", "Egress": False}
    ec2.create_network_acl_entry(RuleNumber=150, RuleAction="deny", **one_host)
    assert vpc.connect(80)["outcome"] == "connected"
    ec2.create_network_acl_entry(RuleNumber=90, RuleAction="deny", **one_host)
    assert vpc.connect(80)["decided_by"]["rule"] == "90"
    ec2.replace_network_acl_entry(RuleNumber=90, RuleAction="allow", **one_host)
    assert vpc.connect(80)["outcome"] == "connected"


def test_a_rule_that_is_revoked_admits_nobody_any_more(vpc, ec2):
    everybody = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": ANYBODY}]}
    ec2.revoke_security_group_ingress(GroupId=vpc.ssh, IpPermissions=[everybody])
    assert vpc.connect(22)["outcome"] == "timed out"
    ec2.authorize_security_group_ingress(GroupId=vpc.ssh, IpPermissions=[everybody])
    assert vpc.connect(22)["outcome"] == "connected"


def test_the_default_security_group_admits_its_own_members_alone(vpc, ec2):
    filters = [{"Name": "vpc-id", "Values": [vpc.id]}, {"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    vpc.swap_groups(default["GroupId"])
    other = vpc.interface(vpc.add_instance([default["GroupId"]]))
    stranger = vpc.interface(vpc.add_instance([vpc.web]))
    inside = vpc.private_address
    assert vpc.connect(22)["outcome"] == "timed out"
    assert vpc.connect(22, source=str(other.addresses[0]), destination=inside)["outcome"] == "connected"
    assert vpc.connect(22, source=str(stranger.addresses[0]), destination=inside)["outcome"] == "timed out"
