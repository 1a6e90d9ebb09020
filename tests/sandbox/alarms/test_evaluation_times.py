"""Evaluations that are left out would have changed nothing: a plain alarm, and one that is evaluated every minute."""

from random import Random

import pytest

from labkit.sandbox.alarms.evaluator import Evaluator


def history(cloudwatch, name, settings, samples):
    """When a new alarm changed its state, over three hours; samples are (minute put, minute of the sample, value)."""
    cloudwatch.start = cloudwatch.sandbox.clock.timestamp()
    cloudwatch.put_alarm(AlarmName=name, **settings)
    for put, minute, value in sorted(samples):
        cloudwatch.to_minute(put)
        cloudwatch.sample(minute, value)
    cloudwatch.to_minute(180)
    return cloudwatch.transitions(name)


@pytest.mark.parametrize("seed", range(12))
def test_leaving_evaluations_out_changes_nothing(cloudwatch, monkeypatch, seed):
    random = Random(seed)
    settings = {
        "Period": random.choice([60, 60, 120, 300, 600]),
        "EvaluationPeriods": random.randint(1, 4),
        "Threshold": 2.0,
        "TreatMissingData": random.choice(["missing", "ignore", "breaching", "notBreaching"]),
        "Statistic": random.choice(["Sum", "Maximum", "SampleCount"]),
    }
    settings["DatapointsToAlarm"] = random.randint(1, settings["EvaluationPeriods"])
    minutes = [random.randint(0, 100) for _ in range(random.choice([1, 3, 20]))]
    samples = [(minute + random.choice([0, 0.5, 3, 7]), minute, random.randint(0, 3)) for minute in minutes]
    found = history(cloudwatch, "sometimes", settings, samples)
    cloudwatch.sandbox.clock.advance(86400)
    monkeypatch.setattr(Evaluator, "_schedule_next", lambda self, alarm, *_: self.wake(alarm))
    assert history(cloudwatch, "every minute", settings, samples) == found


def test_a_sample_that_comes_at_the_moment_of_an_evaluation_waits_for_the_next_one(cloudwatch):
    """Whether or not the alarm slept: the delivery was on the clock before the evaluation was."""
    for metric in ("busy", "quiet"):
        cloudwatch.put_alarm(AlarmName=metric, MetricName=metric, Threshold=5.0, Period=120)
        cloudwatch.sandbox.clock.call_at(
            cloudwatch.start + 300, lambda metric=metric: cloudwatch.sample(3, 9.0, metric), name="late sample"
        )
    for minute in (0, 1, 2):
        cloudwatch.sample(minute, 1.0, "busy")
    cloudwatch.to_minute(10)
    assert cloudwatch.transitions("quiet") == [(6, "ALARM")]
    assert cloudwatch.transitions("busy") == [(1, "OK"), (6, "ALARM")]


def test_alarms_that_are_due_together_share_an_event(cloudwatch):
    for number in range(50):
        cloudwatch.put_alarm(AlarmName=f"alarm {number}")
    assert len(cloudwatch.sandbox.clock._events) == 1
    cloudwatch.sample(0)
    cloudwatch.call("DeleteAlarms", AlarmNames=["alarm 7"])
    cloudwatch.to_minute(1)
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in cloudwatch.call("DescribeAlarms")["MetricAlarms"]}
    assert set(states.values()) == {"ALARM"}
    assert len(states) == 49
