"""What holds for the check of every phase: it changes nothing, and its hints name the fault and tell no code."""

import inspect
import re

import pytest

from labkit.checks.hints import RUNGS, item_ladder
from labkit.checks.items import Verdict
from labkit.lab import progress
from labkit.lab.syllabus import PHASES
from tests.sandbox.in_process import open_lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with open_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="module")
def found_at_first(lab):
    return {phase: phase.module.check(lab) for phase in PHASES}


@pytest.fixture(scope="module")
def journal(lab):
    """How many changing requests the sandbox has seen."""
    return lambda: sum(1 for _ in lab.cloud.host._journal.entries())


def not_right(found):
    return [item for item in found.items if item.verdict is not Verdict.RIGHT]


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.label)
class TestAtFirst:
    def test_a_check_asks_and_changes_nothing(self, lab, journal, phase):
        before, mark, start = journal(), lab.calls.mark(), lab.now()
        assert phase.module.check(lab) == phase.module.check(lab)
        assert (journal(), lab.now()) == (before, start)
        assert [call.as_cli() for call in lab.calls.calls[mark:] if not call.reads] == []

    def test_nothing_is_right_but_what_was_given(self, found_at_first, phase):
        if phase is not PHASES[-1]:
            right = [item for item in found_at_first[phase].items if item.verdict is Verdict.RIGHT]
            assert all(item.given for item in right)
            assert not found_at_first[phase].passed

    def test_what_is_not_right_has_a_hint_that_is_words_and_no_code_of_the_check(self, found_at_first, phase):
        source = inspect.getsource(inspect.getmodule(phase.module.check))
        for item in not_right(found_at_first[phase]):
            assert len(item.hint.split()) >= 4, item
            assert not re.search(r"\b(def|lambda|return|assert|==)\b|describe_\w+\(|get_\w+\(|list_\w+\(", item.hint)
            assert not any(line.strip() in item.hint for line in source.splitlines() if len(line.strip()) > 60)

    def test_each_item_that_is_not_right_has_three_rungs_the_last_with_code_to_run(self, found_at_first, phase):
        for item in not_right(found_at_first[phase]):
            rungs = item_ladder(phase, item).rungs
            assert len(rungs) == len(RUNGS)
            assert (rungs[0].text, rungs[0].code) == (item.hint, "")
            assert phase.notebook in rungs[1].text
            assert rungs[2].code.strip()

    def test_items_are_told_apart_by_their_names(self, found_at_first, phase):
        names = [item.name for item in found_at_first[phase].items]
        assert len(set(names)) == len(names)

    def test_a_check_shows_itself_in_text_and_on_the_page_alike(self, found_at_first, phase):
        found = found_at_first[phase]
        page = found.html()
        for item in found.items:
            assert item.name in found.text()
            assert item.verdict is Verdict.RIGHT or "<details>" in page


def test_after_a_reset_everything_is_absent_again_and_can_be_done_again(lab, found_at_first, capsys):
    """What was found at first is found again, but for ids; the last test of the module, since it undoes all of it."""
    lab.catch_up(before="traffic")
    lab.reset()
    for phase in PHASES:
        again = [(item.name, item.verdict) for item in phase.module.check(lab).items]
        assert again == [(item.name, item.verdict) for item in found_at_first[phase].items]
    capsys.readouterr()
    lab.catch_up(before=2)
    assert capsys.readouterr().out == "01 flow log to S3 ... done now, for you\n"
    assert not progress.load().of("flow log to CloudWatch").skipped
