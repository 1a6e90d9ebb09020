"""`labkit sandbox`: starts, stops and shows the AWS that runs on this machine."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from labkit.commands.sample_data import seed_number
from labkit.lab import progress
from labkit.lab.settings import home
from labkit.sandbox import process

SECONDS_TO_ANSWER = 5.0


def register(subparsers: Any) -> None:
    """Add the command to labkit's own."""
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
    """Parse the port to listen on."""
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
    there = process.presence(home())
    server = process.start(
        home(),
        port=options.port,
        frozen_at=options.frozen_at,
        seed=options.seed,
        provision=not options.no_provision,
        any_credentials=options.any_credentials,
        smtp=options.smtp,
    )
    if there.kind is process.Kind.READY:
        print(f"The sandbox runs already, at {server.endpoint}, as it was started; `labkit sandbox stop` ends it.")
        return 0
    print(f"The sandbox runs at {server.endpoint}.")
    print('In another terminal, eval "$(labkit sandbox env)" lets the AWS CLI and any SDK use it.')
    return 0


def _stop(_: argparse.Namespace) -> int:
    print(process.stop(home()) or "No sandbox was running.")
    return 0


STATUS_CODES = {
    process.Kind.READY: 0,
    process.Kind.NONE: 1,
    process.Kind.STARTING: 3,
    process.Kind.REPLAYING: 3,
    process.Kind.ENDING: 3,
    process.Kind.BUSY: 4,
    process.Kind.SUSPENDED: 5,
    process.Kind.KILLED: 6,
}
"""The exit codes of `status`; 2 is for wrong arguments."""


def _status(_: argparse.Namespace) -> int:
    there = process.presence(home())
    if there.kind is process.Kind.READY and there.server is not None:
        try:
            return _show_ready(there.server)
        except process.SandboxBusy:
            there = replace(there, kind=process.Kind.BUSY)
    print(there.sentence)
    return STATUS_CODES[there.kind]


def _show_ready(server: process.Server) -> int:
    clock = server.control("GET", "/clock", timeout=SECONDS_TO_ANSWER)
    login = server.control("GET", "/ssh", timeout=SECONDS_TO_ANSWER)
    kind = "standing still" if clock["frozen"] else "following real time"
    if "advancing_to" in clock:
        kind = f"moving on to {clock['advancing_to']}"
    print(f"The sandbox runs at {server.endpoint}. Its time is {clock['now']}, {kind}.")
    print(f"The Web Server: ssh -p {login['port']} {login['user']}@{login['host']}, password {login['password']}")
    return 0


def _env(_: argparse.Namespace) -> int:
    there = process.presence(home())
    if there.kind in (process.Kind.NONE, process.Kind.KILLED):
        raise process.SandboxError("no sandbox runs: start it with `labkit sandbox start`")
    if there.server is None:
        raise process.SandboxError(f"{there.sentence} Run the same again in a moment.")
    for name, value in {**there.server.environment(), **_no_proxy()}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _no_proxy() -> dict[str, str]:
    """Return the exports that keep requests to the sandbox from going through a proxy."""
    kept = [host for name in ("no_proxy", "NO_PROXY") for host in os.environ.get(name, "").split(",")]
    value = ",".join(dict.fromkeys(host.strip() for host in [*kept, "127.0.0.1", "localhost"] if host.strip()))
    return {"NO_PROXY": value, "no_proxy": value}  # some clients read the one, some the other


def _reset(_: argparse.Namespace) -> int:
    from labkit.phases.inventory import forget_first

    said = process.reset(home())
    progress.begin_anew()
    forget_first()
    print(said)
    return 0
