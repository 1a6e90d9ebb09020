"""Which checkpoints a sandbox goes on from, and what it does without one."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest

from labkit.sandbox.host import Host
from labkit.sandbox.inbox import Inbox
from labkit.sandbox.journal import JournalError
from labkit.sandbox.kernel.checkpoints import MANIFEST, Checkpoints
from labkit.sandbox.state import PICKLE
from tests.sandbox.in_process import BARE, CREDENTIALS, client_maker, open_host

OWN = CREDENTIALS.secret_access_key


class Home:
    """A folder with a sandbox's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repeated: list[int] = []

    def open(self, secret: str = OWN, stamp: str = "this version") -> Host:
        """A host, which tells in `repeated` how much it had to repeat."""
        self.repeated = []
        kept = Checkpoints(self.folder / "checkpoints", secret, stamp)
        return open_host(
            self.folder / "journal.sqlite",
            BARE,
            checkpoints=kept,
            progress=lambda done, of: self.repeated.append(of),
        )

    def checkpoints(self) -> list[Path]:
        """The folders of the checkpoints."""
        return sorted((self.folder / "checkpoints").iterdir())


@pytest.fixture
def home(tmp_path) -> Home:
    """The home of a sandbox that was killed after a checkpoint and two more changes."""
    live = Home(tmp_path / "live")
    live.folder.mkdir()
    host = live.open()
    make_some(host, "before")
    assert host.checkpoint(0)
    make_some(host, "after")
    home = Home(Path(shutil.copytree(live.folder, tmp_path / "home", ignore=shutil.ignore_patterns("*-shm"))))
    host.close()
    return home


def make_some(host: Host, name: str) -> None:
    """An object and a log event."""
    s3, logs = client_maker(host)("s3"), client_maker(host)("logs")
    s3.create_bucket(Bucket=f"bucket-{name}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket=f"bucket-{name}", Key="key", Body=name.encode())
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="stream")
    event = {"timestamp": int(BARE.start * 1000), "message": name}
    logs.put_log_events(logGroupName=name, logStreamName="stream", logEvents=[event])


def what_is_there(host: Host) -> list[tuple[str, bytes, str]]:
    s3, logs = client_maker(host)("s3"), client_maker(host)("logs")
    return [
        (
            bucket["Name"],
            s3.get_object(Bucket=bucket["Name"], Key="key")["Body"].read(),
            logs.filter_log_events(logGroupName=bucket["Name"].removeprefix("bucket-"))["events"][0]["message"],
        )
        for bucket in s3.list_buckets()["Buckets"]
    ]


ALL = [("bucket-before", b"before", "before"), ("bucket-after", b"after", "after")]


def test_only_what_came_after_the_checkpoint_is_repeated(home):
    host = home.open()
    try:
        assert set(home.repeated) == {5}
        assert what_is_there(host) == ALL
    finally:
        host.close()


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


HARMS = {
    "a damaged state": lambda folder: damage(folder / PICKLE),
    "a state that was cut": lambda folder: cut(folder / PICKLE),
    "a state that is gone": lambda folder: (folder / PICKLE).unlink(),
    "damaged events": lambda folder: damage(next(folder.glob("*.arrow"))),
    "a damaged manifest": lambda folder: damage(folder / MANIFEST),
    "a manifest that was cut": lambda folder: cut(folder / MANIFEST),
    "an empty manifest": lambda folder: (folder / MANIFEST).write_bytes(b""),
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "no pack": lambda folder: (folder.parent.parent / "files" / "pack").unlink(),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_checkpoint_that_was_damaged_is_not_used_and_nothing_is_lost(home, harm, caplog):
    (folder,) = home.checkpoints()
    HARMS[harm](folder)
    host = home.open()
    try:
        assert set(home.repeated) == {10}
        assert what_is_there(host) == ALL
        assert f"{folder.name} is not used" in caplog.text
        assert home.checkpoints() == []
    finally:
        host.close()


@pytest.mark.parametrize("other", [{"secret": "another home's"}, {"stamp": "another version"}])
def test_a_checkpoint_of_another_home_or_version_is_not_used_and_nothing_is_lost(home, other, caplog):
    host = home.open(**other)
    try:
        assert set(home.repeated) == {10}
        assert what_is_there(host) == ALL
        assert "is not used" in caplog.text
    finally:
        host.close()


def test_a_checkpoint_of_another_history_is_not_used(home):
    (folder,) = home.checkpoints()
    aside = shutil.copytree(folder, home.folder / "aside")
    host = home.open()
    host.reset()
    make_some(host, "before")
    host.close()
    shutil.copytree(aside, home.folder / "checkpoints" / folder.name)
    damage_number = json.loads((aside / MANIFEST).read_text().split("\n")[1])["number"]
    host = home.open()
    try:
        assert damage_number == 5
        assert what_is_there(host) == ALL[:1]
    finally:
        host.close()


class Harm:
    """What runs code when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch harm-was-done",)


def test_a_pickle_that_names_what_runs_code_is_refused_before_it_runs(home, monkeypatch, tmp_path, caplog):
    """Even if it bears the home's own code."""
    monkeypatch.chdir(tmp_path)
    kept = Checkpoints(home.folder / "checkpoints", OWN, "this version")
    host = home.open()
    place, mark = host._journal.end, host._files.mark()
    host.close()

    def fill(folder: Path) -> float:
        (folder / PICKLE).write_bytes(pickle.dumps(Harm()))
        return 0.0

    kept.write(place, mark, fill)
    host = home.open()
    try:
        assert what_is_there(host) == ALL
        assert "system is not part of any state" in caplog.text
        assert not (tmp_path / "harm-was-done").exists()
    finally:
        host.close()


def test_the_one_before_is_used_until_a_checkpoint_is_complete(home, monkeypatch):
    host = home.open()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert not host.checkpoint(0)
    host.close()
    (home.folder / "checkpoints" / "draft-of-a-killed-process").mkdir()
    host = home.open()
    try:
        assert set(home.repeated) == {5}
        assert what_is_there(host) == ALL
        assert host.checkpoint(0)
        assert len(home.checkpoints()) == 1
    finally:
        host.close()
    host = home.open()
    try:
        assert home.repeated == []
        assert what_is_there(host) == ALL
    finally:
        host.close()


def test_a_reset_forgets_the_checkpoints(home):
    host = home.open()
    host.reset()
    host.close()
    assert home.checkpoints() == []
    host = home.open()
    try:
        assert what_is_there(host) == []
    finally:
        host.close()


def test_large_bodies_that_are_gone_are_told_of(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labkit.sandbox.journal.Journal.files", lambda journal: {"one", "another"})
        with pytest.raises(JournalError, match=r"2 of 2 large bodies .* are missing .*`labkit sandbox reset`"):
            home.open()


def test_what_was_on_its_way_leaves_after_a_checkpoint_and_what_had_left_does_not(tmp_path, monkeypatch):
    """As it does where the history is repeated."""
    home = Home(tmp_path)
    host = home.open()
    inbox = host.sandbox.notifications.inbox
    began = []
    inbox.take_on = lambda mail, done: began.append((mail.subject, done))
    for subject in ("one", "two"):
        inbox.deliver("a@example.com", subject, "", host.sandbox.clock.now())
    host.sandbox.outbox.release()
    began[0][1]()
    assert host.checkpoint(0)
    host.close()
    sent = []
    monkeypatch.setattr(Inbox, "_send", lambda inbox, mail, done: sent.append(mail.subject))
    again = home.open()
    try:
        assert home.repeated == []
        assert len(again.sandbox.notifications.inbox.messages()) == 2
        assert sent == ["two"]
    finally:
        again.close()
