"""The whole lab by an outsider: boto3 and PyAthena with the variables of `labkit sandbox env`, nothing of labkit.

One long test, as the lab is one long story: what a step leaves is what the next one needs.
"""

import csv
import gzip
import io
import json
import re
import urllib.request
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
REGION = "eu-west-1"
EMAIL = "learner@example.com"
PATTERN = (
    '[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, bytes, '
    'windowstart, windowend, action="REJECT", flowlogstatus]'
)
SAMPLE_LINES = [
    f"2 {ACCOUNT} eni-0d5d75b41f9befe9e 203.0.113.61 172.31.83.158 39611 22 6 1 40 1563108188 1563108227 REJECT OK",
    f"2 {ACCOUNT} eni-0d5d75b41f9befe9e 198.51.100.182 172.31.83.158 42227 22 6 1 44 1563109030 1563109067 REJECT OK",
    f"2 {ACCOUNT} eni-0d5d75b41f9befe9e 192.0.2.42 172.31.83.158 52417 22 6 24 4065 1563191069 1563191121 ACCEPT OK",
    f"2 {ACCOUNT} eni-0d5d75b41f9befe9e 203.0.113.61 172.31.83.158 39611 80 6 1 40 1563108188 1563108227 REJECT OK",
]
COLUMNS = """version int, account string, interfaceid string, sourceaddress string, destinationaddress string,
  sourceport int, destinationport int, protocol int, numpackets int, numbytes bigint, starttime int, endtime int,
  action string, logstatus string"""
DEFAULT_HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)


class Outsider:
    """Somebody with an endpoint, credentials and a token, all from the environment."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.endpoint = environment["AWS_ENDPOINT_URL"]
        self._token = environment["LABKIT_SANDBOX_TOKEN"]

    def client(self, service: str) -> Any:
        return boto3.session.Session().client(service)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_sandbox{path}", data)
        request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def now(self) -> datetime:
        return datetime.fromisoformat(self.control("/clock")["now"])

    def advance(self, **duration: float) -> None:
        self.control("/clock/advance", {"seconds": timedelta(**duration).total_seconds()})


@pytest.fixture
def outsider(server, monkeypatch) -> Outsider:
    environment = server.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    boto3.setup_default_session()
    return Outsider(environment)


def poll(look: Callable[[], dict[str, Any]], status: Callable[[dict[str, Any]], str], ends: set[str]) -> dict[str, Any]:
    """Asks until the status is one of the ends; each round trip gives the sandbox its time."""
    for _ in range(20_000):
        if status(answer := look()) in ends:
            return answer
    raise AssertionError(f"still {status(answer)}")


def test_the_whole_lab(outsider):
    ec2, logs, s3 = outsider.client("ec2"), outsider.client("logs"), outsider.client("s3")
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": ["Lab VPC"]}])["Vpcs"]
    filters = [{"Name": "tag:Name", "Values": ["Web Server"]}]
    (instance,) = ec2.describe_instances(Filters=filters)["Reservations"][0]["Instances"]
    eni = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    (bucket,) = [b["Name"] for b in s3.list_buckets()["Buckets"] if "vpcflowlogsbucket" in b["Name"]]
    to_s3, to_logs = publish_flow_logs(outsider, vpc["VpcId"], bucket)

    assert [outcome for outcome, _ in connect_swap_connect(outsider, vpc, instance)] == [
        "connected",
        "timed out",
        "connected",
    ]
    outsider.advance(minutes=16)
    see_the_records_in_the_log_group(logs, eni, instance["PrivateIpAddress"])
    see_the_records_in_the_bucket(s3, outsider, bucket, to_s3, eni)
    statuses = {log["FlowLogId"]: log["DeliverLogsStatus"] for log in ec2.describe_flow_logs()["FlowLogs"]}
    assert statuses == {to_s3: "SUCCESS", to_logs: "SUCCESS"}

    filter_rejected_ssh(logs)
    raise_the_alarm(outsider, vpc, instance)
    search_with_insights(outsider, logs)
    query_with_athena(outsider, s3, bucket)


def publish_flow_logs(outsider: Outsider, vpc_id: str, bucket: str) -> tuple[str, str]:
    ec2, logs = outsider.client("ec2"), outsider.client("logs")
    what = {"ResourceIds": [vpc_id], "ResourceType": "VPC", "TrafficType": "ALL", "MaxAggregationInterval": 60}
    made = ec2.create_flow_logs(**what, LogDestinationType="s3", LogDestination=f"arn:aws:s3:::{bucket}")
    logs.create_log_group(logGroupName="VPCFlowLogs")
    roles = outsider.client("iam").list_roles()["Roles"]
    (role,) = [role["Arn"] for role in roles if "DeliverVPCFlowLogsRole" in role["RoleName"]]
    also = ec2.create_flow_logs(**what, LogGroupName="VPCFlowLogs", DeliverLogsPermissionArn=role)
    ids = made["FlowLogIds"] + also["FlowLogIds"]
    assert made["Unsuccessful"] == also["Unsuccessful"] == []
    flow_logs = ec2.describe_flow_logs(FlowLogIds=ids)["FlowLogs"]
    assert {log["FlowLogStatus"] for log in flow_logs} == {"ACTIVE"}
    assert {log["MaxAggregationInterval"] for log in flow_logs} == {60}
    return ids[0], ids[1]


def connect_swap_connect(outsider: Outsider, vpc: dict, instance: dict) -> list[tuple[str, dict]]:
    ec2 = outsider.client("ec2")

    def attempt() -> tuple[str, dict]:
        answer = outsider.control("/connect", {"destination": instance["PublicIpAddress"], "port": 22})
        outsider.advance(minutes=1)
        return answer["outcome"], answer

    def swap(name: str) -> None:
        named = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        (group,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
        ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[group["GroupId"]])

    outcomes = [attempt()]
    swap("HTTPOnly")
    outcomes.append(attempt())
    swap("HTTPAndSSH")
    outcomes.append(attempt())
    return outcomes


def see_the_records_in_the_log_group(logs: Any, eni: str, private_address: str) -> None:
    (stream,) = logs.describe_log_streams(logGroupName="VPCFlowLogs")["logStreams"]
    assert stream["logStreamName"] == f"{eni}-all"
    events = logs.filter_log_events(logGroupName="VPCFlowLogs", filterPattern=PATTERN)["events"]
    ours = [event["message"].split() for event in events]
    assert ours
    assert all(fields[4] == private_address and fields[6:8] == ["22", "6"] for fields in ours)
    accepted = logs.filter_log_events(logGroupName="VPCFlowLogs", filterPattern=PATTERN.replace("REJECT", "ACCEPT"))[
        "events"
    ]
    assert len(accepted) >= 2


def see_the_records_in_the_bucket(s3: Any, outsider: Outsider, bucket: str, flow_log_id: str, eni: str) -> None:
    today = outsider.now().strftime("%Y/%m/%d")
    prefix = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{today}/"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    name = re.compile(rf"{ACCOUNT}_vpcflowlogs_{REGION}_{flow_log_id}_\d{{8}}T\d{{4}}Z_[0-9a-f]{{8}}\.log\.gz")
    assert keys
    assert all(name.fullmatch(key.removeprefix(prefix)) for key in keys)
    lines = []
    for key in keys:
        text = gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode()
        header, *records = text.splitlines()
        assert header == DEFAULT_HEADER
        lines += [record.split(" ") for record in records]
    assert {fields[2] for fields in lines} == {eni}
    assert {"ACCEPT", "REJECT"} <= {fields[12] for fields in lines if fields[6] == "22"}


def filter_rejected_ssh(logs: Any) -> None:
    matches = logs.test_metric_filter(filterPattern=PATTERN, logEventMessages=SAMPLE_LINES)["matches"]
    assert [match["eventNumber"] for match in matches] == [0, 1]
    assert matches[0]["eventMessage"] == SAMPLE_LINES[0]
    assert matches[0]["extractedValues"]["$source"] == "203.0.113.61"
    assert matches[1]["extractedValues"]["$destport"] == "22"
    transformation = {"metricName": "ssh-rejects", "metricNamespace": "VPC Flow Logs", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="VPCFlowLogs",
        filterName="dest-port-22-rejects",
        filterPattern=PATTERN,
        metricTransformations=[transformation],
    )


def raise_the_alarm(outsider: Outsider, vpc: dict, instance: dict) -> None:
    sns, cloudwatch = outsider.client("sns"), outsider.client("cloudwatch")
    topic = sns.create_topic(Name="Default_CloudWatch_Alarms_Topic")["TopicArn"]
    assert sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=EMAIL)["SubscriptionArn"] == "pending confirmation"
    (mail,) = outsider.control("/inbox")["messages"]
    assert mail["to"] == EMAIL
    link = re.search(rf"{re.escape(outsider.endpoint)}/\S*Action=ConfirmSubscription\S*", mail["body"])
    urllib.request.urlopen(link[0], timeout=30).read()
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["SubscriptionArn"].startswith(topic)

    cloudwatch.put_metric_alarm(
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

    def alarm() -> dict[str, Any]:
        return cloudwatch.describe_alarms(AlarmNames=["SSH Rejects"])["MetricAlarms"][0]

    assert alarm()["StateValue"] == "INSUFFICIENT_DATA"
    began = outsider.now()
    connect_swap_connect(outsider, vpc, instance)
    for _ in range(40):
        if alarm()["StateValue"] == "ALARM":
            break
        outsider.advance(seconds=30)
    assert alarm()["StateValue"] == "ALARM"
    assert alarm()["StateReason"].startswith("Threshold Crossed: 1 datapoint [")
    statistics = cloudwatch.get_metric_statistics(
        Namespace="VPC Flow Logs",
        MetricName="ssh-rejects",
        StartTime=began - timedelta(minutes=5),
        EndTime=outsider.now() + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    assert sum(point["Sum"] for point in statistics["Datapoints"]) >= 1
    last = outsider.control("/inbox")["messages"][-1]
    assert last["to"] == EMAIL
    assert last["subject"] == 'ALARM: "SSH Rejects" in EU (Ireland)'


def search_with_insights(outsider: Outsider, logs: Any) -> None:
    query = 'filter action="REJECT" | stats count(*) as numRejections by srcAddr | sort numRejections desc | limit 20'
    now = outsider.now()
    started = logs.start_query(
        logGroupName="VPCFlowLogs",
        startTime=int((now - timedelta(hours=2)).timestamp()),
        endTime=int(now.timestamp()),
        queryString=query,
    )
    answer = poll(
        lambda: logs.get_query_results(queryId=started["queryId"]), lambda a: a["status"], {"Complete", "Failed"}
    )
    assert answer["status"] == "Complete"
    rows = [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]
    counts = [int(row["numRejections"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert len(rows) == 20
    assert answer["statistics"]["recordsScanned"] > answer["statistics"]["recordsMatched"] >= sum(counts) >= 20


def query_with_athena(outsider: Outsider, s3: Any, bucket: str) -> None:
    athena = outsider.client("athena")
    root = f"s3://{bucket}/AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/"

    def run(sql: str, wanted: str = "SUCCEEDED") -> dict[str, Any]:
        started = athena.start_query_execution(
            QueryString=sql, ResultConfiguration={"OutputLocation": f"s3://{bucket}/athena-results/"}
        )
        execution = poll(
            lambda: athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"],
            lambda e: e["Status"]["State"],
            {"SUCCEEDED", "FAILED", "CANCELLED"},
        )
        assert execution["Status"]["State"] == wanted, execution["Status"]
        return execution

    run(
        f"CREATE EXTERNAL TABLE IF NOT EXISTS default.vpc_flow_logs ({COLUMNS}) PARTITIONED BY (dt string) "
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY ' ' LOCATION '{root}' "
        'TBLPROPERTIES ("skip.header.line.count"="1")'
    )
    run(f"ALTER TABLE default.vpc_flow_logs ADD PARTITION (dt='2026-10-05') location '{root}2026/10/05'")
    twice = run(
        f"ALTER TABLE default.vpc_flow_logs ADD PARTITION (dt='2026-10-05') location '{root}2026/10/05'", "FAILED"
    )
    assert "AlreadyExistsException" in twice["Status"]["StateChangeReason"]
    select = """SELECT day_of_week(from_iso8601_timestamp(dt)) AS day, dt, interfaceid, sourceaddress, destinationport,
        action, protocol FROM vpc_flow_logs WHERE action = 'REJECT' AND protocol = 6 order by sourceaddress LIMIT 100"""
    execution = run(select)
    assert execution["Statistics"]["DataScannedInBytes"] > 0
    location = execution["ResultConfiguration"]["OutputLocation"]
    body = s3.get_object(Bucket=bucket, Key=location.removeprefix(f"s3://{bucket}/"))["Body"].read().decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert body.startswith('"day","dt","interfaceid","sourceaddress","destinationport","action","protocol"\n')
    assert len(rows) == 100
    assert {(row["day"], row["dt"], row["action"], row["protocol"]) for row in rows} == {
        ("1", "2026-10-05", "REJECT", "6")
    }
    wrong = run("SELECT nonsense FROM vpc_flow_logs", "FAILED")
    assert wrong["Status"]["StateChangeReason"].startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nonsense' cannot be")
    fetch_with_pyathena(select, rows, f"s3://{bucket}/athena-results/")


def fetch_with_pyathena(select: str, rows: list[dict[str, str]], staging: str) -> None:
    from pyathena import connect

    cursor = connect(s3_staging_dir=staging, poll_interval=0.05).cursor()
    fetched = cursor.execute(select).fetchall()
    assert [tuple(map(str, row)) for row in fetched] == [tuple(row.values()) for row in rows]


def test_a_stranger_is_turned_away(outsider, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        outsider.client("sts").get_caller_identity()
