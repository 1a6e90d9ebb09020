import json

import pytest

from labkit.sandbox.alarms.messages import region_name
from labkit.sandbox.moto_state import backend
from tests.sandbox.alarms.cloudwatch import REGION
from tests.sandbox.alarms.test_evaluator import MATH
from tests.sandbox.calls import client_call

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:SSH Rejects"
REASON = "Threshold Crossed: 1 datapoint [3.0 (02/11/26 09:00:00)] was greater than or equal to the threshold (1.0)."


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("eu-west-1", "EU (Ireland)"),
        ("eu-central-1", "EU (Frankfurt)"),
        ("us-east-1", "US East (N. Virginia)"),
        ("ap-southeast-1", "Asia Pacific (Singapore)"),
        ("ca-central-1", "Canada (Central)"),
        ("nowhere-1", "nowhere-1"),
    ],
)
def test_regions_have_their_long_names(region, name):
    assert region_name(region) == name


def published(cloudwatch, **settings):
    """What an alarm told its topic: the message per protocol, from the history."""
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm(AlarmActions=[topic], **settings)
    cloudwatch.sample(0, 3.0)
    cloudwatch.to_minute(1)
    (item,) = cloudwatch.call("DescribeAlarmHistory", HistoryItemType="Action")["AlarmHistoryItems"]
    return topic, json.loads(json.loads(item["HistoryData"])["publishedMessage"])


def test_the_message_has_every_member_in_cloudwatchs_order(cloudwatch):
    topic, messages = published(cloudwatch, AlarmDescription="SSH from outside", Dimensions=[])
    message = json.loads(messages["default"])
    trigger = message.pop("Trigger")
    assert list(message.items()) == [
        ("AlarmName", "SSH Rejects"),
        ("AlarmDescription", "SSH from outside"),
        ("AWSAccountId", "123456789012"),
        ("AlarmConfigurationUpdatedTimestamp", "2026-11-02T09:00:00.000+0000"),
        ("NewStateValue", "ALARM"),
        ("NewStateReason", REASON),
        ("StateChangeTime", "2026-11-02T09:01:00.000+0000"),
        ("Region", "EU (Ireland)"),
        ("AlarmArn", ARN),
        ("OldStateValue", "INSUFFICIENT_DATA"),
        ("OKActions", []),
        ("AlarmActions", [topic]),
        ("InsufficientDataActions", []),
    ]
    assert list(trigger.items()) == [
        ("MetricName", "SSHRejects"),
        ("Namespace", "LabVPC"),
        ("StatisticType", "Statistic"),
        ("Statistic", "SUM"),
        ("Unit", None),
        ("Dimensions", []),
        ("Period", 60),
        ("EvaluationPeriods", 1),
        ("ComparisonOperator", "GreaterThanOrEqualToThreshold"),
        ("Threshold", 1.0),
        ("TreatMissingData", ""),
        ("EvaluateLowSampleCountPercentile", ""),
    ]


def test_the_trigger_says_what_was_given(cloudwatch):
    _, messages = published(
        cloudwatch, Statistic=None, ExtendedStatistic="p50", DatapointsToAlarm=1, TreatMissingData="notBreaching"
    )
    trigger = json.loads(messages["default"])["Trigger"]
    assert (trigger["StatisticType"], trigger["ExtendedStatistic"]) == ("ExtendedStatistic", "p50")
    assert (trigger["DatapointsToAlarm"], trigger["TreatMissingData"]) == (1, "notBreaching")
    assert "Statistic" not in trigger


def test_an_alarm_without_a_description_has_null(cloudwatch):
    _, messages = published(cloudwatch)
    assert json.loads(messages["default"])["AlarmDescription"] is None


def test_the_mail_reads_as_cloudwatchs(cloudwatch):
    topic, messages = published(cloudwatch, AlarmDescription="SSH from outside")
    when = "Monday 02 November, 2026 09:01:00 UTC"
    assert (
        messages["email"]
        == f"""\
You are receiving this email because your Amazon CloudWatch Alarm "SSH Rejects" in the EU (Ireland) region has entered \
the ALARM state, because "{REASON}" at "{when}".

View this alarm in the AWS Management Console:
https://eu-west-1.console.aws.amazon.com/cloudwatch/deeplink.js?region=eu-west-1#alarmsV2:alarm/SSH%20Rejects

Alarm Details:
- Name:                       SSH Rejects
- Description:                SSH from outside
- State Change:               INSUFFICIENT_DATA -> ALARM
- Reason for State Change:    {REASON}
- Timestamp:                  {when}
- AWS Account:                123456789012
- Alarm Arn:                  {ARN}

Threshold:
- The alarm is in the ALARM state when the metric is GreaterThanOrEqualToThreshold 1.0 for at least 1 of the last 1 \
period(s) of 60 seconds.

Monitored Metric:
- MetricNamespace:                     LabVPC
- MetricName:                          SSHRejects
- Dimensions:{" " * 26}
- Period:                              60 seconds
- Statistic:                           Sum
- Unit:                                not specified
- TreatMissingData:                    missing


State Change Actions:
- OK:{" "}
- ALARM: [{topic}]
- INSUFFICIENT_DATA:{" "}
"""
    )
    assert messages["sms"] == 'ALARM: "SSH Rejects" in EU (Ireland)'


def test_metric_math_lists_its_queries(cloudwatch):
    _, messages = published(cloudwatch, **MATH)
    trigger = json.loads(messages["default"])["Trigger"]
    assert "MetricName" not in trigger
    assert trigger["Metrics"][1] == {
        "Id": "rejects",
        "MetricStat": {
            "Metric": {"Dimensions": [], "MetricName": "SSHRejects", "Namespace": "LabVPC"},
            "Period": 60,
            "Stat": "Sum",
        },
        "ReturnData": False,
    }
    assert trigger["Metrics"][0]["ReturnData"] is True


def test_a_composite_alarm_names_the_children_in_alarm(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm()
    cloudwatch.put_composite("all", 'ALARM("SSH Rejects")', AlarmActions=[topic])
    cloudwatch.sample(0, 3.0)
    cloudwatch.to_minute(1)
    (item,) = cloudwatch.call("DescribeAlarmHistory", HistoryItemType="Action", AlarmTypes=["CompositeAlarm"])[
        "AlarmHistoryItems"
    ]
    messages = json.loads(json.loads(item["HistoryData"])["publishedMessage"])
    message = json.loads(messages["default"])
    assert message["AlarmRule"] == 'ALARM("SSH Rejects")'
    assert message["TriggeringChildren"] == [
        {"Arn": ARN, "State": {"Value": "ALARM", "Timestamp": "2026-11-02T09:01:00.000+0000"}}
    ]
    assert "Trigger" not in message
    assert "has transitioned to ALARM state on Monday 02 November, 2026 09:01:00 UTC, because" in messages["email"]
    assert '- Alarm Rule:                 ALARM("SSH Rejects")' in messages["email"]


def test_a_queue_gets_the_json_and_the_subject(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    backend("sqs", "123456789012", REGION).create_queue("alerts")
    queue = "arn:aws:sqs:eu-west-1:123456789012:alerts"
    client_call(cloudwatch.sandbox, "sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
    cloudwatch.put_alarm(AlarmActions=[topic])
    cloudwatch.sample(0, 3.0)
    cloudwatch.to_minute(1)
    (held,) = backend("sqs", "123456789012", REGION).get_queue("alerts").messages
    envelope = json.loads(held.body)
    assert envelope["Subject"] == 'ALARM: "SSH Rejects" in EU (Ireland)'
    assert json.loads(envelope["Message"])["NewStateValue"] == "ALARM"
