"""The alarm on rejected SSH attempts, and the e-mail it sends.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from labkit.checks.check import Check
from labkit.checks.items import Item, absent, right, wrong
from labkit.lab import ledger
from labkit.lab.cloud import WaitedInVain
from labkit.lab.errors import LabError, require_one_of, require_positive
from labkit.lab.ledger import TAGS
from labkit.lab.session import Lab
from labkit.phases.metric_filter import METRIC_NAME, NAMESPACE
from labkit.phases.traffic import CLOSED_GROUP, OPEN_GROUP, connect_by_ssh, swap_security_group
from labkit.show import console
from labkit.show.cards import Card
from labkit.show.mailbox import Mailbox
from labkit.show.tables import Note

if TYPE_CHECKING:
    import pandas as pd

KEY = "alarm"
TOPIC_NAME = "Default_CloudWatch_Alarms_Topic"
ALARM_NAME = "SSH Rejects"
WANTED: Mapping[str, Any] = {
    "Namespace": NAMESPACE,
    "MetricName": METRIC_NAME,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}
"""What the alarm watches, as DescribeAlarms has it."""
CALM = ("missing", "notBreaching")
"""The accepted treatments of missing data: most minutes have no rejected attempt, and so no datapoint.

`breaching` would make the alarm fire without an attempt, `ignore` would never let it leave ALARM.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_CONFIRM_LINK = re.compile(r"https?://[^\s\"'<>]+")


def create_topic(lab: Lab) -> Card:
    """Make the topic `Default_CloudWatch_Alarms_Topic`; the card's `id` is its ARN."""
    mark = lab.calls.mark()
    arn, outcome = find_topic(lab), "already there"
    if not arn:
        tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
        arn, outcome = lab.client("sns").create_topic(Name=TOPIC_NAME, Tags=tags)["TopicArn"], "created"
        ledger.note(lab, "SNS topic", TOPIC_NAME)
    calls = lab.calls.lines_since(mark)
    return Card("SNS topic", arn, outcome, console=console.topic(lab.region, arn), calls=calls)


def subscribe_email(lab: Lab) -> Card:
    """Subscribe the e-mail address of the settings to the topic; AWS sends a mail that asks for confirmation."""
    mark = lab.calls.mark()
    topic = create_topic(lab).id
    subscription, outcome = _find_subscription(lab, topic), "already there"
    if subscription is None:
        lab.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=lab.email, ReturnSubscriptionArn=True)
        ledger.note(lab, "subscription", lab.email)
        subscription, outcome = _find_subscription(lab, topic), "created"
    return _subscription_card(lab, subscription or {}, outcome, lab.calls.lines_since(mark))


def confirm_subscription(lab: Lab) -> Card:
    """Follow the link in the confirmation mail; if labkit can't read the mailbox, say that the learner has to do it."""
    mark = lab.calls.mark()
    topic = find_topic(lab)
    subscription = _find_subscription(lab, topic) if topic else None
    if subscription is None:
        raise LabError(f"{lab.email} is not subscribed to {TOPIC_NAME} yet: run subscribe_email(lab) first.")
    if _is_confirmed(subscription):
        return _subscription_card(lab, subscription, "already confirmed", lab.calls.lines_since(mark))
    link = _confirmation_link(lab, topic)
    outcome = "waiting for you: open the mail from AWS Notifications and click Confirm subscription"
    if link:
        lab.cloud.follow(link)
        subscription, outcome = _find_subscription(lab, topic) or {}, "confirmed by the link in the mail"
    return _subscription_card(lab, subscription, outcome, lab.calls.lines_since(mark))


def create_alarm(lab: Lab) -> Card:
    """Make the alarm `SSH Rejects`: sum of ssh-rejects over a minute, at least 1."""
    mark = lab.calls.mark()
    topic = create_topic(lab).id
    alarm, outcome = find_alarm(lab), "already there"
    if alarm is None or not _is_wanted(alarm, topic):
        lab.client("cloudwatch").put_metric_alarm(
            AlarmName=ALARM_NAME,
            AlarmDescription="SSH attempts that the web server's security group turned away",
            AlarmActions=[topic],
            Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
            **WANTED,
        )
        ledger.note(lab, "alarm", ALARM_NAME)  # a corrected one is the lab's too
        outcome = "created" if alarm is None else "changed"
    alarm = lab.settled(lambda: find_alarm(lab), f"the alarm {ALARM_NAME}")
    return _alarm_card(lab, alarm, outcome, lab.calls.lines_since(mark))


def provoke_rejected_ssh(lab: Lab) -> Card:
    """Swap the web server's group for HTTPOnly, try SSH, which times out, and swap the group back."""
    swap_security_group(lab, CLOSED_GROUP)
    try:
        return connect_by_ssh(lab)
    finally:
        swap_security_group(lab, OPEN_GROUP)


def watch_alarm(lab: Lab, *, state: str = "ALARM", since: datetime | None = None) -> Card:
    """Wait until the alarm has changed to that state, and say why in CloudWatch's words.

    A change counts however short the state lasted; `since` leaves out earlier changes. If the alarm keeps changing, the
    error says so.
    """
    require_one_of(STATES, "an alarm", state=state)
    if find_alarm(lab) is None:
        raise LabError(f"There is no alarm {ALARM_NAME} yet: run create_alarm(lab) first.")
    try:
        lab.wait(lambda: _change_to(lab, state, since) is not None, what=f"the alarm {ALARM_NAME} to be {state}")
    except WaitedInVain:
        if state == "ALARM":
            raise
        return _restless(lab, state)
    mark = lab.calls.mark()
    change = _change_to(lab, state, since)
    if change is None:
        raise LabError(
            f"The alarm {ALARM_NAME} was deleted while it was watched: run create_alarm(lab) to have it again."
        )
    details = {
        "Changed": f"{change['Timestamp'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Summary": change["HistorySummary"],
        "Reason": _reason(change),
    }
    calls, link = lab.calls.lines_since(mark), console.alarm(lab.region, ALARM_NAME)
    return Card("Alarm", ALARM_NAME, f"went to {state}", state, details, link, calls)


def read_metric(lab: Lab, *, minutes: int = 60) -> pd.DataFrame:
    """The metric's datapoints of the last minutes: timestamp, sum."""
    import pandas as pd

    require_positive(minutes=minutes)
    now = lab.now()
    answer = lab.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=METRIC_NAME,
        StartTime=now - timedelta(minutes=minutes),
        EndTime=now,
        Period=60,
        Statistics=["Sum"],
    )
    points = sorted((point["Timestamp"], point["Sum"]) for point in answer["Datapoints"])
    return pd.DataFrame(points, columns=["timestamp", "sum"])


def read_inbox(lab: Lab) -> Mailbox:
    """The mails that came to the e-mail address of the settings, the latest last."""
    return Mailbox(lab.email, tuple(lab.cloud.mails(lab.email)))


def set_up(lab: Lab) -> object:
    """Rebuild what the earlier phases should have left: the metric filter over a filled log group."""
    return lab.course.catch_up(before=KEY)


def check(lab: Lab) -> Check:
    """Look for the topic, a confirmed subscription, the alarm and its settings, and its change to ALARM."""
    topic, alarm = find_topic(lab), find_alarm(lab)
    items = [_topic_item(topic), _subscription_item(lab, topic), *_alarm_items(alarm, topic)]
    if alarm is not None:
        hint = "provoke_rejected_ssh(lab), then watch_alarm(lab): it takes 5 to 15 minutes."
        fired = _change_to(lab, "ALARM", None)
        items.append(right("has been in ALARM") if fired else absent("has been in ALARM", hint=hint))
    return Check(KEY, tuple(items))


def solve(lab: Lab) -> Card:
    """Make topic, subscription and alarm, provoke a rejected attempt, and see the alarm fire."""
    subscribe_email(lab)
    confirm_subscription(lab)
    create_alarm(lab)
    provoke_rejected_ssh(lab)
    return watch_alarm(lab)


def clean_up(lab: Lab) -> Note:
    """Delete the alarm, the subscriptions and the topic, in this order; what somebody else made stays."""
    alarm, topic = _delete_alarm(lab), _delete_topic(lab)
    return Note(f"Alarm {ALARM_NAME}: {alarm}. Topic {TOPIC_NAME} with its subscriptions: {topic}.")


def is_the_labs_alarm(lab: Lab, alarm: Mapping[str, Any]) -> bool:
    """Return whether the lab made this alarm."""
    if ledger.is_the_labs(lab, "alarm", ALARM_NAME):
        return True
    tags = lab.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    return ledger.is_the_labs(lab, "alarm", ALARM_NAME, _as_mapping(tags))


def is_the_labs_topic(lab: Lab, topic: str) -> bool:
    """Return whether the lab made this topic; CloudWatch's console makes one of that name for every mail action."""
    if ledger.is_the_labs(lab, "SNS topic", TOPIC_NAME):
        return True
    tags = lab.client("sns").list_tags_for_resource(ResourceArn=topic)["Tags"]
    return ledger.is_the_labs(lab, "SNS topic", TOPIC_NAME, _as_mapping(tags))


def is_the_labs_subscription(lab: Lab, topic: str, subscription: Mapping[str, str]) -> bool:
    """Return True for every subscription of the lab's own topic, and for one that the lab added to another topic."""
    return is_the_labs_topic(lab, topic) or ledger.is_the_labs(lab, "subscription", subscription["Endpoint"])


def _as_mapping(tags: list[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _delete_alarm(lab: Lab) -> str:
    alarm = find_alarm(lab)
    if alarm is not None and not is_the_labs_alarm(lab, alarm):
        return "stays, the lab did not make it"
    if alarm is not None:
        lab.client("cloudwatch").delete_alarms(AlarmNames=[ALARM_NAME])
    ledger.forget(lab, "alarm", ALARM_NAME)
    return "already gone" if alarm is None else "deleted"


def _delete_topic(lab: Lab) -> str:
    topic = find_topic(lab)
    for each in subscriptions(lab, topic) if topic else []:
        if _is_confirmed(each) and is_the_labs_subscription(lab, topic, each):
            lab.client("sns").unsubscribe(SubscriptionArn=each["SubscriptionArn"])
    ledger.forget(lab, "subscription", lab.email)
    if topic and not is_the_labs_topic(lab, topic):
        return "the topic stays, the lab did not make it"
    if topic:
        lab.client("sns").delete_topic(TopicArn=topic)
    ledger.forget(lab, "SNS topic", TOPIC_NAME)
    return "deleted" if topic else "already gone"


def find_topic(lab: Lab) -> str:
    """The ARN of the lab's topic; empty if there is none."""
    for page in lab.client("sns").get_paginator("list_topics").paginate():
        for topic in page["Topics"]:
            if topic["TopicArn"].endswith(f":{TOPIC_NAME}"):
                return str(topic["TopicArn"])
    return ""


def subscriptions(lab: Lab, topic: str) -> list[Mapping[str, str]]:
    """Return the topic's confirmed and pending subscriptions; for a while SNS lists an ended one as `Deleted`."""
    pages = lab.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return [each for page in pages for each in page["Subscriptions"] if each["SubscriptionArn"] != "Deleted"]


def _find_subscription(lab: Lab, topic: str) -> Mapping[str, str] | None:
    return _learners(lab, subscriptions(lab, topic))


def _learners(lab: Lab, found: Iterable[Mapping[str, str]]) -> Mapping[str, str] | None:
    """Return the subscription of the learner's address, a confirmed one first."""
    own = [each for each in found if (each["Protocol"], each["Endpoint"]) == ("email", lab.email)]
    return max(own, key=_is_confirmed, default=None)


def _is_confirmed(subscription: Mapping[str, str]) -> bool:
    """Return whether the subscription has an ARN; before confirmation SNS shows `PendingConfirmation` there."""
    return subscription["SubscriptionArn"].startswith("arn:")


def _confirmation_link(lab: Lab, topic: str) -> str:
    """The link in the latest mail that asks for confirmation of the topic; empty if no such mail can be seen."""
    for mail in reversed(lab.cloud.mails(lab.email)):
        for link in map(html.unescape, _CONFIRM_LINK.findall(mail.body)):
            if "ConfirmSubscription" in link and TOPIC_NAME in link:
                return link
    return ""


def _subscription_card(lab: Lab, subscription: Mapping[str, str], outcome: str, calls: tuple[str, ...]) -> Card:
    arn = subscription.get("SubscriptionArn", "")
    status = "Confirmed" if arn.startswith("arn:") else "Pending confirmation"
    details = {"Topic": subscription.get("TopicArn", ""), "ARN": arn}
    link = console.topic(lab.region, subscription.get("TopicArn", ""))
    return Card("Subscription of", lab.email, outcome, status, details, link, calls)


def find_alarm(lab: Lab) -> Mapping[str, Any] | None:
    """The lab's alarm as DescribeAlarms has it."""
    alarms = lab.client("cloudwatch").describe_alarms(AlarmNames=[ALARM_NAME])["MetricAlarms"]
    return alarms[0] if alarms else None


def _differences(alarm: Mapping[str, Any], topic: str) -> list[tuple[str, str, str]]:
    """Return each wrong setting: its name, its value, and the value that is needed."""
    found = [
        (setting, str(alarm.get(setting, "nothing")), str(value))
        for setting, value in WANTED.items()
        if alarm.get(setting) != value
    ]
    if dimensions := [each["Name"] for each in alarm.get("Dimensions", [])]:
        found.append(("Dimensions", ", ".join(dimensions), "none: the metric has none"))
    if (missing := alarm.get("TreatMissingData", CALM[0])) not in CALM:
        found.append(("TreatMissingData", missing, " or ".join(CALM)))
    if not alarm.get("ActionsEnabled", True):
        found.append(("ActionsEnabled", "no", "yes"))
    if not topic or topic not in alarm["AlarmActions"]:
        found.append(("notifies", ", ".join(alarm["AlarmActions"]) or "nothing", f"the topic {TOPIC_NAME}"))
    return found


def _is_wanted(alarm: Mapping[str, Any], topic: str) -> bool:
    return not _differences(alarm, topic)


def _alarm_card(lab: Lab, alarm: Mapping[str, Any], outcome: str, calls: tuple[str, ...]) -> Card:
    details = {
        "Metric": f"{alarm['Namespace']} / {alarm['MetricName']}",
        "Condition": f"{alarm['Statistic']} over {alarm['Period']} s >= {alarm['Threshold']:g}",
        "Reason": alarm.get("StateReason", ""),
        "Notifies": ", ".join(alarm["AlarmActions"]),
    }
    link = console.alarm(lab.region, ALARM_NAME)
    return Card("Alarm", ALARM_NAME, outcome, alarm["StateValue"], details, link, calls)


def _change_to(lab: Lab, state: str, since: datetime | None) -> Mapping[str, Any] | None:
    """The alarm's latest change to the state, from its history."""
    bounds = {"StartDate": since, "EndDate": lab.now() + timedelta(minutes=1)} if since else {}
    pages = (
        lab.client("cloudwatch")
        .get_paginator("describe_alarm_history")
        .paginate(AlarmName=ALARM_NAME, HistoryItemType="StateUpdate", ScanBy="TimestampDescending", **bounds)
    )
    for page in pages:
        for item in page["AlarmHistoryItems"]:
            if item["HistorySummary"].endswith(f"to {state}"):
                return dict(item)
    return None


def _restless(lab: Lab, state: str) -> Card:
    """Explain an alarm that keeps changing: if only the learner may use SSH, every scanner is a rejected attempt."""
    alarm = find_alarm(lab) or {}
    details = {"Reason": alarm.get("StateReason", ""), "Why": "others are turned away at port 22 too, again and again"}
    link = console.alarm(lab.region, ALARM_NAME)
    return Card("Alarm", ALARM_NAME, f"has not been {state} yet", alarm.get("StateValue", ""), details, link)


def _reason(change: Mapping[str, Any]) -> str:
    """Return the reason from HistoryData, which is JSON text with the old and the new state."""
    return str(json.loads(change["HistoryData"])["newState"].get("stateReason", ""))


def _topic_item(topic: str) -> Item:
    name = f"topic {TOPIC_NAME}"
    return right(name) if topic else absent(name, hint=f"Create a standard topic that is called {TOPIC_NAME}.")


def _subscription_item(lab: Lab, topic: str) -> Item:
    name = f"subscription of {lab.email}"
    there = subscriptions(lab, topic) if topic else []
    subscription = _learners(lab, there)
    if subscription is None:
        hint = "Subscribe the address to the topic, with e-mail as the protocol."
        seen = ", ".join(f"{each['Protocol']} {each['Endpoint']}" for each in there)
        return wrong(name, seen=seen, wanted=f"email {lab.email}", hint=hint) if there else absent(name, hint=hint)
    if not _is_confirmed(subscription):
        hint = "Follow the link in the mail: confirm_subscription(lab). Until then SNS sends nothing."
        return wrong(name, seen="pending confirmation", wanted="confirmed", hint=hint)
    return right(name, "confirmed")


def _alarm_items(alarm: Mapping[str, Any] | None, topic: str) -> list[Item]:
    name = f"alarm {ALARM_NAME}"
    if alarm is None:
        return [absent(name, hint=f"Create an alarm on {NAMESPACE} / {METRIC_NAME} that is called {ALARM_NAME}.")]
    hint = "Edit the alarm, or put it once more with the same name: that replaces it."
    differing = [
        wrong(f"{name}: {setting}", seen=seen, wanted=wanted, hint=hint)
        for setting, seen, wanted in _differences(alarm, topic)
    ]
    return differing or [right(name)]
