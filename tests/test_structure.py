"""The structure of labkit: no circles of imports but a few small ones, and borders that break when they are crossed."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def modules() -> dict[str, Path]:
    """Every module of labkit, by its dotted name."""
    paths = (PROJECT / "labkit").rglob("*.py")
    return {".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imported(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """What a module imports of labkit, inside functions and for type checking too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            names = [f"{node.module}.{each.name}" for each in node.names]
            yield from (name if name in known else node.module for name in names)


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that reach each other."""

    def reached(start: str) -> set[str]:
        found, left = set(), [start]
        while left:
            left.extend(new := graph[left.pop()] - found)
            found |= new
        return found

    reach = {name: reached(name) for name in graph}
    tied = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph if name in reach[name]}
    return [set(each) for each in tied]


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    found = modules()
    return {name: set(imported(ast.parse(path.read_text()), set(found))) - {name} for name, path in found.items()}


def test_only_a_few_files_of_one_package_import_each_other_and_each_case_has_a_reason(graph):
    for circle in circles(graph):
        packages = {name.rpartition(".")[0] for name in circle}
        assert len(packages) == 1, f"a circle over several packages: {sorted(circle)}"
        assert len(circle) <= MOST_FILES, f"a circle of {len(circle)} files: {sorted(circle)}"
        assert packages <= set(CLOSELY_TIED), f"a circle that has no reason: {sorted(circle)}"


def test_every_package_has_a_map():
    """Its docstring says what is inside; a single line is enough for a folder of a file or two."""
    for name, path in modules().items():
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
