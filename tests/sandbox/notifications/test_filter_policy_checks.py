"""The filter policies that SNS refuses, in its words; the pairs are in refused_filter_policies.json."""

import json
from pathlib import Path

import pytest

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.notifications.filter_policy_checks import PolicyError, checked
from tests.sandbox.notifications.sns import QUEUE

REFUSED = json.loads(Path(__file__).with_name("refused_filter_policies.json").read_text())


@pytest.mark.parametrize("case", REFUSED, ids=[case["name"] for case in REFUSED])
def test_a_policy_that_is_refused(case):
    policy = case["policy"] if isinstance(case["policy"], str) else json.dumps(case["policy"])
    with pytest.raises(PolicyError) as caught:
        checked(policy, case.get("scope", "MessageAttributes"))
    assert str(caught.value) == case["message"]


def values(count):
    return [f"value{number}" for number in range(count)]


COMBINATIONS = {
    "one key": ({"key": values(150)}, {"key": values(151)}),
    "two keys": ({"a": values(75), "b": values(2)}, {"a": values(100), "b": values(51)}),
    "five keys": (
        {"a": values(5), "b": values(5), "c": values(6), "d": values(1), "e": values(1)},
        {"a": values(4), "b": values(4), "c": values(4), "d": values(3), "e": values(1)},
    ),
    "a choice, whose parts add up": (
        {
            "source": values(3),
            "$or": [{"name": values(6)}, {"type": values(4), "$or": [{"id": [1, 2, 3, 4]}, {"space": values(7)}]}],
        },
        {
            "source": values(4),
            "$or": [{"name": values(6)}, {"type": values(4), "$or": [{"id": [1, 2, 3, 4]}, {"space": values(4)}]}],
        },
    ),
}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_a_policy_has_up_to_150_combinations_of_values(name):
    """The numbers of values multiplied: 3 x (6 + 4 x 4 + 4 x 7) = 150 ("Filter policy constraints")."""
    taken, too_many = COMBINATIONS[name]
    assert checked(json.dumps(taken), "MessageAttributes") == taken
    with pytest.raises(PolicyError, match="FilterPolicy: Filter policy is too complex"):
        checked(json.dumps(too_many), "MessageAttributes")


def test_values_of_nested_keys_count_once_for_each_level():
    """3 x 4 x 2 x 3 = 72 is the guide's example; with a value more in the first array it is 90, with five more 162."""
    for count, taken in ((4, True), (5, True), (9, False)):
        policy = json.dumps({"a": {"b": {"c": values(count)}}, "d": {"e": values(3)}})
        if taken:
            assert checked(policy, "MessageBody")
        else:
            with pytest.raises(PolicyError, match="too complex"):
                checked(policy, "MessageBody")


def test_a_choice_within_a_key_is_nested_no_deeper_than_its_key():
    """(3 + 2) x (2 x 2) x (1 x 2 + 2 x 2) = 120, and with three types (3 + 2) x 4 x (2 + 6) = 160."""
    for types, taken in ((2, True), (3, False)):
        detail = {"scope": values(2), "$or": [{"source": values(1)}, {"type": values(types)}]}
        policy = json.dumps({"$or": [{"metric": values(3)}, {"namespace": values(2)}], "detail": detail})
        if taken:
            assert checked(policy, "MessageBody")
        else:
            with pytest.raises(PolicyError, match="too complex"):
                checked(policy, "MessageBody")


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"key": ["text", 5, 1.5, True, False, None]},
        {"key": [1_000_000_000, -1_000_000_000]},
        {"key": [{"anything-but": "a"}, {"anything-but": ["a", 5]}, {"anything-but": {"prefix": ["a", "b"]}}]},
        {"key": [{"numeric": [">=", 0, "<", 1.5]}, {"numeric": ["=", -3]}]},
        {"key": [{"cidr": "10.0.0.5/24"}, {"cidr": "2001:db8::/32"}]},
        {"key": [{"wildcard": "*a*b*"}]},
        {"$or": [{"a": ["b"]}, {"c": ["d"]}]},
        {"$or": ["a", "b"]},
        {f"key{number}": ["value"] for number in range(5)},
    ],
)
def test_a_policy_that_is_taken(policy):
    assert checked(json.dumps(policy), "MessageAttributes") == policy


def test_only_parent_keys_are_counted():
    policy = {"a": {f"key{number}": ["v"] for number in range(6)}}
    assert checked(json.dumps(policy), "MessageBody") == policy


def test_a_policy_has_up_to_256_kib():
    assert checked(json.dumps({"key": ["x" * 262_000]}), "MessageAttributes")
    with pytest.raises(PolicyError, match="Filter policy is larger than 262144 bytes"):
        checked(json.dumps({"key": ["x" * 262_144]}), "MessageAttributes")


def test_subscribe_and_set_word_the_same_refusal_each_in_its_way(sns):
    policy = {"FilterPolicy": '{"key": []}'}
    with pytest.raises(ServiceError) as caught:
        sns.subscribe("sqs", QUEUE, Attributes=policy)
    expected = "FilterPolicy: Empty arrays are not allowed"
    assert (caught.value.code, caught.value.message) == (
        "InvalidParameter",
        f"Invalid parameter: Attributes Reason: {expected}",
    )
    arn = sns.subscribe("sqs", QUEUE)
    with pytest.raises(ServiceError) as caught:
        sns.set_attribute(arn, "FilterPolicy", policy["FilterPolicy"])
    assert caught.value.message == f"Invalid parameter: {expected}"


def test_a_policy_that_is_refused_leaves_the_one_before(sns):
    arn = sns.subscribe("sqs", QUEUE, Attributes={"FilterPolicy": '{"key": ["a"]}'})
    with pytest.raises(ServiceError):
        sns.set_attribute(arn, "FilterPolicy", '{"key": "b"}')
    assert sns.attributes(arn)["FilterPolicy"] == '{"key": ["a"]}'


def test_a_policy_on_nested_keys_needs_the_scope_of_the_body(sns):
    arn = sns.subscribe("sqs", QUEUE)
    with pytest.raises(ServiceError, match="does not support nested filter policy"):
        sns.set_attribute(arn, "FilterPolicy", '{"a": {"b": ["c"]}}')
    sns.set_attribute(arn, "FilterPolicyScope", "MessageBody")
    sns.set_attribute(arn, "FilterPolicy", '{"a": {"b": ["c"]}}')
    assert sns.attributes(arn)["FilterPolicyScope"] == "MessageBody"


def test_the_scope_of_a_policy_is_told_even_where_it_was_not_given(sns):
    arn = sns.subscribe("sqs", QUEUE)
    assert "FilterPolicyScope" not in sns.attributes(arn)
    sns.set_attribute(arn, "FilterPolicy", '{"a": ["b"]}')
    assert sns.attributes(arn)["FilterPolicyScope"] == "MessageAttributes"
