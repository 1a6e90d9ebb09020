"""`labkit policy`: prints the IAM policy that the lab needs on AWS."""

from __future__ import annotations

import argparse
import json
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    text = "print the IAM policy that the lab needs on AWS"
    parser = subparsers.add_parser(
        "policy", help=text, description=f"{text[0].upper()}{text[1:]}, for the region and bucket of the settings."
    )
    parser.add_argument(
        "--with-deployment",
        action="store_true",
        help="with what `labkit provide` needs, where no lab platform provides the environment",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the policy without asking any cloud, so that it works before there are permissions."""
    from labkit.account.policy import policy
    from labkit.lab import settings

    print(json.dumps(policy(settings.load(), deployment=options.with_deployment), indent=2))
    return 0
