"""Hints: three for each, one at a time, kept when they are asked for, folded where nobody can press a button."""

import re

import pytest

from labkit.checks import hints as module
from labkit.checks.check import Check
from labkit.checks.hints import RUNGS, VIEW, Ladder, Rung, hints, item_ladder
from labkit.checks.items import absent, right, wrong
from labkit.lab import progress
from labkit.lab.errors import LabError
from labkit.lab.settings import project_root
from labkit.lab.syllabus import PHASES, find_phase

ALARM = find_phase("alarm")
LADDER = Ladder(ALARM, "topic", (Rung("Who is <told>?"), Rung("`Step 1`."), Rung("Like this:", "create_topic(lab)")))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))


def press(box):
    button, shown = box.children
    button.click()
    return button, shown.value


def test_the_static_hints_are_folded_one_inside_the_other_and_escaped():
    html = LADDER.folded()
    assert html.count("<details>") == html.count("</details>") == 3
    assert re.search(r"Hint 1: a nudge.*Hint 2: where it is taught.*Hint 3: the way to do it", html)
    assert html.index("</details>") > html.index("create_topic(lab)")
    assert "&lt;told&gt;" in html
    assert "<code>Step 1</code>" in html


def test_the_button_gives_one_hint_at_a_time_until_there_are_no_more():
    box = LADDER.button()
    assert box.children[0].description == "Hint 1: a nudge"
    button, shown = press(box)
    assert "Who is &lt;told&gt;?" in shown
    assert "create_topic" not in shown
    assert button.description == "Hint 2: where it is taught"
    press(box)
    button, shown = press(box)
    assert "create_topic(lab)" in shown
    assert button.description == "Hide the hints"


def test_what_was_asked_for_is_kept_and_nothing_else():
    box = LADDER.button()
    assert progress.load().of("alarm").hints == []
    press(box)
    press(box)
    assert progress.load().of("alarm").hints == ["topic 1", "topic 2"]


def test_the_next_hint_goes_on_where_the_last_one_was_and_stays_at_the_end():
    taken = [LADDER.take_next() for _ in range(4)]
    assert [place for place, _ in taken] == [1, 2, 3, 3]
    assert taken[-1][1].plain() == "Like this:\ncreate_topic(lab)"


def test_an_item_that_is_not_right_has_three_hints_and_its_own_is_the_first():
    item = absent("topic Default_CloudWatch_Alarms_Topic", hint="Create a standard topic.")
    rungs = item_ladder(ALARM, item).rungs
    assert len(rungs) == len(RUNGS)
    assert rungs[0].text == "Create a standard topic."
    assert "Step 1" in rungs[1].text
    assert "alarm.create_topic(lab)" in rungs[2].code


def test_an_item_nobody_thought_of_has_hints_too():
    item = wrong("something new", seen="this", wanted="that", hint="Look again.")
    assert all(item_ladder(phase, item).rungs[2].code for phase in PHASES)


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.key)
def test_the_passages_that_hints_point_to_exist(phase):
    source = (project_root() / "notebooks" / "source" / f"{phase.notebook}.md").read_text("utf-8")
    for entry in module._check_hints()[phase.key]:
        for number in re.findall(r"\d", entry["passage"]):
            assert f"## Step {number}:" in source, entry
        assert re.match(r"Steps? \d|the idea$", entry["passage"]), entry


def test_there_are_hints_for_items_of_phases_and_of_nothing_else():
    assert set(module._check_hints()) == {phase.key for phase in PHASES}


def test_the_hints_of_an_unknown_phase_are_refused():
    with pytest.raises(LabError, match='no phase "tea"'):
        hints("tea")


def test_a_phase_without_exercises_has_no_hints(monkeypatch):
    monkeypatch.setattr(module, "_exercises", dict)
    with pytest.raises(LabError, match='phase "alarm" has no exercises'):
        hints("alarm")


class TestHintsOfAPhase:
    @pytest.fixture(autouse=True)
    def exercises(self, monkeypatch):
        entry = {"task": "Goal only", "hints": ["Which call?", "Step 2."], "solution": "list()", "because": "All."}
        monkeypatch.setattr(module, "_exercises", lambda: {"alarm": [entry, {**entry, "task": "Specification"}]})

    def test_text_names_them_and_gives_none_away(self):
        assert hints("alarm").text() == "1. Goal only: 3 hints\n2. Specification: 3 hints"

    def test_every_rendering_is_there_and_the_static_one_has_everything(self):
        data = hints("alarm")._repr_mimebundle_()
        assert set(data) == {"text/plain", "text/html", VIEW}
        assert data["text/html"].count("<details>") == 6
        assert "list()" in data["text/html"]

    def test_what_there_is_to_see_in_a_solution_is_said_below_it(self):
        assert '<pre style="white-space:pre-wrap;overflow-wrap:anywhere">list()</pre><p>All.</p>' in hints(5).html()

    def test_buttons_come_in_the_order_of_the_exercises(self):
        boxes = hints(5).build().children
        assert [boxes[place].value for place in (0, 2)] == [
            "<p><strong>Goal only</strong></p>",
            "<p><strong>Specification</strong></p>",
        ]
        assert "Which call?" in press(boxes[1])[1]


class TestHintsOfACheck:
    FOUND = Check("alarm", (right("topic T"), absent("subscription of a@b.org", hint="Subscribe.")))

    def test_a_check_that_failed_has_a_button_below_the_item_that_is_not_right(self):
        rows = self.FOUND.build().children
        assert [type(row).__name__ for row in rows] == ["HTML", "HTML", "HTML", "VBox"]
        assert "Subscribe." in press(rows[-1])[1]
        assert progress.load().of("alarm").hints == ["subscription of a@b.org 1"]

    def test_a_check_that_passed_has_no_widget(self):
        passed = Check("alarm", (right("topic T"),))
        assert set(passed._repr_mimebundle_()) == {"text/plain", "text/html"}
        assert VIEW in self.FOUND._repr_mimebundle_()
