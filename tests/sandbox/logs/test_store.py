"""The event store keeps what it is given, in the order it came, and keeps SQL inside itself."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.logs.store import MEMORY_EVENTS, PENDING_EVENTS, EventStore, event_id, event_place

HERE = ("eu-west-1", "VPCFlowLogs")


@pytest.fixture
def store() -> Iterator[EventStore]:
    store = EventStore()
    store.create(*HERE)
    yield store
    store.close()


def rows(store: EventStore, columns: str = "*") -> list[tuple]:
    table = store.relation(*HERE)
    return store.cursor().execute(f"SELECT {columns} FROM {table} ORDER BY timestamp, sequence").fetchall()


def test_many_small_batches_are_written_in_one_piece(store):
    for number in range(8000):
        store.append(*HERE, f"eni-{number % 2}", [number] * 20, ["a line of a flow log " * 5] * 20, ingestion_time=7)
    counted = store.cursor().execute(f"SELECT count(*), count(DISTINCT sequence) FROM {store.relation(*HERE)}")
    assert counted.fetchall() == [(160_000, 160_000)]


def test_an_event_has_its_times_its_place_its_stream_and_its_message(store: EventStore) -> None:
    store.append(*HERE, "eni-1", [20, 10], ["second", "first"], ingestion_time=99)
    assert rows(store) == [(10, 99, 1, "eni-1", "first"), (20, 99, 0, "eni-1", "second")]


def test_events_of_one_millisecond_stay_in_the_order_they_were_put(store: EventStore) -> None:
    for number in range(5):
        store.append(*HERE, f"eni-{number % 2}", [7], [f"message {number}"], ingestion_time=7)
    assert [message for (message,) in rows(store, "message")] == [f"message {number}" for number in range(5)]


def test_reading_sees_batches_that_were_waiting(store: EventStore) -> None:
    store.append(*HERE, "a", [1], ["waiting"], ingestion_time=1)
    assert len(rows(store)) == 1
    store.append(*HERE, "a", [2], ["waiting too"], ingestion_time=1)
    assert len(rows(store)) == 2


def test_many_events_are_written_without_being_read(store: EventStore) -> None:
    store.append(*HERE, "a", range(PENDING_EVENTS), ["x"] * PENDING_EVENTS, ingestion_time=1)
    store.append(*HERE, "b", [0], ["y"], ingestion_time=1)
    assert len(rows(store)) == PENDING_EVENTS + 1


def test_many_events_take_less_memory_than_their_messages(store: EventStore) -> None:
    count = MEMORY_EVENTS
    messages = [f"2 123456789012 eni-0a1b2c3d 198.51.100.{number % 256} REJECT OK" for number in range(count)]
    store.append(*HERE, "a", range(count), messages, ingestion_time=1)
    taken = store.cursor().execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()[0][0]
    assert taken < sum(map(len, messages)) / 2


def test_events_that_are_read_as_they_come_take_little_memory_too(
    store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.sandbox.logs.store.MEMORY_EVENTS", 80_000)
    text = "2 123456789012 eni-0a1b2c3d 198.51.100.{} REJECT OK"
    for begin in range(0, 80_000, 10_000):
        numbers = range(begin, begin + 10_000)
        store.append(*HERE, "a", numbers, [text.format(number % 256) for number in numbers], ingestion_time=1)
        store.relation(*HERE)
    taken = store.cursor().execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchall()[0][0]
    assert taken < 80_000 * len(text) / 2
    assert rows(store, "message")[-1] == (text.format(79_999 % 256),)


def test_full_row_groups_and_what_came_after_them_are_read_in_order(store: EventStore) -> None:
    count = 2 * PENDING_EVENTS + 5
    for begin in range(0, count, 50_000):
        numbers = range(begin, min(begin + 50_000, count))
        store.append(*HERE, "a", numbers, [str(number) for number in numbers], ingestion_time=1)
    assert rows(store, "sequence, message") == [(number, str(number)) for number in range(count)]


def test_nothing_of_the_events_stays_in_the_folder_of_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "with 'quotes'"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    store = EventStore()
    store.create(*HERE)
    store.append(*HERE, "a", range(PENDING_EVENTS), ["x" * 20] * PENDING_EVENTS, ingestion_time=1)
    assert len(rows(store)) == PENDING_EVENTS
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    store.close()
    assert list(folder.iterdir()) == []


def test_a_sandbox_that_is_closed_has_let_go_of_its_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC))
    assert list(tmp_path.glob("labkit-logs-*"))
    sandbox.close()
    assert not list(tmp_path.glob("labkit-logs-*"))


def test_groups_and_regions_are_apart(store: EventStore) -> None:
    elsewhere = ("us-east-1", "VPCFlowLogs")
    store.create(*elsewhere)
    store.append(*elsewhere, "a", [1], ["there"], ingestion_time=1)
    assert rows(store) == []


def test_a_group_made_again_is_empty(store: EventStore) -> None:
    store.append(*HERE, "a", [1], ["old"], ingestion_time=1)
    store.drop(*HERE)
    store.create(*HERE)
    assert rows(store) == []


def test_deleting_takes_only_what_meets_the_condition(store: EventStore) -> None:
    store.append(*HERE, "a", [1, 2, 3], ["x", "y", "z"], ingestion_time=1)
    store.delete(*HERE, "timestamp < ?", [3])
    assert rows(store, "message") == [("z",)]


def test_any_text_is_kept_as_it_is(store: EventStore) -> None:
    texts = ["'; DROP TABLE events.group_1; --", "snö ☃ \U0001f40d", "tab\tand\nline", "\x00nul"]
    store.append(*HERE, "a", range(len(texts)), texts, ingestion_time=1)
    assert [text for (text,) in rows(store, "message")] == texts


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hosts')",
        "COPY (SELECT 1) TO '/tmp/labkit-should-not-exist'",
        "ATTACH '/tmp/labkit-should-not-exist.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '1TB'",
    ],
)
def test_sql_cannot_leave_the_store(store: EventStore, sql: str) -> None:
    with pytest.raises(duckdb.Error, match=r"disabled|locked|extension|Permission"):
        store.cursor().execute(sql)


def test_a_python_variable_is_no_table(store: EventStore) -> None:
    secret = rows  # noqa: F841 - the store must not find it by its name
    with pytest.raises(duckdb.CatalogException):
        store.cursor().execute("SELECT * FROM secret")


def test_ids_sort_as_the_events_do_and_lead_back_to_them() -> None:
    places = [(1_793_610_000_000, 2), (1_793_610_000_000, 30), (1_793_610_000_001, 1)]
    ids = [event_id(*place) for place in places]
    assert ids == sorted(ids)
    assert {len(id_) for id_ in ids} == {56}
    assert [event_place(id_) for id_ in ids] == places
