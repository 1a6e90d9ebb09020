import pytest

from labkit.sandbox import validation
from labkit.sandbox.kernel.errors import ServiceError

WRONG = [
    ("logs", "CreateLogGroup", {}, "InvalidParameterException", "Value null at 'logGroupName' failed to satisfy"),
    ("logs", "CreateLogGroup", {"logGroupName": ""}, "InvalidParameterException", "length greater than or equal to 1"),
    ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "InvalidParameterException", "satisfy regular expression"),
    ("logs", "GetLogEvents", {"logStreamName": "s", "limit": 10001}, "InvalidParameterException", "'10001' at 'limit'"),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": -1, "message": "m"}]},
        "InvalidParameterException",
        "'-1' at 'logEvents.1.member.timestamp'",
    ),
    ("cloudwatch", "DescribeAlarms", {"StateValue": "FINE"}, "ValidationError", "enum value set: [OK, ALARM"),
    ("athena", "GetQueryResults", {"QueryExecutionId": "q", "MaxResults": 0}, "InvalidRequestException", "'0' at"),
    ("logs", "CreateLogGroup", {"logGroupName": 7}, "SerializationException", "'logGroupName' must be of type string"),
    ("logs", "DescribeLogGroups", {"limit": 2**31}, "SerializationException", "'limit' must be of type integer"),
    ("logs", "DescribeLogGroups", {"limit": True}, "SerializationException", "must be of type integer"),
]


@pytest.mark.parametrize(("service", "operation", "params", "code", "text"), WRONG)
def test_a_broken_constraint_is_named_with_its_value(service, operation, params, code, text):
    with pytest.raises(ServiceError) as raised:
        validation.check(service, operation, params)
    assert raised.value.code == code
    assert text in raised.value.message


def test_all_faults_are_counted():
    with pytest.raises(ServiceError, match="2 validation errors detected"):
        validation.check("logs", "PutLogEvents", {"logEvents": [{"timestamp": 1, "message": "m"}]})


@pytest.mark.parametrize(
    ("events", "code", "text"),
    [
        ([{"timestamp": 1, "message": "m"}, {"timestamp": 1, "message": ""}], "InvalidParameterException", "''"),
        ([{"timestamp": 1, "message": "m"}, {"message": "m"}], "InvalidParameterException", "2.member.timestamp"),
        (
            [{"timestamp": 1, "messages": "m"}],
            "InvalidParameterException",
            "Value null at 'logEvents.1.member.message'",
        ),
        ([{"timestamp": None, "message": "m"}], "InvalidParameterException", "Value null at"),
        ([{"timestamp": 1.5, "message": "m"}], "SerializationException", "must be of type long"),
        ([{"timestamp": 2**63, "message": "m"}], "SerializationException", "must be of type long"),
        ([{"timestamp": True, "message": "m"}], "SerializationException", "must be of type long"),
        ([{"timestamp": 1, "message": 7}], "SerializationException", "must be of type string"),
        (["event"], "SerializationException", "must be of type structure"),
        ([], "InvalidParameterException", "length greater than or equal to 1"),
    ],
)
def test_a_fault_in_one_event_of_a_batch_is_found(events, code, text):
    with pytest.raises(ServiceError) as raised:
        validation.check("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": events})
    assert raised.value.code == code
    assert text in raised.value.message


def test_a_message_quotes_the_beginning_of_what_is_too_much():
    events = [{"timestamp": 1, "message": "m"}] * 10_001
    with pytest.raises(ServiceError) as raised:
        validation.check("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": events})
    assert raised.value.message.startswith("1 validation error detected: Value '[{'timestamp': 1, 'message': 'm'}, ")
    assert raised.value.message.endswith(
        "...' at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000"
    )
    assert len(raised.value.message) < 2_500


def test_events_may_have_members_that_the_model_does_not_know():
    events = [{"timestamp": 1, "message": "m"}, {"timestamp": 2, "message": "m", "colour": "red"}]
    validation.check("logs", "PutLogEvents", {"logGroupName": "g", "logStreamName": "s", "logEvents": events})


def test_a_sound_call_passes():
    validation.check("logs", "CreateLogGroup", {"logGroupName": "VPCFlowLogs", "tags": {"a": "b"}})
