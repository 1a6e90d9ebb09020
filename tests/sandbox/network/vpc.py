"""A small VPC built in moto's EC2, and plain interfaces for tests that need no EC2."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from labkit.sandbox import moto_state
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.moto_state import ec2, s3
from labkit.sandbox.network.topology import (
    Interface,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
)
from tests.sandbox.calls import client_call

REGION = "eu-west-1"
ANYBODY = "0.0.0.0/0"
LEARNER = "203.0.113.25"
BUCKET = "flow-logs-bucket"
GROUP = "VPCFlowLogs"
TRUST = (
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", '
    '"Principal": {"Service": "vpc-flow-logs.amazonaws.com"}, "Action": "sts:AssumeRole"}}'
)
TO_BUCKET = {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::{BUCKET}"}
MAY_LOG = '{"Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}'


class Vpc:
    """A VPC with a public subnet, an internet gateway and a web server that admits HTTP and SSH."""

    def __init__(
        self, sandbox: AssembledSandbox, *, cidr: str = "10.0.0.0/16", region: str = REGION, type: str = "t3.nano"
    ):
        self.sandbox = sandbox
        self.region = region
        self.ec2 = moto_state.backend("ec2", sandbox.account_id, region)
        self.vpc = self.ec2.create_vpc(cidr)
        self.id = self.vpc.id
        self.subnet = self.add_subnet(cidr.replace("0.0/16", "1.0/24"))
        self.gateway = self.ec2.create_internet_gateway()
        self.ec2.attach_internet_gateway(self.gateway.id, self.id)
        self.routes = self.main_route_table()
        self.ec2.create_route(self.routes.id, ANYBODY, gateway_id=self.gateway.id)
        self.web = self.add_group("HTTPOnly", ("tcp", 80, 80, ANYBODY))
        self.ssh = self.add_group("HTTPAndSSH", ("tcp", 80, 80, ANYBODY), ("tcp", 22, 22, ANYBODY))
        self.server = self.add_instance([self.ssh], type=type)

    def add_subnet(self, cidr: str) -> Any:
        return self.ec2.create_subnet(self.id, cidr, availability_zone=f"{self.region}a")

    def main_route_table(self) -> Any:
        tables = [table for table in self.ec2.route_tables.values() if table.vpc_id == self.id]
        return next(table for table in tables if table.main_association_id)

    def add_group(self, name: str, *rules: tuple[str, int, int, str]) -> str:
        group = self.ec2.create_security_group(name, name, self.id)
        for protocol, first, last, cidr in rules:
            self.allow(group.id, protocol, first, last, cidr)
        return str(group.id)

    def allow(self, group_id: str, protocol: str, first: int, last: int, cidr: str) -> None:
        member = "CidrIpv6" if ":" in cidr else "CidrIp"
        self.ec2.authorize_security_group_ingress(group_id, protocol, str(first), str(last), [{member: cidr}])

    def add_instance(self, groups: list[str], *, subnet: Any = None, public: bool = True, type: str = "t3.nano") -> Any:
        reservation = self.ec2.run_instances(
            "ami-12c6146b",
            1,
            None,
            [],
            security_group_ids=groups,
            subnet_id=(subnet or self.subnet).id,
            instance_type=type,
            is_instance_type_default=False,
            associate_public_ip=public,
        )
        return reservation.instances[0]

    def deny(self, number: int, *, egress: bool, protocol: str = "6", ports: tuple[int, int] = (0, 65535)) -> None:
        acl = next(acl for acl in self.ec2.network_acls.values() if acl.vpc_id == self.id)
        first, last = ports
        self.ec2.create_network_acl_entry(
            acl.id, number, protocol, "deny", egress, ANYBODY, None, None, first, last, None
        )

    def interface(self, instance: Any = None) -> Interface:
        """The primary interface of an instance, the web server's unless told otherwise, as it is now."""
        interface_id = (instance or self.server).nics[0].id
        return next(each for each in ec2.interfaces(self.sandbox.account_id, self.region) if each.id == interface_id)

    @property
    def address(self) -> str:
        """The web server's public address."""
        return str(self.interface().public_address)

    @property
    def private_address(self) -> str:
        """The web server's address within the VPC."""
        return str(self.interface().addresses[0])

    def call(self, operation: str, **params: Any) -> Any:
        return client_call(self.sandbox, "ec2", operation, region=self.region, **params)

    def connect(self, port: int = 22, **params: Any) -> dict[str, Any]:
        with self.sandbox.change():
            return self.sandbox.network.connect(**{"destination": self.address, "port": port, **params})

    def swap_groups(self, *groups: str) -> None:
        ec2.set_instance_groups(self.sandbox.account_id, self.region, self.server.id, list(groups))

    @property
    def role(self) -> Any:
        """The role that flow logs to a log group are given, which is made if it is missing."""
        iam = moto_state.backend("iam", self.sandbox.account_id, "aws")
        for role in iam.roles.values():
            if role.name == "Deliver":
                return role
        role = iam.create_role("Deliver", TRUST, "/", None, "", [], "3600")
        role.put_policy("logs", MAY_LOG)
        return role

    def make_bucket(self) -> None:
        """Makes the bucket that flow logs go to, if it is missing."""
        if not s3.bucket_exists(BUCKET):
            moto_state.backend("s3", self.sandbox.account_id, "aws").create_bucket(BUCKET, self.region)

    def create_flow_logs(self, **params: Any) -> Any:
        """The answer to CreateFlowLogs: of all traffic of the VPC, unless told otherwise, to where `params` say."""
        usual = {"ResourceType": "VPC", "ResourceIds": [self.id], "TrafficType": "ALL"}
        return self.call("CreateFlowLogs", **{**usual, **params})

    def log_to_s3(self, **params: Any) -> str:
        """A flow log of the VPC to a bucket, which is made if it is missing; its id."""
        self.make_bucket()
        result = self.create_flow_logs(**{**TO_BUCKET, "MaxAggregationInterval": 60, **params})
        return str(result["FlowLogIds"][0])

    def log_to_group(self, **params: Any) -> str:
        """A flow log of the VPC to a log group, which is made if it is missing, with a role; its id."""
        to_group = {"LogGroupName": GROUP, "DeliverLogsPermissionArn": self.role.arn}
        result = self.create_flow_logs(**{**to_group, "MaxAggregationInterval": 60, **params})
        return str(result["FlowLogIds"][0])

    def flow_log(self, flow_log_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("DescribeFlowLogs", FlowLogIds=[flow_log_id])["FlowLogs"][0]
        return found

    def delivery_status(self, flow_log_id: str) -> tuple[str, str | None]:
        """What DescribeFlowLogs says of a flow log's deliveries, and the error if there is one."""
        shown = self.flow_log(flow_log_id)
        return shown["DeliverLogsStatus"], shown.get("DeliverLogsErrorMessage")

    def events(self, group: str = GROUP) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client_call(
            self.sandbox, "logs", "FilterLogEvents", region=self.region, logGroupName=group
        )["events"]
        return found

    def messages(self, group: str = GROUP) -> list[str]:
        return [event["message"] for event in self.events(group)]


def rule(protocol: int | None, first: int, last: int, peer: str, id: str = "sgr-1") -> SecurityGroupRule:
    if peer.startswith("sg-"):
        return SecurityGroupRule(id, protocol, first, last, group_id=peer)
    return SecurityGroupRule(id, protocol, first, last, (ip_network(peer),))


def group(*ingress: SecurityGroupRule, egress: tuple[SecurityGroupRule, ...] | None = None) -> SecurityGroup:
    everything = (rule(None, -1, -1, ANYBODY, "sgr-out"), rule(None, -1, -1, "::/0", "sgr-out6"))
    return SecurityGroup("sg-1", "web", ingress, everything if egress is None else egress)


def entry(number: int, allow: bool, network: str = ANYBODY, **what: Any) -> NetworkAclEntry:
    return NetworkAclEntry(number, allow, ip_network(network), **what)


OPEN_ACL = NetworkAcl(
    "acl-1", (entry(100, True), entry(101, True, "::/0")), (entry(100, True), entry(101, True, "::/0"))
)


def interface(**changes: Any) -> Interface:
    """A web server's interface in a public subnet, without EC2 behind it."""
    routes = (Route(ip_network("10.0.0.0/16"), "local"), Route(ip_network(ANYBODY), "igw-1"))
    usual: dict[str, Any] = {
        "id": "eni-1",
        "region": REGION,
        "account_id": "123456789012",
        "vpc_id": "vpc-1",
        "subnet_id": "subnet-1",
        "az_id": "euw1-az1",
        "addresses": (IPv4Address("10.0.1.10"),),
        "ipv6_addresses": (),
        "public_address": IPv4Address("198.19.0.10"),
        "instance_id": "i-1",
        "instance_type": "t3.nano",
        "running": True,
        "groups": (group(rule(6, 80, 80, ANYBODY), rule(6, 22, 22, ANYBODY)),),
        "acl": OPEN_ACL,
        "route_table": RouteTable("rtb-1", routes),
        "internet_gateway_id": "igw-1",
        "subnet_networks": (ip_network("10.0.1.0/24"),),
        "vpc_networks": (ip_network("10.0.0.0/16"),),
    }
    return Interface(**{**usual, **changes})


def ipv6(text: str) -> IPv6Address:
    return IPv6Address(text)
