"""`labkit sandbox`: starts, stops and shows the AWS that runs on this machine."""

from __future__ import annotations

import argparse
import shlex
from datetime import UTC, datetime
from typing import Any

from labkit import progress
from labkit.commands.sample_data import seed_number
from labkit.sandbox import process
from labkit.settings import home


def register(subparsers: Any) -> None:
    """Adds the command to labkit's own."""
    parser = subparsers.add_parser("sandbox", help="start, stop and show the sandbox", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    start = verbs.add_parser("start", help="start the sandbox, where none runs")
    start.add_argument(
        "--port", type=port_number, metavar="N", help="listen on this port; default: that of last time, or any"
    )
    start.add_argument(
        "--frozen-at", type=_moment, metavar="ISO", help="begin at this moment, and let time stand still"
    )
    start.add_argument("--seed", type=seed_number, metavar="N", help="draw ids and traffic from this seed; default: 0")
    start.add_argument("--no-provision", action="store_true", help="begin with an empty account")
    start.add_argument("--any-credentials", action="store_true", help="answer requests signed with any access key")
    start.add_argument("--smtp", metavar="HOST:PORT", help="also send the mails to an SMTP server on this machine")
    start.set_defaults(run=_start)
    for name, run, text in (
        ("stop", _stop, "stop the sandbox; the next start goes on where it was"),
        ("status", _status, "say whether the sandbox runs, and its time"),
        ("env", _env, "print shell exports with which any AWS client uses the sandbox"),
        ("reset", _reset, "throw away what was done in the sandbox and start anew"),
    ):
        verbs.add_parser(name, help=text).set_defaults(run=run)


def port_number(text: str) -> int:
    """A port that is asked for, out of its text."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment: write one as 2026-11-02T09:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _start(options: argparse.Namespace) -> int:
    if running := process.find(home()):
        print(f"The sandbox runs already, at {running.endpoint}; `labkit sandbox stop` ends it.")
        return 0
    server = process.start(
        home(),
        port=options.port,
        frozen_at=options.frozen_at,
        seed=options.seed,
        provision=not options.no_provision,
        any_credentials=options.any_credentials,
        smtp=options.smtp,
    )
    print(f"The sandbox runs at {server.endpoint}.")
    print('In another terminal, eval "$(labkit sandbox env)" lets the AWS CLI and any SDK use it.')
    return 0


def _stop(_: argparse.Namespace) -> int:
    print("The sandbox is stopped." if process.stop(home()) else "No sandbox was running.")
    return 0


def _status(_: argparse.Namespace) -> int:
    server = process.find(home())
    if server is None:
        print("No sandbox runs; `labkit sandbox start` starts it.")
        return 1
    clock = server.control("GET", "/clock")
    kind = "standing still" if clock["frozen"] else "following real time"
    print(f"The sandbox runs at {server.endpoint}. Its time is {clock['now']}, {kind}.")
    login = server.control("GET", "/ssh")
    print(f"The Web Server: ssh -p {login['port']} {login['user']}@{login['host']}, password {login['password']}")
    return 0


def _env(_: argparse.Namespace) -> int:
    for name, value in _running().environment().items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _reset(_: argparse.Namespace) -> int:
    from labkit.phases.inventory import forget_first

    process.reset(home())
    progress.begin_anew()
    forget_first()
    print("The sandbox starts anew.")
    return 0


def _running() -> process.Server:
    server = process.find(home())
    if server is None:
        raise process.SandboxError("no sandbox runs: start it with `labkit sandbox start`")
    return server
