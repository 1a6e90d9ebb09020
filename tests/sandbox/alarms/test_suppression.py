import pytest

from labkit.sandbox.service import ServiceError


@pytest.fixture
def suppressed(cloudwatch):
    """A composite alarm `top` on the alarm `cause`; the alarm `deploying` holds its actions back."""
    topic = cloudwatch.subscribed_topic()
    for name in ("cause", "deploying"):
        cloudwatch.put_alarm(AlarmName=name, MetricName=name, TreatMissingData="ignore")
    cloudwatch.call(
        "PutCompositeAlarm",
        AlarmName="top",
        AlarmRule="ALARM(cause)",
        AlarmActions=[topic],
        ActionsSuppressor="deploying",
        ActionsSuppressorWaitPeriod=120,
        ActionsSuppressorExtensionPeriod=300,
    )
    return cloudwatch


def set_state(cloudwatch, name, state):
    cloudwatch.call("SetAlarmState", AlarmName=name, StateValue=state, StateReason="testing")


def held_back_by(cloudwatch):
    return cloudwatch.alarm("top").get("ActionsSuppressedBy")


def test_the_actions_wait_for_the_suppressor(suppressed):
    set_state(suppressed, "cause", "ALARM")
    assert (suppressed.state("top"), held_back_by(suppressed), suppressed.mails()) == ("ALARM", "WaitPeriod", [])
    assert suppressed.alarm("top")["ActionsSuppressedReason"] == "Actions suppressed by WaitPeriod"
    suppressed.to_minute(1.9)
    assert suppressed.mails() == []
    suppressed.to_minute(2)
    assert len(suppressed.mails()) == 1
    assert held_back_by(suppressed) is None


def test_a_suppressor_that_comes_in_time_holds_them_back(suppressed):
    set_state(suppressed, "cause", "ALARM")
    suppressed.to_minute(1)
    set_state(suppressed, "deploying", "ALARM")
    suppressed.to_minute(60)
    assert (held_back_by(suppressed), suppressed.mails()) == ("Alarm", [])


def test_a_suppressor_in_alarm_holds_them_back_at_once(suppressed):
    set_state(suppressed, "deploying", "ALARM")
    set_state(suppressed, "cause", "ALARM")
    assert (held_back_by(suppressed), suppressed.mails()) == ("Alarm", [])


def test_after_the_suppressor_they_wait_once_more(suppressed):
    set_state(suppressed, "deploying", "ALARM")
    set_state(suppressed, "cause", "ALARM")
    suppressed.to_minute(10)
    set_state(suppressed, "deploying", "OK")
    assert held_back_by(suppressed) == "ExtensionPeriod"
    suppressed.to_minute(14.9)
    assert suppressed.mails() == []
    suppressed.to_minute(15)
    assert [mail["subject"] for mail in suppressed.mails()] == ['ALARM: "top" in EU (Ireland)']


def test_an_alarm_that_is_over_by_then_is_not_told(suppressed):
    set_state(suppressed, "cause", "ALARM")
    set_state(suppressed, "cause", "OK")
    assert (suppressed.state("top"), held_back_by(suppressed)) == ("OK", None)
    suppressed.to_minute(60)
    assert suppressed.mails() == []


def test_a_deleted_alarm_acts_no_more(suppressed):
    set_state(suppressed, "cause", "ALARM")
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
        suppressed.call("PutCompositeAlarm", AlarmName="other", AlarmRule="ALARM(cause)", **settings)
