"""The notebooks' pace: the package's import, the first cell, the whole workbook; each beside what cannot be avoided."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measured import Measured, seconds
from labkit.book import workbook

FIRST_CELL = "from labkit import Lab, check, in_console, quiz\nlab = Lab.open()"
LIBRARIES = "import boto3, pandas\nfrom matplotlib import pyplot"
"""The imports of a notebook that does the same by hand."""


def measure() -> Iterator[Measured]:
    """On an idle machine of two cores: under 0.4 s, under 3 s, under 60 s.

    Notebooks that only import the three take some 20 s there, so that three times theirs is the minute.
    """
    yield Measured("import labkit / import pandas", _import("labkit"), _import("pandas"), "s", 0.5)
    with workbook.stage():
        ours, theirs = min(map(_first_cell, [FIRST_CELL] * 3)), min(map(_first_cell, [LIBRARIES] * 3))
    yield Measured("first cell / importing boto3, pandas and matplotlib in one", ours, theirs, "s", 2)
    paths = workbook.notebooks()
    with tempfile.TemporaryDirectory() as folder, workbook.stage():
        bare = [Path(folder) / path.name for path in paths]
        for path in bare:
            _write(path, LIBRARIES)
        ours, theirs = _all(paths), _all(bare)
    yield Measured(f"all {len(paths)} notebooks / as many that only import the three", ours, theirs, "s", 3)


def _all(paths: list[Path]) -> float:
    """Seconds that notebooks take, run in order."""
    begin = time.perf_counter()
    for _ in workbook.execute_all(paths):
        pass
    return time.perf_counter() - begin


def _write(path: Path, *sources: str) -> None:
    from nbformat.v4 import new_code_cell, new_notebook

    workbook.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)


def _import(package: str) -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", f"import {package}"], check=True), times=5)


def _first_cell(source: str) -> float:
    """Seconds that a cell takes in a kernel that is running already."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "first.ipynb"
        _write(path, "1", source)
        moments: list[float] = []
        workbook.execute(path, after_cell=lambda: moments.append(time.perf_counter()))
    return moments[1] - moments[0]
