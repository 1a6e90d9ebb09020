import pytest

from labkit.sandbox.kernel.errors import ServiceError


@pytest.fixture
def suppressed(cloudwatch):
    """A composite alarm `top` on the alarm `cause`; the alarm `deploying` holds its actions back."""
    topic = cloudwatch.subscribed_topic()
    for name in ("cause", "deploying"):
        cloudwatch.put_alarm(AlarmName=name, MetricName=name, TreatMissingData="ignore")
    cloudwatch.put_composite(
        "top",
        "ALARM(cause)",
        AlarmActions=[topic],
        ActionsSuppressor="deploying",
        ActionsSuppressorWaitPeriod=120,
        ActionsSuppressorExtensionPeriod=300,
    )
    return cloudwatch


def held_back_by(cloudwatch):
    return cloudwatch.alarm("top").get("ActionsSuppressedBy")


def test_the_actions_wait_for_the_suppressor(suppressed):
    suppressed.set_state("ALARM", "cause")
    assert (suppressed.state("top"), held_back_by(suppressed), suppressed.mails()) == ("ALARM", "WaitPeriod", [])
    assert suppressed.alarm("top")["ActionsSuppressedReason"] == "Actions suppressed by WaitPeriod"
    suppressed.to_minute(1.9)
    assert suppressed.mails() == []
    suppressed.to_minute(2)
    assert len(suppressed.mails()) == 1
    assert held_back_by(suppressed) is None


def test_a_suppressor_that_comes_in_time_holds_them_back(suppressed):
    suppressed.set_state("ALARM", "cause")
    suppressed.to_minute(1)
    suppressed.set_state("ALARM", "deploying")
    suppressed.to_minute(60)
    assert (held_back_by(suppressed), suppressed.mails()) == ("Alarm", [])


def test_a_suppressor_in_alarm_holds_them_back_at_once(suppressed):
    suppressed.set_state("ALARM", "deploying")
    suppressed.set_state("ALARM", "cause")
    assert (held_back_by(suppressed), suppressed.mails()) == ("Alarm", [])


def test_after_the_suppressor_they_wait_once_more(suppressed):
    suppressed.set_state("ALARM", "deploying")
    suppressed.set_state("ALARM", "cause")
    suppressed.to_minute(10)
    suppressed.set_state("OK", "deploying")
    assert held_back_by(suppressed) == "ExtensionPeriod"
    suppressed.to_minute(14.9)
    assert suppressed.mails() == []
    suppressed.to_minute(15)
    assert [mail["subject"] for mail in suppressed.mails()] == ['ALARM: "top" in EU (Ireland)']


def test_an_alarm_that_is_over_by_then_is_not_told(suppressed):
    suppressed.set_state("ALARM", "cause")
    suppressed.set_state("OK", "cause")
    assert (suppressed.state("top"), held_back_by(suppressed)) == ("OK", "WaitPeriod")
    suppressed.to_minute(60)
    assert (held_back_by(suppressed), suppressed.mails()) == (None, [])


def test_a_deleted_alarm_acts_no_more(suppressed):
    suppressed.set_state("ALARM", "cause")
    suppressed.call("DeleteAlarms", AlarmNames=["top"])
    suppressed.to_minute(60)
    assert suppressed.mails() == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ActionsSuppressor": "cause"}, "must be specified together"),
        ({"ActionsSuppressorWaitPeriod": 60}, "must be specified together"),
        (
            {
                "ActionsSuppressor": "nobody",
                "ActionsSuppressorWaitPeriod": 60,
                "ActionsSuppressorExtensionPeriod": 60,
            },
            "Could not find the alarm of ActionsSuppressor: nobody",
        ),
    ],
)
def test_a_suppressor_that_is_refused(suppressed, settings, message):
    with pytest.raises(ServiceError, match=message):
        suppressed.put_composite("other", "ALARM(cause)", **settings)


@pytest.fixture
def example(cloudwatch):
    """The guide's examples: a wait of 2 units of time and an extension of 3; a unit is a minute here."""
    topic = cloudwatch.subscribed_topic()
    for name in ("cause", "deploying"):
        cloudwatch.put_alarm(AlarmName=name, MetricName=name, TreatMissingData="ignore")
        cloudwatch.set_state("OK", name)
    periods = {"ActionsSuppressorWaitPeriod": 120, "ActionsSuppressorExtensionPeriod": 180}
    actions = {"AlarmActions": [topic], "OKActions": [topic]}
    cloudwatch.put_composite("top", "ALARM(cause)", ActionsSuppressor="deploying", **periods, **actions)
    return cloudwatch


def told(cloudwatch):
    """(unit of time, state) of what was told from t0 on, ten minutes after the start."""
    found = [(int(mail["at"][14:16]) - 10, mail["subject"].partition(":")[0]) for mail in cloudwatch.mails()]
    return [(unit, state) for unit, state in found if unit >= 0]


CAUSE, OVER = ("ALARM", "cause"), ("OK", "cause")
DEPLOYING, DEPLOYED = ("ALARM", "deploying"), ("OK", "deploying")
EXAMPLES = {
    "actions are taken after the wait": ({2: CAUSE}, {3: "WaitPeriod", 4: None}, [(4, "ALARM")]),
    "a suppressor in alarm before the wait is over stops them": (
        {2: CAUSE, 3: DEPLOYING},
        {3: "Alarm", 9: "Alarm"},
        [],
    ),
    "another state while they wait waits anew and is the one that is told": (
        {2: CAUSE, 3: OVER},
        {4: "WaitPeriod", 5: None},
        [(5, "OK")],
    ),
    "changes under a suppressor in alarm are not told": (
        {1: DEPLOYING, 2: CAUSE, 4: OVER, 6: CAUSE},
        {2: "Alarm", 6: "Alarm", 9: "Alarm"},
        [],
    ),
    "actions are taken after the extension": (
        {1: DEPLOYING, 2: CAUSE, 5: DEPLOYED},
        {4: "Alarm", 7: "ExtensionPeriod", 8: None},
        [(8, "ALARM")],
    ),
    "another state in the extension waits from then on": (
        {1: DEPLOYING, 2: CAUSE, 5: DEPLOYED, 6: OVER},
        {5: "ExtensionPeriod", 6: "WaitPeriod", 8: None},
        [(8, "OK")],
    ),
    "a suppressor that comes back in the extension stops them again": (
        {1: DEPLOYING, 2: CAUSE, 5: DEPLOYED, 6: DEPLOYING},
        {5: "ExtensionPeriod", 6: "Alarm", 19: "Alarm"},
        [],
    ),
    "a suppressor in alarm has no part in what was told before": (
        {2: CAUSE, 6: DEPLOYING, 8: DEPLOYED},
        {4: None, 6: None, 8: None},
        [(4, "ALARM")],
    ),
    "an alarm that is over under the suppressor is told as over after the extension": (
        {1: DEPLOYING, 2: CAUSE, 4: OVER, 5: DEPLOYED},
        {5: "ExtensionPeriod", 8: None},
        [(8, "OK")],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_holds_the_actions_back_and_when_they_are_taken(example, name):
    states, held, expected = EXAMPLES[name]
    for unit in range(20):
        example.to_minute(10 + unit)
        if unit in states:
            example.set_state(*states[unit])
        if unit in held:
            assert held_back_by(example) == held[unit]
    assert told(example) == expected


def test_without_a_wait_actions_are_taken_at_once(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    for name in ("cause", "deploying"):
        cloudwatch.put_alarm(AlarmName=name, MetricName=name, TreatMissingData="ignore")
    periods = {"ActionsSuppressorWaitPeriod": 0, "ActionsSuppressorExtensionPeriod": 0}
    arn = cloudwatch.alarm("deploying")["AlarmArn"]
    cloudwatch.put_composite("top", "ALARM(cause)", ActionsSuppressor=arn, **periods, AlarmActions=[topic])
    cloudwatch.set_state("ALARM", "deploying")
    cloudwatch.set_state("ALARM", "cause")
    assert cloudwatch.mails() == []
    cloudwatch.set_state("OK", "deploying")
    assert [mail["subject"] for mail in cloudwatch.mails()] == ['ALARM: "top" in EU (Ireland)']


def test_a_suppressor_may_be_a_composite_alarm(cloudwatch):
    topic = cloudwatch.subscribed_topic()
    cloudwatch.put_alarm(AlarmName="cause", MetricName="cause", TreatMissingData="ignore")
    cloudwatch.put_composite("deploying", "TRUE")
    periods = {"ActionsSuppressorWaitPeriod": 60, "ActionsSuppressorExtensionPeriod": 60}
    cloudwatch.put_composite("top", "ALARM(cause)", ActionsSuppressor="deploying", **periods, AlarmActions=[topic])
    cloudwatch.set_state("ALARM", "cause")
    assert held_back_by(cloudwatch) == "Alarm"
    cloudwatch.put_composite("deploying", "FALSE")
    cloudwatch.to_minute(1)
    assert len(cloudwatch.mails()) == 1


def test_what_holds_the_actions_back_is_described_with_the_periods(example):
    example.set_state("ALARM", "cause")
    alarm = example.alarm("top")
    assert (alarm["ActionsSuppressor"], alarm["ActionsSuppressedReason"]) == (
        "deploying",
        "Actions suppressed by WaitPeriod",
    )
    assert (alarm["ActionsSuppressorWaitPeriod"], alarm["ActionsSuppressorExtensionPeriod"]) == (120, 180)
