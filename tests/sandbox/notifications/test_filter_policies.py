"""Which messages a filter policy wants: the examples of the SNS Developer Guide, and what its operators promise.

The pairs in filter_policies.json have the policies with the messages that each accepts and rejects, by their attributes
or by their bodies; the page of each is the one of the guide that it follows.
"""

import json
from pathlib import Path

import pytest

from labkit.sandbox.notifications.filter_policies import wants
from labkit.sandbox.notifications.filter_policy_checks import checked

CASES = json.loads(Path(__file__).with_name("filter_policies.json").read_text())
SPORT = {"sport": {"Type": "String", "Value": "rugby"}}
PRICE = {"price": {"Type": "Number", "Value": "100"}}


def of_kind(kind):
    """Each policy with each of its messages, and whether it accepts that."""
    return [
        pytest.param(case["policy"], message, verdict == "accepted", id=f"{case['name']}: {verdict} {number}")
        for case in CASES
        for verdict, messages in case.get(kind, {}).items()
        for number, message in enumerate(messages, start=1)
    ]


@pytest.mark.parametrize(("policy", "attributes", "accepted"), of_kind("attributes"))
def test_a_policy_on_attributes(policy, attributes, accepted):
    parsed = checked(json.dumps(policy), "MessageAttributes")
    assert wants(parsed, "MessageAttributes", attributes, "the message") is accepted


@pytest.mark.parametrize(("policy", "body", "accepted"), of_kind("bodies"))
def test_a_policy_on_the_body(policy, body, accepted):
    parsed = checked(json.dumps(policy), "MessageBody")
    assert wants(parsed, "MessageBody", {}, json.dumps(body)) is accepted


@pytest.mark.parametrize("message", ["Hello!", "", "[]", '[{"a": "b"}]', '"text"', "7", "null"])
def test_a_body_that_is_no_json_object_passes_no_policy_on_bodies(message):
    for policy in ({"a": [{"exists": False}]}, {"a": ["b"]}):
        assert not wants(policy, "MessageBody", {}, message)


def test_an_empty_policy_wants_everything():
    assert wants({}, "MessageAttributes", {}, "hello")
    assert wants({}, "MessageBody", {}, "{}")


def test_a_policy_on_attributes_does_not_look_into_the_body():
    assert not wants({"sport": ["rugby"]}, "MessageAttributes", {}, '{"sport": "rugby"}')
    assert not wants({"sport": ["rugby"]}, "MessageBody", SPORT, "{}")


@pytest.mark.parametrize(
    ("policy", "attributes", "accepted"),
    [
        ({"sport": [{"prefix": "ru"}, {"suffix": "nis"}]}, SPORT, True),
        ({"sport": [{"wildcard": "r.gby"}]}, SPORT, False),
        ({"sport": [{"wildcard": "r*b*"}]}, SPORT, True),
        ({"sport": [{"numeric": ["=", 100]}]}, SPORT, False),
        ({"price": [{"prefix": "1"}]}, PRICE, False),
        ({"price": ["100"]}, PRICE, False),
        ({"price": [100]}, PRICE, True),
        ({"price": [{"cidr": "10.0.0.0/8"}]}, PRICE, False),
        ({"sport": [{"anything-but": {"equals-ignore-case": "RUGBY"}}]}, SPORT, False),
        ({"sport": [{"anything-but": {"wildcard": "t*"}}]}, SPORT, True),
        ({"sport": [{"anything-but": 7}]}, SPORT, True),
        ({"sport": [{"cidr": "10.0.0.0/8"}]}, SPORT, False),
    ],
)
def test_an_operator_holds_for_values_of_its_own_type_alone(policy, attributes, accepted):
    assert wants(policy, "MessageAttributes", attributes, "") is accepted


def test_an_array_attribute_that_is_no_array_is_a_text():
    broken = {"sports": {"Type": "String.Array", "Value": "rugby"}}
    assert wants({"sports": ["rugby"]}, "MessageAttributes", broken, "")


def test_a_custom_type_of_an_attribute_goes_by_its_prefix():
    assert wants({"n": [7]}, "MessageAttributes", {"n": {"Type": "Number.int", "Value": "7"}}, "")
