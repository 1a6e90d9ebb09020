"""Every operation that changes something leaves the same state after a restart: repeated, and from a checkpoint."""

import json
from pathlib import Path

import pytest

from tests.sandbox.malformed.run import SERVICES
from tests.sandbox.restarts import Exercise

NOT_CALLED = json.loads(Path(__file__).with_name("operations_not_restarted.json").read_text())
"""By service, and by the error that the sandbox gives to the requests that are made of the model: these operations
want something that the test does not have."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_changes_nothing_that_an_operation_made(service, tmp_path):
    exercise = Exercise(service, tmp_path)
    exercise.run()
    assert list(exercise.lost()) == []
    refused = {name for name, why in exercise.refused.items() if not why.startswith("501")}
    listed = {name for names in NOT_CALLED.get(service, {}).values() for name in names}
    assert refused == listed, "call them in sound_inputs.py, or take those that succeed now from the list"
