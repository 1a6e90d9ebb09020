"""Flow log records in a query: found by their form, and taken apart by place where a group holds nothing else."""

import pytest

from labkit.sandbox.logs.insights import engine, fields
from labkit.sandbox.logs.store import EventStore
from tests.sandbox.logs.insights.runs import START, rows

RECORD = "2 123456789012 eni-0a1b2c3d 203.0.113.1 10.0.0.5 40001 22 6 1 40 1793609940 1793610000 REJECT OK"
ACCEPTED = RECORD.replace("REJECT", "ACCEPT")
SILENT = "2 123456789012 eni-0a1b2c3d - - - - - - - 1793609940 1793610000 - NODATA"


@pytest.fixture
def store():
    store = EventStore()
    store.create("eu-west-1", "group")
    yield store
    store.close()


def put(store, *messages):
    store.append("eu-west-1", "group", "stream", [START] * len(messages), messages, ingestion_time=START)
    return engine.Events(store.relation("eu-west-1", "group"), "123456789012:group", None)


def only_records(store, seen, *messages):
    group = put(store, *messages)
    with store.cursor() as cursor:
        return engine.source(group, cursor, seen).only_flow_logs


def test_a_group_of_records_stays_one_until_something_else_comes(store):
    seen = {}
    assert only_records(store, seen, *[RECORD] * 1500)
    assert only_records(store, seen, ACCEPTED, SILENT)
    assert not only_records(store, seen, '{"action": "REJECT"}')
    assert not only_records(store, seen, RECORD)


@pytest.mark.parametrize("message", ["{}", "plain text", "", "2026-11-02 09:00:00 started", " " + RECORD])
def test_what_is_no_record_is_found_behind_many(store, message):
    group = put(store, *[RECORD] * 1500, message)
    with store.cursor() as cursor:
        assert engine.source(group, cursor).only_flow_logs is False


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ('action = "REJECT"', 1),
        ("action = 'REJECT' and logStatus = 'OK'", 1),
        ('action != "REJECT"', 2),
        ('action = "-"', 1),
        ('action = "JECT"', 0),
        ('action = "1793610000 REJECT"', 0),
        ('action = "REJECT OK"', 0),
        ('action = ""', 0),
        ('logStatus = "NODATA"', 1),
        ('logStatus = "DATA"', 0),
        ('"REJECT" = action', 1),
        ('action in ["REJECT", "-"]', 2),
        ("dstPort = 22", 2),
        ("dstPort = 2", 0),
        ('dstPort = "22"', 2),
        ('srcAddr = "203.0.113"', 0),
    ],
)
def test_a_field_equals_all_of_a_word_and_nothing_less(condition, found):
    records = [RECORD, ACCEPTED, SILENT]
    (alone,) = rows(f"filter {condition} | stats count(*) as n", records) or [{"n": "0"}]
    (among,) = rows(f"filter {condition} | stats count(*) as n", [*records, "text"]) or [{"n": "0"}]
    assert alone["n"] == str(found)
    assert int(among["n"]) == found + ("!=" in condition)


def scanned(store, seen, group, start=0):
    window = fields.Window(start, 1 << 62, 1 << 62)
    with store.cursor() as cursor:
        answer = engine.run(engine.Job("stats count(*)", (group,), window, 0, None), cursor, seen)
    return answer.records_scanned, answer.bytes_scanned


def test_what_was_scanned_is_counted_alike_the_first_time_and_later(store):
    seen = {}
    group = put(store, RECORD, ACCEPTED)
    assert scanned(store, seen, group) == scanned(store, seen, group) == (2, 2 * len(RECORD))
    put(store, SILENT)
    assert scanned(store, seen, group) == (3, 2 * len(RECORD) + len(SILENT))
    assert scanned(store, seen, group, start=START + 1) == (0, 0)
    store.delete("eu-west-1", "group", "message = ?", [ACCEPTED])
    assert scanned(store, seen, group) == (2, len(RECORD) + len(SILENT))
    put(store, "text é")
    assert scanned(store, seen, group) == (3, len(RECORD) + len(SILENT) + 7)
