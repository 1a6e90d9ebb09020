"""The record of what the lab made, on this machine."""

import json
import stat
from datetime import timedelta

import pytest

from labkit import made
from labkit.lab import Lab
from labkit.settings import home


@pytest.fixture
def on_a_clock(lab, monkeypatch):
    """The lab at a time that the test sets, in the learner's own account."""
    now = [lab.now()]
    monkeypatch.setattr(Lab, "now", lambda self: now[0])
    monkeypatch.setattr(lab.cloud, "is_personal", True, raising=False)
    return now


def test_what_is_noted_is_the_labs_until_it_is_forgotten(lab):
    made.note(lab, "alarm", "SSH Rejects")
    assert made.names(lab, "alarm") == ("SSH Rejects",)
    assert made.is_the_labs(lab, "alarm", "SSH Rejects")
    assert not made.is_the_labs(lab, "SNS topic", "SSH Rejects")
    made.forget(lab, "alarm", "SSH Rejects")
    made.forget(lab, "alarm", "never noted")
    assert not made.is_the_labs(lab, "alarm", "SSH Rejects")


def test_accounts_and_regions_are_told_apart(lab):
    made.note(lab, "alarm", "SSH Rejects")
    elsewhere = Lab(type(lab.settings)(region="us-east-1"), lab.cloud)
    assert made.names(elsewhere, "alarm") == ()
    made.note(elsewhere, "alarm", "theirs")
    assert made.names(lab, "alarm") == ("SSH Rejects",)


def test_a_flow_logs_objects_are_the_labs_after_it_is_deleted(lab):
    made.note_flow_log(lab, "fl-1")
    made.forget_flow_log(lab, "fl-1")
    assert made.names(lab, "flow log") == ()
    assert made.flow_log_ids(lab) == ("fl-1",)


def test_the_file_is_this_users_alone_and_holds_no_secret(lab):
    made.note(lab, "alarm", "SSH Rejects")
    path = home() / "made.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    assert json.loads(path.read_text()) == {
        "sandbox 123456789012 eu-west-1": {"alarm": {"SSH Rejects": "2026-11-02T09:00:00+00:00"}}
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sandbox 123456789012 eu-west-1": ["fl-1"]}'])
def test_a_file_that_cannot_be_understood_counts_as_empty(lab, text):
    (home() / "made.json").write_text(text)
    assert made.flow_log_ids(lab) == ()
    made.note_flow_log(lab, "fl-2")
    assert made.flow_log_ids(lab) == ("fl-2",)


def test_a_lab_of_today_is_not_forgotten(lab, on_a_clock):
    made.note(lab, "alarm", "SSH Rejects")
    on_a_clock[0] += made.FORGOTTEN_AFTER - timedelta(minutes=1)
    assert made.forgotten(lab) is None


def test_a_forgotten_lab_is_reported_at_the_next_start(lab, on_a_clock, capsys):
    made.note(lab, "alarm", "SSH Rejects")
    made.note(lab, "stack", "vpc-flow-logs-lab")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    said = capsys.readouterr().out
    assert "A lab of 2026-11-02 is still there in eu-west-1: 2 things that it made" in said
    assert "`labkit clean` removes them" in said


def test_what_is_gone_is_not_reported(lab, on_a_clock, capsys):
    made.note_flow_log(lab, "fl-1")
    made.note(lab, "folder", "s3://b/athena-results/")
    made.forget_flow_log(lab, "fl-1")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    assert capsys.readouterr().out == ""


def test_in_the_sandbox_nothing_costs_and_nothing_is_reported(lab, on_a_clock, monkeypatch, capsys):
    monkeypatch.setattr(lab.cloud, "is_personal", False)
    made.note(lab, "alarm", "SSH Rejects")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    assert capsys.readouterr().out == ""
