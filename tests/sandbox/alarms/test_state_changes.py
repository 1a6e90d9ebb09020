import json
from datetime import UTC, datetime, timedelta

import pytest

from labkit.sandbox.alarms.alarm import MetricAlarm
from labkit.sandbox.alarms.state_changes import (
    History,
    changed_state,
    record_configuration,
    record_transition,
    run_actions,
)
from tests.sandbox.alarms.cloudwatch import ALARM

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def alarm():
    return MetricAlarm("eu-west-1", "123456789012", ALARM, NOW)


@pytest.fixture
def history():
    return History()


def items(history):
    return history.since(datetime.min.replace(tzinfo=UTC))


def to_alarm(alarm, *, data=None):
    """Brings an alarm into ALARM, and tells the state it was in."""
    old = alarm.state
    alarm.state = changed_state(old, "ALARM", "too many", data, LATER, transition=True)
    return old


def test_a_transition_moves_both_timestamps(alarm):
    state = changed_state(alarm.state, "ALARM", "too many", "{}", LATER, transition=True)
    assert (state.value, state.reason, state.reason_data) == ("ALARM", "too many", "{}")
    assert (state.updated, state.transitioned) == (LATER, LATER)


def test_a_new_reason_alone_is_no_transition(alarm):
    state = changed_state(alarm.state, "INSUFFICIENT_DATA", "still", None, LATER, transition=False)
    assert (state.updated, state.transitioned) == (LATER, NOW)


def test_a_transition_in_the_history(alarm, history):
    record_transition(history, alarm, to_alarm(alarm, data='{"version":"1.0"}'))
    (item,) = items(history)
    assert (item.item, item.summary, item.at) == (
        "StateUpdate",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        LATER,
    )
    assert json.loads(item.data) == {
        "version": "1.0",
        "oldState": {"stateValue": "INSUFFICIENT_DATA", "stateReason": "Unchecked: Initial alarm creation"},
        "newState": {"stateValue": "ALARM", "stateReason": "too many", "stateReasonData": {"version": "1.0"}},
    }


@pytest.mark.parametrize(
    ("change", "kind", "member"),
    [
        ("created", "Create", "createdAlarm"),
        ("updated", "Update", "updatedAlarm"),
        ("deleted", "Delete", "deletedAlarm"),
    ],
)
def test_configurations_in_the_history(alarm, history, change, kind, member):
    record_configuration(history, alarm, change, NOW)
    (item,) = items(history)
    assert (item.item, item.summary) == ("ConfigurationUpdate", f'Alarm "SSH Rejects" {change}')
    data = json.loads(item.data)
    assert data["type"] == kind
    assert (data[member]["alarmName"], data[member]["period"]) == ("SSH Rejects", 60)
    assert data[member]["alarmConfigurationUpdatedTimestamp"] == "2026-11-02T09:00:00.000+0000"


def test_a_creation_in_the_history_has_the_members_and_the_order_of_published_ones(history):
    settings = ALARM | {
        "AlarmDescription": "Rejected SSH",
        "Dimensions": [{"Name": "Operation", "Value": "PutItem"}],
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:t"],
        "TreatMissingData": "ignore",
        "Tags": [{"Key": "lab", "Value": "vpc"}],
    }
    record_configuration(history, MetricAlarm("eu-west-1", "123456789012", settings, NOW), "created", NOW)
    assert items(history)[0].data == (
        '{"version":"1.0","type":"Create","createdAlarm":{"alarmName":"SSH Rejects","alarmDescription":"Rejected SSH",'
        '"alarmArn":"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:SSH Rejects",'
        '"alarmConfigurationUpdatedTimestamp":"2026-11-02T09:00:00.000+0000","namespace":"LabVPC",'
        '"metricName":"SSHRejects","statistic":"Sum","period":60,"dimensions":[{"value":"PutItem","name":"Operation"}],'
        '"threshold":1.0,"comparisonOperator":"GreaterThanOrEqualToThreshold","evaluationPeriods":1,'
        '"treatMissingData":"ignore","stateValue":"INSUFFICIENT_DATA",'
        '"stateUpdatedTimestamp":"2026-11-02T09:00:00.000+0000","actionsEnabled":true,'
        '"alarmActions":["arn:aws:sns:eu-west-1:123456789012:t"],"insufficientDataActions":[],"okactions":[]}}'
    )


def test_actions_of_another_state_do_not_run(sandbox, history):
    settings = ALARM | {"OKActions": ["arn:aws:sns:eu-west-1:123456789012:t"]}
    alarm = MetricAlarm("eu-west-1", "123456789012", settings, NOW)
    run_actions(sandbox, history, alarm, to_alarm(alarm))
    assert items(history) == []


def test_a_failed_action_says_why(sandbox, history):
    settings = ALARM | {"AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:gone"]}
    alarm = MetricAlarm("eu-west-1", "123456789012", settings, NOW)
    run_actions(sandbox, history, alarm, to_alarm(alarm))
    data = json.loads(items(history)[0].data)
    assert (data["actionState"], data["error"]) == ("Failed", "Topic does not exist")
    assert data["stateUpdateTimestamp"] == LATER.timestamp() * 1000


def test_the_history_forgets_what_is_older_than_thirty_days(alarm, history):
    for days in (0, 10, 20, 31, 41):
        history.add(alarm, NOW + timedelta(days=days), "StateUpdate", f"day {days}", {})
    assert [item.summary for item in items(history)] == ["day 20", "day 31", "day 41"]
