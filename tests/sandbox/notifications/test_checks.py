import pytest

from tests.sandbox.calls import refusal
from tests.sandbox.notifications.sns import QUEUE


@pytest.mark.parametrize(
    ("protocol", "endpoint", "message"),
    [
        ("email", "learner", "Invalid parameter: Email address"),
        ("email-json", "learner@nowhere", "Invalid parameter: Email address"),
        ("sqs", "alerts", "Invalid parameter: SQS endpoint ARN"),
        ("http", "https://127.0.0.1/", "Invalid parameter: Endpoint must match the specified protocol"),
        ("pigeon", "x", "Invalid parameter: Amazon SNS does not support this protocol string: pigeon"),
    ],
)
def test_endpoints_that_sns_refuses(sns, protocol, endpoint, message):
    error = refusal(sns.subscribe, protocol, endpoint)
    assert (error.code, error.message) == ("InvalidParameter", message)


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("sms", "+15555550100"),
        ("lambda", "arn:aws:lambda:eu-west-1:123456789012:function:f"),
        ("http", "http://192.0.2.1/hook"),
        ("https", "https://example.com/hook"),
        ("http", "http://127.0.0.1.example.com/"),
    ],
)
def test_endpoints_that_the_sandbox_can_not_reach(sns, protocol, endpoint):
    error = refusal(sns.subscribe, protocol, endpoint)
    assert (error.code, error.status) == ("NotImplemented", 501)
    assert "docs/sandbox.md" in error.message


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/", "http://localhost:1/hook", "http://[::1]:1/"])
def test_endpoints_on_this_machine_are_taken(sns, endpoint, monkeypatch):
    monkeypatch.setattr(sns.sandbox.outbox, "put", lambda send: None)
    assert sns.subscribe("http", endpoint)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"message": ""}, "Invalid parameter: Empty message"),
        ({"message": "x" * 262_145}, "Invalid parameter: Message too long"),
        ({"Subject": "x" * 100}, "Invalid parameter: Subject"),
        ({"Subject": ""}, "Invalid parameter: Subject"),
        ({"Subject": "two\nlines"}, "Invalid parameter: Subject"),
        ({"Subject": "a\ttab"}, "Invalid parameter: Subject"),
        (
            {"MessageAttributes": {"a": {"DataType": "Text", "StringValue": "x"}}},
            "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is "
            "Binary, Number, and String.",
        ),
        (
            {"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "many"}}},
            "Could not cast message attribute 'a' value to number.",
        ),
        (
            {"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}},
            "The message attribute 'a' must contain non-empty message attribute value for message attribute type "
            "'String'.",
        ),
        ({"MessageStructure": "xml"}, "Invalid parameter: MessageStructure"),
        (
            {"MessageStructure": "json"},
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
        (
            {"message": '{"email": "x"}', "MessageStructure": "json"},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
    ],
)
def test_messages_that_sns_refuses(sns, params, message):
    assert refusal(sns.publish, **params).message == message


def test_a_mail_can_not_come_raw(sns):
    error = refusal(sns.subscribe, Attributes={"RawMessageDelivery": "true"})
    assert error.message == (
        "Invalid parameter: Attributes Reason: Delivery protocol [email] does not support raw message delivery."
    )


@pytest.mark.parametrize("params", [{"Name": "a.fifo"}, {"Name": "a", "Attributes": {"FifoTopic": "true"}}])
def test_topics_in_order_are_refused(sns, params):
    error = refusal(sns.call, "CreateTopic", **params)
    assert (error.code, error.message.split(".")[0]) == (
        "NotImplemented",
        "The sandbox does not implement FIFO topics",
    )


def test_numbers_and_bytes_are_not_published_to(sns):
    assert refusal(sns.call, "Publish", PhoneNumber="+15555550100", Message="x").code == "NotImplemented"
    binary = {"b": {"DataType": "Binary", "BinaryValue": b"x"}}
    assert refusal(sns.publish, MessageAttributes=binary).code == "NotImplemented"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FilterPolicy", "{", "Invalid parameter: FilterPolicy: failed to parse JSON"),
        ("FilterPolicy", '{"a": "b"}', "FilterPolicy"),
        ("FilterPolicyScope", "Everything", "Invalid parameter: FilterPolicyScope: Invalid value [Everything]."),
        ("RawMessageDelivery", "yes", "Invalid parameter: RawMessageDelivery Reason: Invalid value [yes]."),
        ("Colour", "blue", "Invalid parameter: AttributeName"),
        ("RedrivePolicy", "{}", "The sandbox does not implement the subscription attribute RedrivePolicy."),
    ],
)
def test_attributes_that_are_refused(sns, name, value, message):
    arn = sns.subscribe("sqs", QUEUE)
    error = refusal(
        sns.call, "SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName=name, AttributeValue=value
    )
    assert message in error.message
