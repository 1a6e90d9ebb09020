"""The alarm: topic, subscription and settings, each absent, present but wrong, and right."""

import re

import pytest
from botocore.exceptions import ClientError

from labkit.checks.check import check
from labkit.lab.cloud import WaitedInVain
from labkit.lab.errors import LabError
from labkit.phases import alarm
from labkit.phases.alarm import ALARM_NAME, TOPIC_NAME, WANTED
from labkit.phases.inventory import take_inventory
from tests.phases.verdicts import absent, cases, item, named, wrong

KEY = "alarm"
TOPIC = f"topic {TOPIC_NAME}"
CASES = cases(__file__, "alarm.json")


@pytest.fixture(autouse=True)
def nothing_stays(lab):
    """Each test begins without topics, subscriptions and alarms."""
    yield
    sns, cloudwatch = lab.client("sns"), lab.client("cloudwatch")
    for each in sns.list_topics()["Topics"]:
        sns.delete_topic(TopicArn=each["TopicArn"])
    for each in sns.list_subscriptions()["Subscriptions"]:
        if each["SubscriptionArn"].startswith("arn:"):
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    cloudwatch.delete_alarms(AlarmNames=[each["AlarmName"] for each in cloudwatch.describe_alarms()["MetricAlarms"]])


@pytest.fixture
def topic(lab):
    return alarm.create_topic(lab).id


@pytest.fixture
def subscription(lab, topic):
    """What the check calls the learner's subscription."""
    return f"subscription of {lab.email}"


def put(lab, topic, differing):
    asked = {"AlarmName": ALARM_NAME, "AlarmActions": [topic], **WANTED}
    for name, value in differing.items():
        asked[name] = [each.replace("{topic}", topic) for each in value] if name.endswith("Actions") else value
    lab.client("cloudwatch").put_metric_alarm(**{name: value for name, value in asked.items() if value is not None})


def of_the_settings(found):
    """What is wrong with the settings, under their own names."""
    return {name.removeprefix(f"alarm {ALARM_NAME}: "): seen for name, seen in wrong(found).items()}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_each_setting_is_told_by_itself_and_put_right_by_the_lab(lab, topic, case):
    put(lab, topic, case["put"])
    found = check(KEY)
    assert of_the_settings(found) == case["wrong"]
    if case["wrong"]:
        first = item(found, f"alarm {ALARM_NAME}: {next(iter(case['wrong']))}")
        assert first.wanted == case["wanted"]
        assert "put it once more with the same name" in first.hint
    outcomes = [alarm.create_alarm(lab).outcome for _ in range(2)]
    assert outcomes == ["changed" if case["wrong"] else "already there", "already there"]
    assert of_the_settings(check(KEY)) == {}


def test_nothing_is_absent_topic_subscription_and_alarm(lab):
    found = check(KEY)
    assert absent(found) == [TOPIC, f"subscription of {lab.email}", f"alarm {ALARM_NAME}"]
    assert TOPIC_NAME in found.items[0].hint
    assert "e-mail as the protocol" in found.items[1].hint
    assert "VPC Flow Logs / ssh-rejects" in found.items[2].hint


def test_only_where_there_is_an_alarm_it_is_asked_whether_it_has_fired(lab, topic):
    assert "has been in ALARM" not in absent(check(KEY))
    put(lab, topic, {})
    found = check(KEY)
    assert "has been in ALARM" in absent(found)
    assert "provoke_rejected_ssh(lab)" in item(found, "has been in ALARM").hint


def test_an_alarm_that_has_been_in_alarm_stays_right_when_it_is_over(lab, topic):
    put(lab, topic, {})
    cloudwatch = lab.client("cloudwatch")
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=ALARM_NAME, StateValue=state, StateReason="a drill")
    assert "has been in ALARM" not in absent(check(KEY))


@pytest.mark.parametrize("name", ["ssh rejects", "SSH rejects", "SSHRejects", "SSH Rejects 2"])
def test_an_alarm_of_another_name_is_none(lab, topic, name):
    lab.client("cloudwatch").put_metric_alarm(AlarmName=name, AlarmActions=[topic], **WANTED)
    assert absent(check(KEY))[-1] == f"alarm {ALARM_NAME}"


@pytest.mark.parametrize("name", ["default_cloudwatch_alarms_topic", "My_Default_CloudWatch_Alarms_Topic", "alarms"])
def test_a_topic_of_another_name_is_none(lab, name):
    lab.client("sns").create_topic(Name=name)
    assert TOPIC in absent(check(KEY))


class TestSubscription:
    def test_is_absent_on_a_topic_without_any(self, lab, subscription):
        assert subscription in absent(check(KEY))

    def test_is_wrong_while_it_waits_for_the_link_to_be_followed(self, lab, subscription):
        alarm.subscribe_email(lab)
        found = check(KEY)
        assert wrong(found) == {subscription: "pending confirmation"}
        assert "Until then SNS sends nothing" in item(found, subscription).hint

    def test_is_right_when_it_is_confirmed(self, lab, subscription):
        alarm.subscribe_email(lab)
        alarm.confirm_subscription(lab)
        assert item(check(KEY), subscription).seen == "confirmed"

    @pytest.mark.parametrize(
        ("protocol", "endpoint"), [("email", "they@mycompany.io"), ("email-json", "learner@example.com")]
    )
    def test_of_another_address_or_protocol_is_told_with_the_one_that_is_wanted(
        self, lab, topic, subscription, protocol, endpoint
    ):
        lab.client("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        found = check(KEY)
        assert wrong(found) == {subscription: f"{protocol} {endpoint}"}
        assert item(found, subscription).wanted == f"email {lab.email}"

    def test_beside_that_of_a_colleague_is_the_one_that_counts(self, lab, topic, subscription):
        lab.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="they@mycompany.io")
        alarm.subscribe_email(lab)
        alarm.confirm_subscription(lab)
        assert subscription not in wrong(check(KEY)) | dict.fromkeys(absent(check(KEY)))

    def test_on_another_topic_is_none_on_the_labs(self, lab, subscription):
        other = lab.client("sns").create_topic(Name="other")["TopicArn"]
        lab.client("sns").subscribe(TopicArn=other, Protocol="email", Endpoint=lab.email)
        assert subscription in absent(check(KEY))

    def test_that_was_ended_is_asked_for_anew_and_made_anew(self, lab, topic, subscription):
        alarm.subscribe_email(lab)
        confirmed = alarm.confirm_subscription(lab)
        lab.client("sns").unsubscribe(SubscriptionArn=confirmed.details["ARN"])
        assert subscription in absent(check(KEY))
        assert alarm.subscribe_email(lab).outcome == "created"

    def test_that_sns_still_lists_as_deleted_counts_as_none_and_is_nothing_left(self, lab, topic, subscription):
        gone = {"SubscriptionArn": "Deleted", "Protocol": "email", "Endpoint": lab.email, "TopicArn": topic}
        events = lab.client("sns").meta.events
        hook = ("after-call.sns.ListSubscriptionsByTopic", lambda parsed, **_: parsed["Subscriptions"].append(gone))
        events.register(*hook)
        found, inventory = check(KEY), take_inventory(lab)
        events.unregister(*hook)
        assert subscription in absent(found)
        assert "subscription" not in {thing.kind for thing in inventory.made}

    def test_needs_a_mail_to_be_confirmed(self, lab):
        with pytest.raises(LabError, match=r"is not subscribed to .* yet: run subscribe_email\(lab\) first"):
            alarm.confirm_subscription(lab)

    def test_whose_topic_is_gone_says_what_to_do(self, lab, topic):
        alarm.subscribe_email(lab)
        lab.client("sns").delete_topic(TopicArn=topic)
        with pytest.raises(LabError, match=r"run subscribe_email\(lab\) first"):
            alarm.confirm_subscription(lab)


class TestWatching:
    @pytest.mark.parametrize("state", ["alarm", "Alarm", "", "INSUFFICIENT", "OKAY", None])
    def test_asks_for_a_state_that_an_alarm_can_have_before_it_waits(self, lab, topic, state):
        put(lab, topic, {})
        start = lab.now()
        with pytest.raises(LabError, match="an alarm has no such state; give one of OK, ALARM, INSUFFICIENT_DATA"):
            alarm.watch_alarm(lab, state=state)
        assert lab.now() == start

    def test_needs_an_alarm(self, lab):
        with pytest.raises(LabError, match=rf"There is no alarm {ALARM_NAME} yet: run create_alarm\(lab\) first"):
            alarm.watch_alarm(lab)

    def test_counts_a_change_that_was_over_at_once(self, lab, topic):
        put(lab, topic, {})
        cloudwatch = lab.client("cloudwatch")
        cloudwatch.set_alarm_state(AlarmName=ALARM_NAME, StateValue="ALARM", StateReason="a drill")
        cloudwatch.set_alarm_state(AlarmName=ALARM_NAME, StateValue="OK", StateReason="over")
        card = alarm.watch_alarm(lab)
        assert (card.status, card.details["Reason"]) == ("ALARM", "a drill")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", card.details["Changed"])

    def test_leaves_out_what_was_before_the_moment_given(self, lab, topic, let_pass):
        put(lab, topic, {})
        lab.client("cloudwatch").set_alarm_state(AlarmName=ALARM_NAME, StateValue="ALARM", StateReason="early")
        let_pass(1)
        assert alarm.watch_alarm(lab).status == "ALARM"
        with pytest.raises(WaitedInVain, match=f"for the alarm {ALARM_NAME} to be ALARM, in vain. See with check"):
            alarm.watch_alarm(lab, since=lab.now())

    def test_of_an_alarm_that_does_not_come_to_rest_says_why(self, lab, topic):
        start = lab.now()
        put(lab, topic, {"TreatMissingData": "breaching"})
        card = alarm.watch_alarm(lab, state="OK", since=start)
        assert (card.outcome, card.status) == ("has not been OK yet", "ALARM")
        assert "others are turned away at port 22 too" in card.details["Why"]


class TestReading:
    @pytest.mark.parametrize("minutes", [0, -5, "ten", None, True])
    def test_the_metric_wants_a_number_of_minutes(self, lab, minutes):
        with pytest.raises(LabError, match=rf"minutes={minutes!r}: give a number above 0, such as minutes=10"):
            alarm.read_metric(lab, minutes=minutes)

    def test_a_metric_without_datapoints_is_an_empty_frame_with_its_columns(self, lab):
        points = alarm.read_metric(lab)
        assert points.empty
        assert list(points.columns) == ["timestamp", "sum"]

    def test_datapoints_are_sums_of_a_minute_the_oldest_first(self, lab):
        now = lab.now().replace(second=0, microsecond=0)
        data = [
            {"MetricName": "ssh-rejects", "Timestamp": now.timestamp() - 60 * ago, "Value": value}
            for ago, value in ((2, 1), (2, 3), (5, 7))
        ]
        lab.client("cloudwatch").put_metric_data(Namespace="VPC Flow Logs", MetricData=data)
        assert list(alarm.read_metric(lab)["sum"]) == [7, 4]
        assert list(alarm.read_metric(lab, minutes=4)["sum"]) == [4]

    def test_an_empty_mailbox_says_so(self, lab, monkeypatch):
        monkeypatch.setattr(lab.cloud, "mails", lambda to: [])
        assert alarm.read_inbox(lab).text() == f"Mailbox of {lab.email}: no mail to be seen here"


def test_cleaning_up_says_of_each_what_became_of_it(lab, topic):
    alarm.create_alarm(lab)
    assert (
        str(alarm.clean_up(lab)) == f"Alarm {ALARM_NAME}: deleted. Topic {TOPIC_NAME} with its subscriptions: deleted."
    )
    assert str(alarm.clean_up(lab)).count("already gone") == 2


def test_an_alarm_that_aws_refuses_is_refused_in_its_words(lab, topic):
    with pytest.raises(ClientError, match="ValidationError"):
        put(lab, topic, {"Period": 45})
