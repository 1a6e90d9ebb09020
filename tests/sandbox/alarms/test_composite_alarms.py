"""Composite alarms at work: what PutCompositeAlarm's page and "Create a composite alarm" promise."""

import json

import pytest

from labkit.sandbox.kernel.errors import ServiceError

EXAMPLE = {
    "both": "ALARM(CPUUtilizationTooHigh) AND ALARM(DiskReadOpsTooHigh)",
    "not while deploying": "ALARM(CPUUtilizationTooHigh) AND NOT ALARM(DeploymentInProgress)",
    "not with the network down": "(ALARM(CPUUtilizationTooHigh) OR ALARM(DiskReadOpsTooHigh)) "
    "AND OK(NetworkOutTooHigh)",
}
CHILDREN = ("CPUUtilizationTooHigh", "DiskReadOpsTooHigh", "DeploymentInProgress", "NetworkOutTooHigh")


@pytest.fixture
def children(cloudwatch):
    """The alarms of the guide's examples, all of them OK and without data to change that."""
    for name in CHILDREN:
        cloudwatch.put_alarm(AlarmName=name, MetricName=name, TreatMissingData="ignore")
        cloudwatch.set_state("OK", name)
    return cloudwatch


@pytest.mark.parametrize(
    ("example", "in_alarm", "state"),
    [
        ("both", [], "OK"),
        ("both", ["CPUUtilizationTooHigh"], "OK"),
        ("both", ["CPUUtilizationTooHigh", "DiskReadOpsTooHigh"], "ALARM"),
        ("not while deploying", ["CPUUtilizationTooHigh"], "ALARM"),
        ("not while deploying", ["DeploymentInProgress", "CPUUtilizationTooHigh"], "OK"),
        ("not with the network down", ["DiskReadOpsTooHigh"], "ALARM"),
        ("not with the network down", ["NetworkOutTooHigh", "DiskReadOpsTooHigh"], "OK"),
        ("not with the network down", ["NetworkOutTooHigh"], "OK"),
    ],
)
def test_an_example_of_the_guide(children, example, in_alarm, state):
    children.put_composite("top", EXAMPLE[example])
    for name in in_alarm:
        children.set_state("ALARM", name)
    assert children.state("top") == state


def test_a_rule_is_written_in_the_history_and_the_description_as_it_came(children):
    rule = "(ALARM(CPUUtilizationTooHigh) OR\n ALARM('DiskReadOpsTooHigh')) AND\n OK(\"NetworkOutTooHigh\")"
    children.put_composite("top", rule)
    assert children.alarm("top")["AlarmRule"] == rule
    items = children.call("DescribeAlarmHistory", AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert json.loads(items[-1]["HistoryData"])["createdAlarm"]["alarmRule"] == rule


def test_an_alarm_may_be_named_by_its_arn(children):
    arn = children.alarm("CPUUtilizationTooHigh")["AlarmArn"]
    children.put_composite("top", f"ALARM({arn})")
    children.set_state("ALARM", "CPUUtilizationTooHigh")
    assert children.state("top") == "ALARM"
    found = children.call("DescribeAlarms", ChildrenOfAlarmName="top")["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in found] == ["CPUUtilizationTooHigh"]


@pytest.mark.parametrize(("rule", "state"), [("TRUE", "ALARM"), ("FALSE", "OK"), ("NOT FALSE AND TRUE", "ALARM")])
def test_true_and_false_test_the_actions(cloudwatch, rule, state):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_composite("top", rule, AlarmActions=[topic], OKActions=[topic])
    assert [mail["subject"] for mail in cloudwatch.mails()] == [f'{state}: "top" in EU (Ireland)']


def test_only_a_new_composite_alarm_has_insufficient_data(children):
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)")
    children.set_state("INSUFFICIENT_DATA", "CPUUtilizationTooHigh")
    items = children.call("DescribeAlarmHistory", AlarmName="top", AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Alarm updated from INSUFFICIENT_DATA to OK",
        'Alarm "top" created',
    ]


def test_an_update_replaces_the_rule_and_all_else_and_is_evaluated(children):
    topic = children.subscribed_topic()
    children.put_composite("top", "TRUE", AlarmDescription="testing", AlarmActions=[topic])
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)", OKActions=[topic])
    alarm = children.alarm("top")
    assert (alarm["StateValue"], alarm["AlarmActions"], alarm.get("AlarmDescription")) == ("OK", [], None)
    assert [mail["subject"][:2] for mail in children.mails()] == ["AL", "OK"]


def test_a_rule_that_still_holds_changes_nothing(children):
    topic = children.subscribed_topic()
    children.put_composite("top", "TRUE", AlarmActions=[topic])
    since = children.alarm("top")["StateTransitionedTimestamp"]
    children.to_minute(5)
    children.put_composite("top", "NOT FALSE", AlarmActions=[topic])
    assert len(children.mails()) == 1
    assert children.alarm("top")["StateTransitionedTimestamp"] == since


def test_a_set_state_stays_until_a_child_changes_its_state(children):
    """SetAlarmState: a composite alarm returns to its actual state only then."""
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)")
    children.set_state("ALARM", "top")
    children.to_minute(60)
    assert children.state("top") == "ALARM"
    children.set_state("INSUFFICIENT_DATA", "CPUUtilizationTooHigh")
    assert children.state("top") == "OK"


def test_a_set_state_ends_with_an_update_of_the_configuration_too(children):
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)")
    children.set_state("ALARM", "top")
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)")
    assert children.state("top") == "OK"


def test_one_change_of_a_child_goes_up_through_all_levels_with_one_mail_each(children):
    topic = children.subscribed_topic()
    children.put_composite("low", "ALARM(CPUUtilizationTooHigh)", AlarmActions=[topic])
    children.put_composite("middle", "ALARM(low)", AlarmActions=[topic])
    children.put_composite("high", "ALARM(middle) AND ALARM(CPUUtilizationTooHigh)", AlarmActions=[topic])
    children.set_state("ALARM", "CPUUtilizationTooHigh")
    assert sorted(mail["subject"].split('"')[1] for mail in children.mails()) == ["high", "low", "middle"]


def test_the_data_of_the_reason_name_the_child_that_caused_it(children):
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)")
    children.to_minute(2)
    children.set_state("ALARM", "CPUUtilizationTooHigh")
    data = json.loads(children.alarm("top")["StateReasonData"])
    assert data == {
        "triggeringAlarms": [
            {
                "arn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:CPUUtilizationTooHigh",
                "state": {"value": "ALARM", "timestamp": "2026-11-02T09:02:00.000+0000"},
            }
        ]
    }


def test_disabled_actions_of_a_composite_alarm_do_not_run(children):
    topic = children.subscribed_topic()
    children.put_composite("top", "ALARM(CPUUtilizationTooHigh)", AlarmActions=[topic], ActionsEnabled=False)
    children.set_state("ALARM", "CPUUtilizationTooHigh")
    assert (children.state("top"), children.mails()) == ("ALARM", [])


def test_a_cycle_of_composite_alarms_is_taken_and_evaluation_stops_in_it(children):
    children.put_composite("a", "ALARM(CPUUtilizationTooHigh)")
    children.put_composite("b", "ALARM(a)")
    children.put_composite("a", "ALARM(CPUUtilizationTooHigh) OR ALARM(b)")
    children.set_state("ALARM", "CPUUtilizationTooHigh")
    assert (children.state("a"), children.state("b")) == ("ALARM", "ALARM")
    children.set_state("OK", "CPUUtilizationTooHigh")
    assert (children.state("a"), children.state("b")) == ("ALARM", "ALARM"), "each holds the other"


def test_a_cycle_that_contradicts_itself_comes_to_rest(children):
    children.put_composite("a", "ALARM(CPUUtilizationTooHigh)")
    children.put_composite("b", "NOT ALARM(a)")
    children.put_composite("a", "ALARM(CPUUtilizationTooHigh) OR ALARM(b)")
    assert (children.state("a"), children.state("b")) == ("ALARM", "OK")


def test_no_alarm_of_a_cycle_can_be_deleted_until_it_is_broken(children):
    children.put_composite("a", "TRUE")
    children.put_composite("b", "ALARM(a)")
    children.put_composite("a", "ALARM(b)")
    for name in ("a", "b"):
        with pytest.raises(ServiceError, match=f"Cannot delete {name} as there are composite alarm"):
            children.call("DeleteAlarms", AlarmNames=[name])
    children.put_composite("a", "FALSE")
    children.call("DeleteAlarms", AlarmNames=["b"])
    children.call("DeleteAlarms", AlarmNames=["a"])
    assert children.call("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


def test_one_composite_alarm_may_be_deleted_together_with_metric_alarms(children):
    children.put_composite("top", "TRUE")
    children.call("DeleteAlarms", AlarmNames=["top", *CHILDREN])
    answer = children.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert answer == {"MetricAlarms": [], "CompositeAlarms": []}


def test_two_composite_alarms_are_not_deleted_in_one_request(children):
    for name in ("one", "two"):
        children.put_composite(name, "TRUE")
    with pytest.raises(ServiceError, match="Only one composite alarm can be deleted at a time"):
        children.call("DeleteAlarms", AlarmNames=["one", "two"])
    assert len(children.call("DescribeAlarms", AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]) == 2


def test_an_alarm_named_twice_is_deleted_once(children):
    children.call("DeleteAlarms", AlarmNames=[CHILDREN[0], CHILDREN[0]])
    assert len(children.call("DescribeAlarms")["MetricAlarms"]) == 3


def test_a_rule_has_up_to_500_elements(children):
    """Elements are alarms, TRUE and FALSE, and pairs of parentheses ("Create a composite alarm")."""
    children.put_composite("top", " OR ".join(["(FALSE)"] * 250))
    with pytest.raises(ServiceError, match="AlarmRule must not have more than 500 elements, it has 502"):
        children.put_composite("top", " OR ".join(["(ALARM(CPUUtilizationTooHigh))"] * 251))


def test_a_rule_has_up_to_100_children_however_often_each_is_mentioned(cloudwatch):
    names = [f"a{number}" for number in range(100)]
    for name in names:
        cloudwatch.put_alarm(AlarmName=name, MetricName="none")
    cloudwatch.put_composite("top", " OR ".join(f"ALARM({name})" for name in names * 2))
    found = cloudwatch.call("DescribeAlarms", ChildrenOfAlarmName="top", MaxRecords=100)
    assert len(found["MetricAlarms"]) == 100


def test_an_alarm_is_in_the_rules_of_up_to_150_composite_alarms(children):
    for number in range(150):
        children.put_composite(f"top{number}", "ALARM(CPUUtilizationTooHigh)")
    children.put_composite("top0", "OK(CPUUtilizationTooHigh)")
    with pytest.raises(ServiceError, match="is in the rules of 150 composite alarms already") as caught:
        children.put_composite("one more", "ALARM(CPUUtilizationTooHigh)")
    assert caught.value.code == "LimitExceeded"
    children.put_composite("one more", "ALARM(DiskReadOpsTooHigh)")


def test_children_and_parents_are_told_in_their_short_form(children):
    children.put_composite("low", "ALARM(CPUUtilizationTooHigh)")
    children.put_composite("high", "ALARM(low) OR OK(DiskReadOpsTooHigh)")
    found = children.call("DescribeAlarms", ChildrenOfAlarmName="high")
    assert [alarm["AlarmName"] for alarm in found["CompositeAlarms"]] == ["low"]
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == ["DiskReadOpsTooHigh"]
    (parent,) = children.call("DescribeAlarms", ParentsOfAlarmName="low")["CompositeAlarms"]
    assert (parent["AlarmName"], parent["StateValue"]) == ("high", "ALARM")
    assert "AlarmRule" not in parent


@pytest.mark.parametrize("asked", ["ChildrenOfAlarmName", "ParentsOfAlarmName"])
@pytest.mark.parametrize("name", ["nobody", "CPUUtilizationTooHigh"])
def test_what_has_no_children_or_parents_has_an_empty_list(children, asked, name):
    answer = children.call("DescribeAlarms", **{asked: name})
    assert answer == {"MetricAlarms": [], "CompositeAlarms": []}


def test_a_composite_alarm_can_not_be_made_of_an_alarm_of_another_region(children):
    children.call("PutMetricAlarm", region="us-east-1", **{**children.alarm(CHILDREN[0]), "AlarmName": "far"})
    with pytest.raises(ServiceError, match=r"Could not find alarm\(s\) named in the AlarmRule: far"):
        children.put_composite("top", "ALARM(far)")
