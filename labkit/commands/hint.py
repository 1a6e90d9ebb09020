"""`labkit hint`: the next hint for the first thing of a phase that isn't right."""

from __future__ import annotations

import argparse
from typing import Any

from labkit.commands.check import phase_argument


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "hint",
        help="give a hint for what a check found missing, a little more each time",
        description="Checks a phase and gives the next hint for the first thing that isn't right: a nudge, then where "
        "it is taught, then the way to do it. The learner's progress file keeps which were asked for.",
    )
    phase_argument(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print one hint; return 0 if nothing needed one."""
    from labkit.checks.hints import RUNGS
    from labkit.notebook import Lab

    found = options.phase.module.check(Lab.open())
    if found.passed:
        print(f"{options.phase.label} is done; there is nothing to give a hint for.")
        return 0
    item, ladder = next(iter(found.ladders().items()))
    place, rung = ladder.take_next()
    print(f"{item.name}\nHint {place} of {len(RUNGS)}, {RUNGS[place - 1]}:\n{rung.plain()}")
    return 1
