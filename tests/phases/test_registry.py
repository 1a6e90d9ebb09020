from pathlib import Path

import pytest

from labkit.lab.settings import project_root
from labkit.lab.syllabus import PHASES, UnknownPhase, find_phase


@pytest.mark.parametrize("name", [5, "5", "05", "alarm", "Alarm", "05 alarm", "05_alarm", " ALARM "])
def test_a_phase_is_found_by_number_key_label_and_notebook(name):
    assert find_phase(name).key == "alarm"


def test_a_phase_is_found_by_itself():
    assert find_phase(PHASES[3]) is PHASES[3]


@pytest.mark.parametrize("name", [0, 11, "", "alarms", "00", "flow log", "s3", "flow-log-to-s4"])
def test_anything_else_is_no_phase(name):
    with pytest.raises(UnknownPhase, match="or a number from 1 to 10"):
        find_phase(name)


def test_the_phases_are_numbered_in_their_order():
    assert [phase.number for phase in PHASES] == list(range(1, 11))
    assert [phase.label for phase in PHASES][:2] == ["01 flow log to S3", "02 flow log to CloudWatch"]
    assert len({phase.key for phase in PHASES}) == 10


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.label)
def test_every_phase_has_a_notebook_four_verbs_minutes_and_a_cost(phase):
    assert (project_root() / "notebooks" / f"{phase.notebook}.ipynb").is_file()
    assert phase.notebook.startswith(f"{phase.number:02d}_")
    for verb in ("set_up", "check", "solve", "clean_up"):
        assert callable(getattr(phase.module, verb)), verb
    assert 5 <= phase.minutes <= 60
    assert phase.cost


def test_every_notebook_but_the_first_is_a_phase():
    notebooks = {path.stem for path in Path(project_root() / "notebooks").glob("[0-9]*.ipynb")}
    assert notebooks == {"00_start_here", *(phase.notebook for phase in PHASES)}
