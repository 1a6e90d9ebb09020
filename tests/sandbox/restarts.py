"""Calls every operation of a service that changes something, and says what a restart would lose of it.

`python -m tests.sandbox.restarts` tries all services, or those that are named, and looks after each call: a difference
is named with the operation after which it is there. The suite looks twice.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch

from labkit.sandbox.dispatcher import Address
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Entry
from labkit.sandbox.kernel.checkpoints import Checkpoints
from labkit.sandbox.wire import service_model
from tests.conftest import NO_IMAGES
from tests.sandbox.in_process import BARE, CREDENTIALS, client_maker, open_host, send_signed
from tests.sandbox.malformed import inputs, provided, requests
from tests.sandbox.malformed.run import SERVICES
from tests.sandbox.sound_inputs import BY_OPERATION, LEFT_OUT
from tests.sandbox.state import Look, differences, look

_UNMAKING = re.compile(
    "Abort|Cancel|Close|Complete|Delete|Deregister|Detach|Disable|Disassociate|Purge|Release|Remove|Schedule|Stop"
    "|Terminate"
)
_SECONDS = 7
"""That pass after each operation: a moment that is taken from the machine's clock is not one of these."""


class Exercise:
    """A sandbox on which every changing operation of a service is called."""

    def __init__(self, service: str, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.looks: dict[int, tuple[str, Look]] = {}
        """By the journal's last entry: the operation that was called last, and the state."""
        self.succeeded: set[str] = set()
        self.refused: dict[str, str] = {}

    def run(self, *, each: bool = False) -> None:
        """Call the operations that make something, then those that unmake something; look after both, or after each.

        The sandbox is closed at the end, and has a checkpoint then.
        """
        with closing(_open(self.folder, kept=True)) as host:
            if self.service == "ssm":  # it looks at EC2, whose default VPC is as old as the first look, be it a read
                client_maker(host)("ec2").create_key_pair(KeyName="first")
            known = provided.provide(self.service, client_maker(host))
            names = changing_operations(self.service)
            making = [name for name in names if not _UNMAKING.match(name)]
            unmaking = [name for name in names if _UNMAKING.match(name)]
            for operation in (*making, *unmaking):
                if operation == next(iter(unmaking), ""):
                    self._look(host, "what makes something")
                self._try(host, operation, known)
                if each:
                    self._look(host, operation)
            self._look(host, "the last")
            assert host.checkpoint(0)

    def lost(self) -> Iterator[str]:
        """Return what is not as it was: at the looks when the changes are made again, and from the checkpoint."""
        copy = self.folder / "repeated"
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("checkpoints", copy.name))
        found: list[str] = []
        repeat = Host._repeat

        def compare(host: Host, number: float) -> None:
            for before in [each for each in self.looks if each < number]:
                operation, then = self.looks.pop(before)
                if not found:  # what is lost once is not there later either
                    found.extend(f"repeated, after {operation}: {line}" for line in differences(host, then))

        def repeat_compared(host: Host, entry: Entry) -> None:
            compare(host, entry.number or 0)
            repeat(host, entry)

        _, last = self.looks[max(self.looks)]
        with patch.object(Host, "_repeat", repeat_compared), closing(_open(copy, kept=False)) as host:
            compare(host, inf)
        yield from found
        with closing(_open(self.folder, kept=True)) as host:
            yield from (f"from the checkpoint: {line}" for line in differences(host, last))

    def _look(self, host: Host, operation: str) -> None:
        while host.read(lambda: _queries_under_way(host)):
            pass
        self.looks[host._journal.end.number] = operation, look(host)

    def _try(self, host: Host, operation: str, known: Mapping[str, str]) -> None:
        for params in tries(self.service, operation, known):
            raw = requests.make(self.service, operation, params)
            name = requests.SIGNING_NAMES.get(self.service, self.service)
            answer = send_signed(host, name, raw.body, raw.headers, path=raw.path, method=raw.method)
            if answer.status_code < 300:
                self.succeeded.add(operation)
                self.refused.pop(operation, None)
                host.advance({"seconds": _SECONDS})
                return
            self.refused[operation] = f"{answer.status_code} {answer.content.decode(errors='replace')}"
            if answer.status_code == 501:
                return


def _queries_under_way(host: Host) -> bool:
    """Whether any query is still to end, which it does in a time of its own."""
    athena = [each.state for region in host.sandbox.athena._regions.values() for each in region.executions.values()]
    insights = [each.status for queries in host.sandbox.logs._queries.values() for each in queries.values()]
    return not {"QUEUED", "RUNNING", "Scheduled", "Running"}.isdisjoint([*athena, *insights])


def changing_operations(service: str) -> list[str]:
    """The operations that are in the journal when they succeed."""
    model = service_model(service)
    rest = requests.protocol(service) == "rest-xml"
    return sorted(
        name
        for name in model.operation_names
        if Address(service, "" if rest else name, "").changes_something(model.operation_model(name).http["method"])
    )


def tries(service: str, operation: str, known: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Return inputs that may be sound: written by hand, or made from the model with what is known or with new names."""
    if make := BY_OPERATION.get((service, operation)):
        yield make(known)
    shape = service_model(service).operation_model(operation).input_shape
    new = {key: value for key, value in known.items() if not key.endswith("name")}
    for names in (known, new):
        yield inputs.sound(shape, names, optional=False)
    for names in (known, new):
        full = inputs.sound(shape, names, optional=True)
        yield {name: value for name, value in full.items() if not LEFT_OUT.match(name)}


def _open(folder: Path, *, kept: bool) -> Host:
    """Open the host of a folder, on its checkpoints or without them."""
    checkpoints = Checkpoints(folder / "checkpoints", CREDENTIALS.secret_access_key, "this version")
    return open_host(folder / "journal.sqlite", BARE, checkpoints=checkpoints if kept else None)


def main(services: list[str]) -> int:
    """Try services; exit code 1 says that something was lost."""
    logging.disable()
    os.environ.update([NO_IMAGES])
    wrong = 0
    for service in services or SERVICES:
        with tempfile.TemporaryDirectory() as folder:
            exercise = Exercise(service, Path(folder))
            exercise.run(each=True)
            lost = list(exercise.lost())
        wrong += len(lost)
        print(f"{service}: {len(exercise.succeeded)} operations, {len(lost)} differences", flush=True)
        for line in lost[:20]:
            print(f"  {line[:300]}")
        for operation, why in sorted(exercise.refused.items()):
            if not why.startswith("501"):
                print(f"  not called: {operation}: {why[:200]!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
