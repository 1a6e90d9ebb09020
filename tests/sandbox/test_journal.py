import sqlite3

import pytest

from labkit.sandbox.journal import Entry, Journal, Origin

ORIGIN = Origin(start=1793610000.0, frozen=True, seed=7, provision=False, region="eu-west-1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.sqlite"


def test_a_new_journal_has_no_origin(path):
    assert Journal(path).origin is None


def test_what_was_written_is_there_for_the_next_process(path):
    journal = Journal(path)
    journal.begin(ORIGIN)
    journal.append(Entry(1793610001.5, "request", {"PATH_INFO": "/"}, b"\x00body"))
    journal.append(Entry(1793610002.0, "control", {"path": "/connect", "body": {"port": 22}}))
    journal.note_reading(1793610060.0)  # not closed: as a killed process leaves it

    again = Journal(path)
    assert again.origin == ORIGIN
    assert list(again.entries()) == [
        Entry(1793610001.5, "request", {"PATH_INFO": "/"}, b"\x00body"),
        Entry(1793610002.0, "control", {"path": "/connect", "body": {"port": 22}}, b""),
    ]
    assert again.last_reading() == 1793610060.0


def test_the_reading_never_goes_back(path):
    journal = Journal(path)
    journal.begin(ORIGIN)
    journal.note_reading(ORIGIN.start + 10)
    journal.note_reading(ORIGIN.start + 5)
    assert journal.last_reading() == ORIGIN.start + 10


def test_beginning_anew_forgets_the_old_entries(path):
    journal = Journal(path)
    journal.begin(ORIGIN)
    journal.append(Entry(1793610001.0, "request", {}))
    journal.begin(ORIGIN)
    assert list(journal.entries()) == []
    assert journal.last_reading() == ORIGIN.start


def test_an_entry_that_fails_halfway_leaves_nothing(path):
    journal = Journal(path)
    journal.begin(ORIGIN)
    with pytest.raises(sqlite3.Error):
        journal.append(Entry(None, "request", {}))
    journal.append(Entry(1793610001.0, "request", {}))
    assert [entry.moment for entry in journal.entries()] == [1793610001.0]


def test_an_entry_names_the_file_of_its_body(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.begin(ORIGIN)
    numbers = [journal.append(Entry(1.0, "request", {}, file=name)) for name in ("one", "two", None)]
    assert [entry.file for entry in journal.entries()] == ["one", "two", None]
    journal.strike(numbers[0])
    assert journal.files() == {"two"}
    journal.begin(ORIGIN)
    assert journal.files() == set()
