"""Where requests go, and what those get that go nowhere: in the words of each protocol."""

import json
import re
from pathlib import Path

import cbor2
import pytest
from botocore.exceptions import ClientError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox.dispatcher import Address, not_implemented
from labkit.sandbox.kernel.signatures import Signature
from tests.sandbox.in_process import client_maker, send_signed

CASES = json.loads((Path(__file__).parent / "malformed_requests.json").read_text())["cases"]
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
CBOR = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


def answer(host, case):
    """The status of the answer, and its body, as the protocol of the request has them."""
    if "form" in case:
        return send_signed(host, case["service"], case["form"].encode(), FORM)
    if "json" in case:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": case["target"]}
        return send_signed(host, case["service"], case["json"].encode(), headers)
    body = bytes.fromhex(case["bytes"]) if "bytes" in case else cbor2.dumps(case["cbor"])
    path = f"/service/GraniteServiceVersion20100801/operation/{case['operation']}"
    return send_signed(host, case["service"], body, CBOR, path=path)


def told(case, response):
    """Code and message of an error."""
    if "form" in case:
        text = response.content.decode()
        return re.search("<Code>(.*)</Code><Message>(.*)</Message>", text).groups()
    body = json.loads(response.content) if "json" in case else cbor2.loads(response.content)
    return body["__type"], body.get("message", body.get("Message"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_request_that_is_none_is_told_so_in_its_own_protocol(host, case):
    response = answer(host, case)
    code, message = told(case, response)
    assert (response.status_code, code) == (case["status"], case["code"])
    assert message == case.get("message", message) != ""


@pytest.mark.parametrize("case", [each for each in CASES if "form" in each], ids=lambda case: case["name"])
def test_an_error_in_xml_is_wrapped_as_its_service_wraps_it(host, case):
    text = answer(host, case).content.decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    if case["service"] == "ec2":
        assert "<Response><Errors><Error><Code>" in text
        assert "</Error></Errors><RequestID>" in text
    else:
        fault = "Receiver" if case["status"] >= 500 else "Sender"
        assert f"<ErrorResponse><Error><Type>{fault}</Type><Code>" in text


def test_a_malformed_request_changes_nothing(host):
    make = client_maker(host)
    before = make("ec2").describe_flow_logs()["FlowLogs"], make("logs").describe_log_groups()["logGroups"]
    for case in CASES:
        answer(host, case)
    assert (make("ec2").describe_flow_logs()["FlowLogs"], make("logs").describe_log_groups()["logGroups"]) == before


def test_every_client_of_boto3_can_read_the_error_of_its_protocol(host):
    make = client_maker(host)
    calls = {
        "ec2": lambda client: client.delete_flow_logs(FlowLogIds=["fl-0123456789abcdef0"]),
        "logs": lambda client: client.get_log_events(logGroupName="none", logStreamName="none"),
        "cloudwatch": lambda client: client.get_dashboard(DashboardName="none"),
        "athena": lambda client: client.get_work_group(WorkGroup="none"),
        "sns": lambda client: client.get_topic_attributes(TopicArn="arn:aws:sns:eu-west-1:123456789012:none"),
        "s3": lambda client: client.get_object(Bucket="nobodys-bucket", Key="none"),
    }
    codes = {}
    for service, call in calls.items():
        with pytest.raises(ClientError) as raised:
            call(make(service))
        codes[service] = raised.value.response["Error"]["Code"]
    assert codes == {
        "ec2": "InvalidFlowLogId.NotFound",
        "logs": "ResourceNotFoundException",
        "cloudwatch": "ResourceNotFound",
        "athena": "InvalidRequestException",
        "sns": "NotFound",
        "s3": "NoSuchBucket",
    }


@pytest.mark.parametrize(
    ("service", "operation"), [("accessanalyzer", "list_analyzers"), ("cloud9", "list_environments")]
)
def test_a_service_that_the_sandbox_lacks_is_an_error_that_names_the_page(host, service, operation):
    with pytest.raises(ClientError) as raised:
        getattr(client_maker(host)(service), operation)()
    error = raised.value.response["Error"]
    assert error["Code"] == "NotImplemented"
    assert "docs/sandbox.md" in error["Message"]


READING = [
    "DescribeFlowLogs",
    "GetQueryResults",
    "ListMetrics",
    "FilterLogEvents",
    "TestMetricFilter",
    "BatchGetNamedQuery",
]
CHANGING = [
    "CreateFlowLogs",
    "PutLogEvents",
    "StartQuery",
    "StopQueryExecution",
    "Publish",
    "DeleteFlowLogs",
    "RunInstances",
]


@pytest.mark.parametrize(
    ("operation", "changes"), [(name, False) for name in READING] + [(name, True) for name in CHANGING]
)
def test_the_name_of_an_operation_tells_whether_it_changes_something(operation, changes):
    assert Address("logs", operation, "eu-west-1").changes_something("POST") is changes


@pytest.mark.parametrize(
    ("method", "changes"), [("GET", False), ("HEAD", False), ("PUT", True), ("DELETE", True), ("POST", True)]
)
def test_without_a_name_the_method_tells(method, changes):
    assert Address("s3", "", "eu-west-1").changes_something(method) is changes


def test_a_link_in_a_mail_is_for_the_region_of_the_topic_that_it_carries():
    topic = "arn:aws:sns:us-west-2:123456789012:alarms"
    for query, region in (
        (f"Action=ConfirmSubscription&TopicArn={topic}", "us-west-2"),
        ("Action=Unsubscribe", "eu-west-1"),
    ):
        request = Request(EnvironBuilder(path="/", query_string=query).get_environ())
        assert Address.of(request, Signature.of(request)) == Address("sns", query[7:].partition("&")[0], region)


def test_what_is_not_implemented_names_the_operation_or_the_service():
    assert "does not implement sts:Nothing. docs/sandbox.md" in not_implemented(Address("sts", "Nothing", "")).message
    assert "does not implement this s3 request." in not_implemented(Address("s3", "", "")).message
