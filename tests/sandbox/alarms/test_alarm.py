from datetime import UTC, datetime

import pytest

from labkit.sandbox.alarms.alarm import CompositeAlarm, MetricAlarm
from labkit.sandbox.alarms.samples import Metric
from tests.sandbox.alarms.cloudwatch import ALARM
from tests.sandbox.alarms.test_evaluator import MATH

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def metric_alarm(**settings):
    given = {name: value for name, value in (ALARM | settings).items() if value is not None}
    return MetricAlarm("eu-west-1", "123456789012", given, NOW)


def test_the_rule_without_datapoints_to_alarm_wants_all():
    rule = metric_alarm(EvaluationPeriods=4).rule
    assert (rule.evaluation_periods, rule.datapoints_to_alarm, rule.treat_missing_data) == (4, 4, "missing")
    assert metric_alarm(EvaluationPeriods=4, DatapointsToAlarm=2).rule.datapoints_to_alarm == 2


def test_the_rule_compares_with_the_threshold():
    rule = metric_alarm(Threshold=10.0, ComparisonOperator="LessThanThreshold").rule
    assert [rule.breaches(value) for value in (9.9, 10.0)] == [True, False]


def test_an_alarm_on_one_metric_has_that_metric_for_input():
    alarm = metric_alarm(Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}])
    assert alarm.inputs == (Metric.of("LabVPC", "SSHRejects", {"a": "1", "b": "2"}),)
    assert (alarm.period, alarm.statistic, alarm.metrics) == (60, "Sum", [])


def test_metric_math_has_the_metrics_of_its_queries():
    alarm = metric_alarm(**MATH)
    assert [metric.name for metric in alarm.inputs] == ["SSHRejects", "Flows"]
    assert (alarm.period, alarm.statistic, alarm.watched_query["Id"]) == (60, None, "share")


def test_the_description_leaves_empty_members_out_but_not_the_lists_of_actions():
    shown = metric_alarm(AlarmDescription="", Tags=[{"Key": "a", "Value": "b"}]).describe()
    assert "AlarmDescription" not in shown
    assert "Tags" not in shown
    assert "StateReasonData" not in shown
    assert (shown["OKActions"], shown["Dimensions"], shown["ActionsEnabled"]) == ([], [], True)


def test_the_arn_has_the_name_as_it_is():
    assert metric_alarm(AlarmName="a/b c").arn == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a/b c"


def test_all_actions_are_those_of_every_state():
    alarm = metric_alarm(OKActions=["o"], AlarmActions=["a", "b"], InsufficientDataActions=["i"])
    assert alarm.actions("ALARM") == ["a", "b"]
    assert alarm.all_actions() == ["o", "a", "b", "i"]


@pytest.mark.parametrize("suppressed_by", ["Alarm", "WaitPeriod", "ExtensionPeriod"])
def test_a_composite_alarm_says_what_holds_its_actions_back(suppressed_by):
    alarm = CompositeAlarm("eu-west-1", "123456789012", {"AlarmName": "c", "AlarmRule": "ALARM(a) OR OK(b)"}, NOW)
    assert alarm.children == ["a", "b"]
    assert "ActionsSuppressedBy" not in alarm.describe()
    alarm.suppressed_by = suppressed_by
    assert alarm.describe()["ActionsSuppressedBy"] == suppressed_by
    assert alarm.describe()["ActionsSuppressedReason"] == f"Actions suppressed by {suppressed_by}"
