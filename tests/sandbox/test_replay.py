"""A sandbox that is killed comes back as it was: at every change of the whole lab, from its checkpoints too."""

import hashlib
import shutil
import sqlite3
import time
from functools import cached_property
from pathlib import Path

import pytest

from labkit.lab import session
from labkit.lab.settings import Settings
from labkit.lab.syllabus import PHASES
from labkit.notebook import Lab
from labkit.phases import clean_up
from labkit.sandbox.control import ControlError
from labkit.sandbox.host import Host
from labkit.sandbox.journal import Entry, Journal
from labkit.sandbox.kernel.checkpoints import Checkpoints
from labkit.sandbox.kernel.machine_time import Moments
from tests.sandbox.in_process import BARE, CREDENTIALS, ENDPOINT, ORIGIN, InProcessCloud, client_maker, open_host
from tests.sandbox.seen import Viewer

EVERY = 12
"""Changes from one checkpoint to the next, about: some fall into files of flow logs in the making, into queries that
nobody has looked at, into alarms and subscriptions that wait."""


class Witness:
    """Writes down what a host looks like after each change, before anything else is asked of it.

    Every so often it takes a checkpoint before it looks, and puts a copy aside.
    """

    def __init__(self, host: Host, folder: Path) -> None:
        self._host = host
        self._folder = folder
        self._viewer = Viewer(host)
        self._looking = False
        self._taken = 0
        self.views: dict[int, dict[str, str]] = {}

    def look(self) -> None:
        """Looks, if something changed."""
        number = self._host.sandbox.changes.made
        if not self._looking and number not in self.views:
            if number >= self._taken + EVERY and self._host.checkpoint(0):
                self._taken = number
                for name in ("checkpoints", "files"):
                    shutil.copytree(self._folder / name, self._folder / "copies" / str(number) / name)
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
        if entry.kind not in self.sandbox.changes.ends:  # a query that is under way: its end was waited for, then seen
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


def checkpoints(folder: Path) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", CREDENTIALS.secret_access_key, "this version")


@pytest.fixture(scope="module")
def whole_lab(tmp_path_factory):
    """The journal of the whole lab, all phases and the clean-up, and what was to be seen after each change."""
    folder = tmp_path_factory.mktemp("whole-lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABKIT_HOME", str(folder))
        host = open_host(folder / "journal.sqlite", checkpoints=checkpoints(folder))
        try:
            witness = Witness(host, folder)
            lab = Lab(Settings(), InProcessCloud(host, after=witness.look))
            patch.setattr(session.Lab, "last_opened", lab)
            patch.setattr(lab.cloud, "step", 120.0)  # fewer, longer waits: what happens in them is the same
            for phase in PHASES[:-1]:
                phase.module.solve(lab)
            clean_up.solve(lab)
        finally:
            host.close()
    return folder / "journal.sqlite", witness.views


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


def test_from_every_checkpoint_of_the_whole_lab_all_goes_on_as_without(whole_lab, tmp_path):
    """The same requests get the same ids and answers, at the same moments, as if there had been no restart."""
    path, views = whole_lab
    copies = sorted((path.parent / "copies").iterdir(), key=lambda copy: int(copy.name))
    assert len(copies) > 3
    bodies = set()
    for copy in copies:
        number = int(copy.name)
        soon = range(number, number + 3)  # all would take minutes
        ReplayedHost.views = {each: views[each] for each in (*soon, max(views)) if each in views}
        for file in path.parent.glob(f"{path.name}*"):
            shutil.copy(file, copy)
        repeated: list[int] = []
        host = ReplayedHost(
            ORIGIN,
            Journal(copy / path.name),
            CREDENTIALS,
            ENDPOINT,
            checkpoints=checkpoints(copy),
            progress=lambda done, of, repeated=repeated: repeated.append(of),
            moments=Moments(machine=time.time),
        )
        try:
            host.compare("at the end")
            assert host.compared == len(ReplayedHost.views)
            assert len(repeated) < host._journal.end.number
            bodies.add(tuple(bodies_of(host)))
        finally:
            host.close()
    assert len(bodies) == 1


def bodies_of(host: Host) -> list[str]:
    """The digests of all objects' bytes."""
    s3 = client_maker(host)("s3")
    found = []
    for bucket in s3.list_buckets()["Buckets"]:
        for each in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            body = s3.get_object(Bucket=bucket["Name"], Key=each["Key"])["Body"].read()
            assert each["ETag"].strip('"') == hashlib.md5(body).hexdigest()
            found.append(each["ETag"])
    return found


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


@pytest.mark.parametrize("looked_at", [True, False])
def test_a_query_has_its_rows_after_its_log_group_is_gone_and_a_restart(tmp_path, looked_at):
    host = open_host(tmp_path / "journal.sqlite", BARE)
    logs = client_maker(host)("logs")
    logs.create_log_group(logGroupName="g")
    logs.create_log_stream(logGroupName="g", logStreamName="s")
    now = int(ORIGIN.start)
    events = [{"timestamp": now * 1000, "message": "one"}]
    logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)
    query = logs.start_query(logGroupName="g", queryString="fields @message", startTime=now - 60, endTime=now + 60)
    if looked_at:
        logs.get_query_results(queryId=query["queryId"])
    logs.delete_log_group(logGroupName="g")
    host.close()
    again = open_host(tmp_path / "journal.sqlite", BARE)
    try:
        logs = client_maker(again)("logs")
        while (said := logs.get_query_results(queryId=query["queryId"]))["status"] in ("Scheduled", "Running"):
            pass
        assert (said["status"], said["results"][0][0]["value"]) == ("Complete", "one")
    finally:
        again.close()
