import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.alarms.test_evaluation import TABLES


def test_a_new_alarm_waits_for_data(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(30)
    alarm = cloudwatch.alarm()
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert cloudwatch.transitions() == []


def test_a_datapoint_that_comes_minutes_late_still_alarms(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(10)
    cloudwatch.sample(3)
    cloudwatch.to_minute(11)
    assert cloudwatch.state() == "ALARM"
    assert "[1.0 (02/11/26 09:03:00)]" in cloudwatch.alarm()["StateReason"]


def test_the_alarm_ends_when_the_datapoint_has_left_the_range(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.sample(0)
    cloudwatch.to_minute(60)
    assert cloudwatch.transitions() == [(1, "ALARM"), (13, "INSUFFICIENT_DATA")]


@pytest.mark.parametrize(
    ("treat", "expected"),
    [
        ("notBreaching", [(1, "ALARM"), (13, "OK")]),
        ("breaching", [(1, "ALARM")]),
        ("ignore", [(1, "ALARM")]),
        ("missing", [(1, "ALARM"), (13, "INSUFFICIENT_DATA")]),
    ],
)
def test_what_missing_data_lead_to(cloudwatch, treat, expected):
    cloudwatch.put_alarm(TreatMissingData=treat)
    cloudwatch.sample(0)
    cloudwatch.to_minute(60)
    assert cloudwatch.transitions() == expected


def test_missing_data_alone_bring_a_new_alarm_into_a_state(cloudwatch):
    cloudwatch.put_alarm(AlarmName="good", TreatMissingData="notBreaching")
    cloudwatch.put_alarm(AlarmName="bad", TreatMissingData="breaching")
    cloudwatch.to_minute(1)
    assert cloudwatch.state("good") == "OK"
    assert cloudwatch.state("bad") == "ALARM"


def test_metrics_of_dynamodb_always_ignore_missing_data(cloudwatch):
    cloudwatch.put_alarm(Namespace="AWS/DynamoDB", TreatMissingData="breaching")
    cloudwatch.to_minute(5)
    assert cloudwatch.state() == "INSUFFICIENT_DATA"


def test_three_of_three_as_in_the_figure_of_the_user_guide(cloudwatch):
    cloudwatch.put_alarm(EvaluationPeriods=3, Threshold=1.0)
    for minute, value in enumerate([0, 0, 2, 2, 2, 0, 0, 0, 2]):
        cloudwatch.sample(minute, value)
    cloudwatch.to_minute(9)
    assert cloudwatch.transitions() == [(1, "OK"), (5, "ALARM"), (6, "OK")]


def test_one_of_three(cloudwatch):
    cloudwatch.put_alarm(EvaluationPeriods=3, DatapointsToAlarm=1)
    for minute, value in enumerate([0, 0, 0, 5, 0, 0, 0, 0]):
        cloudwatch.sample(minute, value)
    cloudwatch.to_minute(8)
    assert cloudwatch.transitions() == [(1, "OK"), (4, "ALARM"), (7, "OK")]


def test_datapoints_from_before_the_alarm_was_made_count(cloudwatch):
    for minute in range(3):
        cloudwatch.sample(minute)
    cloudwatch.to_minute(3)
    cloudwatch.put_alarm(EvaluationPeriods=3)
    cloudwatch.to_minute(4)
    assert cloudwatch.state() == "ALARM"


def test_a_sample_of_the_running_minute_waits_for_its_end(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(5.5)
    cloudwatch.sample(5.5)
    cloudwatch.to_minute(5.9)
    assert cloudwatch.state() == "INSUFFICIENT_DATA"
    cloudwatch.to_minute(6)
    assert cloudwatch.state() == "ALARM"


def test_a_sample_of_the_future_counts_when_its_minute_is_over(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.sample(90)
    cloudwatch.to_minute(200)
    assert cloudwatch.transitions() == [(91, "ALARM"), (103, "INSUFFICIENT_DATA")]


def test_longer_periods_slide_with_the_minute(cloudwatch):
    cloudwatch.put_alarm(Period=300, Threshold=3.0)
    for minute in (3, 5, 7):
        cloudwatch.sample(minute)
    cloudwatch.to_minute(60)
    minute, state = cloudwatch.transitions()[1]
    assert (minute, state) == (8, "ALARM"), "the five minutes from 3 to 8 have three samples"


def test_periods_of_ten_seconds_are_evaluated_every_ten_seconds(cloudwatch):
    cloudwatch.put_alarm(Period=10)
    cloudwatch.call(
        "PutMetricData",
        Namespace="LabVPC",
        MetricData=[{"MetricName": "SSHRejects", "Value": 1.0, "StorageResolution": 1}],
    )
    cloudwatch.to_minute(10 / 60)
    assert cloudwatch.state() == "ALARM"


def test_an_alarm_over_days_is_evaluated_every_hour_on_data_up_to_the_hour(cloudwatch):
    """A job that fails at 10:02 and is mended at 11:43, as in "Alarm evaluation"."""
    cloudwatch.put_alarm(Period=86400, EvaluationPeriods=3, DatapointsToAlarm=1, Threshold=1.0)
    cloudwatch.to_minute(62)
    cloudwatch.sample(62, 1.0)
    cloudwatch.to_minute(63)
    assert cloudwatch.state() == "INSUFFICIENT_DATA"
    cloudwatch.to_minute(122.9)
    assert cloudwatch.state() == "INSUFFICIENT_DATA"
    cloudwatch.to_minute(123)
    assert cloudwatch.state() == "ALARM"


def test_an_updated_alarm_keeps_its_state_until_it_is_evaluated(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    cloudwatch.put_alarm(Threshold=100.0)
    alarm = cloudwatch.alarm()
    assert (alarm["StateValue"], alarm["Threshold"]) == ("ALARM", 100.0)
    cloudwatch.to_minute(2)
    assert cloudwatch.state() == "OK"


def test_a_deleted_alarm_is_not_evaluated(cloudwatch):
    cloudwatch.put_alarm(AlarmActions=[cloudwatch.subscribed_topic()])
    cloudwatch.sample(0)
    cloudwatch.call("DeleteAlarms", AlarmNames=["SSH Rejects"])
    cloudwatch.to_minute(5)
    assert cloudwatch.mails() == []
    assert cloudwatch.call("DescribeAlarmHistory", HistoryItemType="StateUpdate")["AlarmHistoryItems"] == []


def test_a_set_state_holds_until_the_next_evaluation(cloudwatch):
    cloudwatch.put_alarm(TreatMissingData="notBreaching", AlarmActions=[cloudwatch.subscribed_topic()])
    cloudwatch.to_minute(1)
    cloudwatch.set_state("ALARM")
    assert (cloudwatch.state(), cloudwatch.alarm()["StateReason"]) == ("ALARM", "testing")
    assert len(cloudwatch.mails()) == 1
    cloudwatch.to_minute(2)
    assert cloudwatch.state() == "OK"


def test_actions_run_on_a_change_of_state_and_not_again(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm(AlarmActions=[topic], OKActions=[topic], InsufficientDataActions=[topic])
    for minute, value in enumerate([0, 5, 5, 5, 5, 0]):
        cloudwatch.sample(minute, value)
    cloudwatch.to_minute(60)
    assert [mail["subject"] for mail in cloudwatch.mails()] == [
        'OK: "SSH Rejects" in EU (Ireland)',
        'ALARM: "SSH Rejects" in EU (Ireland)',
        'OK: "SSH Rejects" in EU (Ireland)',
        'INSUFFICIENT_DATA: "SSH Rejects" in EU (Ireland)',
    ]


def test_disabled_actions_do_not_run(cloudwatch):
    cloudwatch.put_alarm(AlarmActions=[cloudwatch.subscribed_topic()])
    cloudwatch.call("DisableAlarmActions", AlarmNames=["SSH Rejects"])
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    assert (cloudwatch.state(), cloudwatch.alarm()["ActionsEnabled"], cloudwatch.mails()) == ("ALARM", False, [])
    cloudwatch.call("EnableAlarmActions", AlarmNames=["SSH Rejects"])
    assert cloudwatch.alarm()["ActionsEnabled"] is True


def test_a_percentile(cloudwatch):
    cloudwatch.put_alarm(Statistic=None, ExtendedStatistic="p90", Threshold=91.0)
    for value in range(1, 101):
        cloudwatch.sample(0, value)
        cloudwatch.sample(1, value + 1)
    cloudwatch.to_minute(2)
    assert cloudwatch.transitions() == [(1, "OK"), (2, "ALARM")]


MATH = dict.fromkeys(("MetricName", "Namespace", "Statistic", "Period")) | {
    "Metrics": [
        {"Id": "share", "Expression": "100 * rejects / FILL(all, 1)"},
        {
            "Id": "rejects",
            "MetricStat": {"Metric": {"Namespace": "LabVPC", "MetricName": "SSHRejects"}, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        },
        {
            "Id": "all",
            "MetricStat": {"Metric": {"Namespace": "LabVPC", "MetricName": "Flows"}, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        },
    ],
    "Threshold": 50.0,
}


def test_metric_math(cloudwatch):
    cloudwatch.put_alarm(**MATH)
    for minute, (rejects, flows) in enumerate([(1, 10), (6, 10), (2, 10)]):
        cloudwatch.sample(minute, rejects)
        cloudwatch.sample(minute, flows, "Flows")
    cloudwatch.to_minute(3)
    assert cloudwatch.transitions() == [(1, "OK"), (2, "ALARM"), (3, "OK")]
    assert "[20.0 (02/11/26 09:02:00)] was not greater than or equal to" in cloudwatch.alarm()["StateReason"]


def test_a_composite_alarm_follows_its_children(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm(AlarmName="a", MetricName="a")
    cloudwatch.put_alarm(AlarmName="b c", MetricName="b")
    cloudwatch.put_composite("both", 'ALARM(a) AND ALARM("b c")', AlarmActions=[topic])
    cloudwatch.sample(0, metric="a")
    cloudwatch.to_minute(1)
    assert cloudwatch.state("both") == "OK"
    cloudwatch.sample(2, metric="b")
    cloudwatch.to_minute(3)
    alarm = cloudwatch.alarm("both")
    assert alarm["StateValue"] == "ALARM"
    assert alarm["StateReason"] == (
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:b c transitioned to ALARM "
        "at Monday 02 November, 2026 09:03:00 UTC"
    )
    assert [mail["subject"] for mail in cloudwatch.mails()] == ['ALARM: "both" in EU (Ireland)']
    cloudwatch.to_minute(60)
    assert cloudwatch.transitions("both") == [(0, "OK"), (3, "ALARM"), (13, "OK")]


def test_a_composite_alarm_on_a_composite_alarm(cloudwatch):
    cloudwatch.put_alarm(AlarmName="a")
    cloudwatch.put_composite("low", "ALARM(a)")
    cloudwatch.put_composite("high", "NOT OK(low)")
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    assert (cloudwatch.state("low"), cloudwatch.state("high")) == ("ALARM", "ALARM")


def test_a_new_composite_alarm_is_in_the_state_of_its_rule(cloudwatch):
    cloudwatch.put_alarm(AlarmName="a")
    cloudwatch.put_composite("c", "INSUFFICIENT_DATA(a)")
    assert cloudwatch.alarm("c")["StateReason"] == (
        "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:c was created and its alarm rule evaluates to ALARM"
    )


def test_an_alarm_without_data_costs_nothing(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(2)
    assert cloudwatch.sandbox.clock._events == []


def test_an_action_on_a_topic_that_is_gone_fails_and_is_told_in_the_history(cloudwatch):
    cloudwatch.put_alarm(AlarmActions=["arn:aws:sns:eu-west-1:123456789012:gone"])
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    items = cloudwatch.call("DescribeAlarmHistory", HistoryItemType="Action")["AlarmHistoryItems"]
    assert [item["HistorySummary"] for item in items] == [
        "Failed to execute action arn:aws:sns:eu-west-1:123456789012:gone"
    ]


def test_an_unknown_alarm_has_no_state_to_set(cloudwatch):
    with pytest.raises(ServiceError, match="ResourceNotFound") as caught:
        cloudwatch.call("SetAlarmState", AlarmName="nobody", StateValue="OK", StateReason="because")
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("percentile", "samples", "state"),
    [("p90", 99, "INSUFFICIENT_DATA"), ("p90", 100, "ALARM"), ("p10", 99, "INSUFFICIENT_DATA"), ("p10", 100, "ALARM")],
)
def test_a_percentile_of_too_few_samples_can_be_ignored(cloudwatch, percentile, samples, state):
    cloudwatch.put_alarm(Statistic=None, ExtendedStatistic=percentile, EvaluateLowSampleCountPercentile="ignore")
    for _ in range(samples):
        cloudwatch.sample(0, 5.0)
    cloudwatch.to_minute(1)
    assert cloudwatch.state() == state


@pytest.mark.parametrize("period", [60, 300])
@pytest.mark.parametrize("row", range(10))
@pytest.mark.parametrize("minutes_later", [1, 4])
def test_aws_tables_on_samples_of_the_past(cloudwatch, period, row, minutes_later):
    """Each row of the tables, its datapoints put before the alarm was made."""
    table = TABLES["tables"][row // 5]
    points, _, states = table["rows"][row % 5]
    for age, point in enumerate(reversed(points), start=1):
        if point != "-":
            cloudwatch.sample(-age * period / 60, {"O": 0.0, "X": 5.0}[point])
    for treatment in TABLES["treatments"]:
        cloudwatch.put_alarm(
            AlarmName=treatment,
            Period=period,
            EvaluationPeriods=3,
            DatapointsToAlarm=table["datapoints_to_alarm"],
            TreatMissingData=treatment,
        )
    cloudwatch.to_minute(minutes_later)
    found = [cloudwatch.state(treatment) for treatment in TABLES["treatments"]]
    assert found == [state or "INSUFFICIENT_DATA" for state in states]
