"""The operators of filter policies, as the SNS Developer Guide describes them."""

import json

import pytest

from labkit.sandbox.notifications.filter_policies import parse, wants
from labkit.sandbox.service import ServiceError

SPORT = {"sport": {"Type": "String", "Value": "rugby"}}
PRICE = {"price": {"Type": "Number", "Value": "100"}}
SPORTS = {"sport": {"Type": "String.Array", "Value": '["rugby", "tennis", 7, true]'}}

ON_ATTRIBUTES = [
    ({"sport": ["rugby"]}, SPORT, True),
    ({"sport": ["football", "rugby"]}, SPORT, True),
    ({"sport": ["Rugby"]}, SPORT, False),
    ({"sport": ["rugby"]}, {}, False),
    ({"sport": ["rugby"], "price": [100]}, SPORT, False),
    ({"sport": ["rugby"], "price": [100]}, SPORT | PRICE, True),
    ({"sport": [{"prefix": "ru"}]}, SPORT, True),
    ({"sport": [{"prefix": "gu"}]}, SPORT, False),
    ({"sport": [{"suffix": "by"}]}, SPORT, True),
    ({"sport": [{"equals-ignore-case": "RUGBY"}]}, SPORT, True),
    ({"sport": [{"wildcard": "r*b*"}]}, SPORT, True),
    ({"sport": [{"wildcard": "*tennis"}]}, SPORT, False),
    ({"sport": [{"wildcard": "r.gby"}]}, SPORT, False),
    ({"sport": [{"anything-but": ["tennis"]}]}, SPORT, True),
    ({"sport": [{"anything-but": "rugby"}]}, SPORT, False),
    ({"sport": [{"anything-but": ["tennis"]}]}, {}, False),
    ({"sport": [{"anything-but": {"prefix": "ru"}}]}, SPORT, False),
    ({"sport": [{"exists": True}]}, SPORT, True),
    ({"sport": [{"exists": False}]}, SPORT, False),
    ({"sport": [{"exists": False}]}, PRICE, True),
    ({"price": [100]}, PRICE, True),
    ({"price": [100.0000001]}, PRICE, True),
    ({"price": [{"numeric": ["=", 100]}]}, PRICE, True),
    ({"price": [{"numeric": [">", 0, "<=", 100]}]}, PRICE, True),
    ({"price": [{"numeric": ["<", 100]}]}, PRICE, False),
    ({"price": [{"anything-but": [100, 500]}]}, PRICE, False),
    ({"sport": [{"numeric": ["=", 100]}]}, SPORT, False),
    ({"price": ["100"]}, PRICE, False),
    ({"sport": ["tennis"]}, SPORTS, True),
    ({"sport": [7]}, SPORTS, True),
    ({"sport": [{"anything-but": ["tennis"]}]}, SPORTS, False),
    ({"source": [{"cidr": "203.0.113.0/24"}]}, {"source": {"Type": "String", "Value": "203.0.113.9"}}, True),
    ({"source": [{"cidr": "203.0.113.0/24"}]}, {"source": {"Type": "String", "Value": "198.51.100.1"}}, False),
    ({"source": [{"cidr": "203.0.113.0/24"}]}, {"source": {"Type": "String", "Value": "nowhere"}}, False),
    ({"$or": [{"sport": ["tennis"]}, {"price": [100]}]}, PRICE, True),
    ({"$or": [{"sport": ["tennis"]}, {"price": [99]}]}, SPORT | PRICE, False),
]

ALARM = {"AlarmName": "SSH Rejects", "Trigger": {"MetricName": "ssh-rejects", "Threshold": 1.0}, "Ok": None, "On": True}
ON_BODIES = [
    ({"AlarmName": ["SSH Rejects"]}, ALARM, True),
    ({"Trigger": {"MetricName": [{"prefix": "ssh"}], "Threshold": [1]}}, ALARM, True),
    ({"Trigger": {"MetricName": ["other"]}}, ALARM, False),
    ({"Trigger": {"MetricName": {"deeper": ["x"]}}}, ALARM, False),
    ({"Absent": {"key": ["x"]}}, ALARM, False),
    ({"Absent": {"key": [{"exists": False}]}}, ALARM, True),
    ({"Ok": [None], "On": [True]}, ALARM, True),
    ({"On": [False]}, ALARM, False),
    ({"On": [1]}, ALARM, False),
    ({"Records": {"name": ["b"]}}, {"Records": [{"name": "a"}, {"name": "b"}]}, True),
    ({"Records": {"name": ["c"]}}, {"Records": [{"name": "a"}, {"name": "b"}]}, False),
    ({"names": ["b"]}, {"names": ["a", "b"]}, True),
    ({"a": ["b"]}, "no object", False),
]

REFUSED = [
    ("{", "MessageAttributes", "failed to parse JSON."),
    ("[1]", "MessageAttributes", "Filter is not an object"),
    ('"text"', "MessageAttributes", "Filter is not an object"),
    ('{"s": "a"}', "MessageAttributes", '"s" must be an object or an array'),
    ('{"s": [{"like": "a"}]}', "MessageAttributes", "Unrecognized match type like"),
    ('{"s": [{"wildcard": "a**b"}]}', "MessageAttributes", "Consecutive wildcard characters at pos 2"),
    ('{"s": [{"cidr": "300.0.0.0/8"}]}', "MessageAttributes", "Malformed CIDR"),
    ('{"s": [{"cidr": "10.0.0.1"}]}', "MessageAttributes", "Malformed CIDR"),
    ('{"a": {"b": ["c"]}}', "MessageAttributes", "does not support nested filter policy"),
]


@pytest.mark.parametrize(("policy", "attributes", "expected"), ON_ATTRIBUTES)
def test_a_policy_on_attributes(policy, attributes, expected):
    parsed = parse(json.dumps(policy), "MessageAttributes")
    assert wants(parsed, "MessageAttributes", attributes, "the message") is expected


@pytest.mark.parametrize(("policy", "body", "expected"), ON_BODIES)
def test_a_policy_on_the_body(policy, body, expected):
    parsed = parse(json.dumps(policy), "MessageBody")
    assert wants(parsed, "MessageBody", {}, json.dumps(body)) is expected


def test_a_body_that_is_no_json_passes_no_policy_on_bodies():
    assert not wants({"a": [{"exists": False}]}, "MessageBody", {}, "Hello!")


@pytest.mark.parametrize(("policy", "scope", "message"), REFUSED)
def test_a_policy_that_is_refused(policy, scope, message):
    with pytest.raises(ServiceError) as caught:
        parse(policy, scope)
    assert caught.value.code == "InvalidParameter"
    assert message in caught.value.message
