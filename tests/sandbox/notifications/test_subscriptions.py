import pytest

from labkit.sandbox.notifications.subscriptions import CONFIRM_WITHIN, Subscription, Subscriptions
from tests.sandbox.notifications.sns import TOPIC


def subscription(number=1, *, confirmed=True, asked_at=0.0, topic_arn=TOPIC, **attributes):
    return Subscription(
        arn=f"{topic_arn}:{number}",
        topic_arn=topic_arn,
        protocol="email",
        endpoint=f"learner{number}@example.com",
        owner="123456789012",
        token=f"token{number}",
        asked_at=asked_at,
        confirmed=confirmed,
        attributes=attributes,
    )


@pytest.fixture
def held():
    """A confirmed subscription, a pending one, and one of another topic."""
    subscriptions = Subscriptions()
    subscriptions.add(subscription(1))
    subscriptions.add(subscription(2, confirmed=False))
    subscriptions.add(subscription(3, topic_arn=f"{TOPIC}-2"))
    return subscriptions


def test_the_subscriptions_of_a_topic_in_the_order_in_which_they_were_made(held):
    assert [found.endpoint for found in held.of_topic(TOPIC, 0)] == ["learner1@example.com", "learner2@example.com"]


def test_a_pending_one_lapses_and_a_confirmed_one_does_not(held):
    assert len(held.of_topic(TOPIC, CONFIRM_WITHIN - 1)) == 2
    assert [found.confirmed for found in held.of_topic(TOPIC, CONFIRM_WITHIN)] == [True]


def test_a_removed_one_is_counted(held):
    held.remove(held.get(f"{TOPIC}:1"))
    assert held.get(f"{TOPIC}:1") is None
    assert held.deleted == {TOPIC: 1}


def test_a_forgotten_topic_takes_its_own_along(held):
    held.forget_topic(TOPIC)
    assert [found.topic_arn for found in held.current(0)] == [f"{TOPIC}-2"]


def test_lists_show_the_arn_once_it_is_confirmed():
    assert subscription().listed()["SubscriptionArn"] == f"{TOPIC}:1"
    assert subscription(confirmed=False).listed()["SubscriptionArn"] == "PendingConfirmation"


@pytest.mark.parametrize(("value", "raw"), [(None, False), ("false", False), ("true", True)])
def test_raw_delivery(value, raw):
    attributes = {} if value is None else {"RawMessageDelivery": value}
    assert subscription(**attributes).raw is raw
    assert subscription(**attributes).described()["RawMessageDelivery"] == (value or "false")


POLICIES = [
    ('{"color": ["red"]}', {"color": "red"}, True),
    ('{"color": ["red"]}', {"color": "blue"}, False),
    ('{"color": ["red"]}', {}, False),
    ('{"color": [{"anything-but": "red"}]}', {"color": "blue"}, True),
    ('{"color": [{"anything-but": "red"}]}', {"color": "red"}, False),
    ('{"color": [{"exists": false}]}', {}, True),
    ('{"color": [{"exists": true}]}', {"color": "red"}, True),
    ('{"color": [{"suffix": "ed"}]}', {"color": "red"}, True),
    ('{"color": ["red"], "size": ["s", "m"]}', {"color": "red", "size": "m"}, True),
    ('{"color": ["red"], "size": ["s", "m"]}', {"color": "red", "size": "l"}, False),
]


@pytest.mark.parametrize(("policy", "given", "wanted"), POLICIES)
def test_a_filter_policy_on_attributes(policy, given, wanted):
    attributes = {name: {"Type": "String", "Value": value} for name, value in given.items()}
    assert subscription(FilterPolicy=policy).wants("hello", attributes) is wanted


@pytest.mark.parametrize(
    ("policy", "message", "wanted"),
    [
        ('{"NewStateValue": ["ALARM"]}', '{"NewStateValue": "ALARM"}', True),
        ('{"NewStateValue": ["ALARM"]}', '{"NewStateValue": "OK"}', False),
        ('{"Trigger": {"Threshold": [{"numeric": [">", 5]}]}}', '{"Trigger": {"Threshold": 10.0}}', True),
        ('{"Trigger": {"Threshold": [{"numeric": [">", 5]}]}}', '{"Trigger": {"Threshold": 1.0}}', False),
        ('{"NewStateValue": ["ALARM"]}', "no JSON", False),
    ],
)
def test_a_filter_policy_on_the_body(policy, message, wanted):
    found = subscription(FilterPolicy=policy, FilterPolicyScope="MessageBody").wants(message, {})
    assert found is wanted


def test_without_a_filter_policy_everything_is_wanted():
    assert subscription().wants("anything", {})
