import json

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from tests.sandbox.notifications.sns import QUEUE, TOPIC


def listed(sns):
    return [held["SubscriptionArn"] for held in sns.call("ListSubscriptionsByTopic", TopicArn=TOPIC)["Subscriptions"]]


def test_a_subscription_by_mail_is_pending_until_it_is_confirmed(sns):
    answer = sns.call("Subscribe", TopicArn=TOPIC, Protocol="email", Endpoint="learner@example.com")
    assert answer == {"SubscriptionArn": "pending confirmation"}
    assert sns.call("ListSubscriptions")["Subscriptions"] == [
        {
            "SubscriptionArn": "PendingConfirmation",
            "Owner": "123456789012",
            "Protocol": "email",
            "Endpoint": "learner@example.com",
            "TopicArn": TOPIC,
        }
    ]
    sns.publish()
    assert sns.mails() == []


def test_a_token_confirms(sns):
    arn = sns.subscribe()
    assert arn.startswith(f"{TOPIC}:")
    assert sns.confirm(arn) == arn
    assert listed(sns) == [arn]
    sns.publish()
    assert len(sns.mails()) == 1
    assert sns.confirm(arn) == arn, "a second click changes nothing"


def test_another_token_does_not(sns):
    sns.subscribe()
    with pytest.raises(ServiceError, match="InvalidParameter: Invalid parameter: Token"):
        sns.call("ConfirmSubscription", TopicArn=TOPIC, Token="0" * 64)


def test_a_pending_subscription_is_gone_after_two_days(sns):
    arn = sns.subscribe()
    token = sns.token(arn)
    sns.sandbox.clock.advance(2 * 86400)
    assert listed(sns) == []
    with pytest.raises(ServiceError, match="Token"):
        sns.call("ConfirmSubscription", TopicArn=TOPIC, Token=token)


def test_subscribing_twice_is_one_subscription_and_asks_again(sns):
    assert sns.subscribe() == sns.subscribe()
    assert len(listed(sns)) == 1
    assert len(sns.sandbox.notifications.inbox.messages()) == 2
    sns.confirm(sns.subscribe())
    asked = len(sns.sandbox.notifications.inbox.messages())
    sns.subscribe()
    assert len(sns.sandbox.notifications.inbox.messages()) == asked


def test_subscribing_again_with_other_attributes_is_refused(sns):
    sns.subscribe()
    with pytest.raises(ServiceError, match="Subscription already exists with different attributes"):
        sns.subscribe(Attributes={"FilterPolicy": '{"a": ["b"]}'})


def test_a_queue_is_subscribed_at_once(sns):
    arn = sns.call("Subscribe", TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)["SubscriptionArn"]
    assert listed(sns) == [arn]


def test_unsubscribing(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.call("Unsubscribe", SubscriptionArn=arn)
    assert listed(sns) == []
    sns.publish()
    assert sns.mails() == []
    sns.call("Unsubscribe", SubscriptionArn=arn)


def test_what_is_pending_can_not_be_unsubscribed_by_that_word(sns):
    with pytest.raises(ServiceError, match="An ARN must have at least 6 elements, not 1"):
        sns.call("Unsubscribe", SubscriptionArn="PendingConfirmation")


def test_attributes_of_a_subscription(sns):
    arn = sns.subscribe()
    attributes = sns.call("GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"]
    assert attributes == {
        "SubscriptionArn": arn,
        "TopicArn": TOPIC,
        "Owner": "123456789012",
        "Protocol": "email",
        "Endpoint": "learner@example.com",
        "PendingConfirmation": "true",
        "ConfirmationWasAuthenticated": "false",
        "SubscriptionPrincipal": "arn:aws:iam::123456789012:root",
        "RawMessageDelivery": "false",
    }
    sns.confirm(arn)
    assert sns.call("GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "false"
    with pytest.raises(ServiceError, match="NotFound: Subscription does not exist"):
        sns.call("GetSubscriptionAttributes", SubscriptionArn=f"{TOPIC}:other")


def test_the_counts_of_a_topic(sns):
    sns.subscribe()
    sns.confirm(sns.subscribe(endpoint="other@example.com"))
    sns.call("Unsubscribe", SubscriptionArn=sns.subscribe("sqs", QUEUE))
    attributes = sns.call("GetTopicAttributes", TopicArn=TOPIC)["Attributes"]
    counts = [attributes[f"Subscriptions{kind}"] for kind in ("Pending", "Confirmed", "Deleted")]
    assert counts == ["1", "1", "1"]
    assert (attributes["TopicArn"], attributes["Owner"]) == (TOPIC, "123456789012")


def test_a_deleted_topic_takes_its_subscriptions_along(sns):
    sns.subscribe("sqs", QUEUE)
    sns.call("DeleteTopic", TopicArn=TOPIC)
    assert sns.call("ListSubscriptions")["Subscriptions"] == []
    with pytest.raises(ServiceError, match="NotFound: Topic does not exist"):
        sns.publish()
    sns.call("DeleteTopic", TopicArn=TOPIC)


def test_filter_policies_choose_messages(sns):
    policy = {"FilterPolicy": '{"severity": ["high", {"prefix": "very"}]}'}
    sns.subscribe("sqs", QUEUE, Attributes=policy)
    for severity in ("high", "low", "very low"):
        sns.publish(severity, MessageAttributes={"severity": {"DataType": "String", "StringValue": severity}})
    sns.publish("none")
    assert [envelope["Message"] for envelope in sns.queued()] == ["high", "very low"]


def test_filter_policies_can_be_on_the_body(sns):
    arn = sns.subscribe("sqs", QUEUE)
    for name, value in (("FilterPolicyScope", "MessageBody"), ("FilterPolicy", '{"NewStateValue": ["ALARM"]}')):
        sns.call("SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
    sns.publish('{"NewStateValue": "ALARM"}')
    sns.publish('{"NewStateValue": "OK"}')
    assert len(sns.queued()) == 1
    sns.call("SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    sns.publish('{"NewStateValue": "OK"}')
    assert len(sns.queued()) == 2


def test_a_batch(sns):
    sns.subscribe("sqs", QUEUE)
    entries = [{"Id": "a", "Message": "one"}, {"Id": "b", "Message": ""}, {"Id": "c", "Message": "three"}]
    answer = sns.call("PublishBatch", TopicArn=TOPIC, PublishBatchRequestEntries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "c"]
    assert answer["Failed"] == [
        {"Id": "b", "Code": "InvalidParameter", "Message": "Invalid parameter: Empty message", "SenderFault": True}
    ]
    assert [envelope["Message"] for envelope in sns.queued()] == ["one", "three"]


def test_a_topic_of_another_region_is_no_topic_here(sns):
    with pytest.raises(ServiceError, match="Invalid parameter: TopicArn"):
        sns.call("Publish", region="us-east-1", TopicArn=TOPIC, Message="hello")


def test_many_subscriptions_come_in_pages(sns):
    for number in range(130):
        sns.subscribe(endpoint=f"learner{number}@example.com")
    page = sns.call("ListSubscriptions")
    assert len(page["Subscriptions"]) == 100
    rest = sns.call("ListSubscriptions", NextToken=page["NextToken"])
    assert len(rest["Subscriptions"]) == 30


def test_subscriptions_of_a_topic_come_in_pages_too(sns):
    for number in range(101):
        sns.subscribe(endpoint=f"learner{number}@example.com")
    first = sns.call("ListSubscriptionsByTopic", TopicArn=TOPIC)
    rest = sns.call("ListSubscriptionsByTopic", TopicArn=TOPIC, NextToken=first["NextToken"])
    endpoints = [held["Endpoint"] for page in (first, rest) for held in page["Subscriptions"]]
    assert endpoints == [f"learner{number}@example.com" for number in range(101)]
    assert "NextToken" not in rest


def test_a_message_for_each_protocol(sns):
    sns.confirm(sns.subscribe())
    sns.subscribe("sqs", QUEUE)
    messages = {"default": "for all", "email": "for people"}
    sns.publish(json.dumps(messages), MessageStructure="json")
    assert sns.mails()[0]["body"].startswith("for people\n")
    assert [envelope["Message"] for envelope in sns.queued()] == ["for all"]


def test_a_filter_policy_can_be_changed_and_taken_away(sns):
    arn = sns.subscribe("sqs", QUEUE, Attributes={"FilterPolicy": '{"severity": ["high"]}'})
    low = {"severity": {"DataType": "String", "StringValue": "low"}}
    sns.publish("not wanted", MessageAttributes=low)
    changed = {"SubscriptionArn": arn, "AttributeName": "FilterPolicy"}
    sns.call("SetSubscriptionAttributes", **changed, AttributeValue='{"severity": ["low"]}')
    sns.publish("wanted", MessageAttributes=low)
    sns.publish("without attributes")
    sns.call("SetSubscriptionAttributes", **changed, AttributeValue="{}")
    sns.publish("everything")
    assert [envelope["Message"] for envelope in sns.queued()] == ["wanted", "everything"]


def test_a_subscription_that_has_ended_gets_nothing(sns):
    arn = sns.subscribe()
    sns.confirm(arn)
    sns.publish("before")
    sns.call("Unsubscribe", SubscriptionArn=arn)
    sns.publish("after")
    assert [mail["body"].splitlines()[0] for mail in sns.mails()] == ["before"]


def test_what_is_pending_gets_nothing(sns):
    sns.subscribe()
    sns.publish("hello")
    assert sns.mails() == []


@pytest.mark.parametrize("operation", ["GetTopicAttributes", "ListSubscriptionsByTopic"])
def test_an_unknown_topic_does_not_exist(sns, operation):
    with pytest.raises(ServiceError, match="NotFound: Topic does not exist"):
        sns.call(operation, TopicArn=f"{TOPIC}2")


def test_each_message_has_an_id_of_its_own(sns):
    sns.subscribe("sqs", QUEUE)
    ids = [sns.publish("one"), sns.publish("two")]
    assert len(set(ids)) == 2
    assert [envelope["MessageId"] for envelope in sns.queued()] == ids
