"""Runs the notebooks without a browser: all in order as one workbook, or each alone to renew its stored outputs.

They run on a sandbox of their own, frozen and seeded, in a temporary LABKIT_HOME: the learner's sandbox isn't touched,
and the same notebooks give the same outputs, byte for byte.
"""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labkit.lab.errors import LabError
from labkit.lab.settings import project_root
from labkit.sandbox import process

FROZEN_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
"""Monday morning after the four weeks of sample data."""
SEED = 7

_CELL_SECONDS = 600
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_WIDGET = "application/vnd.jupyter.widget-view+json"


class NotebookError(LabError):
    """A cell failed; the message names the notebook, the cell and the error."""


@dataclass(frozen=True)
class Stage:
    """A frozen, seeded sandbox that notebooks run on, and the home it lives in."""

    home: Path
    server: process.Server

    def reset(self) -> None:
        """Go back to the first minute: delete the sandbox's history and everything else in the home."""
        self.server.control("POST", "/reset", {})
        for path in self.home.iterdir():
            if path != process.directory(self.home):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def stage() -> Iterator[Stage]:
    """Set the stage, on a free port; kernels started meanwhile find it through their environment."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="labkit-workbook-") as folder:
        home = Path(folder) / "home"
        os.environ.update(
            LABKIT_HOME=str(home), LABKIT_CLOUD="sandbox", LABKIT_LEARNER="author", PYTHONHASHSEED="0", TZ="UTC"
        )
        try:
            yield Stage(home, process.start(home, port=0, frozen_at=FROZEN_AT, seed=SEED))
        finally:
            process.stop(home)
            os.environ.clear()
            os.environ.update(before)


def notebooks() -> list[Path]:
    """The notebooks of the workbook, in their order."""
    return sorted((project_root() / "notebooks").glob("[0-9][0-9]_*.ipynb"))


def count_cells(paths: list[Path]) -> int:
    """Return the number of code cells to run."""
    return sum(cell.cell_type == "code" for path in paths for cell in _read(path).cells)


def execute(path: Path, *, after_cell: Callable[[], None] = lambda: None) -> Any:
    """Run the notebook in its own folder and return it with outputs; raise NotebookError if a cell fails."""
    return next(execute_all([path], after_cell=after_cell))[1]


def execute_all(
    paths: list[Path],
    *,
    before: Callable[[Path], object] = lambda path: None,
    after_cell: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Path, Any]]:
    """Yield each notebook with its outputs, in order; while one runs, the next one's kernel starts."""
    with ExitStack() as kernels:
        waiting = [_start_kernel(path, kernels) for path in paths[:1]]
        for place, path in enumerate(paths):
            waiting += [_start_kernel(following, kernels) for following in paths[place + 1 : place + 2]]
            kernel = waiting.pop(0)
            before(path)
            executed = _run(path, kernel, after_cell)
            _end_kernel(kernel)
            yield path, executed


def _start_kernel(path: Path, kernels: ExitStack) -> Any:
    """Begin to start a kernel in the notebook's folder; it ends with the stack at the latest."""
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_core.utils import run_sync

    kernel = AsyncKernelManager(kernel_name=_KERNEL["name"])
    run_sync(kernel.start_kernel)(cwd=str(path.parent), extra_arguments=["--log-level=ERROR"])
    kernels.callback(_end_kernel, kernel)
    return kernel


def _end_kernel(kernel: Any) -> None:
    from jupyter_core.utils import run_sync

    run_sync(kernel.shutdown_kernel)(now=True)


def _run(path: Path, kernel: Any, after_cell: Callable[[], None]) -> Any:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = _read(path)
    place = 0

    def begin(cell: Any, cell_index: int) -> None:
        nonlocal place
        place = cell_index

    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=_CELL_SECONDS,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        on_cell_start=begin,
        on_cell_executed=lambda **_: after_cell(),
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(_account(path, notebook, place, error)) from error
    return _tidy(notebook)


def write(notebook: Any, path: Path) -> None:
    """Write a notebook as the repository holds it."""
    import nbformat

    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]


def update(path: Path, on: Stage, *, after_cell: Callable[[], None] = lambda: None) -> None:
    """Renew the stored outputs of one notebook, run alone as the strict comparison of the tests runs it."""
    on.reset()
    write(execute(path, after_cell=after_cell), path)


def _read(path: Path) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except (nbformat.ValidationError, ValueError, TypeError, AttributeError, KeyError) as error:
        words = str(error).partition("\n")[0]
        raise NotebookError(f"{path} is no notebook ({type(error).__name__}: {words}); name an .ipynb file.") from error


def _account(path: Path, notebook: Any, place: int, error: Exception) -> str:
    number = sum(cell.cell_type == "code" for cell in notebook.cells[: place + 1])
    name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    source = "\n".join(f"    {line}" for line in notebook.cells[place].source.splitlines())
    return f"{path.name} failed in its code cell {number}:\n{source}\n{name}: {value}"


def _tidy(notebook: Any) -> Any:
    """Return the notebook without what differs from run to run: timings, widgets, versions."""
    tidy = copy.deepcopy(notebook)
    tidy.metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    for cell in tidy.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(_WIDGET, None)  # of a kernel that is gone; the static rendering stands beside it
    return tidy
