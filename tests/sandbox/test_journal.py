import shutil
import sqlite3

import pytest

from labkit.sandbox.journal import Entry, Journal, JournalError, Origin

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
        journal.append(Entry(1793610001.0, None, {}))
    journal.append(Entry(1793610001.0, "request", {}))
    assert [entry.moment for entry in journal.entries()] == [1793610001.0]


def test_an_entry_names_the_file_of_its_body(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.begin(ORIGIN)
    numbers = [journal.append(Entry(1.0, "request", {}, file=name)) for name in (None, "one", "two")]
    assert [entry.file for entry in journal.entries()] == [None, "one", "two"]
    journal.strike(numbers[2])
    assert journal.files() == {"one"}
    journal.begin(ORIGIN)
    assert journal.files() == set()


def written(path, changes):
    """A journal as a killed process leaves it, with its files before each change and after the last."""
    journal = Journal(path)
    journal.begin(ORIGIN)
    stages = []
    for number in range(changes):
        stages.append({file.name: file.read_bytes() for file in path.parent.iterdir()})
        journal.append(Entry(int(ORIGIN.start) + number, "request", {"number": number}, b"body" * number))
    return stages


def killed(path, to):
    """The files of a journal as a kill would leave them."""
    to.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, to)
    return to / path.name


@pytest.mark.parametrize("keep", [0, 0.3, 0.8])
def test_a_write_ahead_log_that_was_cut_or_deleted_is_told_of(path, tmp_path, keep):
    written(path, 20)
    copy = killed(path, tmp_path / "copy")
    log = copy.with_name(f"{path.name}-wal")
    log.write_bytes(log.read_bytes()[: int(log.stat().st_size * keep)])
    if not keep:
        log.unlink()
    with pytest.raises(JournalError, match=r"ends at change \d+ of 20, and the last \d+ .*`labkit sandbox reset`"):
        Journal(copy)


def test_the_witness_of_a_moment_earlier_is_no_loss(path, tmp_path):
    """As a kill between the two writes leaves it."""
    stages = written(path, 3)
    copy = killed(path, tmp_path / "copy")
    copy.with_name("journal.sqlite-witness").write_bytes(stages[2]["journal.sqlite-witness"])
    assert len(list(Journal(copy).entries())) == 3


def test_a_refused_change_is_not_missed(path, tmp_path):
    journal = Journal(path)
    journal.begin(ORIGIN)
    journal.append(Entry(ORIGIN.start, "request", {"number": 0}))
    journal.strike(journal.append(Entry(ORIGIN.start, "request", {"number": 1})))
    again = Journal(killed(path, tmp_path / "copy"))
    assert [entry.request for entry in again.entries()] == [{"number": 0}]
    again.append(Entry(ORIGIN.start, "request", {"number": 2}))
    assert [entry.request for entry in Journal(tmp_path / "copy" / path.name).entries()] == [
        {"number": 0},
        {"number": 2},
    ]


def test_an_entry_that_was_changed_is_told_of(path):
    written(path, 5)
    with sqlite3.connect(path) as other:
        other.execute("update entry set body = x'00' where number = 3")
    with pytest.raises(JournalError, match="damaged at change 3 of 5"):
        list(Journal(path).entries())
    with sqlite3.connect(path) as other:
        other.execute("delete from entry where number = 3")
    with pytest.raises(JournalError, match="damaged at change 3 of 5"):
        list(Journal(path).entries())


def test_the_journal_of_another_history_is_told_of(path, tmp_path):
    written(path, 3)
    (tmp_path / "other").mkdir()
    other = tmp_path / "other" / path.name
    journal = Journal(other)
    journal.begin(ORIGIN)
    for number in range(4):
        journal.append(Entry(ORIGIN.start, "control", {"number": number}))
    journal.close()
    copy = killed(path, tmp_path / "copy")
    shutil.copy(other, copy)
    copy.with_name(f"{path.name}-wal").unlink()
    with pytest.raises(JournalError, match="not the one that this sandbox wrote"):
        Journal(copy)


@pytest.mark.parametrize("damage", [b"", b"this is no database" * 1000, None])
def test_a_file_that_is_no_journal_any_more_is_told_of(path, damage):
    journal = Journal(path)
    journal.begin(ORIGIN)
    journal.append(Entry(ORIGIN.start, "request", {}))
    journal.close()
    path.write_bytes(path.read_bytes()[:20000] if damage is None else damage)
    with pytest.raises(JournalError, match="`labkit sandbox reset` throws this history away"):
        list(Journal(path).entries())


def test_a_journal_of_an_older_format_is_told_of(path):
    with sqlite3.connect(path) as older:
        older.execute("create table entry (number integer primary key, moment real)")
    with pytest.raises(JournalError, match=r"another version of labkit .*`labkit sandbox reset`"):
        Journal(path)


def test_a_journal_without_its_witness_is_gone_on_with_and_that_is_logged(path, tmp_path, caplog):
    written(path, 2)
    copy = killed(path, tmp_path / "copy")
    copy.with_name("journal.sqlite-witness").unlink()
    assert len(list(Journal(copy).entries())) == 2
    assert "can't be told" in caplog.text
