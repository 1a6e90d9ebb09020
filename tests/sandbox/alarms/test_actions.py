"""When actions run and what the topics are told: on a change of state, and on nothing else ("Alarm actions")."""

import json

import pytest

from labkit.sandbox.moto_state import backend
from tests.sandbox.alarms.cloudwatch import REGION
from tests.sandbox.calls import client_call

NAME = "SSH Rejects"


@pytest.fixture
def told(cloudwatch):
    """CloudWatch with a topic that all states of the alarm tell; its mails are what it told."""
    cloudwatch.topic = cloudwatch.subscribed_topic()
    members = ("OKActions", "AlarmActions", "InsufficientDataActions")
    cloudwatch.all_states = {member: [cloudwatch.topic] for member in members}
    return cloudwatch


def subjects(cloudwatch):
    """The states of the mails' subjects."""
    return [mail["subject"].partition(":")[0] for mail in cloudwatch.mails()]


@pytest.mark.parametrize(
    ("member", "minute"), [("OKActions", [2]), ("AlarmActions", [1]), ("InsufficientDataActions", [14])]
)
def test_each_state_runs_its_own_actions(told, member, minute):
    told.put_alarm(**{member: [told.topic]})
    told.sample(0, 1)
    told.sample(1, 0)
    told.to_minute(60)
    at = [int(mail["at"][14:16]) for mail in told.mails()]
    assert at == minute


def test_a_state_that_lasts_is_told_once(told):
    told.put_alarm(**told.all_states)
    for minute in range(30):
        told.sample(minute, 5)
    told.to_minute(30)
    assert subjects(told) == ["ALARM"]


def test_every_change_is_told(told):
    told.put_alarm(**told.all_states)
    for minute in range(6):
        told.sample(minute, minute % 2)
    told.to_minute(6)
    assert subjects(told) == ["OK", "ALARM"] * 3


def test_a_new_alarm_that_stays_without_data_tells_nobody(told):
    told.put_alarm(**told.all_states)
    told.to_minute(60)
    assert subjects(told) == []


def test_several_topics_are_told_each_once(told):
    topics = [told.subscribed_topic(name, f"{name}@example.com") for name in ("ops", "security")]
    told.put_alarm(AlarmActions=[told.topic, *topics])
    told.sample(0)
    told.to_minute(1)
    addresses = ["learner@example.com", "ops@example.com", "security@example.com"]
    assert [mail["to"] for mail in told.mails()] == addresses


def test_an_update_in_alarm_tells_nobody_and_counts_from_the_next_change_on(told):
    told.put_alarm()
    told.sample(0, 5)
    told.to_minute(1)
    told.put_alarm(**told.all_states)
    told.to_minute(5)
    assert (told.state(), subjects(told)) == ("ALARM", [])
    told.sample(5, 0)
    told.to_minute(6)
    assert subjects(told) == ["OK"]


def test_actions_that_were_taken_away_do_not_run(told):
    told.put_alarm(**told.all_states)
    told.put_alarm()
    told.sample(0)
    told.to_minute(1)
    assert subjects(told) == []


def test_what_happened_while_actions_were_disabled_is_not_made_up_for(told):
    told.put_alarm(**told.all_states)
    told.call("DisableAlarmActions", AlarmNames=[NAME])
    told.sample(0)
    told.to_minute(2)
    told.call("EnableAlarmActions", AlarmNames=[NAME])
    told.to_minute(3)
    assert (told.state(), subjects(told)) == ("ALARM", [])
    told.sample(3, 0)
    told.to_minute(4)
    assert subjects(told) == ["OK"]


def test_an_alarm_can_be_made_with_its_actions_disabled(told):
    told.put_alarm(ActionsEnabled=False, **told.all_states)
    told.sample(0)
    told.to_minute(1)
    assert (told.alarm()["ActionsEnabled"], told.state(), subjects(told)) == (False, "ALARM", [])
    assert told.alarm()["AlarmActions"] == [told.topic]


def test_switching_actions_changes_the_configuration_and_is_in_the_history(told):
    told.put_alarm(**told.all_states, Threshold=7.0)
    told.to_minute(5)
    told.call("DisableAlarmActions", AlarmNames=[NAME, "nobody"])
    items = told.call("DescribeAlarmHistory", HistoryItemType="ConfigurationUpdate")["AlarmHistoryItems"]
    update = json.loads(items[0]["HistoryData"])["updatedAlarm"]
    assert (update["actionsEnabled"], update["threshold"], len(items)) == (False, 7.0, 2)
    assert told.alarm()["AlarmConfigurationUpdatedTimestamp"].minute == 5


def test_a_set_state_runs_the_actions_of_that_state_and_the_next_evaluation_those_of_the_true_one(told):
    told.put_alarm(**told.all_states, TreatMissingData="notBreaching")
    told.to_minute(1)
    told.set_state("ALARM")
    told.to_minute(2)
    assert subjects(told) == ["OK", "ALARM", "OK"]


def test_setting_the_state_that_it_has_runs_nothing(told):
    told.put_alarm(**told.all_states, TreatMissingData="ignore")
    for state in ("ALARM", "ALARM", "OK", "OK"):
        told.set_state(state)
    assert subjects(told) == ["ALARM", "OK"]


def test_a_set_state_of_disabled_actions_runs_nothing(told):
    told.put_alarm(**told.all_states, ActionsEnabled=False)
    told.set_state("ALARM")
    assert (told.state(), subjects(told)) == ("ALARM", [])


def test_the_reason_of_a_set_state_is_in_the_mail(told):
    told.put_alarm(**told.all_states)
    told.set_state("ALARM", reason="a drill, nothing more")
    (mail,) = told.mails()
    assert 'entered the ALARM state, because "a drill, nothing more" at' in mail["body"]
    assert "- Reason for State Change:    a drill, nothing more\n" in mail["body"]
    assert "- State Change:               INSUFFICIENT_DATA -> ALARM\n" in mail["body"]


def test_a_topic_that_is_gone_keeps_the_others_from_nothing(told):
    gone = "arn:aws:sns:eu-west-1:123456789012:gone"
    told.put_alarm(AlarmActions=[gone, told.topic])
    told.sample(0)
    told.to_minute(1)
    assert subjects(told) == ["ALARM"]
    items = told.call("DescribeAlarmHistory", HistoryItemType="Action", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    assert [item["HistorySummary"] for item in items] == [
        f"Failed to execute action {gone}",
        f"Successfully executed action {told.topic}",
    ]


def test_a_topic_may_be_made_after_the_alarm(told):
    """CloudWatch does not test the actions that are specified ("Common features of alarms")."""
    told.put_alarm(AlarmActions=["arn:aws:sns:eu-west-1:123456789012:later"])
    told.subscribed_topic("later", "later@example.com")
    told.sample(0)
    told.to_minute(1)
    assert [mail["to"] for mail in told.mails()] == ["later@example.com"]


def test_whoever_has_unsubscribed_is_not_told(told):
    told.put_alarm(**told.all_states)
    (held,) = told.sandbox.notifications._current(REGION)
    client_call(told.sandbox, "sns", "Unsubscribe", SubscriptionArn=held.arn)
    told.sample(0)
    told.to_minute(1)
    assert subjects(told) == []
    items = told.call("DescribeAlarmHistory", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [f"Successfully executed action {told.topic}"]


def test_a_subscription_can_ask_for_alarms_alone(told):
    """A filter policy on the body sees the JSON message ("Amazon SNS notification format")."""
    (held,) = told.sandbox.notifications._current(REGION)
    queue = backend("sqs", "123456789012", REGION).create_queue("pager")
    attributes = {"FilterPolicyScope": "MessageBody", "FilterPolicy": '{"NewStateValue": ["ALARM"]}'}
    endpoint = f"arn:aws:sqs:{REGION}:123456789012:pager"
    params = {"TopicArn": held.topic_arn, "Protocol": "sqs", "Endpoint": endpoint, "Attributes": attributes}
    client_call(told.sandbox, "sns", "Subscribe", **params)
    told.put_alarm(**told.all_states)
    for minute in range(4):
        told.sample(minute, minute % 2)
    told.to_minute(4)
    messages = [json.loads(json.loads(message.body)["Message"]) for message in queue.messages]
    assert [(message["NewStateValue"], message["OldStateValue"]) for message in messages] == [("ALARM", "OK")] * 2
    assert subjects(told) == ["OK", "ALARM"] * 2


def test_the_old_state_of_a_message_is_the_one_before(told):
    told.put_alarm(**told.all_states)
    told.sample(0, 0)
    told.sample(1, 1)
    told.to_minute(60)
    items = told.call("DescribeAlarmHistory", HistoryItemType="Action", ScanBy="TimestampAscending")[
        "AlarmHistoryItems"
    ]
    published = [json.loads(json.loads(item["HistoryData"])["publishedMessage"])["default"] for item in items]
    changes = [(message["OldStateValue"], message["NewStateValue"]) for message in map(json.loads, published)]
    assert changes == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "INSUFFICIENT_DATA")]


@pytest.mark.parametrize("length", [60, 255])
def test_a_subject_is_cut_to_what_a_topic_takes(told, length):
    told.put_alarm(AlarmName="x" * length, **told.all_states)
    told.set_state("ALARM", "x" * length)
    (mail,) = told.mails()
    assert mail["subject"] == f'ALARM: "{"x" * length}" in EU (Ireland)'[:99]


def test_a_name_that_is_not_ascii_is_told_like_any_other(told):
    told.put_alarm(AlarmName="Anmeldungen – süd", **told.all_states)
    told.set_state("ALARM", "Anmeldungen – süd")
    (mail,) = told.mails()
    assert mail["subject"] == 'ALARM: "Anmeldungen – süd" in EU (Ireland)'
    assert "#alarmsV2:alarm/Anmeldungen%20%E2%80%93%20s%C3%BCd\n" in mail["body"]
