"""`labkit run`: every notebook in order, without a browser, bound into one HTML book."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "run",
        help="run the notebooks without a browser",
        description="Runs the notebooks in order on a sandbox of their own, frozen and seeded, and writes them with "
        "their outputs and one HTML book. Stops at the first cell that fails.",
    )
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all of them")
    parser.add_argument(
        "--to", type=Path, default=Path("build/workbook"), metavar="DIR", help="default: build/workbook"
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="renew the outputs stored in the notebooks instead, each run alone on a fresh sandbox",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the notebooks; a cell that fails ends the run with a report of notebook, cell and error."""
    from tqdm import tqdm

    from labkit.book import workbook

    paths = arguments.notebooks or workbook.notebooks()
    if missing := [path for path in paths if not path.is_file()]:
        print(f"labkit: there is no notebook {missing[0]}; they are in notebooks/", file=sys.stderr)
        return 1
    with workbook.stage() as stage, tqdm(total=workbook.count_cells(paths), unit="cell", dynamic_ncols=True) as bar:
        if arguments.update:
            for path in paths:
                bar.set_description(path.stem)
                workbook.update(path, stage, after_cell=bar.update)
            return 0
        running = workbook.execute_all(paths, before=lambda path: bar.set_description(path.stem), after_cell=bar.update)
        executed = {path.stem: notebook for path, notebook in running}
    _write(executed, arguments.to)
    return 0


def _write(executed: dict[str, Any], folder: Path) -> None:
    from labkit.book import binding, workbook

    folder.mkdir(parents=True, exist_ok=True)
    for name, notebook in executed.items():
        workbook.write(notebook, folder / f"{name}.ipynb")
    target = folder / "workbook.html"
    target.write_text(binding.bind(executed), "utf-8")
    print(f"The book of {len(executed)} notebook{'s' if len(executed) > 1 else ''} is {target}.")
