"""CloudWatch and SNS through the server, as boto3 sees them."""

import os
import re
import signal
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import PropertyMock, patch

import pytest
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from labkit.sandbox import process
from labkit.sandbox.alarms.expression import FUNCTIONS, REFUSED
from labkit.sandbox.alarms.service import CloudWatchService
from labkit.sandbox.notifications.service import NotificationService
from tests.conftest import FROZEN_AT, client_maker
from tests.sandbox.alarms.cloudwatch import ALARM

SSH_QUERY = {
    "Id": "m1",
    "MetricStat": {"Metric": {"Namespace": "LabVPC", "MetricName": "SSHRejects"}, "Period": 60, "Stat": "Sum"},
}


@pytest.fixture
def speaking(request):
    """Has all clients speak one protocol."""
    with patch.object(ServiceModel, "resolved_protocol", PropertyMock(return_value=request.param)):
        yield request.param


def follow(mail):
    """Clicks the first link of a mail."""
    return urllib.request.urlopen(re.search(r"http://127\S+", mail["body"])[0]).read().decode()


def inbox(server):
    return server.control("GET", "/inbox")["messages"]


def subscribed(client, server):
    """A topic whose mails the learner has confirmed with a click."""
    sns = client("sns")
    topic = sns.create_topic(Name="ssh-alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
    assert "<SubscriptionArn>arn:aws:sns" in follow(inbox(server)[-1])
    return topic


@pytest.mark.parametrize("speaking", ["json", "query", "smithy-rpc-v2-cbor"], indirect=True)
@pytest.mark.usefixtures("speaking")
def test_the_protocols_answer_alike(server, client):
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, Tags=[{"Key": "lab", "Value": "vpc"}], AlarmActions=[])
    cloudwatch.put_metric_data(
        Namespace="LabVPC", MetricData=[{"MetricName": "SSHRejects", "Value": 2.5, "Timestamp": FROZEN_AT}]
    )
    server.control("POST", "/clock/advance", {"seconds": 60})
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["StateValue"], alarm["Threshold"], alarm["AlarmActions"], alarm["Dimensions"]) == (
        "ALARM",
        1.0,
        [],
        [],
    )
    assert alarm["StateUpdatedTimestamp"] == datetime(2026, 11, 2, 9, 1, tzinfo=UTC)
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 datapoint [2.5 (02/11/26 09:00:00)]")
    answer = cloudwatch.get_metric_data(
        StartTime=FROZEN_AT, EndTime=FROZEN_AT + timedelta(minutes=5), MetricDataQueries=[SSH_QUERY]
    )
    assert answer["MetricDataResults"][0]["Values"] == [2.5]
    assert answer["MetricDataResults"][0]["Timestamps"] == [FROZEN_AT]
    assert answer["Messages"] == []
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_alarm(**ALARM | {"Period": 45})
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["Error"]["Message"] == "Period must be 10, 20, 30 or a multiple of 60"


ERRORS = {
    "a period": ("put_metric_alarm", ALARM | {"Period": 45}, "ValidationError", 400),
    "no operator": ("put_metric_alarm", ALARM | {"DatapointsToAlarm": 2}, "ValidationError", 400),
    "both statistics": ("put_metric_alarm", ALARM | {"ExtendedStatistic": "p9"}, "InvalidParameterCombination", 400),
    "a statistic": (
        "get_metric_statistics",
        {
            "Namespace": "LabVPC",
            "MetricName": "SSHRejects",
            "StartTime": FROZEN_AT,
            "EndTime": FROZEN_AT + timedelta(hours=1),
            "Period": 60,
            "ExtendedStatistics": ["p101"],
        },
        "InvalidParameterValue",
        400,
    ),
    "a namespace of AWS": (
        "put_metric_data",
        {"Namespace": "AWS/EC2", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
        "InvalidParameterValue",
        400,
    ),
    "no value": ("put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m"}]}, "MissingParameter", 400),
    "an alarm that is not there": (
        "set_alarm_state",
        {"AlarmName": "nobody", "StateValue": "OK", "StateReason": "testing"},
        "ResourceNotFound",
        404,
    ),
    "data that are no JSON": (
        "set_alarm_state",
        {"AlarmName": "SSH Rejects", "StateValue": "OK", "StateReason": "testing", "StateReasonData": "{"},
        "InvalidFormat",
        400,
    ),
    "tags of nobody": (
        "list_tags_for_resource",
        {"ResourceARN": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:nobody"},
        "ResourceNotFoundException",
        404,
    ),
    "a token": ("describe_alarm_history", {"NextToken": "nonsense"}, "InvalidNextToken", 400),
    "a rule": ("put_composite_alarm", {"AlarmName": "all", "AlarmRule": "ALARM("}, "ValidationError", 400),
    "a search": (
        "get_metric_data",
        {
            "StartTime": FROZEN_AT,
            "EndTime": FROZEN_AT + timedelta(hours=1),
            "MetricDataQueries": [{"Id": "e1", "Expression": "SEARCH('(', 'Sum')"}],
        },
        "ValidationError",
        400,
    ),
}


def test_errors_are_the_same_in_every_protocol(server, client):
    """The code, the message and the HTTP status, with the code that boto3 shows for the error's shape."""
    client("cloudwatch").put_metric_alarm(**ALARM)
    for name, (operation, params, code, status) in ERRORS.items():
        seen = set()
        for protocol in ("json", "query", "smithy-rpc-v2-cbor"):
            with patch.object(ServiceModel, "resolved_protocol", PropertyMock(return_value=protocol)):
                speaker = client("cloudwatch")
                with pytest.raises(ClientError) as caught:
                    getattr(speaker, operation)(**params)
            response = caught.value.response
            told = response["Error"]["Code"], response["Error"]["Message"] or ""  # boto3 reads <Message/> as None
            seen.add((*told, response["ResponseMetadata"]["HTTPStatusCode"]))
        assert len(seen) == 1, (name, seen)
        assert [(shown, http) for shown, _, http in seen] == [(code, status)], name


def test_a_long_request_comes_compressed(client):
    """boto3 compresses PutMetricData from 10 KB on."""
    data = [{"MetricName": f"a-metric-with-a-long-name-{number:03}", "Value": 1.0} for number in range(200)]
    wrong = {"MetricName": "m", "Value": float("nan")}
    for protocol in ("json", "query", "smithy-rpc-v2-cbor"):
        with patch.object(ServiceModel, "resolved_protocol", PropertyMock(return_value=protocol)):
            cloudwatch = client("cloudwatch")
            cloudwatch.put_metric_data(Namespace=protocol, MetricData=data)
            assert len(cloudwatch.list_metrics(Namespace=protocol)["Metrics"]) == 200
            with pytest.raises(ClientError, match="The value NaN for parameter"):
                cloudwatch.put_metric_data(Namespace=protocol, MetricData=[wrong, *data])


def test_a_state_that_is_none_is_refused_in_aws_words(client):
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    with pytest.raises(ClientError) as caught:
        cloudwatch.set_alarm_state(AlarmName="SSH Rejects", StateValue="INVALID", StateReason="testing")
    assert caught.value.response["Error"]["Message"].startswith(
        "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: "
        "Member must satisfy enum value set: ["
    )


def test_operations_that_are_not_here_say_so(client):
    with pytest.raises(ClientError, match=r"does not implement cloudwatch:PutAnomalyDetector.*docs/sandbox\.md"):
        client("cloudwatch").put_anomaly_detector(Namespace="N", MetricName="m", Stat="Sum")


def test_dashboards_are_motos(client):
    cloudwatch = client("cloudwatch")
    cloudwatch.put_dashboard(DashboardName="lab", DashboardBody='{"widgets": []}')
    assert [entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]] == ["lab"]


def test_from_a_sample_to_a_mail_and_out(server, client):
    topic = subscribed(client, server)
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[topic])
    cloudwatch.put_metric_data(Namespace="LabVPC", MetricData=[{"MetricName": "SSHRejects", "Value": 1.0}])
    server.control("POST", "/clock/advance", {"seconds": 60})
    mail = inbox(server)[-1]
    assert (mail["to"], mail["subject"]) == ("learner@example.com", 'ALARM: "SSH Rejects" in EU (Ireland)')
    unsubscribe = re.search(r"http://127\S+Action=Unsubscribe\S+", mail["body"])[0]
    urllib.request.urlopen(unsubscribe).read()
    assert client("sns").list_subscriptions()["Subscriptions"] == []


def test_the_inbox_in_a_browser_can_neither_run_nor_load_anything(server, client):
    topic = client("sns").create_topic(Name="alerts")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
    address = f"{server.endpoint}/_sandbox/inbox?token={server.token}"
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Accept": "text/html"})) as response:
        page = response.read().decode()
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "AWS Notification - Subscription Confirmation" in page
    link = re.search(r'href="(http://127[^"]+)"', page)[1].replace("&amp;", "&")
    assert "<SubscriptionArn>arn:aws:sns" in urllib.request.urlopen(link).read().decode()


def test_rejected_ssh_in_a_flow_log_becomes_an_alarm_and_a_mail(server, client):
    """The lab's own path: records in a log group, a metric filter, the alarm, the mail."""
    topic = subscribed(client, server)
    logs, cloudwatch = client("logs"), client("cloudwatch")
    logs.create_log_group(logGroupName="VPCFlowLogs")
    logs.put_metric_filter(
        logGroupName="VPCFlowLogs",
        filterName="ssh",
        filterPattern='[version, account, eni, source, destination, srcport, destport="22", protocol="6", packets, '
        'bytes, windowstart, windowend, action="REJECT", flowlogstatus]',
        metricTransformations=[{"metricName": "SSHRejects", "metricNamespace": "LabVPC", "metricValue": "1"}],
    )
    cloudwatch.put_metric_alarm(**ALARM, AlarmActions=[topic])
    server.control("POST", "/clock/advance", {"seconds": 420})
    start = int(FROZEN_AT.timestamp())
    record = f"2 123456789012 eni-0a 203.0.113.7 10.0.0.5 40000 22 6 1 44 {start} {start + 60} REJECT OK"
    logs.create_log_stream(logGroupName="VPCFlowLogs", logStreamName="eni-0a-all")
    logs.put_log_events(
        logGroupName="VPCFlowLogs",
        logStreamName="eni-0a-all",
        logEvents=[{"timestamp": start * 1000, "message": record}] * 3,
    )
    server.control("POST", "/clock/advance", {"seconds": 60})
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"
    assert "[3.0 (02/11/26 09:00:00)]" in alarm["StateReason"]
    assert inbox(server)[-1]["subject"] == 'ALARM: "SSH Rejects" in EU (Ireland)'


def test_nothing_is_lost_or_sent_twice_when_the_sandbox_is_killed(tmp_path):
    home = tmp_path / "home"
    server = process.start(home, frozen_at=FROZEN_AT, seed=7)
    try:
        client = client_maker(server)
        topic = subscribed(client, server)
        client("cloudwatch").put_metric_alarm(**ALARM, AlarmActions=[topic], InsufficientDataActions=[topic])
        data = [{"MetricName": "SSHRejects", "Value": 1.0}]
        client("cloudwatch").put_metric_data(Namespace="LabVPC", MetricData=data)
        server.control("POST", "/clock/advance", {"seconds": 60})
        before, alarms = inbox(server), client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert len(before) == 2

        os.kill(server.pid, signal.SIGKILL)
        server = process.start(home, frozen_at=FROZEN_AT, seed=7)
        client = client_maker(server)
        assert inbox(server) == before
        assert client("cloudwatch").describe_alarms()["MetricAlarms"] == alarms
        server.control("POST", "/clock/advance", {"seconds": 3600})
        assert [mail["subject"].split(":")[0] for mail in inbox(server)[2:]] == ["INSUFFICIENT_DATA"]
    finally:
        process.stop(home)


DOCUMENT = (Path(__file__).parents[3] / "docs" / "sandbox" / "alarms.md").read_text()


@pytest.mark.parametrize("service", [CloudWatchService, NotificationService])
def test_every_operation_is_documented(service):
    assert [name for name in service.handlers if f"`{name}`" not in DOCUMENT] == []


def test_every_function_of_metric_math_is_documented():
    assert [name for name in [*FUNCTIONS, *REFUSED] if f"`{name}`" not in DOCUMENT] == []
