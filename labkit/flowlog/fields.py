"""Every field that a VPC flow log record can have.

Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-fields
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

ParquetType = Literal["STRING", "INT_32", "INT_64"]

_ARROW_TYPES = {"STRING": pa.string(), "INT_32": pa.int32(), "INT_64": pa.int64()}
_INSIGHTS_NAMES = {
    "srcaddr": "srcAddr",
    "dstaddr": "dstAddr",
    "srcport": "srcPort",
    "dstport": "dstPort",
    "start": "startTime",
    "end": "endTime",
    "pkt-srcaddr": "pktSrcAddr",
    "pkt-dstaddr": "pktDstAddr",
}


@dataclass(frozen=True)
class Field:
    """One field of a flow log record, with the version of the record that brought it."""

    name: str
    """Its name in a log format and in a file's header line: `account-id`."""
    version: int
    parquet_type: ParquetType
    description: str

    @property
    def column(self) -> str:
        """Its column in Parquet files and Athena tables: `account_id`."""
        return self.name.replace("-", "_")

    @property
    def insights_name(self) -> str:
        """Its name in CloudWatch Logs Insights: `accountId`.

        AWS documents the names of the default format's fields; the others follow the same rule.
        """
        return _INSIGHTS_NAMES.get(self.name) or re.sub("-(.)", lambda match: match[1].upper(), self.name)

    @property
    def arrow_type(self) -> pa.DataType:
        """Its column's type in a table of records."""
        return _ARROW_TYPES[self.parquet_type]


FIELDS: tuple[Field, ...] = (
    Field("version", 2, "INT_32", "version of the record: the highest version among the format's fields"),
    Field("account-id", 2, "STRING", "AWS account that owns the network interface"),
    Field("interface-id", 2, "STRING", "network interface that the traffic was recorded for"),
    Field("srcaddr", 2, "STRING", "source address; for outgoing traffic the interface's private address"),
    Field("dstaddr", 2, "STRING", "destination address; for incoming traffic the interface's private address"),
    Field("srcport", 2, "INT_32", "source port"),
    Field("dstport", 2, "INT_32", "destination port"),
    Field("protocol", 2, "INT_32", "IANA protocol number: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6"),
    Field("packets", 2, "INT_64", "packets transferred during the flow"),
    Field("bytes", 2, "INT_64", "bytes transferred during the flow"),
    Field("start", 2, "INT_64", "first packet of the aggregation interval, in Unix seconds"),
    Field("end", 2, "INT_64", "last packet of the aggregation interval, in Unix seconds"),
    Field("action", 2, "STRING", "ACCEPT or REJECT, by security groups and network ACLs"),
    Field("log-status", 2, "STRING", "OK, NODATA (no traffic) or SKIPDATA (records were skipped)"),
    Field("vpc-id", 3, "STRING", "VPC of the network interface"),
    Field("subnet-id", 3, "STRING", "subnet of the network interface"),
    Field("instance-id", 3, "STRING", "instance of the network interface; - for a requester-managed interface"),
    Field("tcp-flags", 3, "INT_32", "bitmask of TCP flags: 1 FIN, 2 SYN, 4 RST, 18 SYN-ACK, or-ed over the interval"),
    Field("type", 3, "STRING", "IPv4, IPv6 or EFA"),
    Field("pkt-srcaddr", 3, "STRING", "source address of the packet itself"),
    Field("pkt-dstaddr", 3, "STRING", "destination address of the packet itself"),
    Field("region", 4, "STRING", "Region of the network interface"),
    Field("az-id", 4, "STRING", "Availability Zone ID of the network interface"),
    Field("sublocation-type", 4, "STRING", "wavelength, outpost or localzone; - elsewhere"),
    Field("sublocation-id", 4, "STRING", "ID of the sublocation; - elsewhere"),
    Field("pkt-src-aws-service", 5, "STRING", "AWS service whose address ranges hold pkt-srcaddr"),
    Field("pkt-dst-aws-service", 5, "STRING", "AWS service whose address ranges hold pkt-dstaddr"),
    Field("flow-direction", 5, "STRING", "ingress or egress, as seen from the network interface"),
    Field("traffic-path", 5, "INT_32", "path of egress traffic: 1 same VPC, 8 internet gateway, ...; - for ingress"),
    Field("ecs-cluster-arn", 7, "STRING", "ARN of the ECS cluster of a running task"),
    Field("ecs-cluster-name", 7, "STRING", "name of the ECS cluster of a running task"),
    Field("ecs-container-instance-arn", 7, "STRING", "ARN of the ECS container instance; - on Fargate"),
    Field("ecs-container-instance-id", 7, "STRING", "ID of the ECS container instance; - on Fargate"),
    Field("ecs-container-id", 7, "STRING", "Docker runtime ID of the task's first container"),
    Field("ecs-second-container-id", 7, "STRING", "Docker runtime ID of the task's second container"),
    Field("ecs-service-name", 7, "STRING", "name of the ECS service that started the task"),
    Field("ecs-task-definition-arn", 7, "STRING", "ARN of the ECS task definition"),
    Field("ecs-task-arn", 7, "STRING", "ARN of the ECS task"),
    Field("ecs-task-id", 7, "STRING", "ID of the ECS task"),
    Field("reject-reason", 8, "STRING", "BPA (block public access) or EC (encryption controls); - otherwise"),
    Field("resource-id", 9, "STRING", "ID of the regional NAT gateway; - otherwise"),
    Field("encryption-status", 10, "INT_32", "0 not encrypted, 1 nitro, 2 application, 3 both; - unknown"),
    Field("instance-tag", 11, "STRING", "value of a tag of the instance, percent-encoded; the flow log names the tag"),
    Field("instance-tag-2", 11, "STRING", "value of a second tag of the instance"),
    Field("interface-tag", 11, "STRING", "value of a tag of the network interface, percent-encoded"),
    Field("interface-tag-2", 11, "STRING", "value of a second tag of the network interface"),
    Field("asg-tag", 11, "STRING", "value of a tag of the Auto Scaling group, percent-encoded"),
    Field("asg-tag-2", 11, "STRING", "value of a second tag of the Auto Scaling group"),
    Field("interface-type", 11, "STRING", "nat_gateway, network_load_balancer, transit_gateway, ...; - otherwise"),
    Field("next-hop-interface-id", 11, "STRING", "network interface that the flow goes to or comes from next"),
    Field("next-hop-subnet-id", 11, "STRING", "subnet of the next network interface"),
    Field("next-hop-az-id", 11, "STRING", "Availability Zone ID of the next network interface"),
    Field("next-hop-vpc-id", 11, "STRING", "VPC of the next network interface"),
    Field("next-hop-interface-type", 11, "STRING", "type of the next network interface"),
)

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}
BY_COLUMN: dict[str, Field] = {field.column: field for field in FIELDS}
