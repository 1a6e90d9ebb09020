"""Subscribing, confirming and ending, as the SNS API reference and "Message and JSON formats" describe them."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import Client

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import backend
from tests.sandbox.in_process import BARE, ENDPOINT, client_maker, open_host
from tests.sandbox.notifications.sns import QUEUE, TOPIC, Notifications

DAY = 86400


@pytest.fixture
def posted(sns, monkeypatch):
    """What would be posted to HTTP endpoints: (kind of message, endpoint, body)."""
    requests = []

    def post(subscription, kind, message_id, body):
        requests.append((kind, subscription.endpoint, body))

    monkeypatch.setattr(sns.sandbox.notifications._delivery, "_post", post)
    return requests


def click(sns, link):
    """Opens a link, which has no signature."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    return sns.call(query.pop("Action"), signed=False, **query)


def last_link(sns):
    """The first link of the last mail."""
    body = sns.sandbox.notifications.inbox.messages()[-1]["body"]
    return next(line for line in body.splitlines() if line.startswith("http://127.0.0.1"))


def subjects(sns):
    return [mail["subject"] for mail in sns.sandbox.notifications.inbox.messages()]


def test_the_link_of_the_mail_confirms_without_a_signature(sns):
    arn = sns.subscribe()
    assert click(sns, last_link(sns)) == {"SubscriptionArn": arn}
    assert sns.attributes(arn)["PendingConfirmation"] == "false"


def test_a_link_that_is_clicked_twice_confirms_once(sns):
    arn, link = sns.subscribe(), last_link(sns)
    click(sns, link)
    click(sns, link)
    sns.publish()
    assert len(sns.mails()) == 1
    assert sns.attributes(arn)["PendingConfirmation"] == "false"


@pytest.mark.parametrize(("days", "valid"), [(0, True), (1.99, True), (2, False), (30, False)])
def test_a_token_is_valid_for_two_days(sns, days, valid):
    sns.subscribe()
    link = last_link(sns)
    sns.sandbox.clock.advance(days * DAY)
    if valid:
        assert click(sns, link)
    else:
        with pytest.raises(ServiceError, match="Invalid parameter: Token"):
            click(sns, link)


def test_whoever_was_too_late_is_asked_again_with_another_token(sns):
    sns.subscribe()
    stale = last_link(sns)
    sns.sandbox.clock.advance(3 * DAY)
    sns.subscribe()
    assert last_link(sns) != stale
    assert click(sns, last_link(sns))


def test_a_token_of_one_topic_confirms_nothing_of_another(sns):
    other = backend("sns", sns.sandbox.account_id, "eu-west-1").create_topic("other").arn
    arn = sns.subscribe()
    with pytest.raises(ServiceError, match="Invalid parameter: Token"):
        sns.call("ConfirmSubscription", TopicArn=other, Token=sns.token(arn))


@pytest.mark.parametrize(("asked", "shown"), [(True, None), (False, "pending confirmation")])
def test_the_arn_of_a_pending_subscription_is_told_where_it_is_asked_for(sns, asked, shown):
    arn = sns.subscribe(ReturnSubscriptionArn=asked)
    assert arn == shown or arn.startswith(f"{TOPIC}:")


def test_an_ended_subscription_by_mail_is_told_only_to_whoever_clicked(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.call("Unsubscribe", SubscriptionArn=arn)
    assert subjects(sns) == ["AWS Notification - Subscription Confirmation"]
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.call("Unsubscribe", signed=False, SubscriptionArn=arn)
    assert subjects(sns)[-1] == "AWS Notification - Unsubscribe Confirmation"


def test_the_mail_about_the_end_has_a_link_that_brings_the_subscription_back(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.publish()
    click(sns, last_link(sns))
    assert sns.call("ListSubscriptions")["Subscriptions"] == []
    body = sns.sandbox.notifications.inbox.messages()[-1]["body"]
    assert body.startswith(
        f"Your subscription to the topic below has been deactivated:\n{TOPIC}\n\nIf this was in error"
    )
    assert click(sns, last_link(sns)) == {"SubscriptionArn": arn}
    sns.publish()
    assert len([mail for mail in sns.mails() if mail["subject"] == "AWS Notification Message"]) == 2
    assert sns.call("GetTopicAttributes", TopicArn=TOPIC)["Attributes"]["SubscriptionsDeleted"] == "0"


def test_what_has_ended_can_be_brought_back_once_and_for_two_days(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    click(sns, f"http://127.0.0.1/?Action=Unsubscribe&SubscriptionArn={arn}")
    link = last_link(sns)
    sns.sandbox.clock.advance(2 * DAY)
    with pytest.raises(ServiceError, match="Invalid parameter: Token"):
        click(sns, link)


def test_a_deleted_topic_brings_nothing_back(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    click(sns, f"http://127.0.0.1/?Action=Unsubscribe&SubscriptionArn={arn}")
    link = last_link(sns)
    sns.call("DeleteTopic", TopicArn=TOPIC)
    backend("sns", sns.sandbox.account_id, "eu-west-1").create_topic("alerts")
    with pytest.raises(ServiceError, match="Invalid parameter: Token"):
        click(sns, link)


def test_an_authenticated_subscription_is_not_ended_by_a_click(sns):
    """ConfirmSubscription, AuthenticateOnUnsubscribe: unauthenticated unsubscribes are disallowed then."""
    arn = sns.subscribe()
    sns.call("ConfirmSubscription", TopicArn=TOPIC, Token=sns.token(arn), AuthenticateOnUnsubscribe="true")
    assert sns.attributes(arn)["ConfirmationWasAuthenticated"] == "true"
    with pytest.raises(ServiceError, match="not authorized to perform: SNS:Unsubscribe") as caught:
        sns.call("Unsubscribe", signed=False, SubscriptionArn=arn)
    assert (caught.value.code, caught.value.status) == ("AuthorizationError", 403)
    sns.call("Unsubscribe", SubscriptionArn=arn)
    assert sns.call("ListSubscriptions")["Subscriptions"] == []


def test_nobody_can_ask_for_authentication_without_a_signature(sns):
    arn = sns.subscribe()
    with pytest.raises(ServiceError, match="AuthorizationError"):
        sns.call(
            "ConfirmSubscription", signed=False, TopicArn=TOPIC, Token=sns.token(arn), AuthenticateOnUnsubscribe="true"
        )
    assert sns.attributes(arn)["PendingConfirmation"] == "true"


def test_a_queue_of_the_account_is_authenticated_from_the_start(sns):
    arn = sns.subscribe("sqs", QUEUE)
    assert sns.attributes(arn)["ConfirmationWasAuthenticated"] == "true"
    with pytest.raises(ServiceError, match="AuthorizationError"):
        sns.call("Unsubscribe", signed=False, SubscriptionArn=arn)


def test_an_http_endpoint_is_posted_a_document_to_confirm(sns, posted):
    arn = sns.subscribe("http", "http://127.0.0.1:9/hook")
    ((kind, endpoint, body),) = posted
    request = json.loads(body)
    assert (kind, endpoint, request["Type"]) == ("SubscriptionConfirmation", "http://127.0.0.1:9/hook", kind)
    assert list(request) == [
        *("Type", "MessageId", "Token", "TopicArn", "Message", "SubscribeURL", "Timestamp"),
        *("SignatureVersion", "Signature", "SigningCertURL"),
    ]
    assert request["Message"] == (
        f"You have chosen to subscribe to the topic {TOPIC}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    assert (request["Token"], request["TopicArn"]) == (sns.token(arn), TOPIC)
    assert click(sns, request["SubscribeURL"]) == {"SubscriptionArn": arn}


@pytest.mark.parametrize("signed", [True, False])
def test_an_http_endpoint_is_posted_a_document_when_it_is_unsubscribed(sns, posted, signed):
    arn = sns.subscribe("http", "http://127.0.0.1:9/hook")
    sns.confirm(arn)
    sns.call("Unsubscribe", signed=signed, SubscriptionArn=arn)
    kind, _, body = posted[-1]
    request = json.loads(body)
    assert (kind, request["Type"]) == ("UnsubscribeConfirmation", "UnsubscribeConfirmation")
    assert request["Message"] == (
        f"You have chosen to deactivate subscription {arn}.\n"
        "To cancel this operation and restore the subscription, visit the SubscribeURL included in this message."
    )
    assert click(sns, request["SubscribeURL"]) == {"SubscriptionArn": arn}
    sns.publish("back again")
    assert json.loads(posted[-1][2])["Message"] == "back again"


def test_a_notification_for_an_http_endpoint_has_the_members_of_the_guide(sns, posted):
    arn = sns.subscribe("http", "http://127.0.0.1:9/hook")
    sns.confirm(arn)
    message_id = sns.publish("Hello world!", Subject="My First Message")
    kind, _, body = posted[-1]
    assert kind == "Notification"
    assert list(json.loads(body).items()) == [
        ("Type", "Notification"),
        ("MessageId", message_id),
        ("TopicArn", TOPIC),
        ("Subject", "My First Message"),
        ("Message", "Hello world!"),
        ("Timestamp", "2026-11-02T09:00:00.000Z"),
        ("SignatureVersion", "1"),
        ("Signature", "EXAMPLE"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-EXAMPLE.pem"),
        ("UnsubscribeURL", f"http://127.0.0.1:4566/?Action=Unsubscribe&SubscriptionArn={arn}"),
    ]
    sns.publish("no subject")
    assert "Subject" not in json.loads(posted[-1][2])


def test_a_raw_message_for_an_http_endpoint_is_the_message_alone(sns, posted):
    arn = sns.subscribe("http", "http://127.0.0.1:9/hook", Attributes={"RawMessageDelivery": "true"})
    sns.confirm(arn)
    sns.publish("as it is", Subject="not shown")
    assert posted[-1][2] == "as it is"


def test_one_topic_tells_all_of_its_endpoints(sns, posted):
    for protocol, endpoint in (("email", "learner@example.com"), ("email-json", "learner@example.com")):
        sns.confirm(sns.subscribe(protocol, endpoint))
    sns.confirm(sns.subscribe("http", "http://127.0.0.1:9/hook"))
    sns.subscribe("sqs", QUEUE)
    sns.publish("to all")
    assert len(sns.mails()) == 2
    assert [json.loads(body)["Message"] for kind, _, body in posted if kind == "Notification"] == ["to all"]
    assert [envelope["Message"] for envelope in sns.queued()] == ["to all"]


@pytest.mark.parametrize("arn", ["", "arn:aws:sns", "PendingConfirmation", "pending confirmation", TOPIC])
@pytest.mark.parametrize("operation", ["Unsubscribe", "GetSubscriptionAttributes"])
def test_what_is_no_arn_of_a_subscription_is_refused(sns, operation, arn):
    with pytest.raises(ServiceError) as caught:
        sns.call(operation, SubscriptionArn=arn)
    assert caught.value.code == "InvalidParameter"
    assert caught.value.message.startswith("Invalid parameter: Subscription")


def test_a_token_is_a_home_s_own_however_alike_their_sandboxes_are():
    def token(secret):
        sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), seed=0, secret=secret)
        try:
            sns = Notifications(sandbox)
            return sns.token(sns.subscribe())
        finally:
            sandbox.close()

    first, again, other = (token(secret) for secret in (b"one home", b"one home", b"another"))
    assert first == again != other
    assert re.fullmatch("2336412f37[0-9a-f]{246}", other)


def test_a_token_that_was_mailed_is_good_after_a_restart(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    sns = client_maker(host)("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="learner@example.com")
    link = next(
        line for line in host.sandbox.notifications.inbox.messages()[0]["body"].splitlines() if "Token=" in line
    )
    host.close()
    again = open_host(tmp_path / "journal.sqlite", BARE)
    try:
        assert Client(again).get(link.removeprefix(ENDPOINT), headers={"Host": "localhost"}).status_code == 200
        (held,) = client_maker(again)("sns").list_subscriptions()["Subscriptions"]
        assert held["SubscriptionArn"].startswith(topic)
    finally:
        again.close()
