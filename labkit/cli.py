"""The command `labkit`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from labkit.lab.errors import LabError
from labkit.sandbox.process import SandboxError

COMMANDS = (
    "up",
    "run",
    "check",
    "hint",
    "skip",
    "progress",
    "preflight",
    "provide",
    "clean",
    "policy",
    "sample_data",
    "sandbox",
)
"""The modules of labkit.commands, in the order in which help lists them; each is imported for its own help text."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; its exit status is 0 for success, 1 for failure, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="labkit", description="The VPC Flow Logs lab and its sandbox.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"labkit.commands.{name}").register(subparsers)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except (LabError, SandboxError) as error:
        print(f"labkit: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output, such as `head`, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print("labkit: interrupted", file=sys.stderr)
        return 130
    except Exception as failure:
        return _explained(failure)


def _explained(failure: Exception) -> int:
    """Explain an error of AWS with the next step; anything else is a bug of labkit and is raised."""
    from labkit.show.explain import explanation, is_known

    if not is_known(failure):
        raise failure
    said, step = explanation(failure)
    print(f"labkit: {said}\n{step}", file=sys.stderr)
    return 1
