"""`labkit` typed wrongly: the status says that it did not work, the last line what was wrong and what to type."""

import json
import re
from pathlib import Path

import pytest

from labkit import cli
from labkit.book import workbook
from labkit.cli import COMMANDS
from labkit.lab.settings import Settings, save
from labkit.sandbox import process

CASES = json.loads(Path(__file__).with_name("wrong_arguments.json").read_text("utf-8"))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """A LABKIT_HOME of its own, in which no sandbox runs and none is started."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LABKIT_CLOUD", raising=False)
    yield
    assert process.find(tmp_path / "home") is None


def typed(*arguments):
    """The status that a command ends with."""
    try:
        return cli.main(list(arguments))
    except SystemExit as end:
        return end.code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_what_was_typed_wrongly_is_said_in_the_last_line(case, capsys):
    assert typed(*case["typed"]) == case["status"]
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.splitlines()[-1]
    assert case["says"] in said.err if "\n" in "".join(case["typed"]) else case["says"] in last
    assert last.startswith("labkit")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_that_says_what_it_does(command, capsys):
    assert typed(command.replace("_", "-"), "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: labkit {command.replace('_', '-')}")
    assert len(text.split()) > 12


def test_the_help_of_labkit_lists_every_command_in_its_order(capsys):
    assert typed("--help") == 0
    text = capsys.readouterr().out
    places = [re.search(rf"(?m)^    {command.replace('_', '-')}\b", text).start() for command in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("command", [["check"], ["clean"], ["hint", "1"], ["skip", "1"], ["preflight"], ["policy"]])
def test_settings_that_cannot_be_read_are_named_by_every_command_that_needs_them(command, tmp_path, capsys):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.toml").write_text("region = ")
    assert typed(*command) == 1
    said = capsys.readouterr().err
    assert "settings.toml: the file can't be understood" in said
    assert "Delete home/settings.toml and fill in the form of notebook 00 again." in said


def test_a_home_that_cannot_be_used_is_named(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "file" / "home"))
    assert typed("check") == 1
    assert "Set LABKIT_HOME to a directory that you can write." in capsys.readouterr().err
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path / "home"))


def test_on_aws_without_credentials_a_command_says_where_to_get_them(monkeypatch, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials")
    save(Settings(cloud="aws", email="me@mycompany.io"))
    assert typed("check") == 1
    said = capsys.readouterr().err
    assert said.startswith("labkit: No AWS credentials were found. Run `aws configure` or `aws sso login`")
    assert 'settings.change(cloud="sandbox")' in said


def test_an_unknown_profile_is_named_with_how_to_list_them(monkeypatch, capsys):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent/config")
    save(Settings(cloud="aws", email="me@mycompany.io"))
    assert typed("check") == 1
    said = capsys.readouterr().err
    assert "nobody" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "text",
    ["# a page", "{}", "[]", '{"nbformat": 4, "cells": []}', '{"nbformat": 4, "metadata": {}, "cells": 3}', ""],
)
def test_a_file_that_is_no_notebook_is_not_run(text, tmp_path, capsys):
    path = tmp_path / "page.ipynb"
    path.write_text(text)
    with pytest.raises(workbook.NotebookError, match=r"page.ipynb is no notebook \(.*\); name an .ipynb file"):
        workbook.count_cells([path])


def test_who_has_read_enough_of_the_output_is_no_error(monkeypatch):
    closed = []
    monkeypatch.setattr("labkit.cli.os.dup2", lambda *ends: closed.append(ends))
    monkeypatch.setattr("labkit.commands.policy.run", lambda _: (_ for _ in ()).throw(BrokenPipeError))
    assert typed("policy") == 141
    assert len(closed) == 1


def test_an_interrupted_command_says_so(monkeypatch, capsys):
    monkeypatch.setattr("labkit.commands.policy.run", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    assert typed("policy") == 130
    assert capsys.readouterr().err == "labkit: interrupted\n"


def test_a_fault_of_labkits_own_is_not_hidden(monkeypatch):
    monkeypatch.setattr("labkit.commands.policy.run", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        typed("policy")
