"""The alarm's life in words and as a picture: once on the sandbox, and from histories as CloudWatch writes them."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from labkit.lab.errors import LabError
from labkit.phases import alarm, alarm_story
from labkit.show.pictures import Picture

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
LATER = NINE + timedelta(weeks=2)


def clock(minute, second=0):
    return NINE + timedelta(minutes=minute, seconds=second)


def written(moment):
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def item(kind, moment, data):
    return {"HistoryItemType": kind, "Timestamp": moment, "HistoryData": json.dumps(data)}


def created(moment):
    return item("ConfigurationUpdate", moment, {"type": "Create", "version": "1.0"})


def update(moment, before, state, evaluated=None, *, looked=None, data=None):
    """A change of state; `evaluated` is what the alarm saw, None for a minute without a datapoint."""
    if evaluated is not None:
        points = [
            {"timestamp": written(at)} | ({"sampleCount": 1.0, "value": value} if value is not None else {})
            for at, value in evaluated.items()
        ]
        data = {"version": "1.0", "queryDate": written(looked or moment), "evaluatedDatapoints": points}
    new = {"stateValue": state, "stateReason": "as CloudWatch says"} | ({"stateReasonData": data} if data else {})
    return item("StateUpdate", moment, {"version": "1.0", "oldState": {"stateValue": before}, "newState": new})


def told(moment, topic="SomeTopic", **more):
    arn = f"arn:aws:sns:eu-west-1:123456789012:{topic}"
    return item("Action", moment, {"actionState": "Succeeded", "notificationResource": arn} | more)


def event(started, ingested, source="203.0.113.9"):
    seconds = round(started.timestamp())
    message = f"2 123456789012 eni-1 {source} 10.0.1.10 4022 22 6 1 60 {seconds} {seconds + 15} REJECT OK"
    return {"message": message, "timestamp": seconds * 1000, "ingestionTime": round(ingested.timestamp() * 1000)}


class Pages:
    def __init__(self, **members):
        self.members = members

    def paginate(self, **asked):
        return [self.members]


class Client:
    """Answers with what the test wrote; histories in CloudWatch's order, the latest first."""

    def __init__(self, settings, history, events):
        self.settings, self.history, self.events, self.asked = settings, history, events, {}

    def describe_alarms(self, **_):
        return {"MetricAlarms": [self.settings] if self.settings else []}

    def get_metric_statistics(self, **asked):
        self.asked = asked
        return {"Datapoints": [{"Timestamp": clock(9), asked["Statistics"][0]: 2.0}]}

    def get_paginator(self, name):
        if name == "filter_log_events":
            return Pages(events=self.events)
        return Pages(AlarmHistoryItems=list(reversed(self.history)))


class WrittenLab:
    """As much of a lab as the story asks for."""

    region = "eu-west-1"

    def __init__(self, *history, events=(), now=None, **settings):
        self.answers = Client(dict(alarm.WANTED, StateValue="OK") | settings, list(history), list(events))
        self.time = now or clock(30)

    def client(self, service):
        return self.answers

    def now(self):
        return self.time


FIRED = update(clock(15, 2), "OK", "ALARM", {clock(9): 2.0}, looked=clock(15))


def rows(lab):
    return list(alarm_story.why(lab).rows)


def test_the_story_of_a_firing_in_the_sandbox(lab):
    with pytest.raises(LabError, match=r"no alarm SSH Rejects yet: run create_alarm\(lab\) first"):
        alarm_story.timeline(lab)
    lab.catch_up(before="alarm")
    alarm.create_alarm(lab)
    with pytest.raises(LabError, match="has not been in ALARM yet"):
        alarm_story.why(lab)
    assert "first INSUFFICIENT_DATA." in str(alarm_story.timeline(lab))
    alarm.provoke_rejected_ssh(lab)
    alarm.watch_alarm(lab)
    moments, words = zip(*rows(lab), strict=True)
    assert list(moments) == sorted(moments)
    assert len(words) == 5
    assert "tried SSH, and was rejected" in words[0]
    assert "came to VPCFlowLogs" in words[1]
    assert "the sum of ssh-rejects was" in words[2]
    assert "from INSUFFICIENT_DATA to ALARM" in words[3]
    assert "Default_CloudWatch_Alarms_Topic, which sends the mail" in words[4]
    shown = alarm_story.timeline(lab)
    assert isinstance(shown, Picture)
    assert f"first INSUFFICIENT_DATA, from {moments[3][:5]} ALARM." in str(shown)
    assert f"record delivered {moments[1][:5]}; alarm looked {moments[2][:5]}" in str(shown)


def test_each_step_has_its_own_clock():
    lab = WrittenLab(created(clock(1)), FIRED, told(clock(15, 2)), events=[event(clock(9, 5), clock(14, 20))])
    assert rows(lab) == [
        ("09:09:05", "203.0.113.9 tried SSH, and was rejected."),
        (
            "09:14:20",
            "The record of it came to VPCFlowLogs, 5 min 15 s later. "
            "The filter counted it into the minute of the attempt, 09:09, not into that of its coming.",
        ),
        (
            "09:15:00",
            "The alarm looked, 40 s after the record had come: from 09:09 to 09:10 the sum of ssh-rejects was 2. "
            "It waits for at least 1, so that was enough.",
        ),
        ("09:15:02", "It went from OK to ALARM, 5 min 57 s after the attempt."),
        ("09:15:02", "It told the topic SomeTopic, which sends the mail."),
    ]
    assert alarm_story.why(lab).title == "Why SSH Rejects went to ALARM at 09:15:02 UTC"


def test_of_several_records_the_first_to_come_is_told():
    events = [event(clock(9, 1), clock(14, 50), "198.51.100.7"), event(clock(9, 7), clock(14, 10), "192.0.2.4")]
    assert rows(WrittenLab(FIRED, events=events))[0] == ("09:09:07", "192.0.2.4 tried SSH, and was rejected.")


def test_a_record_that_came_after_the_look_is_not_what_it_saw():
    told_rows = rows(WrittenLab(FIRED, events=[event(clock(9, 5), clock(15, 1))]))
    assert [words.split(":")[0] for _, words in told_rows] == ["The alarm looked", "It went from OK to ALARM."]


@pytest.mark.parametrize(
    ("comparison", "threshold", "seen", "words"),
    [
        ("GreaterThanOrEqualToThreshold", 5.0, {clock(8): 5.0, clock(9): 4.0}, "from 09:08 to 09:09"),
        ("GreaterThanThreshold", 4.0, {clock(8): 5.0, clock(9): 4.0}, "It waits for more than 4"),
        ("LessThanThreshold", 5.0, {clock(8): 5.0, clock(9): 4.0}, "from 09:09 to 09:10"),
        ("LessThanOrEqualToThreshold", 4.0, {clock(8): None, clock(9): 4.0}, "It waits for at most 4"),
    ],
)
def test_it_names_the_minute_that_crossed_and_how_it_compares(comparison, threshold, seen, words):
    fired = update(clock(15), "OK", "ALARM", seen)
    (_, look), *_ = rows(WrittenLab(fired, ComparisonOperator=comparison, Threshold=threshold))
    assert words in look


@pytest.mark.parametrize("data", [None, "not JSON"])
def test_a_state_set_by_hand_is_told_by_its_reason(data):
    lab = WrittenLab(update(clock(15), "OK", "ALARM", data=data))
    assert rows(lab) == [
        ("09:15:00", "Somebody set the state by hand (SetAlarmState), and said why: as CloudWatch says"),
        ("09:15:00", "It went from OK to ALARM. That lasts until the next look at the metric."),
    ]
    assert "set by hand 09:15" in str(alarm_story.timeline(lab))


def test_missing_data_that_counts_as_breaching_is_told_in_words():
    lab = WrittenLab(update(clock(15), "OK", "ALARM", {clock(14): None}), TreatMissingData="breaching")
    assert [words for _, words in rows(lab)] == [
        "The alarm looked, and found no datapoint as far back as it looks. It takes missing ones for breaching "
        "(TreatMissingData), so that was enough.",
        "It went from OK to ALARM.",
    ]
    assert "alarm looked 09:15" in str(alarm_story.timeline(lab))


def test_what_cannot_be_told_otherwise_is_told_by_cloudwatchs_reason():
    lab = WrittenLab(update(clock(15), "OK", "ALARM", {clock(14): None}))
    assert rows(lab)[0] == ("09:15:00", "The alarm looked. CloudWatch's reason: as CloudWatch says")


@pytest.mark.parametrize(
    ("seen", "treatment", "end"),
    [
        ({0: 2.0, 1: 0.0, 2: 3.0}, "missing", "in 2 of its datapoints (2 at 09:00, 3 at 09:02). It waits for 2 of 3, "),
        ({0: None, 1: None, 2: 3.0}, "breaching", "It waits for 2 of 3, and takes missing ones for breaching, so "),
        ({0: None, 1: 3.0, 2: None}, "missing", "It waits for 2 of 3. The others were missing, and these had waited "),
    ],
)
def test_of_several_datapoints_those_are_told_that_crossed(seen, treatment, end):
    fired = update(clock(3), "OK", "ALARM", {clock(minute): value for minute, value in seen.items()})
    lab = WrittenLab(fired, EvaluationPeriods=3, DatapointsToAlarm=2, TreatMissingData=treatment)
    (_, look), *_ = rows(lab)
    assert look.startswith("The alarm looked: the sum of ssh-rejects was at least 1 in ")
    assert end in look


def test_a_failed_action_is_told_with_its_error():
    failed = told(clock(15, 2), actionState="Failed", error="the topic is gone")
    assert rows(WrittenLab(FIRED, failed))[-1][1] == "It could not tell the topic SomeTopic: the topic is gone"


def test_of_two_firings_the_last_is_explained_with_its_own_action():
    again = update(clock(55), "INSUFFICIENT_DATA", "ALARM", {clock(50): 1.0})
    lab = WrittenLab(FIRED, told(clock(15, 2), "First"), again, told(clock(55), "Second"), now=clock(58))
    assert [moment for moment, _ in rows(lab)] == ["09:55:00"] * 3
    assert "Second" in rows(lab)[-1][1]


def test_an_earlier_alarm_of_the_same_name_is_left_out():
    lab = WrittenLab(FIRED, created(clock(20)), now=clock(25))
    with pytest.raises(LabError, match=r"has not been in ALARM yet: wait for it with watch_alarm\(lab\)"):
        alarm_story.why(lab)
    assert str(alarm_story.timeline(lab)).endswith("threshold 1; first OK.")


def test_the_picture_follows_the_states_until_now():
    back = update(clock(26), "ALARM", "INSUFFICIENT_DATA", {clock(25): None})
    lab = WrittenLab(created(clock(1)), FIRED, back, events=[event(clock(9, 5), clock(14))], now=clock(40))
    assert str(alarm_story.timeline(lab)) == (
        "Chart: When the alarm fired, and why: datapoints 2 at 09:09; threshold 1; record delivered 09:14; "
        "alarm looked 09:15; first OK, from 09:15 ALARM, from 09:26 INSUFFICIENT_DATA."
    )
    asked = lab.answers.asked
    assert (asked["StartTime"], asked["EndTime"], asked["Period"]) == (clock(4), clock(40), 60)
    assert (asked["Namespace"], asked["MetricName"]) == ("VPC Flow Logs", "ssh-rejects")


@pytest.mark.parametrize(
    ("history", "now", "begin", "end"),
    [
        ([FIRED], clock(30), clock(4), clock(30)),
        ([FIRED], clock(15, 3), clock(4), clock(20, 2)),  # a last state of a second is seen as well
        ([FIRED], LATER, clock(4), clock(124)),
        ([created(clock(9))], clock(9), clock(4), clock(14)),
        ([created(clock(9))], LATER, LATER - timedelta(hours=2), LATER),
        ([], clock(20), clock(3), clock(20)),
    ],
)
def test_the_picture_shows_the_time_that_matters(history, now, begin, end):
    lab = WrittenLab(*history, now=now, AlarmConfigurationUpdatedTimestamp=clock(8))
    alarm_story.timeline(lab)
    assert (lab.answers.asked["StartTime"], lab.answers.asked["EndTime"]) == (begin, end)


@pytest.mark.parametrize(
    "settings",
    [
        {"ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "band"},
        {"MetricName": None, "Statistic": None},
    ],
)
def test_an_alarm_of_another_kind_is_refused_in_words(settings):
    lab = WrittenLab(FIRED, **settings)
    lab.answers.settings = {name: value for name, value in lab.answers.settings.items() if value is not None}
    with pytest.raises(LabError, match=r"can't be explained here: run create_alarm\(lab\) to put it right"):
        alarm_story.why(lab)
