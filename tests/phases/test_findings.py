from datetime import date

import pytest

from labkit.checks.items import Verdict
from labkit.flowlog.story.case import Case
from labkit.phases.findings import FINDINGS, UNKNOWN, note_text, read_note, true_findings

CASE = Case(7, date(2026, 11, 1))
TRUE = true_findings(CASE)


def test_the_truth_is_right_in_every_finding():
    items = [finding.judge(TRUE[name], CASE) for name, finding in FINDINGS.items()]
    assert [item.verdict for item in items] == [Verdict.RIGHT] * 6
    assert [item.seen for item in items] == list(TRUE.values())


@pytest.mark.parametrize("name", FINDINGS)
@pytest.mark.parametrize("missing", ["", UNKNOWN])
def test_what_is_not_found_yet_is_absent_and_has_a_hint(name, missing):
    item = FINDINGS[name].judge(missing, CASE)
    assert item.verdict is Verdict.ABSENT
    assert item.hint


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("intruder", "192.0.2.200"),
        ("account", "root"),
        ("sent_to", "203.0.113.80"),
        ("sent_to_port", "443"),
        ("megabytes_sent", "1"),
        ("first_let_in", "00:00"),
    ],
)
def test_another_answer_is_wrong_and_the_truth_is_not_told(name, found):
    item = FINDINGS[name].judge(found, CASE)
    assert (item.verdict, item.seen) == (Verdict.WRONG, found)
    assert TRUE[name] not in f"{item.wanted} {item.hint}"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("intruder", "198.51.100"),
        ("sent_to", "somewhere"),
        ("sent_to_port", "IRC"),
        ("megabytes_sent", "260 MB"),
        ("first_let_in", "nine"),
        ("first_let_in", "25:10"),
        ("first_let_in", "9:5"),
    ],
)
def test_an_answer_that_cant_be_read_says_how_to_write_it(name, found):
    item = FINDINGS[name].judge(found, CASE)
    assert item.verdict is Verdict.WRONG
    assert item.hint == f"write it as {FINDINGS[name].form}"


@pytest.mark.parametrize(
    ("name", "factor", "verdict"),
    [
        ("megabytes_sent", 1.04, Verdict.RIGHT),
        ("megabytes_sent", 0.96, Verdict.RIGHT),
        ("megabytes_sent", 1.06, Verdict.WRONG),
        ("megabytes_sent", 0.5, Verdict.WRONG),
        ("megabytes_sent", 1 / 1.048576, Verdict.RIGHT),
    ],
)
def test_amounts_may_differ_a_little(name, factor, verdict):
    found = str(float(TRUE[name]) * factor)
    assert FINDINGS[name].judge(found, CASE).verdict is verdict


@pytest.mark.parametrize(("minutes", "verdict"), [(0, Verdict.RIGHT), (10, Verdict.RIGHT), (11, Verdict.WRONG)])
def test_the_time_may_differ_by_a_window(minutes, verdict):
    hours, _, rest = TRUE["first_let_in"].partition(":")
    total = 60 * int(hours) + int(rest) + minutes
    assert FINDINGS["first_let_in"].judge(f"{total // 60:02d}:{total % 60:02d}", CASE).verdict is verdict


def test_seconds_may_be_given_as_well():
    assert FINDINGS["first_let_in"].judge(f"{TRUE['first_let_in']}:30", CASE).verdict is Verdict.RIGHT


def test_a_note_holds_what_was_found_and_marks_what_was_not():
    text = note_text(CASE, {"intruder": "192.0.2.1", "account": ""})
    assert text.startswith("# Incident note: case 7\n\nDay: 2026-11-01.")
    found = read_note(text)
    assert found["Intruder"] == "192.0.2.1"
    assert [label for label, value in found.items() if value == UNKNOWN] == [
        "First let in (UTC)",
        "Account used",
        "Data sent to",
        "At port",
        "Megabytes sent",
    ]


def test_a_note_written_by_hand_is_read_too():
    note = "My note\n* Intruder:   192.0.2.1  \n  - At port: 6667\n- Weather: rainy\n- Account used:\n"
    assert read_note(note) == {"Intruder": "192.0.2.1", "At port": "6667", "Account used": ""}


def test_the_note_of_the_truth_reads_as_the_truth():
    assert list(read_note(note_text(CASE, TRUE)).values()) == list(TRUE.values())
