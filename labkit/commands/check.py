"""`labkit check`: looks at the cloud and says what of the lab is done."""

from __future__ import annotations

import argparse
from typing import Any

from labkit.lab.syllabus import Phase, UnknownPhase, find_phase


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "check",
        help="say what of the lab is done, and what is missing",
        description="Looks at the cloud itself. Exit status 0 if everything looked at is right, 1 if not.",
    )
    phase_argument(parser, nargs="?")
    parser.set_defaults(run=run)


def phase_argument(parser: Any, **options: Any) -> None:
    """Add the argument that names a phase; for an unknown phase the error lists the names."""
    parser.add_argument("phase", type=_phase, metavar="PHASE", help='"flow log to S3", or a number', **options)


def run(options: argparse.Namespace) -> int:
    """Print one phase's check, or the table of all phases."""
    from labkit.checks.check import check
    from labkit.notebook import Lab

    lab = Lab.open()
    if options.phase is None:
        table = lab.phases()
        print(table)
        return 0 if all(found.passed for _, found in table.checks) else 1
    found = check(options.phase, lab)
    print(found)
    return 0 if found.passed else 1


def _phase(text: str) -> Phase:
    try:
        return find_phase(text)
    except UnknownPhase as error:
        raise argparse.ArgumentTypeError(str(error)) from None
