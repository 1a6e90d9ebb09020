import json

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
    ("an operator that is not known", condition("DateGreaterThan", "aws:CurrentTime", "2020-01-01"), False),
    ("a deny alone", {**USUAL, "Effect": "Deny"}, False),
]


@pytest.mark.parametrize(
    ("statement", "allowed"), [case[1:] for case in STATEMENTS], ids=[case[0] for case in STATEMENTS]
)
def test_a_statement_allows(statement, allowed):
    assert allows([document(statement)], PUT) is allowed


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
