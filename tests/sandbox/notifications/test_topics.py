"""Topics as boto3 sees them: what CreateTopic, ListTopics, SetTopicAttributes and the rest promise."""

import json

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.moto_state import backend
from tests.sandbox.in_process import BARE, client_maker, open_host


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """SNS of a sandbox in this process, for all tests of this module."""
    host = open_host(tmp_path_factory.mktemp("topics") / "journal", BARE)
    yield client_maker(host)("sns")
    host.close()


@pytest.fixture
def sns(client):
    """SNS without a topic."""
    for topic in every_topic(client):
        client.delete_topic(TopicArn=topic)
    return client


def every_topic(client):
    pages = client.get_paginator("list_topics").paginate()
    return [topic["TopicArn"] for page in pages for topic in page["Topics"]]


def arn(name):
    return f"arn:aws:sns:eu-west-1:123456789012:{name}"


def refusal(call, **params):
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def topic_attributes(sns, name):
    return sns.get_topic_attributes(TopicArn=arn(name))["Attributes"]


@pytest.mark.parametrize("name", ["a", "A-1_b", "x" * 256, "0"])
def test_names_have_letters_digits_underscores_and_hyphens(sns, name):
    assert sns.create_topic(Name=name)["TopicArn"] == arn(name)
    assert every_topic(sns) == [arn(name)]


@pytest.mark.parametrize("name", ["", "a b", "größe", "a.b", "x" * 257, "a/b", "a:b"])
def test_other_names_are_refused(sns, name):
    assert refusal(sns.create_topic, Name=name) == ("InvalidParameter", "Invalid parameter: Topic Name")
    assert every_topic(sns) == []


def test_a_topic_that_is_there_already_is_the_answer(sns):
    sns.create_topic(Name="alerts", Tags=[{"Key": "lab", "Value": "vpc"}], Attributes={"DisplayName": "Lab"})
    assert sns.create_topic(Name="alerts")["TopicArn"] == arn("alerts")
    same = {"Tags": [{"Key": "lab", "Value": "vpc"}], "Attributes": {"DisplayName": "Lab"}}
    assert sns.create_topic(Name="alerts", **same)["TopicArn"] == arn("alerts")
    assert every_topic(sns) == [arn("alerts")]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Tags": [{"Key": "lab", "Value": "vpc"}]}, "Tags Reason: Topic already exists with different tags"),
        (
            {"Attributes": {"DisplayName": "Lab"}},
            "Attributes Reason: Topic already exists with different attributes",
        ),
    ],
)
def test_a_topic_that_is_there_and_is_another_one_is_not(sns, given, message):
    sns.create_topic(Name="alerts")
    assert refusal(sns.create_topic, Name="alerts", **given) == ("InvalidParameter", f"Invalid parameter: {message}")


def test_a_policy_is_the_same_however_it_is_written(sns):
    policy = {"Version": "2012-10-17", "Statement": []}
    sns.create_topic(Name="alerts", Attributes={"Policy": json.dumps(policy)})
    again = {"Policy": json.dumps(policy, indent=2)}
    assert sns.create_topic(Name="alerts", Attributes=again)["TopicArn"] == arn("alerts")


@pytest.mark.parametrize("params", [{"Name": "a.fifo"}, {"Name": "a", "Attributes": {"FifoTopic": "true"}}])
def test_topics_that_keep_an_order_are_refused_and_said_so(sns, params):
    code, message = refusal(sns.create_topic, **params)
    assert (code, "FIFO topics" in message) == ("NotImplemented", True)


def test_topics_come_a_hundred_a_page(sns):
    topics = backend("sns", "123456789012", "eu-west-1")
    for number in range(103):
        topics.create_topic(f"t{number:03}")
    first = sns.list_topics()
    rest = sns.list_topics(NextToken=first["NextToken"])
    assert (len(first["Topics"]), len(rest["Topics"]), "NextToken" in rest) == (100, 3, False)
    assert every_topic(sns) == [arn(f"t{number:03}") for number in range(103)]
    topics.topics.clear()


@pytest.mark.parametrize("operation", ["list_topics", "list_subscriptions"])
@pytest.mark.parametrize("token", ["nonsense", "100", ""])
def test_a_token_that_is_none_is_an_invalid_parameter(sns, operation, token):
    expected = ("InvalidParameter", "Invalid parameter: NextToken")
    assert refusal(getattr(sns, operation), NextToken=token) == expected


def test_a_new_topic_has_the_attributes_of_the_reference(sns):
    sns.create_topic(Name="alerts")
    found = topic_attributes(sns, "alerts")
    assert found["TopicArn"] == arn("alerts")
    assert found["Owner"] == "123456789012"
    assert found["DisplayName"] == ""
    assert [found[f"Subscriptions{kind}"] for kind in ("Pending", "Confirmed", "Deleted")] == ["0", "0", "0"]
    assert json.loads(found["Policy"])["Id"] == "__default_policy_ID"
    assert json.loads(found["EffectiveDeliveryPolicy"])["http"]["defaultHealthyRetryPolicy"]["numRetries"] == 3


@pytest.mark.parametrize("name", ["", "Lab alerts", "x" * 100])
def test_a_display_name_has_up_to_100_characters(sns, name):
    sns.create_topic(Name="alerts")
    sns.set_topic_attributes(TopicArn=arn("alerts"), AttributeName="DisplayName", AttributeValue=name)
    assert topic_attributes(sns, "alerts")["DisplayName"] == name


@pytest.mark.parametrize(
    ("name", "value", "code", "message"),
    [
        ("DisplayName", "x" * 101, "InvalidParameter", "Invalid parameter: DisplayName"),
        ("Colour", "blue", "InvalidParameter", "Invalid parameter: AttributeName"),
        ("displayName", "x", "InvalidParameter", "Invalid parameter: AttributeName"),
        ("TopicArn", "x", "InvalidParameter", "Invalid parameter: AttributeName"),
        ("Policy", "{", "InvalidParameter", "Invalid parameter: Policy Error: null"),
        ("Policy", "[]", "InvalidParameter", "Invalid parameter: Policy Error: null"),
        ("DeliveryPolicy", "{}", "NotImplemented", "the topic attribute DeliveryPolicy"),
        ("MaximumMessageSize", "1048576", "NotImplemented", "the topic attribute MaximumMessageSize"),
        ("HTTPSuccessFeedbackRoleArn", "x", "NotImplemented", "the topic attribute HTTPSuccessFeedbackRoleArn"),
    ],
)
def test_attributes_that_are_refused(sns, name, value, code, message):
    sns.create_topic(Name="alerts")
    before = topic_attributes(sns, "alerts")
    found = refusal(sns.set_topic_attributes, TopicArn=arn("alerts"), AttributeName=name, AttributeValue=value)
    assert found[0] == code
    assert message in found[1]
    assert topic_attributes(sns, "alerts") == before


def test_attributes_of_a_new_topic_are_refused_with_their_reason(sns):
    expected = ("InvalidParameter", "Invalid parameter: Attributes Reason: AttributeName")
    assert refusal(sns.create_topic, Name="alerts", Attributes={"Colour": "blue"}) == expected
    assert every_topic(sns) == []


TOPIC_CALLS = {
    "get_topic_attributes": {},
    "set_topic_attributes": {"AttributeName": "DisplayName", "AttributeValue": "x"},
    "list_subscriptions_by_topic": {},
    "subscribe": {"Protocol": "email", "Endpoint": "learner@example.com"},
    "publish": {"Message": "x"},
    "confirm_subscription": {"Token": "x"},
}


@pytest.mark.parametrize("operation", TOPIC_CALLS)
def test_a_topic_that_is_not_there_is_not_found(sns, operation):
    expected = ("NotFound", "Topic does not exist")
    assert refusal(getattr(sns, operation), TopicArn=arn("gone"), **TOPIC_CALLS[operation]) == expected


NO_TOPICS = (
    "alerts",
    "arn:aws:sns:eu-west-1:123456789012",
    arn("a").replace("sns", "sqs"),
    "",
    arn("a").replace("1", "2"),
)


@pytest.mark.parametrize(
    ("operation", "topic"),
    [*((operation, "") for operation in TOPIC_CALLS), *(("delete_topic", topic) for topic in NO_TOPICS)],
)
def test_what_is_no_arn_of_a_topic_is_an_invalid_parameter(sns, operation, topic):
    params = TOPIC_CALLS.get(operation, {})
    code, message = refusal(getattr(sns, operation), TopicArn=topic, **params)
    assert (code, message) == ("InvalidParameter", "Invalid parameter: TopicArn")


def test_deleting_a_topic_that_is_not_there_is_no_error(sns):
    sns.create_topic(Name="alerts")
    for _ in range(2):
        sns.delete_topic(TopicArn=arn("alerts"))
    assert every_topic(sns) == []


def test_tags_of_a_topic_are_added_replaced_and_removed(sns):
    sns.create_topic(Name="alerts", Tags=[{"Key": "lab", "Value": "vpc"}])
    sns.tag_resource(ResourceArn=arn("alerts"), Tags=[{"Key": "lab", "Value": "logs"}, {"Key": "team", "Value": "red"}])
    sns.untag_resource(ResourceArn=arn("alerts"), TagKeys=["lab"])
    assert sns.list_tags_for_resource(ResourceArn=arn("alerts"))["Tags"] == [{"Key": "team", "Value": "red"}]


def test_a_topic_made_anew_has_none_of_the_subscriptions_of_the_one_before(sns):
    sns.create_topic(Name="alerts")
    sns.subscribe(TopicArn=arn("alerts"), Protocol="email", Endpoint="learner@example.com")
    sns.delete_topic(TopicArn=arn("alerts"))
    sns.create_topic(Name="alerts")
    assert sns.list_subscriptions_by_topic(TopicArn=arn("alerts"))["Subscriptions"] == []
    assert topic_attributes(sns, "alerts")["SubscriptionsPending"] == "0"
