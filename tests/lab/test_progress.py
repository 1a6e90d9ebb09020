"""The learner's progress file: what it counts, what it never holds, what becomes of a damaged one."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from labkit.lab import progress
from labkit.lab.errors import LabError
from labkit.lab.progress import UnreadableProgress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    monkeypatch.delenv("LABKIT_LEARNER", raising=False)
    return tmp_path


@pytest.fixture
def clock(monkeypatch):
    """Wall time that a test moves by itself."""

    class Clock:
        now = 1_000_000.0

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_new_learner_gets_a_name_and_a_case_and_keeps_them():
    first = progress.load()
    assert first.learner.startswith("learner-")
    assert 1 <= first.case <= progress.CASES
    assert progress.load() == first


def test_two_learners_get_different_names(home, monkeypatch):
    first = progress.load()
    monkeypatch.setenv("LABKIT_HOME", str(home / "other"))
    assert progress.load().learner != first.learner


def test_a_learner_may_be_named_from_outside_and_has_the_same_case_everywhere(home, monkeypatch):
    monkeypatch.setenv("LABKIT_LEARNER", "Ada")
    first = progress.load()
    monkeypatch.setenv("LABKIT_HOME", str(home / "other"))
    assert (progress.load().learner, progress.load().case) == ("Ada", first.case)


def test_the_best_share_counts_and_attempts_add_up():
    for right in (1, 3, 2):
        progress.note_check("alarm", right, 4)
    record = progress.load().of("alarm")
    assert (record.attempts, record.share, record.points(10), record.passed) == (3, 0.75, 7, False)


def test_a_look_at_all_phases_is_no_attempt():
    progress.note_check("alarm", 4, 4, attempt=False)
    record = progress.load().of("alarm")
    assert (record.attempts, record.passed, record.points(10)) == (0, True, 10)


def test_all_points_come_only_for_all_of_it():
    progress.note_check("alarm", 99, 100)
    assert progress.load().of("alarm").points(10) == 9


def test_a_hint_counts_once_however_often_it_is_read():
    for name, rung in (("topic", 1), ("topic", 2), ("topic", 1), ("alarm SSH Rejects", 1)):
        progress.note_hint("alarm", name, rung)
    assert progress.load().of("alarm").hints == ["topic 1", "topic 2", "alarm SSH Rejects 1"]
    assert progress.hints_used("alarm", "topic") == 2
    assert progress.hints_used("alarm", "SSH") == 0


def test_what_was_skipped_earns_nothing_until_the_authors_work_is_gone():
    progress.note_skip("alarm")
    progress.note_check("alarm", 4, 4)
    assert progress.load().of("alarm").points(10) == 0
    progress.begin_anew()
    progress.note_check("alarm", 4, 4)
    record = progress.load().of("alarm")
    assert (record.points(10), record.skips, record.skipped) == (10, 1, False)


def test_what_was_earned_stays_when_the_phase_is_done_by_the_author_later():
    progress.note_check("alarm", 4, 4)
    progress.note_skip("alarm")
    record = progress.load().of("alarm")
    assert (record.points(10), record.skipped, record.skips) == (10, False, 1)


def test_minutes_count_for_the_phase_at_work_and_long_pauses_do_not(clock):
    progress.note_opened("traffic")
    clock.now += 300
    progress.note_check("traffic", 1, 4)
    clock.now += progress.LONGEST_PAUSE + 1
    progress.note_check("traffic", 2, 4)
    clock.now += 90
    progress.note_opened("alarm")
    clock.now += 600
    progress.note_hint("alarm", "topic", 1)
    kept = progress.load()
    assert (kept.of("traffic").seconds, kept.of("traffic").minutes) == (390, 6)
    assert kept.of("alarm").minutes == 10


def test_a_clock_that_was_set_back_takes_nothing_away(clock):
    progress.note_opened("alarm")
    clock.now -= 500
    progress.note_check("alarm", 1, 4)
    assert progress.load().of("alarm").seconds == 0


def test_the_file_is_the_users_alone_and_holds_counts(home):
    progress.note_check("alarm", 1, 4)
    path = home / progress.FILE
    assert path.stat().st_mode & 0o077 == 0
    assert set(json.loads(path.read_text())) == {"version", "learner", "case", "phases", "at_work_on", "last_seen"}


def test_a_file_that_cannot_be_understood_is_put_aside_and_not_lost(home):
    (home / progress.FILE).write_text("{ half a file")
    assert progress.load().phases == {}
    assert (home / "progress.unreadable.json").read_text() == "{ half a file"


def test_two_at_once_lose_nothing():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: progress.note_hint("alarm", "topic", number), range(40)))
    assert len(progress.load().of("alarm").hints) == 40


@pytest.mark.parametrize("name", ["", " Ada", "=1+1", "A\nB", "x" * 41, "-Ada"])
def test_a_name_that_cannot_stand_in_a_table_is_refused(name):
    with pytest.raises(LabError, match="can't be a name here"):
        progress.rename(name)


def test_a_name_can_be_chosen_without_changing_the_case():
    case = progress.load().case
    progress.rename("Ada Lovelace")
    assert (progress.load().learner, progress.load().case) == ("Ada Lovelace", case)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError: 'version'"),
        ('{"version": 9}', "it is of version 9, and this labkit reads 1"),
        ('{"version": 1, "learner": "=x", "case": 1, "phases": {}}', "'=x' is no learner's name"),
        ('{"version": 1, "learner": "x", "case": 1, "phases": {"alarm": {"wins": 1}}}', "wins"),
    ],
)
def test_a_file_of_something_else_is_named_with_what_is_wrong(tmp_path, text, why):
    path = tmp_path / "someone.json"
    path.write_text(text)
    with pytest.raises(UnreadableProgress, match=f"someone.json is no progress file .*{why}.*LABKIT_HOME"):
        progress.read(path)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UnreadableProgress, match=r"nobody.json can't be read .*see that the path is right"):
        progress.read(tmp_path / "nobody.json")
