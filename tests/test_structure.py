"""The structure of labkit: no circles of imports but a few small ones, and borders that break when they are crossed."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

from tests.test_documents import load_script

import_graph = load_script("import_graph")
PROJECT = Path(__file__).parents[1]
MOST_FILES = 5
CLOSELY_TIED = {
    "labkit.lab": "a lab finds its resources and writes down what it made; both take the lab that they belong to",
    "labkit.sandbox": "the control API and the SSH door ask their host; a sandbox lists its services, which hold it",
    "labkit.sandbox.alarms": "a composite alarm is suppressed by alarms, composite ones too",
    "labkit.sandbox.athena": "a region holds work groups, and a work group's operations look into their region",
    "labkit.sandbox.logs": "a log group holds its filters, and a filter is handed its group",
}
"""Packages in which a few files import each other, each with the reason."""


def test_only_a_few_files_of_one_package_import_each_other_and_each_case_has_a_reason():
    for circle in import_graph.circles(import_graph.graph()):
        packages = {name.rpartition(".")[0] for name in circle}
        assert len(packages) == 1, f"a circle over several packages: {sorted(circle)}"
        assert len(circle) <= MOST_FILES, f"a circle of {len(circle)} files: {sorted(circle)}"
        assert packages <= set(CLOSELY_TIED), f"a circle that has no reason: {sorted(circle)}"


def test_every_package_has_a_map():
    """Its docstring says what is inside; a single line is enough for a folder of a file or two."""
    for name, path in import_graph.modules().items():
        if path.name == "__init__.py":
            assert ast.get_docstring(ast.parse(path.read_text())), f"{name} has no map"


PLANTED = {
    "labkit.sandbox.delivery": "moto",
    "labkit.show.cards": "labkit.checks.check",
    "labkit.lab.session": "labkit.phases.course",
    "labkit.flowlog.fields": "labkit.lab.errors",
    "labkit.phases.alarm": "labkit.sandbox.clock",
    "labkit.sandbox.clock": "labkit.lab.settings",
}
"""Imports that no module may have, by the module."""


def test_a_forbidden_import_and_a_room_without_a_layer_break_the_contracts(tmp_path):
    shutil.copytree(PROJECT / "labkit", tmp_path / "labkit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    for module, forbidden in PLANTED.items():
        path = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        path.write_text(f"{path.read_text()}\nimport {forbidden}\n")
    (tmp_path / "labkit" / "attic.py").write_text('"""A room that nobody drew."""\n')
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)})
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    for module, forbidden in PLANTED.items():
        assert f"{module} -> {forbidden}" in said or f"{module} is not allowed to import {forbidden}" in said, module
    assert "attic" in said
