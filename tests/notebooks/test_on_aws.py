"""The whole workbook on the other cloud: every notebook with LABKIT_CLOUD=aws, in order, in one account.

A sandbox's server stands in for AWS behind the doors of tests/on_aws.py, which each kernel opens before its first cell.
What the kernels and the commands called is what the IAM policy is held to.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.account.policy import DEPLOYMENT, GRANTS
from labkit.account.preflight import preflight
from labkit.book import workbook
from labkit.lab import deployment, masking, settings
from labkit.lab.settings import Settings, home
from labkit.lab.syllabus import find_phase
from labkit.phases import clean_up
from labkit.sandbox import process
from tests.on_aws import MY_ADDRESS, MY_EMAIL, TRACE, aws_lab, open_doors, trace

PROJECT = Path(__file__).parents[2]
STARTUP = """\
import sys
sys.path.insert(0, {project!r})
from tests.on_aws import open_doors_in_kernel
open_doors_in_kernel()
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory) -> Iterator[process.Server]:
    """An account that nobody prepared, and kernels that take it for AWS."""
    folder = tmp_path_factory.mktemp("on_aws")
    server = process.start(folder / "server", frozen_at=workbook.FROZEN_AT, seed=workbook.SEED, provision=False)
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00_doors.py").write_text(STARTUP.format(project=str(PROJECT)))
    (folder / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        open_doors(server, patch, folder / "home")
        patch.setenv("LABKIT_CLOUD", "aws")
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("TESTS_SERVER_HOME", str(folder / "server"))
        patch.setenv(TRACE, str(folder / "trace.jsonl"))
        settings.save(Settings(cloud="aws", email=MY_EMAIL))
        trace(patch)
        yield server
    masking.show_all()
    process.stop(folder / "server")


@pytest.fixture(scope="module")
def executed(account):
    """Every notebook with its outputs, the environment deployed before the first one."""
    lab = aws_lab()
    preflight(lab)
    lab.provide()
    preflight(lab)
    address = lab.web_server.public_ip
    notebooks = {path.stem: notebook for path, notebook in workbook.execute_all(workbook.notebooks())}
    return notebooks, address


def outputs(notebook):
    return "\n".join(json.dumps(cell.get("outputs", [])) for cell in notebook.cells)


def without_pictures(text):
    return re.sub(r'"image/png": "[^"]*"', "", text)


def test_every_notebook_runs_and_its_outputs_hold_nothing_of_the_learners(executed):
    notebooks, address = executed
    assert len(notebooks) == 11
    for name, notebook in notebooks.items():
        shown = without_pictures(outputs(notebook))
        for secret in ("123456789012", MY_EMAIL, MY_ADDRESS, address):
            assert secret not in shown, f"{name} shows {secret}: {shown[max(0, shown.find(secret) - 200) :][:400]}"


def test_the_checks_pass_there_as_in_the_sandbox(executed):
    notebooks, _ = executed
    shown = "\n".join(outputs(notebook) for notebook in notebooks.values())
    for phase in ("flow log to S3", "flow log to CloudWatch", "traffic", "metric filter", "alarm", "Athena table"):
        assert f"Check: {phase} - done" in shown, phase


def test_waits_on_aws_tell_what_they_wait_for(executed):
    notebooks, _ = executed
    assert "(expected 5-15 min)" in outputs(notebooks["03_generate_traffic"])


@pytest.fixture(scope="module")
def calls(executed):
    """What the workbook called, and what else is called.

    By a lab whose bucket is named in the form, by a look without a record, and to take the environment down.
    """
    lab = aws_lab()
    assert aws_lab(bucket=lab.bucket).bucket == lab.bucket
    for phase in map(find_phase, ("flow log to CloudWatch", "alarm")):
        phase.module.solve(lab)
    record = (home() / "made.json").read_text()
    (home() / "made.json").unlink()
    clean_up.remove_everything(lab)
    (home() / "made.json").write_text(record)
    clean_up.remove_everything(lab, with_environment=True)
    return {json.loads(line) for line in Path(os.environ[TRACE]).read_text().splitlines()}


def test_the_policy_covers_every_call_of_the_workbook(calls):
    assert sorted(calls - set(GRANTS) - set(DEPLOYMENT)) == []


def test_the_policy_allows_nothing_that_no_call_uses(calls):
    """A role is looked up where the caller has assumed one; the server makes a stack at once, so no bar is drawn."""
    elsewhere = {"iam:GetRole", "cloudformation:DescribeStackEvents"}
    assert sorted({*GRANTS, *DEPLOYMENT} - calls - elsewhere) == []


def test_nothing_is_left_of_the_lab_and_its_environment(calls):
    lab = aws_lab()
    assert deployment.find_stack(lab) is None
    assert clean_up.take_inventory(lab).made == ()
