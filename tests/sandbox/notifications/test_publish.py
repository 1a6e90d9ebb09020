"""What Publish and PublishBatch take, refuse and deliver, as their pages and "Amazon SNS message attributes" say."""

import json
import threading

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.notifications import delivery
from labkit.sandbox.validation import check
from tests.sandbox.calls import refused
from tests.sandbox.notifications.sns import QUEUE, TOPIC


def text(value, kind="String"):
    return {"DataType": kind, "StringValue": value}


def refusal(sns, **params):
    error = refused(sns.publish, **params)
    assert sns.queued() == []
    return error


@pytest.fixture
def queue(sns):
    """SNS with the queue subscribed."""
    sns.arn = sns.subscribe("sqs", QUEUE)
    return sns


@pytest.mark.parametrize("name", ["a", "a" * 256, "trace-id", "trace_id", "trace.id.x", "Case", "AWSome", "0"])
def test_names_of_attributes_have_letters_digits_hyphens_underscores_and_periods(queue, name):
    queue.publish(MessageAttributes={name: text("x")})
    assert queue.queued()[0]["MessageAttributes"] == {name: {"Type": "String", "Value": "x"}}


NAMES = {
    ".a": "Invalid message attribute name starting with character '.' was found.",
    "a.": "Invalid message attribute name ending with character '.' was found.",
    "a..b": "Message attribute name can not have successive '.' character.",
    "a b": "Invalid non-alphanumeric character '#x20' was found in the message attribute name. "
    "Can only include alphanumeric characters, hyphens, underscores, or dots.",
    "größe": "Invalid non-alphanumeric character '#xF6' was found in the message attribute name. "
    "Can only include alphanumeric characters, hyphens, underscores, or dots.",
    "a" * 257: "Length of message attribute name must be less than 256 bytes.",
    "AWS.x": "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.",
    "amazon.x": "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.",
}


@pytest.mark.parametrize("name", NAMES)
def test_other_names_of_attributes_are_refused(queue, name):
    assert refusal(queue, MessageAttributes={name: text("x")}) == ("ParameterValueInvalid", NAMES[name])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("String", "text"),
        ("String.Array", '["a", 5, true, null]'),
        ("Number", "-1.5e3"),
        ("Number.int", "7"),
        ("String.UUID", "x"),
    ],
)
def test_types_of_attributes(queue, kind, value):
    queue.publish(MessageAttributes={"a": text(value, kind)})
    assert queue.queued()[0]["MessageAttributes"]["a"] == {"Type": kind, "Value": value}


@pytest.mark.parametrize("kind", ["string", "Text", "Boolean", "number", ""])
def test_other_types_of_attributes_are_refused(queue, kind):
    code, message = refusal(queue, MessageAttributes={"a": text("x", kind)})
    assert code == "ParameterValueInvalid"
    assert "the set of supported type prefixes is Binary, Number, and String." in message


@pytest.mark.parametrize("value", ["many", "1,5", "nan", "0x10", ""])
def test_a_number_is_one(queue, value):
    code, message = refusal(queue, MessageAttributes={"a": text(value, "Number")})
    assert code == "ParameterValueInvalid"
    assert "'a'" in message


@pytest.mark.parametrize(
    ("message", "attributes", "taken"),
    [
        ("x" * 262_144, {}, True),
        ("x" * 262_145, {}, False),
        ("ä" * 131_072, {}, True),
        ("ä" * 131_073, {}, False),
        ("x" * 262_000, {"name": text("v" * (144 - len("nameString")))}, True),
        ("x" * 262_000, {"name": text("v" * (145 - len("nameString")))}, False),
    ],
)
def test_a_message_and_its_attributes_have_256_kib_together(queue, message, attributes, taken):
    """Bytes, not characters; names, types and values of attributes count."""
    if taken:
        queue.publish(message, MessageAttributes=attributes)
        assert queue.queued()[0]["Message"] == message
    else:
        too_long = ("InvalidParameter", "Invalid parameter: Message too long")
        assert refusal(queue, message=message, MessageAttributes=attributes) == too_long


@pytest.mark.parametrize(
    "subject", ["x", "x" * 99, "Überschrift – süd", "no\u00a0break", " begins with a space", "'; DROP"]
)
def test_a_subject_has_less_than_100_characters(queue, subject):
    queue.publish(Subject=subject)
    assert queue.queued()[0]["Subject"] == subject


@pytest.mark.parametrize("subject", ["", "x" * 100, "two\nlines", "a\rb", "bell\x07", "a\u2028b"])
def test_a_subject_has_no_line_breaks_and_no_control_characters(queue, subject):
    assert refusal(queue, Subject=subject) == ("InvalidParameter", "Invalid parameter: Subject")


MESSAGES = {"default": "for all", "sqs": "for queues", "email": "for people", "email-json": "for machines", "http": 5}


@pytest.mark.parametrize(
    ("protocol", "endpoint", "expected"),
    [("sqs", QUEUE, "for queues"), ("email-json", "learner@example.com", "for machines")],
)
def test_each_protocol_has_its_own_message(sns, protocol, endpoint, expected):
    arn = sns.subscribe(protocol, endpoint)
    if protocol != "sqs":
        sns.confirm(arn)
    sns.publish(json.dumps(MESSAGES), MessageStructure="json")
    (envelope,) = sns.queued() or [json.loads(mail["body"]) for mail in sns.mails()]
    assert envelope["Message"] == expected


def test_a_protocol_that_is_not_named_has_the_default(sns):
    sns.confirm(sns.subscribe())
    sns.publish('{"default": "for all", "sqs": "for queues", "EMAIL": "no"}', MessageStructure="json")
    assert sns.mails()[0]["body"].startswith("for all\n")


@pytest.mark.parametrize(
    "message",
    ["{}", "[]", '"text"', '{"default": 5}', '{"default": null}', '{"default": {"a": 1}}', '{"Default": "x"}'],
)
def test_a_message_for_each_protocol_needs_a_default_text(queue, message):
    expected = "Invalid parameter: Message Structure - No default entry in JSON message body"
    assert refusal(queue, message=message, MessageStructure="json") == ("InvalidParameter", expected)


def test_attributes_are_not_sent_with_a_message_for_each_protocol(queue):
    """Message attributes are sent only when the message structure is String, not JSON."""
    queue.publish('{"default": "x"}', MessageStructure="json", MessageAttributes={"a": text("b")})
    assert "MessageAttributes" not in queue.queued()[0]


def test_but_a_filter_policy_goes_by_them(queue):
    queue.set_attribute(queue.arn, "FilterPolicy", '{"a": ["b"]}')
    for value in ("b", "c"):
        messages = json.dumps({"default": value})
        queue.publish(messages, MessageStructure="json", MessageAttributes={"a": text(value)})
    assert [envelope["Message"] for envelope in queue.queued()] == ["b"]


@pytest.mark.parametrize(("raw", "count", "delivered"), [("true", 10, 1), ("true", 11, 0), ("false", 11, 1)])
def test_a_raw_message_with_more_than_ten_attributes_is_discarded_at_a_queue(queue, raw, count, delivered):
    queue.set_attribute(queue.arn, "RawMessageDelivery", raw)
    queue.publish('"x"', MessageAttributes={f"a{number}": text("x") for number in range(count)})
    assert len(queue.queued()) == delivered


@pytest.mark.parametrize(("raw", "header"), [("true", "true"), ("false", None)])
def test_the_headers_of_a_post(sns, monkeypatch, raw, header):
    """ "HTTP/HTTPS headers" and "Amazon SNS raw message delivery"."""
    requests = []
    monkeypatch.setattr(delivery, "_send", lambda request, done: requests.append(request))
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.run)
    monkeypatch.setattr(sns.sandbox.outbox, "put", lambda send: send(lambda: None))
    arn = sns.subscribe("http", "http://127.0.0.1:9/hook", Attributes={"RawMessageDelivery": raw})
    sns.confirm(arn)
    message_id = sns.publish("hello")
    asked, told = ({name.lower(): value for name, value in request.header_items()} for request in requests)
    assert asked["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert "x-amz-sns-subscription-arn" not in asked
    assert "x-amz-sns-rawdelivery" not in asked
    assert told.get("x-amz-sns-rawdelivery") == header
    assert (
        told
        | {
            "x-amz-sns-message-type": "Notification",
            "x-amz-sns-message-id": message_id,
            "x-amz-sns-topic-arn": TOPIC,
            "x-amz-sns-subscription-arn": arn,
            "content-type": "text/plain; charset=UTF-8",
            "user-agent": "Amazon Simple Notification Service Agent",
        }
        == told
    )


@pytest.mark.parametrize("topic", ["alerts", "arn:aws:sns:eu-west-1", TOPIC.replace("eu-west-1", "us-east-1")])
def test_what_is_no_topic_of_the_region_is_an_invalid_parameter(sns, topic):
    with pytest.raises(ServiceError) as caught:
        sns.call("Publish", TopicArn=topic, Message="hello")
    assert (caught.value.code, caught.value.message) == ("InvalidParameter", "Invalid parameter: TopicArn")


def test_a_message_is_published_to_something(sns):
    with pytest.raises(ServiceError) as caught:
        sns.call("Publish", Message="hello")
    assert (caught.value.code, caught.value.message) == (
        "InvalidParameter",
        "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter",
    )


def test_topics_that_keep_an_order_are_not_published_to(sns):
    with pytest.raises(ServiceError, match="does not implement publishing to FIFO topics"):
        sns.call("Publish", TopicArn=f"{TOPIC}.fifo", Message="hello")


def test_a_topic_may_be_the_target(queue):
    queue.call("Publish", TargetArn=TOPIC, Message="hello")
    assert queue.queued()[0]["Message"] == "hello"


def batch(sns, *entries):
    return sns.call("PublishBatch", TopicArn=TOPIC, PublishBatchRequestEntries=list(entries))


def entry(number, message="x", **members):
    return {"Id": f"id-{number}", "Message": message} | members


def test_a_batch_has_up_to_ten_messages_in_their_order(queue):
    answer = batch(queue, *(entry(number, f"message {number}") for number in range(10)))
    assert [done["Id"] for done in answer["Successful"]] == [f"id-{number}" for number in range(10)]
    assert [envelope["Message"] for envelope in queue.queued()] == [f"message {number}" for number in range(10)]
    assert [done["MessageId"] for done in answer["Successful"]] == [held["MessageId"] for held in queue.queued()]


BATCHES = {
    "none": ([], "EmptyBatchRequest", "The batch request doesn't contain any entries."),
    "eleven": ([entry(n) for n in range(11)], "TooManyEntriesInBatchRequest", "more entries than permissible: 11."),
    "the same id twice": ([entry(1), entry(1)], "BatchEntryIdsNotDistinct", "Two or more batch entries in the request"),
    "an id with a space": ([{"Id": "a b", "Message": "x"}], "InvalidBatchEntryId", "abide by the specification: a b"),
    "an empty id": ([{"Id": "", "Message": "x"}], "InvalidBatchEntryId", "doesn't abide by the specification"),
    "a long id": ([{"Id": "a" * 81, "Message": "x"}], "InvalidBatchEntryId", "doesn't abide by the specification"),
    "too long together": (
        [entry(1, "x" * 131_072), entry(2, "x" * 131_073)],
        "BatchRequestTooLong",
        "The length of all the batch messages put together is more than the limit.",
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_that_is_refused_as_a_whole(queue, name):
    entries, code, message = BATCHES[name]
    with pytest.raises(ServiceError) as caught:
        batch(queue, *entries)
    assert caught.value.code == code
    assert message in caught.value.message
    assert queue.queued() == []


def test_a_batch_may_be_as_long_as_a_message(queue):
    assert batch(queue, entry(1, "x" * 131_072), entry(2, "x" * 131_072))["Failed"] == []


def test_each_message_of_a_batch_fails_for_itself(queue):
    answer = batch(
        queue,
        entry(1, Subject="x" * 100),
        entry(2, MessageAttributes={".a": text("x")}),
        entry(3, "{", MessageStructure="json"),
        entry(4, MessageAttributes={"a": text("x")}),
    )
    assert [done["Id"] for done in answer["Successful"]] == ["id-4"]
    assert [(fault["Id"], fault["Code"], fault["SenderFault"]) for fault in answer["Failed"]] == [
        ("id-1", "InvalidParameter", True),
        ("id-2", "ParameterValueInvalid", True),
        ("id-3", "InvalidParameter", True),
    ]
    assert [envelope["MessageAttributes"]["a"]["Value"] for envelope in queue.queued()] == ["x"]


def test_a_filter_policy_chooses_among_the_messages_of_a_batch(queue):
    queue.set_attribute(queue.arn, "FilterPolicy", '{"n": [{"numeric": [">", 0, "<=", 100]}]}')
    batch(queue, *(entry(n, str(n), MessageAttributes={"n": text(str(n), "Number")}) for n in (-1, 5, 100, 101)))
    assert [envelope["Message"] for envelope in queue.queued()] == ["5", "100"]


@pytest.mark.parametrize(
    ("operation", "params", "member"),
    [
        ("Publish", {"TopicArn": TOPIC}, "message"),
        ("Subscribe", {"TopicArn": TOPIC}, "protocol"),
        ("Subscribe", {"Protocol": "email"}, "topicArn"),
        ("ConfirmSubscription", {"TopicArn": TOPIC}, "token"),
        ("Unsubscribe", {}, "subscriptionArn"),
        ("SetSubscriptionAttributes", {"SubscriptionArn": f"{TOPIC}:x"}, "attributeName"),
        (
            "Publish",
            {"Message": "x", "MessageAttributes": {"a": {"StringValue": "x"}}},
            "messageAttributes.value.dataType",
        ),
    ],
)
def test_what_is_required_is_told_by_its_name(operation, params, member):
    with pytest.raises(ServiceError) as caught:
        check("sns", operation, params)
    assert caught.value.code == "InvalidParameter"
    assert f"Value null at '{member}' failed to satisfy constraint: Member must not be null" in caught.value.message
