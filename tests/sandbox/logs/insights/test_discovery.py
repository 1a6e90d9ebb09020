import pytest

from labkit.sandbox.logs.insights.discovery import MAX_JSON_FIELDS, discovered
from labkit.sandbox.logs.insights.fields import FLOW_LOG_RECORD, Source

NAMES = (
    *("version", "accountId", "interfaceId", "srcAddr", "dstAddr", "srcPort", "dstPort", "protocol"),
    *("packets", "bytes", "startTime", "endTime", "action", "logStatus"),
)
SOURCE = Source("events", "123456789012:group", NAMES, FLOW_LOG_RECORD, only_flow_logs=False)
RECORD = "2 123456789012 eni-0a1b2c3d 203.0.113.1 10.0.0.5 40001 22 6 1 40 1793609940 1793610000 REJECT OK"


def test_a_record_has_its_fields_by_their_places():
    found = discovered(RECORD, SOURCE)
    assert list(found) == list(NAMES)
    assert (found["srcAddr"], found["dstPort"], found["action"]) == ("203.0.113.1", "22", "REJECT")


def test_a_record_in_a_format_of_its_own():
    source = Source("events", "123456789012:group", ("dstPort", "action"), r"[^ ]+ [^ ]+", only_flow_logs=True)
    assert discovered("22 REJECT", source) == {"dstPort": "22", "action": "REJECT"}


@pytest.mark.parametrize(
    "message", ["", "plain text", RECORD + " more", RECORD.replace("REJECT", "reject"), "[1, 2]", '"x"', "7"]
)
def test_what_is_neither_record_nor_json_object_has_no_fields(message):
    assert discovered(message, SOURCE) == {}


def test_json_has_a_field_for_each_path():
    message = '{"a": {"b": [1, {"c": null}, true]}, "@t": "x", "n": 2.5, "empty": {}}'
    assert discovered(message, SOURCE) == {"a.b.0": "1", "a.b.2": "1", "@@t": "x", "n": "2.5"}


def test_json_has_at_most_two_hundred_fields():
    message = "{" + ", ".join(f'"f{number}": {number}' for number in range(300)) + "}"
    assert len(discovered(message, SOURCE)) == MAX_JSON_FIELDS == 200
