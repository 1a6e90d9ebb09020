"""The documents are true: what they name exists, and what exists is named."""

import argparse
import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

from labkit.cli import COMMANDS
from labkit.lab.syllabus import PHASES, START

PROJECT = Path(__file__).parents[1]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
TEST_DATA = sorted((PROJECT / "tests").rglob("*.json"))


def load_script(name):
    spec = importlib.util.spec_from_file_location(name, PROJECT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_environment_yml_has_the_requirements_of_pyproject_toml():
    assert (PROJECT / "environment.yml").read_text() == load_script("write_environment").environment()


def test_environment_yml_names_what_a_learner_runs_and_no_tool_of_developers():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    listed = set(re.findall(r'- "(.+)"', (PROJECT / "environment.yml").read_text()))
    assert listed == set(project["project"]["dependencies"])
    developers = {each for group in project["dependency-groups"].values() for each in group if isinstance(each, str)}
    assert not listed & developers


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def test_links_lead_to_files_that_exist(document):
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


def test_every_file_that_a_promise_is_held_by_exists():
    named = re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)`", (PROJECT / "docs" / "sandbox" / "ground.md").read_text())
    assert len(named) > 20
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_the_readme_lists_every_notebook():
    text = (PROJECT / "README.md").read_text()
    numbers = {path.name[:2] for path in (PROJECT / "notebooks").glob("*.ipynb")}
    assert numbers == set(re.findall(r"^\| (\d\d) \|", text, re.MULTILINE))


def test_every_make_target_that_a_document_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = {name for path in DOCUMENTS for name in re.findall(r"(?:`|\$ )make ([a-z-]+)", path.read_text())}
    assert named <= targets
    assert {"lab", "test", "workbook", "check", "bench"} <= named


def test_every_sandbox_verb_and_option_is_documented():
    parser = argparse.ArgumentParser()
    importlib.import_module("labkit.commands.sandbox").register(parser.add_subparsers())
    text = (PROJECT / "docs" / "sandbox.md").read_text()
    source = (PROJECT / "labkit" / "commands" / "sandbox.py").read_text()
    for option in re.findall(r'"(--[a-z-]+)"', source):
        assert option in text
    for verb in ("start", "stop", "status", "env", "reset"):
        assert re.search(rf"`{verb}`|sandbox {verb}", text)


def test_every_command_has_a_module():
    for name in COMMANDS:
        assert importlib.util.find_spec(f"labkit.commands.{name}"), name


def test_the_learners_page_has_the_minutes_of_every_phase():
    text = (PROJECT / "docs" / "learner.md").read_text()
    listed = re.findall(r"(?m)^\| (\d\d) [^|]*\| (\d+) \| ?(\d*) ?\|$", text)
    known = [(f"{phase.number:02d}", str(phase.minutes), str(phase.waiting or "")) for phase in (START, *PHASES)]
    assert listed == known


def test_every_command_of_labkit_is_in_the_cheat_sheet_or_the_sandboxs_page():
    text = "".join((PROJECT / "docs" / f"{name}.md").read_text() for name in ("cheat_sheet", "instructor", "learner"))
    text += (PROJECT / "CONTRIBUTING.md").read_text()
    assert [name for name in COMMANDS if f"labkit {name.replace('_', '-')}" not in text] == []


@pytest.mark.parametrize("data", TEST_DATA, ids=lambda path: str(path.relative_to(PROJECT)))
def test_a_line_of_test_data_is_longer_than_120_columns_only_for_one_text_that_is(data):
    """And a text of more than five lines is a list of them."""
    lines = enumerate(data.read_text(encoding="utf-8").splitlines(), 1)
    one_text = re.compile(r'\s*("[^"]*": )?"([^"\\]|\\[^n])*(\\n([^"\\]|\\[^n])*){0,4}",?')
    assert [number for number, line in lines if len(line) > 120 and not one_text.fullmatch(line)] == []
