"""`labkit skip`: does a phase as its author would, and keeps that it was skipped."""

from __future__ import annotations

import argparse
from typing import Any

from labkit.commands.check import phase_argument


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "skip",
        help="have a phase done for you, with what comes before it",
        description="Runs the author's solution of a phase, so that the later ones can be done. It counts as skipped: "
        "no points until the lab is cleaned up or reset and the phase done by oneself.",
    )
    phase_argument(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Skip the phase."""
    from labkit.notebook import Lab

    print(Lab.open().skip(options.phase))
    return 0
