"""The record of what the lab made, on this machine."""

import json
import stat
from datetime import timedelta

import pytest

from labkit.lab import ledger
from labkit.lab.settings import home
from labkit.notebook import Lab


@pytest.fixture
def on_a_clock(lab, monkeypatch):
    """The lab at a time that the test sets, in the learner's own account."""
    now = [lab.now()]
    monkeypatch.setattr(Lab, "now", lambda self: now[0])
    monkeypatch.setattr(lab.cloud, "is_personal", True, raising=False)
    return now


def test_what_is_noted_is_the_labs_until_it_is_forgotten(lab):
    ledger.note(lab, "alarm", "SSH Rejects")
    assert ledger.names(lab, "alarm") == ("SSH Rejects",)
    assert ledger.is_the_labs(lab, "alarm", "SSH Rejects")
    assert not ledger.is_the_labs(lab, "SNS topic", "SSH Rejects")
    ledger.forget(lab, "alarm", "SSH Rejects")
    ledger.forget(lab, "alarm", "never noted")
    assert not ledger.is_the_labs(lab, "alarm", "SSH Rejects")


def test_accounts_and_regions_are_told_apart(lab):
    ledger.note(lab, "alarm", "SSH Rejects")
    elsewhere = Lab(type(lab.settings)(region="us-east-1"), lab.cloud)
    assert ledger.names(elsewhere, "alarm") == ()
    ledger.note(elsewhere, "alarm", "theirs")
    assert ledger.names(lab, "alarm") == ("SSH Rejects",)


def test_a_flow_logs_objects_are_the_labs_after_it_is_deleted(lab):
    ledger.note_flow_log(lab, "fl-1")
    ledger.forget_flow_log(lab, "fl-1")
    assert ledger.names(lab, "flow log") == ()
    assert ledger.flow_log_ids(lab) == ("fl-1",)


def test_the_file_is_this_users_alone_and_holds_no_secret(lab):
    ledger.note(lab, "alarm", "SSH Rejects")
    path = home() / "made.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home().stat().st_mode) == 0o700
    assert json.loads(path.read_text()) == {
        "sandbox 123456789012 eu-west-1": {"alarm": {"SSH Rejects": "2026-11-02T09:00:00+00:00"}}
    }


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sandbox 123456789012 eu-west-1": ["fl-1"]}'])
def test_a_file_that_cannot_be_understood_counts_as_empty(lab, text):
    (home() / "made.json").write_text(text)
    assert ledger.flow_log_ids(lab) == ()
    ledger.note_flow_log(lab, "fl-2")
    assert ledger.flow_log_ids(lab) == ("fl-2",)


def test_a_lab_of_today_is_not_forgotten(lab, on_a_clock):
    ledger.note(lab, "alarm", "SSH Rejects")
    on_a_clock[0] += ledger.FORGOTTEN_AFTER - timedelta(minutes=1)
    assert ledger.forgotten(lab) is None


def test_a_forgotten_lab_is_reported_at_the_next_start(lab, on_a_clock, capsys):
    ledger.note(lab, "alarm", "SSH Rejects")
    ledger.note(lab, "stack", "vpc-flow-logs-lab")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    said = capsys.readouterr().out
    assert "A lab of 2026-11-02 is still there in eu-west-1: 2 things that it made" in said
    assert "`labkit clean` removes them" in said


def test_what_is_gone_is_not_reported(lab, on_a_clock, capsys):
    ledger.note_flow_log(lab, "fl-1")
    ledger.note(lab, "folder", "s3://b/athena-results/")
    ledger.forget_flow_log(lab, "fl-1")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    assert capsys.readouterr().out == ""


def test_in_the_sandbox_nothing_costs_and_nothing_is_reported(lab, on_a_clock, monkeypatch, capsys):
    monkeypatch.setattr(lab.cloud, "is_personal", False)
    ledger.note(lab, "alarm", "SSH Rejects")
    on_a_clock[0] += timedelta(days=3)
    lab.remind()
    assert capsys.readouterr().out == ""
