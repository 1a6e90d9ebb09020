import json
from pathlib import Path

import pytest

from labkit.sandbox.policies import Request, allows

PUT = Request(
    "s3:PutObject",
    "arn:aws:s3:::bucket/AWSLogs/1/file",
    "delivery.logs.amazonaws.com",
    {"aws:sourceaccount": "123456789012", "aws:sourcearn": "arn:aws:logs:eu-west-1:123456789012:delivery-source:x"},
)
USUAL = {
    "Effect": "Allow",
    "Principal": {"Service": "delivery.logs.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::bucket/*",
}

WITHOUT_PRINCIPAL = {k: v for k, v in USUAL.items() if k != "Principal"}
WITHOUT_RESOURCE = {k: v for k, v in USUAL.items() if k != "Resource"}
OPERATORS = json.loads((Path(__file__).parent / "condition_operators.json").read_text())


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def condition(operator, key, value):
    return {**USUAL, "Condition": {operator: {key: value}}}


STATEMENTS = [
    ("as in AWS's guide", USUAL, True),
    ("several actions", {**USUAL, "Action": ["s3:GetObject", "s3:PutObject"]}, True),
    ("all actions of a service", {**USUAL, "Action": "s3:*"}, True),
    ("all actions", {**USUAL, "Action": "*"}, True),
    ("actions know no case", {**USUAL, "Action": "S3:putobject"}, True),
    ("another action", {**USUAL, "Action": "s3:GetBucketAcl"}, False),
    ("all actions but this", {**{k: v for k, v in USUAL.items() if k != "Action"}, "NotAction": "s3:PutObject"}, False),
    ("all actions but another", {**{k: v for k, v in USUAL.items() if k != "Action"}, "NotAction": "s3:Get*"}, True),
    ("another folder", {**USUAL, "Resource": "arn:aws:s3:::bucket/logs/*"}, False),
    ("another case of the resource", {**USUAL, "Resource": "arn:aws:s3:::BUCKET/*"}, False),
    ("a question mark", {**USUAL, "Resource": "arn:aws:s3:::bucke?/AWSLogs/1/file"}, True),
    ("another service", {**USUAL, "Principal": {"Service": "s3.amazonaws.com"}}, False),
    ("several services", {**USUAL, "Principal": {"Service": ["x", "delivery.logs.amazonaws.com"]}}, True),
    ("everybody", {**USUAL, "Principal": "*"}, True),
    ("every account", {**USUAL, "Principal": {"AWS": "*"}}, True),
    ("an account", {**USUAL, "Principal": {"AWS": "123456789012"}}, False),
    ("all but another service", {**WITHOUT_PRINCIPAL, "NotPrincipal": {"Service": "s3.amazonaws.com"}}, True),
    ("all but this service", {**WITHOUT_PRINCIPAL, "NotPrincipal": {"Service": "delivery.logs.amazonaws.com"}}, False),
    ("all resources but another", {**WITHOUT_RESOURCE, "NotResource": "arn:aws:s3:::bucket/private/*"}, True),
    ("all resources but these", {**WITHOUT_RESOURCE, "NotResource": "arn:aws:s3:::bucket/AWSLogs/*"}, False),
    ("a star crosses slashes", {**USUAL, "Resource": "arn:aws:s3:::*file"}, True),
    ("a condition that is no object", {**USUAL, "Condition": "aws:SourceAccount"}, False),
    ("an operator without keys", {**USUAL, "Condition": {"StringEquals": "123456789012"}}, False),
    ("an action that is no text", {**USUAL, "Action": [7]}, False),
    ("no action at all", {k: v for k, v in USUAL.items() if k != "Action"}, False),
    ("no effect at all", {k: v for k, v in USUAL.items() if k != "Effect"}, False),
    ("no principal", {k: v for k, v in USUAL.items() if k != "Principal"}, False),
    ("the source account", condition("StringEquals", "aws:SourceAccount", "123456789012"), True),
    ("another source account", condition("StringEquals", "aws:SourceAccount", "210987654321"), False),
    ("one of two accounts", condition("StringEquals", "aws:SourceAccount", ["1", "123456789012"]), True),
    ("the source ARN", condition("ArnLike", "aws:SourceArn", "arn:aws:logs:eu-west-1:123456789012:*"), True),
    ("another region's ARN", condition("ArnLike", "aws:SourceArn", "arn:aws:logs:us-east-1:123456789012:*"), False),
    ("not an account", condition("StringNotEquals", "aws:SourceAccount", "210987654321"), True),
    ("not this account", condition("StringNotEquals", "aws:SourceAccount", ["1", "123456789012"]), False),
    ("a key that the request lacks", condition("StringEquals", "aws:SourceVpce", "x"), False),
    ("a key that the request lacks, negated", condition("StringNotEquals", "aws:SourceVpce", "x"), True),
    ("if it exists", condition("StringEqualsIfExists", "aws:SourceVpce", "x"), True),
    ("an operator that is not known", condition("BinaryEquals", "aws:SourceAccount", "MTIz"), False),
    ("a deny alone", {**USUAL, "Effect": "Deny"}, False),
]


@pytest.mark.parametrize(
    ("statement", "allowed"), [case[1:] for case in STATEMENTS], ids=[case[0] for case in STATEMENTS]
)
def test_a_statement_allows(statement, allowed):
    assert allows([document(statement)], PUT) is allowed


@pytest.mark.parametrize("case", OPERATORS["cases"], ids=lambda case: case["name"])
def test_a_condition_holds_as_iam_documents_its_operators_for_allow_and_deny(case):
    request = Request("s3:PutObject", "arn:aws:s3:::bucket/key", context=OPERATORS["context"])
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    allow, deny = ({**everything, "Effect": effect, "Condition": case["condition"]} for effect in ("Allow", "Deny"))
    assert allows([document(allow)], request) is case["holds"]
    assert allows([document(everything, deny)], request) is not case["holds"]


def test_a_deny_outdoes_an_allow_wherever_it_stands():
    deny = {**USUAL, "Effect": "Deny", "Principal": "*"}
    assert not allows([document(USUAL, deny)], PUT)
    assert not allows([document(deny), document(USUAL)], PUT)


def test_a_single_statement_needs_no_list():
    assert allows([json.dumps({"Statement": USUAL})], PUT)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Statement": []}', '{"Statement": ["x"]}'])
def test_what_is_no_policy_allows_nothing(text):
    assert not allows([text], PUT)


def test_a_role_s_own_policy_has_no_principal():
    logs = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    assert allows([document(logs)], Request("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:log-group:g:*"))
    assert not allows([document(logs)], Request("logs:CreateLogStream", "arn:aws:logs:eu-west-1:1:log-group:g:*"))


def test_without_any_statement_that_allows_it_everything_is_denied():
    assert not allows([], PUT)
    assert not allows([document({**USUAL, "Effect": "Deny", "Action": "s3:GetObject"})], PUT)


def test_one_of_a_role_s_policies_may_allow_what_the_others_do_not_mention():
    read = {"Effect": "Allow", "Action": "logs:Describe*", "Resource": "*"}
    write = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    put = Request("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:log-group:g:*")
    assert allows([document(read), document(write)], put)
    assert not allows([document(read), document({**write, "Effect": "Deny"})], put)


def test_the_whole_of_a_denied_service_may_be_all_but_a_few_actions():
    only_logs = {"Effect": "Deny", "NotAction": ["logs:*", "s3:Get*"], "Resource": "*"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert not allows([document(everything, only_logs)], PUT)
    assert allows([document(everything, only_logs)], Request("logs:PutLogEvents", "arn:aws:logs:eu-west-1:1:g"))
