"""`labkit sample-data`: writes the sample flow logs anew, from the story they are generated from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from labkit.lab.errors import LabError

SAMPLE_FOLDER = Path(__file__).parents[2] / "data" / "sample_flowlogs"


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
    parser = subparsers.add_parser(
        "sample-data",
        help="write the sample flow logs",
        description="Writes four weeks of flow logs, as S3 would hold them; the same seed gives the same files.",
    )
    parser.add_argument("--to", type=Path, default=SAMPLE_FOLDER, metavar="DIR", help="default: data/sample_flowlogs")
    parser.add_argument(
        "--seed", type=seed_number, metavar="N", help="another number makes other traffic of the same story"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say how many there are."""
    from labkit.flowlog.story import SEED, Story, write

    story = Story.of_sample(SEED if arguments.seed is None else arguments.seed)
    try:
        paths = write(story.records(), arguments.to)
    except OSError as error:
        raise LabError(
            f"the sample data can't be written to {arguments.to} ({error.strerror}); name another folder with --to"
        ) from error
    megabytes = sum(path.stat().st_size for path in paths) / 1e6
    print(f"{len(paths)} files, {megabytes:.1f} MB, in {arguments.to}")
    return 0


def seed_number(text: str) -> int:
    """Parse a seed."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no seed: give a whole number from 0")
    return int(text)
