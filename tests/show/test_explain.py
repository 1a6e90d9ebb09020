import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from pyathena.error import OperationalError

from labkit.lab import masking
from labkit.show import explain


def refused(code, message="No."):
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFlowLogs")


NEXT = [
    ("UnauthorizedOperation", "`labkit policy`"),
    ("ExpiredTokenException", "Log in again"),
    ("InvalidClientTokenId", "first cell again"),
    ("ThrottlingException", "slow down"),
    ("ResourceNotFoundException", "lab.catch_up"),
    ("NotImplemented", "docs/sandbox.md"),
    ("SomethingElse", "Read what AWS says"),
]


@pytest.mark.parametrize(("code", "advice"), NEXT)
def test_an_error_is_said_in_awss_words_with_the_next_step(code, advice):
    said, step = explain.explanation(refused(code, "The thing."))
    assert said == f"AWS refused CreateFlowLogs: {code}: The thing."
    assert advice in step


def test_no_answer_is_explained_too():
    said, step = explain.explanation(EndpointConnectionError(endpoint_url="https://ec2.eu-west-1.amazonaws.com"))
    assert "Could not connect to the endpoint URL" in said
    assert "see that the network" in step


def test_what_is_hidden_is_not_shown_in_errors_either():
    masking.hide({"123456789012": "ACCOUNT"})
    try:
        assert explain.explanation(refused("X", "of 123456789012"))[0] == "AWS refused CreateFlowLogs: X: of ACCOUNT"
    finally:
        masking.show_all()


KNOWN_BEFORE_AN_ANSWER = [
    (ProfileNotFound(profile="x"), "aws configure list-profiles"),
    (NoCredentialsError(), "aws configure"),
    (SSOTokenLoadError(error_msg="gone"), "aws sso login"),
    (UnauthorizedSSOTokenError(), "aws sso login"),
    (TokenRetrievalError(provider="sso", error_msg="expired"), "aws sso login"),
    (CredentialRetrievalError(provider="process", error_msg="exit 1"), "Log in again"),
    (ReadTimeoutError(endpoint_url="https://x"), "see that the network"),
]


@pytest.mark.parametrize(("failure", "advice"), KNOWN_BEFORE_AN_ANSWER, ids=lambda each: type(each).__name__)
def test_what_goes_wrong_before_aws_answers_has_a_next_step_of_its_own(failure, advice):
    assert advice in explain.explanation(failure)[1]


def test_an_error_that_pyathena_wrapped_is_explained_as_awss():
    wrapped = OperationalError("wrapped")
    wrapped.__cause__ = refused("ExpiredTokenException", "expired")
    assert explain.is_known(wrapped)
    assert explain.explanation(wrapped)[:2] == [
        "AWS refused CreateFlowLogs: ExpiredTokenException: expired",
        f"Next: {explain.NEXT_STEPS['ExpiredTokenException']}",
    ]


def test_a_query_that_failed_is_no_error_of_the_way_to_aws():
    assert not explain.is_known(OperationalError("SYNTAX_ERROR: line 1:8"))


@pytest.mark.parametrize(
    ("code", "advice"),
    [("VpcLimitExceeded", "labkit preflight"), ("OptInRequired", "enable it"), ("SlowDown", "slow down")],
)
def test_quotas_and_regions_have_their_advice(code, advice):
    assert advice in explain.explanation(refused(code))[1]


@pytest.mark.parametrize(
    ("code", "words", "advice"),
    [
        ("InvalidParameterException", "Invalid metric filter pattern", "missing bracket"),
        ("InvalidParameter", "Invalid Flow Log Max Aggregation Interval", "60 or for 600 seconds"),
        ("MalformedQueryException", "unknown function foo", "the place that the message names"),
        ("InvalidRequestException", "line 1:1: mismatched input 'selec'", "the place that the message names"),
    ],
)
def test_a_malformed_pattern_query_or_setting_has_advice_of_its_own(code, words, advice):
    assert advice in explain.next_step(code, f"AWS refused X: {code}: {words}")
