"""`labkit preflight`: says whether the lab can be done with these credentials, and what has to be done first."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "preflight",
        help="say whether the lab can be done in your AWS account, and what to do first",
        description="Looks at credentials, region, permissions, quotas, environment, bucket and leftovers; changes "
        "nothing. Exit status 0 if nothing is in the way.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print the table."""
    from labkit.account.preflight import preflight
    from labkit.notebook import Lab

    found = preflight(Lab.open())
    print(found)
    return 0 if found.passed else 1
