"""A sandbox that is killed comes back as it was: at every change of the whole lab."""

import sqlite3
import time
from functools import cached_property
from pathlib import Path

import pytest

from labkit.lab import Lab
from labkit.phases import PHASES, clean_up
from labkit.sandbox.control import ControlError
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Entry, Journal
from labkit.sandbox.kernel.machine_time import Moments
from labkit.settings import Settings
from tests.sandbox.in_process import CREDENTIALS, ENDPOINT, ORIGIN, InProcessCloud, client_maker, open_host
from tests.sandbox.seen import Viewer


class Witness:
    """Writes down what a host looks like after each change, before anything else is asked of it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._viewer = Viewer(host)
        self._looking = False
        self.views: dict[int, dict[str, str]] = {}

    def look(self) -> None:
        """Looks, if something changed."""
        number = self._host.sandbox.changes.made
        if not self._looking and number not in self.views:
            self._looking = True
            self.views[number] = self._viewer.view()
            self._looking = False


class ReplayedHost(Host):
    """A host that is compared with its former self before each change that it repeats, when time has come to it."""

    views: dict[int, dict[str, str]]
    compared = 0

    @cached_property
    def viewer(self) -> Viewer:
        """Looks at the host."""
        return Viewer(self)

    def _repeat(self, entry: Entry) -> None:
        self.compare(f"before {entry.request}")
        super()._repeat(entry)

    def compare(self, when: str) -> None:
        """Compares, if the former self was looked at after as many changes."""
        if then := self.views.get(self.sandbox.changes.made):
            now = self.viewer.view()
            changed = {name: (then.get(name), now.get(name)) for name in {*now, *then}}
            changed = {name: (before, after) for name, (before, after) in changed.items() if before != after}
            assert not changed, f"{when}: {changed}"
            self.compared += 1


@pytest.fixture
def whole_lab(monkeypatch, tmp_path):
    """The journal of the whole lab, all phases and the clean-up, and what was to be seen after each change."""
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    host = open_host(tmp_path / "journal.sqlite")
    try:
        witness = Witness(host)
        lab = Lab(Settings(), InProcessCloud(host, after=witness.look))
        monkeypatch.setattr(Lab, "_current", lab)
        monkeypatch.setattr(lab.cloud, "step", 120.0)  # fewer, longer waits: what happens in them is the same
        for phase in PHASES[:-1]:
            phase.module.solve(lab)
        clean_up.solve(lab)
    finally:
        host.close()
    return tmp_path / "journal.sqlite", witness.views


def test_at_every_change_of_the_whole_lab_nothing_is_lost(whole_lab):
    """A kill leaves the changes up to some point, and to repeat them is to pass through the same points again."""
    path, views = whole_lab
    ReplayedHost.views = views
    host = ReplayedHost(ORIGIN, Journal(path), CREDENTIALS, ENDPOINT, moments=Moments(machine=time.time))
    try:
        host.compare("at the end")
        assert host.compared == len(views) > 40
    finally:
        host.close()


def test_a_refused_control_request_leaves_the_history_as_it_was(tmp_path):
    host = open_host(tmp_path / "journal.sqlite")
    try:
        for body in ({"seconds": -1}, {"seconds": "x"}):
            with pytest.raises(ControlError, match="seconds"):
                host.change_by_control("/clock/advance", body)
        vpc = client_maker(host)("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        kept = snapshot(tmp_path / "journal.sqlite", tmp_path / "kept.sqlite")
    finally:
        host.close()
    again = open_host(kept)
    try:
        assert vpc in [each["VpcId"] for each in client_maker(again)("ec2").describe_vpcs()["Vpcs"]]
    finally:
        again.close()


def test_what_the_bad_day_and_the_internet_are_set_to_outlasts_a_restart(tmp_path):
    rules = [{"kind": "throttling", "service": "ec2"}, {"kind": "delayed delivery", "seconds": 600}]
    host = open_host(tmp_path / "journal.sqlite")
    host.change_by_control("/faults", {"faults": rules})
    host.change_by_control("/background", {"level": 3})
    host.close()
    again = open_host(tmp_path / "journal.sqlite")
    try:
        assert again.faults.strike("ec2", "DescribeVpcs").code == "RequestLimitExceeded"
        assert (again.sandbox.network.collector.delay, again.sandbox.network.collector.level) == (600, 3)
    finally:
        again.close()


def snapshot(journal: Path, to: Path) -> Path:
    """The journal as a kill at this moment would leave it."""
    with sqlite3.connect(journal) as source, sqlite3.connect(to) as target:
        source.backup(target)
    return to
