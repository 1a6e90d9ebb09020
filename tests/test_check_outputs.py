"""The hook that keeps what is somebody's own out of committed notebooks."""

import importlib.util
import json
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[1]


def load():
    spec = importlib.util.spec_from_file_location("check_outputs", PROJECT / "scripts" / "check_outputs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check_outputs = load()
OWN = "999988887777"


def notebook(text, kind="stream"):
    outputs = {
        "stream": {"output_type": "stream", "name": "stdout", "text": [text]},
        "result": {"output_type": "execute_result", "data": {"text/html": text}},
        "error": {"output_type": "error", "ename": "E", "evalue": text, "traceback": []},
        "picture": {"output_type": "display_data", "data": {"image/png": text}},
    }
    return {"cells": [{"cell_type": "code", "source": "", "outputs": [outputs[kind]]}]}


FOUND = [
    (f"arn:aws:iam::{OWN}:role/x", f"the account id {OWN}"),
    (f"arn:aws-us-gov:sns:us-gov-west-1:{OWN}:t", f"the account id {OWN}"),
    (f"s3://b/AWSLogs/{OWN}/vpcflowlogs", f"the account id {OWN}"),
    ("mail to jane.doe@mycompany.io.", "the e-mail address jane.doe@mycompany.io"),
    ("from 8.8.4.4:22", "the public address 8.8.4.4"),
]
LET_THROUGH = [
    "arn:aws:iam::123456789012:role/x",
    "arn:aws:iam::ACCOUNT:role/x",
    "learner@example.com and no-reply@sns.amazonaws.com",
    "10.0.1.10, 192.0.2.1, 198.51.100.7, 203.0.113.9, 198.19.75.36, 127.0.0.1",
    "ssh ec2-user@198.19.75.36",
    "1.2.3.4.5 and 300.1.1.1 and version 2026.11.02",
    f"{OWN} without an ARN is a number",
]


@pytest.mark.parametrize("kind", ["stream", "result", "error"])
@pytest.mark.parametrize(("text", "found"), FOUND)
def test_what_is_somebodys_own_is_found_in_every_sort_of_output(text, found, kind):
    assert list(check_outputs.findings(notebook(text, kind))) == [found]


@pytest.mark.parametrize("text", LET_THROUGH)
def test_what_documentation_and_the_sandbox_use_is_let_through(text):
    assert list(check_outputs.findings(notebook(text))) == []


def test_pictures_and_sources_are_not_looked_at():
    assert list(check_outputs.findings(notebook("8.8.4.4", "picture"))) == []


def test_the_command_fails_and_names_file_and_finding(tmp_path, capsys):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps(notebook("8.8.4.4")))
    assert check_outputs.main([str(path)]) == 1
    assert f"{path}: the public address 8.8.4.4" in capsys.readouterr().out


def test_the_committed_notebooks_hold_nothing_of_anybodys():
    assert check_outputs.main([str(path) for path in sorted((PROJECT / "notebooks").glob("*.ipynb"))]) == 0


def test_git_runs_it_before_a_commit():
    hooks = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (hook,) = (hook for hook in hooks if hook["id"] == "outputs")
    assert hook["entry"].endswith("scripts/check_outputs.py")
    assert hook["files"] == r"\.ipynb$"
