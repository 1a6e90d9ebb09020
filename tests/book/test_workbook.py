"""Notebooks run without a browser: outputs are tidy, the same each time, and a failing cell is named."""

import os
import shutil
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit.book import workbook
from labkit.commands import run


@pytest.fixture
def write_notebook(tmp_path):
    """Writes a notebook of these code cells and gives its path."""

    def write(*sources: str, name: str = "01_try") -> Path:
        cells = [new_markdown_cell("# Try"), *map(new_code_cell, sources)]
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(new_notebook(cells=cells), path)
        return path

    return write


class TestExecute:
    def test_keeps_the_outputs_and_numbers_the_cells(self, write_notebook):
        executed = workbook.execute(write_notebook("print('first')", "6 * 7"))
        assert executed.cells[1].outputs[0].text == "first\n"
        assert executed.cells[2].outputs[0].data["text/plain"] == "42"
        assert [cell.execution_count for cell in executed.cells[1:]] == [1, 2]

    def test_runs_in_the_notebooks_own_folder(self, write_notebook):
        path = write_notebook("import os; print(os.getcwd())")
        assert workbook.execute(path).cells[1].outputs[0].text.strip() == str(path.parent)

    def test_leaves_out_what_differs_from_run_to_run(self, write_notebook):
        path = write_notebook("import ipywidgets\nipywidgets.IntSlider()")
        first, second = workbook.execute(path), workbook.execute(path)
        assert first == second
        assert set(first.metadata) == {"kernelspec", "language_info"}
        assert all("execution" not in cell.metadata for cell in first.cells)

    def test_counts_each_cell_of_code_for_the_progress(self, write_notebook):
        path, done = write_notebook("1", "2", "3"), []
        workbook.execute(path, after_cell=lambda: done.append(None))
        assert len(done) == workbook.count_cells([path]) == 3

    def test_a_failing_cell_is_named_with_notebook_source_and_error(self, write_notebook):
        path = write_notebook("x = 1", "y = x / 0\ny", "print('never')", name="05_alarm")
        with pytest.raises(workbook.NotebookError) as caught:
            workbook.execute(path)
        assert str(caught.value) == (
            "05_alarm.ipynb failed in its code cell 2:\n    y = x / 0\n    y\nZeroDivisionError: division by zero"
        )

    def test_a_kernel_that_dies_is_an_account_too(self, write_notebook):
        with pytest.raises(workbook.NotebookError, match=r"code cell 1:\n    import os; os\._exit\(1\)"):
            workbook.execute(write_notebook("import os; os._exit(1)"))


class TestStage:
    def test_is_frozen_seeded_and_of_its_own(self):
        before = dict(os.environ)
        with workbook.stage() as stage:
            clock = stage.server.control("GET", "/clock")
            assert clock == {"now": "2026-11-02T09:00:00Z", "frozen": True}
            assert os.environ["LABKIT_HOME"] == str(stage.home)
            assert stage.home.parent != Path.cwd()
            stage.server.control("POST", "/clock/advance", {"seconds": 600})
            (stage.home / "settings.toml").write_text("region = 'us-east-1'\n")
            stage.reset()
            assert stage.server.control("GET", "/clock") == clock
            assert not (stage.home / "settings.toml").exists()
        assert dict(os.environ) == before
        assert not stage.home.exists()


@pytest.fixture(scope="module")
def shared_stage():
    """One stage for the commands that are tried here: setting it takes seconds."""
    with workbook.stage() as stage:
        yield stage


@pytest.fixture
def on_shared_stage(shared_stage, monkeypatch):
    monkeypatch.setattr(workbook, "stage", lambda: nullcontext(shared_stage))


@pytest.mark.usefixtures("on_shared_stage")
class TestCommand:
    def test_writes_executed_notebooks_and_the_book(self, write_notebook, tmp_path, capsys):
        path = write_notebook("print('hello')", name="00_start")
        before = path.read_text()
        assert call(str(path), "--to", str(tmp_path / "out")) == 0
        assert "hello" in (tmp_path / "out" / "00_start.ipynb").read_text()
        assert "hello" in (tmp_path / "out" / "workbook.html").read_text()
        assert path.read_text() == before
        assert str(tmp_path / "out" / "workbook.html") in capsys.readouterr().out

    def test_update_renews_the_notebook_itself_on_a_fresh_sandbox(self, write_notebook):
        source = "from labkit import Lab\nlab = Lab.open()\nlab.cloud.wait_until(lambda: True, timeout=60, what='it')"
        path = write_notebook(f"{source}\nlab.now().isoformat()")
        paths = [path, Path(shutil.copy(path, path.with_name("02_again.ipynb")))]
        assert call(*map(str, paths), "--update") == 0
        first, second = (path.read_text() for path in paths)
        assert "2026-11-02T09:00:00+00:00" in first
        assert second == first

    def test_a_notebook_that_is_not_there_is_named(self, tmp_path, capsys):
        assert call(str(tmp_path / "12_more.ipynb")) == 1
        assert "there is no notebook" in capsys.readouterr().err


def test_the_workbook_is_all_notebooks_in_their_order():
    names = [path.stem for path in workbook.notebooks()]
    assert names == sorted(names)
    assert names[0] == "00_start_here"
    assert names[-1] == "10_clean_up"


def call(*arguments: str) -> int:
    import argparse

    parser = argparse.ArgumentParser()
    run.register(parser.add_subparsers())
    options = parser.parse_args(["run", *arguments])
    return int(options.run(options))
