"""`labkit provide`: finds the provided environment, or deploys it into a real account."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "provide",
        help="deploy what the lab needs into your AWS account, where it is missing",
        description="Deploys infra/lab_environment.yaml with CloudFormation, unless a lab platform provided the same. "
        "An interrupted deployment is taken up by the same command. `labkit clean` removes it.",
    )
    parser.add_argument(
        "--ssh-from",
        default="",
        metavar="ADDRESS",
        help="the address, or the network as 203.0.113.0/28, that may try SSH; default: this machine's public address",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what is there."""
    from labkit.notebook import Lab

    print(Lab.open().provide(ssh_from=options.ssh_from))
    return 0
