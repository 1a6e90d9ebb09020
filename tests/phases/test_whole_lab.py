"""The whole lab on the sandbox: each check fails before its phase is solved and passes after it, nothing is left after
the clean-up, and the IAM policy allows what was called, and no more.
"""

import pytest

from labkit.account.policy import GRANTS
from labkit.lab.cloud import SandboxCloud
from labkit.lab.settings import Settings
from labkit.lab.syllabus import PHASES
from labkit.notebook import Lab
from labkit.phases import clean_up
from labkit.phases.flow_logs import explain_bucket_policy

LAB = PHASES[:-1]


@pytest.fixture(scope="module")
def calls():
    """The calls of all of the module's tests, as the policy names them."""
    return set()


@pytest.fixture(autouse=True)
def noted(lab, calls):
    yield
    calls.update(f"{call.service}:{call.operation}" for call in lab.calls.calls)


@pytest.mark.parametrize("phase", LAB, ids=lambda phase: phase.label)
def test_a_phases_check_fails_before_it_is_solved_and_passes_after_it(lab, phase):
    before = phase.module.check(lab)
    assert not before.passed
    assert all(item.hint for item in before.items if item.verdict.name != "RIGHT")
    phase.module.solve(lab)
    after = phase.module.check(lab)
    assert after.passed, str(after)


def test_looking_changes_nothing(lab):
    mark = lab.calls.mark()
    explain_bucket_policy(lab)
    assert str(lab.phases()) == str(lab.phases())
    assert [call.as_cli() for call in lab.calls.calls[mark:] if not call.reads] == []


def test_the_phase_table_says_that_all_is_done(lab):
    assert "9 of 9 phases done; about 0 minutes to go." in str(lab.phases())
    assert "something to remove" in str(lab.phases())


def test_solving_again_makes_nothing_new(lab):
    before = {thing for thing in clean_up.take_inventory(lab).made if not thing.count}
    for phase in LAB:
        if phase.key not in {"traffic", "alarm"}:
            phase.module.solve(lab)
    assert {thing for thing in clean_up.take_inventory(lab).made if not thing.count} == before


def test_a_kernel_that_is_restarted_in_mid_phase_finds_everything_again(lab, running_server, capsys):
    again = Lab(Settings(), SandboxCloud(running_server))
    assert str(again.phases()) == str(lab.phases())
    again.catch_up(before="clean up")
    assert "01 flow log to S3 ... already done" in capsys.readouterr().out


def test_after_the_clean_up_nothing_is_left_and_what_was_provided_is_there(lab):
    before = clean_up.take_inventory(lab)
    clean_up.solve(lab)
    comparison = clean_up.compare_inventories(before, clean_up.take_inventory(lab))
    assert comparison.left == ()
    assert comparison.after.provided == before.provided
    assert clean_up.check(lab).passed
    for phase in LAB[:7]:
        if phase.key != "Logs Insights":
            assert not phase.module.check(lab).passed, phase.label


def test_the_policy_covers_every_call(calls):
    assert sorted(calls - set(GRANTS)) == []
