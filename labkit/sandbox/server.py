"""The sandbox's server process: `python -m labkit.sandbox.server`, as `labkit.sandbox.process` starts it.

It takes the lock of its home before it imports what takes long, so that a second one ends at once, and has all
temporary files made in the home's scratch folder, which the next server empties however this one ends.
"""

# ruff: noqa: E402
from __future__ import annotations

import gc
import sys


class _Unused:
    """Hides what pyarrow and time-machine would import wherever it is installed, and do as well without.

    It would cost the server a second of its start and a fifth of its memory.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Says of an unused package that it is not there."""
        if name in ("pandas", "pytest"):
            raise ModuleNotFoundError(f"{name} is of no use to the sandbox", name=name)


sys.meta_path.insert(0, _Unused)
gc.disable()  # until it serves: what is made till then stays, and looking through it again and again takes its time

import argparse
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path

from labkit.sandbox.kernel.ending import End
from labkit.sandbox.kernel.entry import (
    HOME_TAKEN,
    LOCK_FILE,
    LOG_FILE,
    REFUSED,
    SCRATCH_FOLDER,
    SERVER_FILE,
    SandboxError,
    cannot_use,
)
from labkit.sandbox.kernel.home_lock import HomeLock
from labkit.sandbox.process import directory

RECURSION_LIMIT = 4000
"""A long chain of ORs is as deep a tree, which Python's own limit is too low for."""


def main(arguments: list[str] | None = None) -> int:
    """Serves until told to stop; the exit codes are those of kernel/entry.py."""
    options = _parse(arguments)
    sys.setrecursionlimit(RECURSION_LIMIT)
    os.environ["TZ"] = "UTC"
    time.tzset()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    folder = Path(options.home, "sandbox")
    try:
        lock = HomeLock.take(directory(Path(options.home)) / LOCK_FILE)
        if lock is None:
            print("another sandbox server runs for this home", file=sys.stderr)
            return HOME_TAKEN
        end = End(folder)
        _tidy(folder)
        from labkit.sandbox.kernel.serving import serve

        return serve(options, folder, lock, end)
    except SandboxError as refusal:
        print(refusal, file=sys.stderr)
    except OSError as error:
        logging.getLogger(__name__).debug("could not start", exc_info=True)
        print(cannot_use(folder, error), file=sys.stderr)
    return REFUSED


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="labkit.sandbox.server")
    parser.add_argument("--home", required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--start", type=float)
    parser.add_argument("--frozen", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--region", required=True)
    parser.add_argument("--no-provision", action="store_true")
    parser.add_argument("--any-credentials", action="store_true")
    parser.add_argument("--smtp")
    return parser.parse_args(arguments)


def _tidy(folder: Path) -> None:
    """Removes what a killed server left, and has this one's temporary files made where the next one finds them."""
    (folder / SERVER_FILE).unlink(missing_ok=True)
    if (folder / LOG_FILE).exists():
        os.truncate(folder / LOG_FILE, 0)
    scratch = folder / SCRATCH_FOLDER
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)  # the variable is for libraries: SQLite, DuckDB


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # A thread that is still at work (a query) would keep the process; all that counts is in the journal by now.
    os._exit(code)
