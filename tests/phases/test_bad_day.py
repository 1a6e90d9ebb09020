"""The whole lab while a fifth of all calls is throttled."""

import pytest

from labkit.lab import Lab
from labkit.phases import PHASES, clean_up
from labkit.settings import Settings
from tests.sandbox.in_process import InProcessCloud, open_host

THROTTLED = {"faults": [{"kind": "throttling", "rate": 0.2}]}


@pytest.fixture
def host(tmp_path):
    host = open_host(tmp_path / "journal.sqlite")
    yield host
    host.close()


@pytest.fixture
def lab(host, monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    lab = Lab(Settings(), InProcessCloud(host))
    monkeypatch.setattr(Lab, "_current", lab)
    return lab


@pytest.fixture
def pauses(monkeypatch):
    """The pauses before calls are made again, none of them slept through."""
    pauses = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", pauses.append)
    return pauses


def test_the_whole_lab_completes_while_a_fifth_of_all_calls_is_throttled(host, lab, pauses):
    assert host.change_by_control("/faults", THROTTLED)["faults"]
    for phase in PHASES[:-1]:
        phase.module.solve(lab)
        checked = phase.module.check(lab)
        assert checked.passed, str(checked)
    clean_up.solve(lab)
    assert clean_up.check(lab).passed
    assert len(pauses) > 0.1 * len(lab.calls.calls)
