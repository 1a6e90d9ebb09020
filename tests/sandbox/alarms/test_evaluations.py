"""Alarms over minutes: which datapoints bring which state, when, and what changes it without any.

The sequences in evaluations.json follow the User Guide's rules: values of one minute after the other, those of one
minute with commas, `-` for a minute without; transitions are (minute, state).
"""

import json
from pathlib import Path

import pytest

from tests.sandbox.alarms.cloudwatch import ALARM, REGION
from tests.sandbox.alarms.test_evaluator import MATH

CASES = json.loads(Path(__file__).with_name("evaluations.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_sequence_of_datapoints(cloudwatch, case):
    cloudwatch.put_alarm(**case["settings"])
    minutes = case["values"].split()
    for minute, values in enumerate(minutes):
        for value in values.split(","):
            if value != "-":
                cloudwatch.sample(minute, float(value))
    cloudwatch.to_minute(len(minutes))
    assert cloudwatch.transitions() == [tuple(transition) for transition in case["transitions"]]


@pytest.mark.parametrize(
    ("percentile", "enough"),
    [("p99.9", 10000), ("p99", 1000), ("p95", 200), ("p90", 100), ("p75", 40), ("p50", 20), ("p25", 40), ("p5", 200)],
)
def test_how_many_samples_a_percentile_rests_on(cloudwatch, percentile, enough):
    """10/(1-percentile) samples, below the median 10/percentile ("Percentile-based alarms and low data samples")."""
    settings = {"Statistic": None, "ExtendedStatistic": percentile, "MetricName": "Latency"}
    cloudwatch.put_alarm(**settings, AlarmName="ignoring", EvaluateLowSampleCountPercentile="ignore")
    cloudwatch.put_alarm(**settings, AlarmName="evaluating", EvaluateLowSampleCountPercentile="evaluate")
    cloudwatch.put_alarm(**settings, AlarmName="unsaid")
    for minute, count in enumerate([enough - 1, enough]):
        time = cloudwatch.start + 60 * minute
        cloudwatch.sandbox.cloudwatch.record(REGION, "LabVPC", "Latency", {}, time, 5.0, count=count)
    cloudwatch.to_minute(2)
    assert cloudwatch.transitions("ignoring") == [(2, "ALARM")]
    assert cloudwatch.transitions("evaluating") == cloudwatch.transitions("unsaid") == [(1, "ALARM")]


def test_few_samples_do_not_matter_to_other_statistics(cloudwatch):
    cloudwatch.put_alarm(EvaluateLowSampleCountPercentile="ignore")
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    assert cloudwatch.state() == "ALARM"


def test_an_alarm_may_be_made_before_its_metric(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.to_minute(3 * 1440)
    cloudwatch.sample(3 * 1440)
    cloudwatch.to_minute(3 * 1440 + 1)
    assert cloudwatch.transitions() == [(3 * 1440 + 1, "ALARM")]


def test_another_set_of_dimensions_is_another_metric(cloudwatch):
    cloudwatch.put_alarm(Dimensions=[{"Name": "Eni", "Value": "eni-1"}])
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    assert cloudwatch.state() == "INSUFFICIENT_DATA"


def test_a_unit_that_the_metric_does_not_have_leaves_the_alarm_without_data(cloudwatch):
    """PutMetricAlarm, Unit: the alarm is stuck in INSUFFICIENT_DATA then."""
    cloudwatch.put_alarm(Unit="Bytes")
    cloudwatch.sample(0, unit="Count")
    cloudwatch.to_minute(30)
    assert cloudwatch.transitions() == []


def test_a_short_period_gets_no_data_of_the_minutes_between_for_a_metric_of_minutes(cloudwatch):
    """PutMetricAlarm, Period: such an alarm often lapses into INSUFFICIENT_DATA."""
    cloudwatch.put_alarm(Period=10)
    cloudwatch.sample(0)
    cloudwatch.to_minute(5)
    assert cloudwatch.transitions()[-1][1] == "INSUFFICIENT_DATA"


@pytest.mark.parametrize("period", [10, 20, 30])
def test_high_resolution_alarms_are_evaluated_every_ten_seconds(cloudwatch, period):
    cloudwatch.put_alarm(Period=period)
    datum = {"MetricName": "SSHRejects", "Value": 1.0, "StorageResolution": 1}
    cloudwatch.to_minute(41 / 60)
    cloudwatch.call("PutMetricData", Namespace="LabVPC", MetricData=[datum])
    cloudwatch.to_minute(2)
    assert cloudwatch.transitions()[0] == (pytest.approx(50 / 60), "ALARM")


def with_expression(expression, **settings):
    _, rejects, flows = MATH["Metrics"]
    watched = {"Id": "share", "Expression": expression}
    used = [query for query in (rejects, flows) if query["Id"] in expression]
    return MATH | {"Metrics": [watched, *used]} | settings


def test_a_metric_that_is_silent_counts_as_zero_in_the_expression_of_an_alarm(cloudwatch):
    cloudwatch.put_alarm(**with_expression("all - rejects", Threshold=5.0))
    for minute, (flows, rejects) in enumerate([(3, None), (7, 4), (7, None), (None, 2)]):
        for metric, value in (("Flows", flows), ("SSHRejects", rejects)):
            if value is not None:
                cloudwatch.sample(minute, value, metric)
    cloudwatch.to_minute(4)
    assert cloudwatch.transitions() == [(1, "OK"), (3, "ALARM"), (4, "OK")]


def test_a_division_by_zero_is_a_missing_datapoint_of_an_alarm(cloudwatch):
    cloudwatch.put_alarm(**with_expression("rejects / all", TreatMissingData="breaching", Threshold=2.0))
    cloudwatch.sample(0, 1)
    cloudwatch.sample(0, 1, "Flows")
    cloudwatch.to_minute(1)
    assert cloudwatch.state() == "OK"
    cloudwatch.sample(20, 1)
    cloudwatch.to_minute(21)
    assert cloudwatch.state() == "ALARM"


def test_an_expression_with_filled_gaps_always_has_a_datapoint(cloudwatch):
    cloudwatch.put_alarm(**with_expression("FILL(rejects, 0)", Threshold=1.0))
    cloudwatch.sample(2)
    cloudwatch.to_minute(60)
    assert cloudwatch.transitions() == [(1, "OK"), (3, "ALARM"), (4, "OK")]


def test_an_expression_that_its_datapoints_make_impossible_has_none(cloudwatch):
    """From two on there is no series left to take the differences of."""
    cloudwatch.put_alarm(**with_expression("DIFF(IF(MAX(rejects) >= 2, 1, rejects))", TreatMissingData="breaching"))
    cloudwatch.sample(0, 0)
    cloudwatch.sample(1, 0)
    cloudwatch.to_minute(2)
    assert cloudwatch.state() == "OK"
    cloudwatch.sample(2, 2)
    cloudwatch.to_minute(3)
    assert cloudwatch.state() == "ALARM"


def test_calendar_days_around_a_change_of_the_clocks_are_evaluated_each_at_its_length(cloudwatch):
    """Winter time began in New York on 1 November 2026, a day of 25 hours."""
    window = {"WallClockWindow": {"Timezone": "America/New_York"}}
    cloudwatch.put_alarm(Period=86400, EvaluationPeriods=2, DatapointsToAlarm=1, EvaluationWindow=window)
    cloudwatch.sample(-60 * 28.5)
    cloudwatch.to_minute(63)
    assert cloudwatch.state() == "ALARM"
    assert "(01/11/26 04:00:00)" in cloudwatch.alarm()["StateReason"]


def test_an_expression_with_the_time_of_day_is_evaluated_without_new_samples(cloudwatch):
    """In ALARM from ten o'clock on, when the last complete minute is one of the eleventh hour."""
    cloudwatch.put_alarm(**with_expression("HOUR(rejects)", Threshold=10.0))
    cloudwatch.to_minute(180)
    assert cloudwatch.transitions() == [(1, "OK"), (61, "ALARM")]


def test_alarms_on_one_metric_go_each_by_its_own_settings(cloudwatch):
    for threshold in (1.0, 5.0, 9.0):
        cloudwatch.put_alarm(AlarmName=f"over {threshold}", Threshold=threshold)
    cloudwatch.sample(0, 5)
    cloudwatch.to_minute(1)
    states = [cloudwatch.state(f"over {threshold}") for threshold in (1.0, 5.0, 9.0)]
    assert states == ["ALARM", "ALARM", "OK"]


def test_an_alarm_of_another_region_does_not_see_the_metric(cloudwatch):
    cloudwatch.put_alarm()
    cloudwatch.call("PutMetricAlarm", region="us-east-1", **ALARM)
    cloudwatch.sample(0)
    cloudwatch.to_minute(1)
    (far,) = cloudwatch.call("DescribeAlarms", region="us-east-1")["MetricAlarms"]
    assert (cloudwatch.state(), far["StateValue"]) == ("ALARM", "INSUFFICIENT_DATA")
