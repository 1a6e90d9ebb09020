"""A sandbox that is killed comes back as it was: at every point of the whole lab."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox.control import ControlError
from labkit.sandbox.host import Host
from tests.sandbox.in_process import client_maker, open_host

PATTERN = (
    '[v, a, eni, source, destination, srcport, destport="22", protocol="6", p, b, ws, we, action="REJECT", status]'
)


def run_control(host: Host, path: str, **body: Any) -> Any:
    return host.change_by_control(path, body)


def lab(host: Host) -> Iterator[str]:
    """The whole lab, change by change; yields after each."""
    make = client_maker(host)
    ec2, logs, s3, sns = make("ec2"), make("logs"), make("s3"), make("sns")
    filters = [{"Name": "tag:Name", "Values": ["Web Server"]}]
    (instance,) = ec2.describe_instances(Filters=filters)["Reservations"][0]["Instances"]
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    (role,) = [each["Arn"] for each in make("iam").list_roles()["Roles"]]
    groups = {
        each["GroupName"]: each["GroupId"]
        for each in ec2.describe_security_groups()["SecurityGroups"]
        if each["VpcId"] == instance["VpcId"]
    }
    what = {"ResourceIds": [instance["VpcId"]], "ResourceType": "VPC", "TrafficType": "ALL"}
    ec2.create_flow_logs(
        **what, MaxAggregationInterval=60, LogDestinationType="s3", LogDestination=f"arn:aws:s3:::{bucket}"
    )
    yield "flow log to S3"
    logs.create_log_group(logGroupName="VPCFlowLogs")
    yield "log group"
    ec2.create_flow_logs(**what, MaxAggregationInterval=60, LogGroupName="VPCFlowLogs", DeliverLogsPermissionArn=role)
    yield "flow log to CloudWatch Logs"
    logs.put_metric_filter(
        logGroupName="VPCFlowLogs",
        filterName="dest-port-22-rejects",
        filterPattern=PATTERN,
        metricTransformations=[{"metricName": "ssh-rejects", "metricNamespace": "VPC Flow Logs", "metricValue": "1"}],
    )
    yield "metric filter"
    topic = sns.create_topic(Name="Default_CloudWatch_Alarms_Topic")["TopicArn"]
    yield "topic"
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
    yield "subscription"
    make("cloudwatch").put_metric_alarm(
        AlarmName="SSH Rejects",
        Namespace="VPC Flow Logs",
        MetricName="ssh-rejects",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[topic],
    )
    yield "alarm"
    for name in ("HTTPOnly", "HTTPAndSSH"):
        ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[groups[name]])
        yield f"group {name}"
        run_control(host, "/connect", destination=instance["PublicIpAddress"], port=22)
        yield f"attempt through {name}"
        run_control(host, "/clock/advance", seconds=90)
        yield "a minute and a half"
    run_control(host, "/clock/advance", seconds=900)
    yield "a quarter of an hour"
    s3.put_object(Bucket=bucket, Key="notes.txt", Body=b"kept")
    yield "object"
    yield from query(make("athena"), bucket)
    logs.start_query(
        logGroupName="VPCFlowLogs",
        startTime=int(datetime(2026, 11, 2, 8, tzinfo=UTC).timestamp()),
        endTime=int(datetime(2026, 11, 2, 10, tzinfo=UTC).timestamp()),
        queryString='filter action="REJECT" | stats count(*) as n by srcAddr | sort n desc, srcAddr | limit 5',
    )
    yield "Insights query"
    ec2.delete_flow_logs(FlowLogIds=[each["FlowLogId"] for each in ec2.describe_flow_logs()["FlowLogs"][:1]])
    yield "flow log deleted"


def query(athena: Any, bucket: str) -> Iterator[str]:
    location = f"s3://{bucket}/AWSLogs/123456789012/vpcflowlogs/eu-west-1"
    for sql in (
        "CREATE EXTERNAL TABLE flows (version int, account string, eni string, source string) "
        f"PARTITIONED BY (dt string) ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION '{location}/' "
        "TBLPROPERTIES ('skip.header.line.count'='1')",
        f"ALTER TABLE flows ADD PARTITION (dt='2026-10-05') LOCATION '{location}/2026/10/05/'",
        "SELECT source, count(*) AS n FROM flows GROUP BY source ORDER BY n DESC, source LIMIT 5",
    ):
        started = athena.start_query_execution(
            QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{bucket}/athena-results/"}
        )
        while True:
            execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        yield sql.split(" (")[0]


def view(host: Host) -> str:
    """What every describe, list and get of the lab's services says, as text that can be compared."""
    make = client_maker(host)
    ec2, logs, s3, cloudwatch = make("ec2"), make("logs"), make("s3"), make("cloudwatch")
    athena, glue, sns = make("athena"), make("glue"), make("sns")
    seen: dict[str, Any] = {
        "clock": host.read(lambda: host.sandbox.clock.timestamp()),
        "inbox": host.read(lambda: host.sandbox.notifications.inbox.messages()),
        "flow logs": ec2.describe_flow_logs()["FlowLogs"],
        "instances": ec2.describe_instances()["Reservations"],
        "vpcs": ec2.describe_vpcs()["Vpcs"],
        "log groups": logs.describe_log_groups()["logGroups"],
        "metric filters": logs.describe_metric_filters()["metricFilters"],
        "alarms": cloudwatch.describe_alarms()["MetricAlarms"],
        "history": cloudwatch.describe_alarm_history()["AlarmHistoryItems"],
        "metrics": cloudwatch.list_metrics()["Metrics"],
        "topics": sns.list_topics()["Topics"],
        "subscriptions": sns.list_subscriptions()["Subscriptions"],
        "queries": logs.describe_queries()["queries"],
        "executions": athena.list_query_executions()["QueryExecutionIds"],
        "databases": glue.get_databases()["DatabaseList"],
    }
    seen["events"] = [
        logs.filter_log_events(logGroupName=group["logGroupName"])["events"] for group in seen["log groups"]
    ]
    seen["tables"] = [glue.get_tables(DatabaseName=database["Name"])["TableList"] for database in seen["databases"]]
    seen["streams"] = [
        logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"] for group in seen["log groups"]
    ]
    seen["objects"] = [
        (each["Key"], each["LastModified"], hashlib.sha256(s3.get_object(Bucket=b, Key=each["Key"])["Body"].read()))
        for b in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
        for each in s3.list_objects_v2(Bucket=b).get("Contents", [])
        if "/2026/10/" not in each["Key"] and not each["Key"].endswith(".metadata")
    ]
    seen["results"] = [logs.get_query_results(queryId=each["queryId"])["results"] for each in seen["queries"]]
    return json.dumps(seen, default=readable, sort_keys=True, indent=1)


def readable(value: Any) -> str:
    return value.hexdigest() if hasattr(value, "hexdigest") else str(value)


def snapshot(journal: Path, to: Path) -> Path:
    """The journal as a kill at this moment would leave it."""
    with sqlite3.connect(journal) as source, sqlite3.connect(to) as target:
        source.backup(target)
    return to


def test_at_every_change_of_the_lab_nothing_is_lost(tmp_path):
    host = open_host(tmp_path / "journal.sqlite")
    moments = []
    try:
        for number, step in enumerate(lab(host)):
            kept = snapshot(tmp_path / "journal.sqlite", tmp_path / f"{number}.sqlite")
            moments.append((step, kept, view(host)))
    finally:
        host.close()
    assert len(moments) > 18
    for step, kept, before in moments:
        again = open_host(kept)
        try:
            after = view(again)
        finally:
            again.close()
        assert after == before, f"after: {step}"


def test_a_refused_control_request_leaves_the_history_as_it_was(tmp_path):
    host = open_host(tmp_path / "journal.sqlite")
    try:
        for body in ({"seconds": -1}, {"seconds": "x"}):
            with pytest.raises(ControlError, match="seconds"):
                host.change_by_control("/clock/advance", body)
        vpc = client_maker(host)("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        kept = snapshot(tmp_path / "journal.sqlite", tmp_path / "kept.sqlite")
    finally:
        host.close()
    again = open_host(kept)
    try:
        assert vpc in [each["VpcId"] for each in client_maker(again)("ec2").describe_vpcs()["Vpcs"]]
    finally:
        again.close()
