import json
from datetime import UTC, datetime

import cbor2
import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox import wire
from labkit.sandbox.kernel.errors import ServiceError

MOMENT = datetime(2026, 11, 2, 9, tzinfo=UTC)


def json_request(target: str, body: str) -> Request:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    return Request(EnvironBuilder(method="POST", data=body, headers=headers).get_environ())


def cbor_request(operation: str, members: dict) -> Request:
    path = f"/service/GraniteServiceVersion20100801/operation/{operation}"
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    return Request(EnvironBuilder(method="POST", path=path, data=cbor2.dumps(members), headers=headers).get_environ())


def form_request(**values: str) -> Request:
    return Request(EnvironBuilder(method="POST", data=values).get_environ())


@pytest.mark.parametrize(
    ("request_", "protocol", "operation"),
    [
        (json_request("Logs_20140328.PutLogEvents", "{}"), "json", "PutLogEvents"),
        (cbor_request("PutMetricData", {}), "cbor", "PutMetricData"),
        (form_request(Action="Publish"), "query", "Publish"),
    ],
)
def test_protocol_and_operation_are_read_off_the_request(request_, protocol, operation):
    assert (wire.protocol_of(request_), wire.operation_name(request_)) == (protocol, operation)


def test_json_timestamps_become_datetimes():
    request = json_request("AmazonAthena.X", '{"StartTime": 1793610000}')
    assert wire.parse(request, "athena", "GetSessionStatus") == {"StartTime": 1793610000}
    request = json_request("GraniteServiceVersion20100801.GetMetricData", '{"StartTime": 1793610000}')
    assert wire.parse(request, "cloudwatch", "GetMetricData") == {"StartTime": MOMENT}


def test_cbor_datapoints_come_through_with_their_types():
    data = {"Namespace": "N", "MetricData": [{"MetricName": "m", "Timestamp": MOMENT, "Value": 1.5}]}
    assert wire.parse(cbor_request("PutMetricData", data), "cloudwatch", "PutMetricData") == data


def test_query_lists_are_gathered():
    request = form_request(Action="DescribeFlowLogs", **{"FlowLogId.1": "fl-1", "FlowLogId.2": "fl-2"})
    assert wire.parse(request, "ec2", "DescribeFlowLogs") == {"FlowLogIds": ["fl-1", "fl-2"]}


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "\x00", "[" * 100_000, '{"logGroupName": "\\ud800"}'])
def test_a_body_that_is_no_object_of_texts_is_a_serialization_error(body):
    with pytest.raises(ServiceError) as raised:
        wire.parse(json_request("Logs_20140328.PutLogEvents", body), "logs", "PutLogEvents")
    assert raised.value.code == "SerializationException"


def test_an_output_loses_members_without_a_value_and_keeps_its_timestamps():
    output = {"MetricDataResults": [{"Id": "m1", "Label": None, "Timestamps": [MOMENT], "Values": [1.0]}]}
    as_json = wire.serialize("json", "cloudwatch", "GetMetricData", output)
    assert json.loads(as_json.get_data())["MetricDataResults"] == [
        {"Id": "m1", "Timestamps": [1793610000.0], "Values": [1.0]}
    ]
    as_cbor = wire.serialize("cbor", "cloudwatch", "GetMetricData", output)
    assert cbor2.loads(as_cbor.get_data())["MetricDataResults"][0]["Timestamps"] == [MOMENT]


def test_a_member_that_the_model_does_not_know_is_a_fault_of_ours():
    with pytest.raises(KeyError, match="nextToke"):
        wire.serialize("json", "logs", "DescribeLogGroups", {"nextToke": "x"})


def test_a_shape_that_holds_itself_is_written():
    stage = {"StageId": 0, "SubStages": [{"StageId": 1, "SubStages": []}]}
    output = {"QueryRuntimeStatistics": {"OutputStage": stage}}
    written = wire.serialize("json", "athena", "GetQueryRuntimeStatistics", output)
    assert json.loads(written.get_data()) == output


def test_query_output_is_wrapped_as_the_protocol_wants_it():
    text = wire.serialize("query", "sns", "Publish", {"MessageId": "m-1"}).get_data(as_text=True)
    assert "<PublishResult><MessageId>m-1</MessageId></PublishResult>" in text


def test_an_error_has_its_shapes_name_status_and_query_code():
    error = ServiceError("ResourceNotFound", "Unknown alarm")
    response = wire.serialize_error("cbor", "cloudwatch", error)
    assert response.status_code == 404
    assert cbor2.loads(response.get_data())["__type"] == "ResourceNotFound"
    assert response.headers["x-amzn-query-error"] == "ResourceNotFound;Sender"


def test_an_error_keeps_further_members_of_its_shape():
    error = ServiceError("MalformedQueryException", "no", queryCompileError={"message": "no"})
    body = json.loads(wire.serialize_error("json", "logs", error).get_data())
    assert body == {"__type": "MalformedQueryException", "message": "no", "queryCompileError": {"message": "no"}}


def test_what_the_sandbox_adds_to_an_error_stands_in_a_header():
    error = ServiceError("InvalidParameterException", "Invalid filter pattern", detail="at é\n")
    response = wire.serialize_error("json", "logs", error)
    assert json.loads(response.get_data())["message"] == "Invalid filter pattern"
    assert response.headers["x-sandbox-detail"] == "at \\xe9\\n"


def test_a_pair_of_surrogates_is_one_character():
    request = json_request("Logs_20140328.DescribeLogGroups", '{"logGroupNamePrefix": "\\ud83d\\ude00"}')
    assert wire.parse(request, "logs", "DescribeLogGroups") == {"logGroupNamePrefix": "\N{GRINNING FACE}"}


def test_an_error_in_xml_escapes_what_the_client_sent():
    text = wire.serialize_error("query", "sns", ServiceError("InvalidParameter", "<b>&")).get_data(as_text=True)
    assert "<Message>&lt;b&gt;&amp;</Message>" in text
