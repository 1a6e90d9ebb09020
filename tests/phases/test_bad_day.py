"""The whole lab while a fifth of all calls is throttled."""

import pytest

from labkit.lab.syllabus import PHASES
from labkit.phases import clean_up
from tests.sandbox.in_process import open_lab

THROTTLED = {"faults": [{"kind": "throttling", "rate": 0.2}]}


@pytest.fixture
def lab(tmp_path):
    with open_lab(tmp_path) as lab:
        yield lab


@pytest.fixture
def pauses(monkeypatch):
    """The pauses before calls are made again, none of them slept through."""
    pauses = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    return pauses


def test_the_whole_lab_completes_while_a_fifth_of_all_calls_is_throttled(lab, pauses):
    assert lab.cloud.host.change_by_control("/faults", THROTTLED)["faults"]
    for phase in PHASES[:-1]:
        phase.module.solve(lab)
        checked = phase.module.check(lab)
        assert checked.passed, str(checked)
    clean_up.solve(lab)
    assert clean_up.check(lab).passed
    assert len(pauses) > 0.1 * len(lab.calls.calls)
