"""Who may ask: signatures against AWS's own examples and botocore's signers, and what is refused in which words."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signer
from botocore.utils import percent_encode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox.credentials import Credentials
from labkit.sandbox.kernel.admission import Gate, is_local
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.kernel.machine_time import Moments
from labkit.sandbox.kernel.signatures import Signature
from tests.sandbox.in_process import (
    BARE,
    CONTROL_HEADERS,
    CREDENTIALS,
    ENDPOINT,
    environment,
    open_host,
    send_signed,
)

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


def admit(request, credentials=CREDENTIALS, at=None):
    """The signature of a request that is let in, at the moment it was signed or at another one."""
    text = request.headers.get("X-Amz-Date") or request.args.get("X-Amz-Date")
    signed_at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    moments = Moments(machine=lambda: signed_at if at is None else at)
    return Gate(credentials, moments).admit(request, signed_at, lambda: sha256(request.get_data()).hexdigest())


def refusal(request, credentials=CREDENTIALS):
    with pytest.raises(ServiceError) as raised:
        admit(request, credentials)
    return raised.value.code, raised.value.status


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_documentation_s_own_examples_are_signed_as_they_should(case):
    made = documented(case)
    admit(made, Credentials(case["key"], case["secret"], "token"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_none_of_them_passes_with_another_secret_key(case):
    assert refusal(documented(case), Credentials(case["key"], case["secret"][:-1], "token")) == (
        "SignatureDoesNotMatch", 403,
    )  # fmt: skip


def test_the_documentation_s_presigned_address_is_signed_as_it_should():
    made = request("GET", PRESIGNED, {"Host": "examplebucket.s3.amazonaws.com"})
    assert admit(made, Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")).presigned


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
    admit(made)


@settings(max_examples=60)
@given(texts, st.sampled_from(["GET", "PUT", "HEAD", "DELETE"]))
def test_what_botocore_signs_for_any_object_is_accepted(key, method):
    address = f"/bucket/{percent_encode(key, safe='/~')}"
    for signer in (S3SigV4Auth, S3SigV4QueryAuth):
        made = signed(signer, method=method, address=address, service="s3")
        admit(made)


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
    admit(made)
    assert refusal(change(made)) == ("SignatureDoesNotMatch", 403)


def test_a_header_that_was_not_signed_may_come_on_the_way():
    made = signed(SigV4Auth, body=b"{}")
    passed_on = request(made.method, "/", {**made.headers, "X-Forwarded-For": "192.0.2.1"}, made.get_data())
    admit(passed_on)


def test_another_access_key_is_told_before_its_signature_is_looked_at():
    made = signed(SigV4Auth)
    stranger = replace(CREDENTIALS, access_key_id="LKIASANDBOXELSE", secret_access_key="other")
    assert refusal(made, stranger) == ("InvalidClientTokenId", 403)


def test_a_signature_says_whose_where_and_of_which_service_it_is():
    signature = Signature.of(documented(CASES[0]))
    assert (signature.access_key_id, signature.date) == ("AKIAIOSFODNN7EXAMPLE", "20130524")
    assert (signature.region, signature.service) == ("us-east-1", "s3")
    assert signature.signed_headers == ("host", "range", "x-amz-content-sha256", "x-amz-date")


NOW = 1793610000
"""The host's clock, which is the machine's for it: Monday 2 November 2026, 09:00 UTC."""
DAY, TIME = "20261102", "20261102T090000Z"


def code_and_message(response):
    """What an answer refuses, in whatever protocol."""
    text = response.text
    if text.startswith("{"):
        body = json.loads(text)
        return body["__type"], body.get("message", body.get("Message"))
    return re.search(r"<Code>(.*)</Code><Message>(.*)</Message>", text, re.DOTALL).groups()


def header(key=CREDENTIALS.access_key_id, scope=f"{DAY}/eu-west-1/logs/aws4_request", signed="host;x-amz-date"):
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={signed}, Signature={'0' * 64}"


JSON_REQUEST = {"X-Amz-Target": "Logs_20140328.DescribeLogGroups", "X-Amz-Date": TIME, "Host": "localhost"}
OTHERS = [
    ("", "MissingAuthenticationToken", "Request is missing Authentication Token"),
    ("Basic dXNlcjpwYXNz", "IncompleteSignature", "Unsupported AWS 'algorithm': 'Basic'."),
    ("AWS4-HMAC-SHA512 Credential=a", "IncompleteSignature", "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512'."),
    (
        "AWS4-HMAC-SHA256",
        "IncompleteSignature",
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256",
    ),
    ("AWS4-HMAC-SHA256 Fool", "IncompleteSignature", "'Fool' not a valid key=value pair (missing equal-sign) in "),
    (
        header(scope="eu-west-1/logs/aws4_request"),
        "IncompleteSignature",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '",
    ),
    (header(scope=f"{DAY}/Dublin/logs/aws4_request"), "SignatureDoesNotMatch", "scoped to a valid region."),
    (header(scope=f"{DAY}/eu-west-1/logs/aws5_request"), "SignatureDoesNotMatch", "terminator: 'aws4_request', not"),
    (
        header(scope="20261101/eu-west-1/logs/aws4_request"),
        "SignatureDoesNotMatch",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        "'20261101' != '20261102', from '20261102T090000Z'.",
    ),
    (
        header(signed="x-amz-date"),
        "SignatureDoesNotMatch",
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    (header(key="AKIAIOSFODNN7EXAMPLE"), "InvalidClientTokenId", "The security token included in the request is inva"),
    (header(), "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provi"),
]


@pytest.mark.parametrize(("authorization", "code", "message"), OTHERS)
def test_an_authorization_that_is_wrong_is_told_what_is_wrong_with_it(host, authorization, code, message):
    answer = Client(host).post("/", headers=JSON_REQUEST | {"Authorization": authorization})
    assert answer.status_code == (400 if code == "IncompleteSignature" else 403)
    told = code_and_message(answer)
    assert told[0] == code
    assert message in told[1]


S3_SCOPE = f"{DAY}/eu-west-1/s3/aws4_request"
HASH = {"X-Amz-Content-SHA256": sha256(b"").hexdigest()}
OF_S3 = [
    (header(scope=S3_SCOPE), {}, 400, "InvalidRequest", "Missing required header for this request: x-amz-content"),
    (header(scope=S3_SCOPE), {"X-Amz-Content-SHA256": "abc"}, 400, "InvalidArgument", "x-amz-content-sha256 must be"),
    ("Bearer xyz", HASH, 400, "InvalidArgument", "Unsupported Authorization Type"),
    ("AWS4-HMAC-SHA256 Credential=a", HASH, 400, "AuthorizationHeaderMalformed", "requires three components"),
    (header(scope=f"{DAY}/s3/aws4_request"), HASH, 400, "AuthorizationHeaderMalformed", "the Credential is mal-formed"),
    (header(scope=S3_SCOPE.replace("4_", "5_")), HASH, 400, "AuthorizationHeaderMalformed", "incorrect terminal"),
    (header(scope=S3_SCOPE.replace("2026", "26")), HASH, 400, "AuthorizationHeaderMalformed", "incorrect date format"),
    (header(scope=S3_SCOPE.replace("1102", "1101")), HASH, 400, "AuthorizationHeaderMalformed", "is not the same as"),
    (header(scope=S3_SCOPE.replace("eu-west-1", "")), HASH, 400, "AuthorizationHeaderMalformed", "a non-empty region"),
    (header(scope=S3_SCOPE), HASH, 403, "SignatureDoesNotMatch", "Check your key and signing method."),
    (header(scope=S3_SCOPE), HASH | {"X-Amz-Acl": "private"}, 403, "AccessDenied", "present in the request which were"),
    ("AWS LKIASANDBOXTEST", HASH, 400, "InvalidArgument", "Expected AwsAccessKeyId:signature"),
    ("AWS LKIASANDBOXTEST:abc=", HASH, 403, "SignatureDoesNotMatch", "Check your key and signing method."),
]


@pytest.mark.parametrize(("authorization", "headers", "status", "code", "message"), OF_S3)
def test_s3_has_words_of_its_own(host, authorization, headers, status, code, message):
    signed = authorization.replace("SignedHeaders=host;", "SignedHeaders=host;x-amz-content-sha256;")
    headers = {"X-Amz-Date": TIME, "Host": "localhost", "Authorization": signed} | headers
    answer = Client(host).get("/bucket/key", headers=headers)
    assert answer.status_code == status
    told = code_and_message(answer)
    assert told[0] == code
    assert message in told[1].replace("&lt;", "<")


QUERIES = [
    ("X-Amz-Credential=", 400, "AuthorizationQueryParametersError", "requires the X-Amz-Algorithm, X-Amz-Credential"),
    ("X-Amz-Algorithm=AWS4-HMAC-SHA1", 400, "AuthorizationQueryParametersError", "X-Amz-Algorithm only supports"),
    ({"X-Amz-Date": None}, 400, "AuthorizationQueryParametersError", "requires the X-Amz-Algorithm"),
    ({"X-Amz-Date": "2026-11-02"}, 400, "AuthorizationQueryParametersError", "X-Amz-Date must be in the ISO8601 Long"),
    ({"X-Amz-Expires": "604801"}, 400, "AuthorizationQueryParametersError", "X-Amz-Expires must be less than a week"),
    ({"X-Amz-Expires": "-1"}, 400, "AuthorizationQueryParametersError", "X-Amz-Expires must be non-negative"),
    ({"X-Amz-Expires": "1e3"}, 400, "AuthorizationQueryParametersError", "X-Amz-Expires should be a number"),
    ({"X-Amz-Credential": "a/b"}, 400, "AuthorizationQueryParametersError", "the Credential is mal-formed"),
    ({"X-Amz-Date": "20261102T093000Z"}, 403, "AccessDenied", "Request is not yet valid"),
    ({"X-Amz-Date": "20261102T085000Z"}, 403, "AccessDenied", "Request has expired"),
    ({"X-Amz-SignedHeaders": "date"}, 403, "AccessDenied", "There were headers present in the request which were not"),
    ({}, 403, "SignatureDoesNotMatch", "The request signature we calculated does not match"),
    ("AWSAccessKeyId=LKIASANDBOXTEST&Signature=abc", 403, "AccessDenied", "requires the Signature, Expires and"),
    ("AWSAccessKeyId=LKIASANDBOXTEST&Signature=abc&Expires=soon", 403, "AccessDenied", "Invalid date (should be"),
    ("AWSAccessKeyId=LKIASANDBOXTEST&Signature=abc&Expires=1793600000", 403, "AccessDenied", "Request has expired"),
    ("AWSAccessKeyId=LKIASANDBOXTEST&Signature=abc&Expires=1793610060", 403, "SignatureDoesNotMatch", "we calculated"),
    ("AWSAccessKeyId=A&Signature=a&Expires=1&X-Amz-Algorithm=A", 400, "InvalidArgument", "Only one auth mechanism"),
]


@pytest.mark.parametrize(("query", "status", "code", "message"), QUERIES)
def test_a_presigned_address_that_is_wrong_is_told_what_is_wrong_with_it(host, query, status, code, message):
    if isinstance(query, dict):
        given = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{CREDENTIALS.access_key_id}/{S3_SCOPE}",
            "X-Amz-Date": TIME,
            "X-Amz-Expires": "60",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Signature": "0" * 64,
        } | query
        query = urlencode({name: value for name, value in given.items() if value is not None})
    answer = Client(host).get(f"/bucket/key?{query}", headers={"Host": "localhost"})
    assert answer.status_code == status
    told = code_and_message(answer)
    assert told[0] == code
    assert message in told[1]


nasty = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)
pieces = st.sampled_from(
    [
        *("AWS4-HMAC-SHA256 ", "AWS ", "Credential=", "SignedHeaders=", "Signature=", ", ", "/", ";", "host", "=", ":"),
        *(CREDENTIALS.access_key_id, DAY, "eu-west-1", "s3", "logs", "ec2", "monitoring", "aws4_request", "0" * 64),
    ]
)
authorizations = st.lists(st.one_of(pieces, nasty), max_size=14).map("".join)
parameters = st.dictionaries(
    st.sampled_from(
        [
            *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"),
            *("X-Amz-Signature", "AWSAccessKeyId", "Signature", "Expires", "SignatureVersion", "Action"),
        ]
    ),
    st.one_of(nasty, authorizations, st.sampled_from(["AWS4-HMAC-SHA256", TIME, "1", str(NOW), str(10**40), "host"])),
    max_size=8,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    authorizations,
    parameters,
    st.sampled_from(["GET", "POST", "PUT", "HEAD"]),
    st.sampled_from(["/", "/bucket/key"]),
    st.dictionaries(st.sampled_from(["X-Amz-Date", "Date", "X-Amz-Target", "X-Amz-Content-SHA256"]), nasty),
)
def test_nobody_gets_in_and_nothing_breaks_whatever_is_sent(host, authorization, query, method, path, headers):
    headers = {"Host": "localhost", "Authorization": authorization} | headers
    answer = Client(host).open(path, method=method, query_string=query, headers=headers)
    assert 400 <= answer.status_code < 500 or answer.status_code == 501


@pytest.mark.parametrize("service", ["ec2", "logs"])
@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_client_whose_clock_is_wrong_is_told_so(host, service, minutes, monkeypatch):
    wrong = datetime.fromtimestamp(NOW, UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: wrong)
    answer = send_signed(host, service, b"", JSON_REQUEST if service == "logs" else {})
    code, message = code_and_message(answer)
    assert answer.status_code == 403
    assert code == "SignatureDoesNotMatch"
    sent = wrong.strftime("%Y%m%dT%H%M%SZ")
    assert message == (
        f"Signature expired: {sent} is now earlier than 20261102T084500Z (20261102T090000Z - 15 min.)"
        if minutes < 0
        else f"Signature not yet current: {sent} is still later than 20261102T091500Z (20261102T090000Z + 15 min.)"
    )


def test_s3_names_both_clocks(host, monkeypatch):
    wrong = datetime(2020, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: wrong)
    answer = send_signed(host, "s3", b"", {}, path="/bucket", method="GET")
    assert answer.status_code == 403
    assert code_and_message(answer)[0] == "RequestTimeTooSkewed"
    assert "<RequestTime>20200101T000000Z</RequestTime><ServerTime>2026-11-02T09:00:00Z</ServerTime>" in answer.text
    assert "<MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds>" in answer.text


def test_what_can_be_refused_without_the_body_is_refused_before_it_is_read():
    def unread():
        raise AssertionError("the body was asked for")

    gate = Gate(CREDENTIALS, Moments(machine=lambda: NOW))
    for authorization, code, _ in OTHERS[:-1]:
        made = request("POST", "/", JSON_REQUEST | {"Authorization": authorization})
        with pytest.raises(ServiceError, match=code):
            gate.admit(made, NOW, unread)
    declared = signed(S3SigV4Auth, "PUT", "/bucket/key", b"body", service="s3")
    moments = Moments(machine=lambda: datetime.now(UTC).timestamp())
    assert Gate(CREDENTIALS, moments).admit(declared, 0, unread).service == "s3"


def test_any_credentials_still_have_to_be_told_by_a_clock_that_is_right():
    stranger = replace(CREDENTIALS, access_key_id="LKIASANDBOXELSE", secret_access_key="other")
    made = signed(SigV4Auth)
    now = datetime.now(UTC).timestamp()
    gate = Gate(stranger, Moments(machine=lambda: now), any_credentials=True)
    assert gate.admit(made, now, lambda: "").access_key_id == CREDENTIALS.access_key_id
    late = Gate(stranger, Moments(machine=lambda: now + 1000), any_credentials=True)
    with pytest.raises(ServiceError, match="Signature expired"):
        late.admit(made, now, lambda: "")


def test_an_address_that_is_no_ascii_is_the_client_s_fault(host):
    for path in ("/", "/bucket/key", "/_sandbox/inbox"):
        environ = EnvironBuilder(path=path, headers={"Host": "localhost"}).get_environ()
        answer = Client(host).open({**environ, "QUERY_STRING": "a=\xa2", "RAW_URI": f"{path}?a=\xa2"})
        assert (answer.status_code, code_and_message(answer)[0]) == (400, "InvalidURI")


LOCAL = [
    "localhost",
    "LOCALHOST:4566",
    "LocalHost.",
    "localhost.:80",
    "127.0.0.1",
    "127.0.0.1:1",
    "[::1]",
    "[::1]:4566",
]
FOREIGN = [
    *("", "example.com", "localhost.example.com", "localhost@example.com", "127.0.0.1.example.com", "127.0.0.2"),
    *("bucket.localhost", "[::2]:4566", "::1", "localhost:", "localhost:x", "localhost:1:2", "localhost..", "0.0.0.0"),
]


def test_only_names_of_this_machine_are_answered_for():
    assert [name for name in LOCAL if not is_local(name)] == []
    assert [name for name in FOREIGN if is_local(name)] == []


def test_every_answer_bears_the_machine_s_date(tmp_path):
    host = open_host(tmp_path / "journal.sqlite", BARE, Moments(machine=lambda: 1796124930.0))
    try:
        for path in ("/", "/_sandbox/clock", "/?Action=ConfirmSubscription"):
            answer = Client(host).get(path, headers=CONTROL_HEADERS)
            assert answer.headers.get_all("Date") == ["Tue, 01 Dec 2026 11:35:30 GMT"]
    finally:
        host.close()
