"""`labkit clean`: removes what the lab made, and looks that nothing is left."""

from __future__ import annotations

import argparse
from typing import Any


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "clean",
        help="remove what the lab made",
        description="Removes what the lab made, in order, the environment that labkit deployed with it; what others "
        "made or provided stays. Run it again after a failure. Exit status 0 if nothing else is left.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only list what would be removed")
    parser.add_argument("--delivered-logs", action="store_true", help="also delete the flow log files in the bucket")
    parser.add_argument(
        "--made-by-hand",
        action="store_true",
        help="also remove what carries the lab's names but was made in the console or with other tools",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Remove everything, or lists it; then says what is left."""
    from labkit.notebook import Lab
    from labkit.phases import clean_up

    lab = Lab.open()
    before = clean_up.take_inventory(lab)
    if options.dry_run:
        print(before)
        return 0
    by_hand, logs = options.made_by_hand, options.delivered_logs
    print(clean_up.remove_everything(lab, delivered_logs=logs, made_by_hand=by_hand, with_environment=True))
    comparison = clean_up.prove(lab, before)
    print(f"\n{comparison}")
    if kept := {"delivered logs", "deployed bucket"} & {thing.kind for thing in comparison.left} if not logs else set():
        print(f"Kept, since you did not ask for --delivered-logs: {', '.join(sorted(kept))}.")
    return 0 if {thing.kind for thing in comparison.left} <= kept else 1
