"""A restart by the length of its history: a start costs what the state costs, not what was ever done.

`python -m benchmarks.restart 2000 6000 20000` measures histories of these lengths.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from benchmarks.measured import Measured
from labkit.sandbox import process
from labkit.sandbox.process import Server

FROZEN_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
RESOURCES = 200
"""The number of things that exist at the end, after any number of changes."""


def measure(changes: int = 2000) -> Iterator[Measured]:
    """The goal: a start after 20,000 changes within 5 seconds of CPU, however the one before it ended."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        server = process.start(home, frozen_at=FROZEN_AT)
        first = _cpu(server)
        try:
            _change(server, changes)
            time.sleep(3)  # a checkpoint that is due is taken within a tick
            os.kill(server.pid, signal.SIGKILL)
            server = process.start(home)
            killed = _cpu(server)
            process.stop(home)
            server = process.start(home)
            stopped = _cpu(server)
        finally:
            process.stop(home)
    yield Measured(f"start after {changes:,} changes and kill -9 / the first start, of CPU", killed, first, "s", 2.5)
    yield Measured(f"start after {changes:,} changes and a stop / the first start, of CPU", stopped, first, "s", 1.5)


def _cpu(server: Server) -> float:
    times = psutil.Process(server.pid).cpu_times()
    return float(times.user + times.system)


def _change(server: Server, changes: int) -> None:
    """Make, change and remove small things, so that a few are left."""
    clients = {name: _client(server, name) for name in ("s3", "logs", "cloudwatch", "ec2", "sns")}
    clients["s3"].create_bucket(Bucket="small", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    vpc = clients["ec2"].create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = clients["ec2"].create_security_group(GroupName="small", Description="small", VpcId=vpc)["GroupId"]
    for number in range(changes):
        _KINDS[number % len(_KINDS)](clients, number // len(_KINDS) % (RESOURCES // 5), group)


def _object(clients: dict[str, Any], number: int, _: str) -> None:
    clients["s3"].put_object(Bucket="small", Key=f"key-{number}", Body=b"x" * 100)


def _object_gone(clients: dict[str, Any], number: int, _: str) -> None:
    clients["s3"].delete_object(Bucket="small", Key=f"key-{number + 1}")


def _tags(clients: dict[str, Any], number: int, group: str) -> None:
    clients["ec2"].create_tags(Resources=[group], Tags=[{"Key": f"key-{number % 40}", "Value": str(number)}])


def _log_group(clients: dict[str, Any], number: int, _: str) -> None:
    name, logs = f"group-{number}", clients["logs"]
    if logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        logs.delete_log_group(logGroupName=name)
    else:
        logs.create_log_group(logGroupName=name)


def _sample(clients: dict[str, Any], number: int, _: str) -> None:
    data = [{"MetricName": f"metric-{number % 20}", "Value": 1.0}]
    clients["cloudwatch"].put_metric_data(Namespace="Small", MetricData=data)


def _alarm(clients: dict[str, Any], number: int, _: str) -> None:
    clients["cloudwatch"].put_metric_alarm(
        AlarmName=f"alarm-{number % 20}",
        MetricName=f"metric-{number % 20}",
        Namespace="Small",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=float(number),
        ComparisonOperator="GreaterThanThreshold",
    )


def _rule(clients: dict[str, Any], number: int, group: str) -> None:
    rule = {"GroupId": group, "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": f"192.0.2.{number}/32"}
    rules = clients["ec2"].describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    there = {each["CidrIp"] for permission in rules for each in permission["IpRanges"]}
    change = "revoke" if rule["CidrIp"] in there else "authorize"
    getattr(clients["ec2"], f"{change}_security_group_ingress")(**rule)


def _topic(clients: dict[str, Any], number: int, _: str) -> None:
    clients["sns"].create_topic(Name=f"topic-{number}")


_KINDS = [_object, _object_gone, _tags, _log_group, _sample, _alarm, _rule, _topic]


def _client(server: Server, service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-west-1",
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key_id,
        aws_secret_access_key=server.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        for measured in measure(int(argument)):
            print(measured)
