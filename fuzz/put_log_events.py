"""PutLogEvents: any body is a batch that can be read back as it was put, or is refused with a documented error."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.dispatcher import Address, Dispatcher

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
NOW = round(START.timestamp() * 1000)
STREAM = b'{"logGroupName": "g", "logStreamName": "s"}'
DOCUMENTED = {"InvalidParameterException", "ResourceNotFoundException", "SerializationException"}

WORDS = [
    *('"timestamp": ', '"message": ', '"logEvents": [', '"logGroupName": "g"', '"logStreamName": "s"', "{", "}", "]"),
    *(str(NOW), str(NOW - 14 * 86_400_000), str(NOW + 7_200_001), "1e3", "-1", "null", "true", "99999999999999999999"),
    *('"\\ud800"', '"\\u0000"', '"é"', '"sequenceToken": "x"', '"entity": {}', ", ", "'); DROP TABLE events; --"),
]


def _body(*events: object, **members: object) -> bytes:
    return json.dumps({"logGroupName": "g", "logStreamName": "s", "logEvents": events, **members}).encode()


SEEDS = [
    _body({"timestamp": NOW, "message": "hello"}, {"timestamp": NOW + 1, "message": "there"}),
    _body({"timestamp": NOW - 15 * 86_400_000, "message": "old"}, {"timestamp": NOW, "message": "new"}),
    _body({"timestamp": NOW, "message": "late"}, {"timestamp": NOW - 1, "message": "early"}),
    _body({"timestamp": NOW, "message": ""}),
    _body({"timestamp": None, "message": 7}),
    _body(sequenceToken="49039859657467384398213942387231981230984012983471"),
    _body({"timestamp": NOW, "message": "hello"}, logStreamName="none"),
]


def try_bytes(data: bytes) -> None:
    """Puts a body into an empty stream, and reads it back."""
    status, answer = _ask("PutLogEvents", data)
    if status != 200:
        assert status == 400, (data, status)
        assert answer["__type"] in DOCUMENTED, (data, answer)
        return
    events = [event for event in json.loads(data)["logEvents"] if _is_due(event["timestamp"])]
    status, answer = _ask("GetLogEvents", b'{"startFromHead": true, ' + STREAM[1:])
    assert status == 200, (data, answer)
    read = [(event["timestamp"], event["message"]) for event in answer["events"]]
    assert read == [(event["timestamp"], event["message"]) for event in events], (data, read)
    _ask("DeleteLogStream", STREAM)
    _ask("CreateLogStream", STREAM)


def _is_due(timestamp: int) -> bool:
    return NOW - 14 * 86_400_000 <= timestamp <= NOW + 2 * 3_600_000


def _ask(operation: str, body: bytes) -> tuple[int, dict]:
    headers = {"X-Amz-Target": f"Logs_20140328.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = Request(EnvironBuilder("/", method="POST", data=body, headers=headers).get_environ())
    with _SANDBOX.change():
        response = _DISPATCHER.answer(_SANDBOX, request, Address("logs", operation, "eu-west-1"))
    return response.status_code, json.loads(response.get_data() or b"{}")


_DISPATCHER = Dispatcher()
_SANDBOX = AssembledSandbox(start=START)
_ask("CreateLogGroup", b'{"logGroupName": "g"}')
_ask("CreateLogStream", STREAM)
