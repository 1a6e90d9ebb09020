"""`labkit progress`: what a learner has done; or, of many learners' files, what a class has."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "progress",
        help="show your points, attempts, hints and minutes, or those of a class",
        description="Shows what the progress file on this machine holds. With the files of several learners it shows "
        "the class: a row for each learner, a column for each phase.",
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="learners' progress.json files")
    parser.add_argument("--name", help="what your own file is to call you")
    parser.add_argument("--csv", action="store_true", help="print every phase of every learner as a line of CSV")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one learner's table, a class's, or the rows as CSV."""
    from labkit.lab import progress
    from labkit.show.class_view import class_frame, class_table, learner_table

    if options.name is not None:
        progress.rename(options.name)
    learners = [progress.read(path) for path in options.files] or [progress.load()]
    if options.csv:
        class_frame(learners).to_csv(sys.stdout, index=False)
    else:
        print(class_table(learners) if options.files else learner_table(learners[0]))
    return 0
