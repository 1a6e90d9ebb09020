"""labkit hint, skip and progress, as one types them."""

import csv
import io
import json
import shutil

import pytest

from labkit import cli
from labkit.lab import progress
from labkit.phases import flow_log_to_s3, flow_logs
from tests.conftest import lend


@pytest.fixture
def at_home(server, lab, tmp_path):
    """The shared sandbox, started anew, is the one that runs in LABKIT_HOME."""
    lend(server, tmp_path / "home")
    return lab


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """A LABKIT_HOME without a lab: progress asks no cloud."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LABKIT_LEARNER", "Ada")
    progress.note_check("alarm", 3, 4)
    return tmp_path / "home" / progress.FILE


def printed(capsys, *arguments):
    status = cli.main(list(arguments))
    return status, capsys.readouterr().out


def test_hints_come_one_at_a_time_each_says_more_and_they_are_kept(at_home, capsys):
    given = [printed(capsys, "hint", "1") for _ in range(3)]
    assert [status for status, _ in given] == [1, 1, 1]
    first, second, third = (text for _, text in given)
    assert f"flow log of the lab VPC to the bucket {at_home.bucket}" in first
    assert "Hint 1 of 3, a nudge:" in first
    assert at_home.vpc.id in first
    assert "publish_to_s3" not in first + second
    assert "`01_flow_log_to_s3`, Step 1" in second
    assert "flow_logs.publish_to_s3(lab, bucket=lab.bucket" in third
    assert len(progress.load().of("flow log to S3").hints) == 3


def test_a_phase_that_is_done_needs_no_hint(at_home, capsys):
    flow_logs.publish_to_s3(at_home, at_home.bucket)
    status, text = printed(capsys, "hint", "1")
    assert status == 0
    assert "01 flow log to S3 is done" in text


def test_skipping_does_the_phase_and_gives_no_points(at_home, capsys):
    status, text = printed(capsys, "skip", "2")
    assert status == 0
    assert text.splitlines() == [
        "01 flow log to S3 ... done now, for you",
        "02 flow log to CloudWatch: done now, for you.",
    ]
    assert flow_log_to_s3.check(at_home).passed
    status, text = printed(capsys, "check")
    assert "0 of 10, skipped" in text
    assert "0 of 110 points" in text


def test_what_one_does_oneself_has_its_points_in_the_table(at_home, capsys):
    flow_logs.publish_to_s3(at_home, at_home.bucket)
    printed(capsys, "check", "1")
    _, text = printed(capsys, "check")
    assert "10 of 110 points" in text
    assert str(at_home.phases()) in text


def test_progress_shows_ones_own_file(own_file, capsys):
    status, text = printed(capsys, "progress")
    assert status == 0
    assert text.startswith("Progress of Ada: 7 of 110 points")


def test_progress_takes_a_name(own_file, capsys):
    _, text = printed(capsys, "progress", "--name", "Ada Lovelace")
    assert text.startswith("Progress of Ada Lovelace:")
    assert cli.main(["progress", "--name", "=Ada"]) == 1
    assert "'=Ada' can't be a name here" in capsys.readouterr().err


def test_the_files_of_a_class_become_one_table(own_file, tmp_path, capsys):
    ben = tmp_path / "ben.json"
    shutil.copy(own_file, ben)
    ben.write_text(json.dumps({**json.loads(ben.read_text()), "learner": "Ben", "phases": {}}))
    status, text = printed(capsys, "progress", str(ben), str(own_file))
    assert status == 0
    assert text.startswith("A class of 2\n")
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["Ada", "Ben"]


def test_the_files_of_a_class_become_csv(own_file, capsys):
    _, text = printed(capsys, "progress", "--csv", str(own_file))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 10
    alarm = next(row for row in rows if row["phase"] == "alarm")
    assert (alarm["learner"], alarm["points"], alarm["worth"], alarm["attempts"]) == ("Ada", "7", "10", "1")


def test_a_file_of_something_else_is_refused(own_file, tmp_path, capsys):
    (tmp_path / "notes.json").write_text("{}")
    assert cli.main(["progress", str(tmp_path / "notes.json")]) == 1
    assert "notes.json is no progress file" in capsys.readouterr().err
