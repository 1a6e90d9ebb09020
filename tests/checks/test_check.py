import pytest

from labkit.checks import check
from labkit.checks.check import Check
from labkit.checks.items import Verdict, absent, right, wrong
from labkit.lab.syllabus import PHASES, UnknownPhase

MIXED = Check(
    "flow log to S3",
    (
        right("flow log", "fl-1"),
        wrong("all traffic", seen="REJECT", wanted="ALL", hint="Create it <anew>."),
        absent("log group", wanted="VPCFlowLogs", hint="Create it."),
    ),
)


def test_a_check_passes_if_every_item_is_right():
    assert not MIXED.passed
    assert Check("x", MIXED.items[:1]).passed
    assert MIXED.points == "1 of 3"
    assert [item.verdict for item in MIXED.items] == [Verdict.RIGHT, Verdict.WRONG, Verdict.ABSENT]


def test_a_check_as_text_says_what_was_seen_and_what_is_wanted_and_hints_only_where_to_ask():
    assert str(MIXED) == "\n".join(
        (
            "Check: flow log to S3 - 1 of 3 right",
            "  ✓ flow log: fl-1",
            "  ≠ all traffic: present but wrong: REJECT, should be ALL",
            "  ✗ log group: absent, should be VPCFlowLogs",
            '  Stuck? In a terminal, labkit hint "flow log to S3" gives one hint at a time.',
        )
    )


def test_a_check_as_html_says_the_same_with_its_hints_folded_and_is_escaped():
    page = MIXED._repr_html_()
    for piece in ("1 of 3 right", "fl-1", "REJECT, should be ALL", "<p>Create it &lt;anew&gt;.</p>", "✗ log group"):
        assert piece in page
    assert "<anew>" not in page
    assert page.count("<summary>Hint 1: a nudge</summary>") == 2


def test_a_passed_check_is_done_and_has_no_hints():
    passed = Check("x", (right("a"),))
    assert str(passed) == "Check: x - done\n  ✓ a: right"
    assert "details" not in passed.html()


def test_what_a_check_prints_is_the_same_from_run_to_run():
    again = Check("flow log to S3", tuple(MIXED.items))
    assert (str(again), again.html()) == (str(MIXED), MIXED.html())


def test_an_unknown_phase_is_refused_with_the_names_there_are():
    with pytest.raises(UnknownPhase, match='there is no phase "flow log to S4"') as refusal:
        check.check("flow log to S4")
    assert all(f'"{phase.key}"' in str(refusal.value) for phase in PHASES)
