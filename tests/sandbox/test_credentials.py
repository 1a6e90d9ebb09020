"""Signature Version 4, against AWS's own examples and against botocore's signer."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer
from botocore.utils import percent_encode
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox.credentials import Credentials, Signature, verify
from labkit.sandbox.service import ServiceError
from tests.sandbox.in_process import CREDENTIALS, ENDPOINT, environment

CASES = json.loads((Path(__file__).parent / "signed_requests.json").read_text())["cases"]
PRESIGNED = (
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def request(method, address, headers, body=b""):
    """A request as the server sees it; `address` is path and query as they were sent."""
    path, _, query = address.partition("?")
    environ = EnvironBuilder(method=method, path=path, query_string=query, data=body, headers=headers).get_environ()
    return Request({**environ, "RAW_URI": address})


def documented(case):
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={case['key']}/{case['scope']},SignedHeaders={case['signed']},"
        f"Signature={case['signature']}"
    )
    headers = {**case["headers"], "Authorization": authorization}
    return request(case["method"], case["address"], headers, case.get("body", "").encode())


def signed(signer, method="POST", address="/", body=b"", headers=None, service="logs"):
    """A request signed by botocore."""
    made = AWSRequest(method=method, url=ENDPOINT + address, data=body, headers=headers or {})
    signer(Signer(CREDENTIALS.access_key_id, CREDENTIALS.secret_access_key), service, "eu-west-1").add_auth(made)
    return Request(environment(made.prepare()))


def refusal(request, credentials=CREDENTIALS):
    with pytest.raises(ServiceError) as raised:
        verify(request, Signature.of(request), credentials)
    return raised.value.code, raised.value.status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_documentation_s_own_examples_are_signed_as_they_should(case):
    made = documented(case)
    verify(made, Signature.of(made), Credentials(case["key"], case["secret"], "token"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_none_of_them_passes_with_another_secret_key(case):
    assert refusal(documented(case), Credentials(case["key"], case["secret"][:-1], "token")) == (
        "SignatureDoesNotMatch", 403,
    )  # fmt: skip


def test_the_documentation_s_presigned_address_is_signed_as_it_should():
    made = request("GET", PRESIGNED, {"Host": "examplebucket.s3.amazonaws.com"})
    signature = Signature.of(made)
    assert signature.presigned
    verify(made, signature, Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""))


def test_a_presigned_address_is_for_one_object_and_one_method():
    host = {"Host": "examplebucket.s3.amazonaws.com"}
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
    for made in (
        request("GET", PRESIGNED.replace("test.txt", "other.txt"), host),
        request("DELETE", PRESIGNED, host),
        request("GET", PRESIGNED.replace("86400", "604800"), host),
        request("GET", PRESIGNED, {"Host": "otherbucket.s3.amazonaws.com"}),
    ):
        assert refusal(made, credentials) == ("SignatureDoesNotMatch", 403)


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@settings(max_examples=60)
@given(
    st.binary(max_size=60),
    st.dictionaries(st.from_regex(r"x-amz-[a-z]{1,8}", fullmatch=True), st.text("ab ", max_size=9)),
)
def test_what_botocore_signs_for_a_service_is_accepted(body, headers):
    made = signed(SigV4Auth, body=body, headers=headers)
    verify(made, Signature.of(made), CREDENTIALS)


@settings(max_examples=60)
@given(texts, st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]))
def test_what_botocore_signs_for_any_object_is_accepted(key, method):
    address = f"/bucket/{percent_encode(key, safe='/~')}"
    for signer in (S3SigV4Auth, S3SigV4QueryAuth):
        made = signed(signer, method=method, address=address, service="s3")
        verify(made, Signature.of(made), CREDENTIALS)


CHANGES = [
    ("the body", lambda it: request(it.method, "/", dict(it.headers), b'{"limit": 2}')),
    ("the method", lambda it: request("PUT", "/", dict(it.headers), it.get_data())),
    ("the path", lambda it: request(it.method, "/other", dict(it.headers), it.get_data())),
    ("a parameter", lambda it: request(it.method, "/?a=1", dict(it.headers), it.get_data())),
    ("a signed header", lambda it: request(it.method, "/", {**it.headers, "X-Amz-Target": "Logs.B"}, it.get_data())),
    ("the date", lambda it: request(it.method, "/", {**it.headers, "X-Amz-Date": "20200101T000000Z"}, it.get_data())),
]


@pytest.mark.parametrize(("what", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_what_was_changed_after_it_was_signed_is_refused(what, change):
    made = signed(SigV4Auth, body=b'{"limit": 1}', headers={"X-Amz-Target": "Logs.A"})
    verify(made, Signature.of(made), CREDENTIALS)
    assert refusal(change(made)) == ("SignatureDoesNotMatch", 403)


def test_a_header_that_was_not_signed_may_come_on_the_way():
    made = signed(SigV4Auth, body=b"{}")
    passed_on = request(made.method, "/", {**made.headers, "X-Forwarded-For": "192.0.2.1"}, made.get_data())
    verify(passed_on, Signature.of(passed_on), CREDENTIALS)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic dXNlcjpwYXNz",
        "AWS4-HMAC-SHA256",
        "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=",
        "AWS4-HMAC-SHA256 Credential=LKIASANDBOXTEST, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=LKIASANDBOXTEST/20261102/eu-west-1/logs/aws4_request",
    ],
)
def test_a_request_without_a_signature_that_can_be_read_is_missing_one(authorization):
    made = request("POST", "/", {"Host": "127.0.0.1:4566", "Authorization": authorization})
    assert Signature.of(made) is None
    assert refusal(made) == ("MissingAuthenticationToken", 403)


def test_another_access_key_is_told_before_its_signature_is_looked_at():
    made = signed(SigV4Auth)
    stranger = replace(CREDENTIALS, access_key_id="LKIASANDBOXELSE", secret_access_key="other")
    assert refusal(made, stranger) == ("InvalidClientTokenId", 403)


def test_a_signature_says_whose_where_and_of_which_service_it_is():
    signature = Signature.of(documented(CASES[0]))
    assert (signature.access_key_id, signature.date) == ("AKIAIOSFODNN7EXAMPLE", "20130524")
    assert (signature.region, signature.service) == ("us-east-1", "s3")
    assert signature.signed_headers == ("host", "range", "x-amz-content-sha256", "x-amz-date")


def test_new_credentials_are_different_each_time_and_told_from_aws_s_own():
    one, other = Credentials.create(), Credentials.create()
    assert one.access_key_id.startswith("LKIASANDBOX")
    assert {one.access_key_id, one.secret_access_key, one.token}.isdisjoint(vars(other).values())
    assert min(len(one.secret_access_key), len(one.token)) >= 32
