"""`labkit clean`: removes what the lab made, and looks that nothing is left."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Adds the command to labkit's own."""
    parser = subparsers.add_parser(
        "clean",
        help="remove what the lab made",
        description="Removes what the lab made, in order; what was provided stays. Exit status 0 if nothing is left.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    parser.add_argument("--keep-delivered-logs", action="store_true", help="leave the flow log files in the bucket")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Removes everything, or lists it; then says what is left."""
    from labkit.lab import Lab
    from labkit.phases import clean_up

    lab = Lab.open()
    before = clean_up.take_inventory(lab)
    if options.dry_run:
        print(before)
        return 0
    print(clean_up.remove_everything(lab, delivered_logs=not options.keep_delivered_logs))
    comparison = clean_up.compare_inventories(before, clean_up.take_inventory(lab))
    print(f"\n{comparison}")
    kept = {"delivered logs"} if options.keep_delivered_logs else set()
    return 0 if {thing.kind for thing in comparison.left} <= kept else 1
