"""Starting, finding, stopping and killing the sandbox's process."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from labkit.sandbox import process
from labkit.sandbox.kernel.entry import HOME_TAKEN
from labkit.sandbox.kernel.home_lock import HomeLock
from labkit.sandbox.process import Kind, SandboxBusy, SandboxError
from tests.conftest import FROZEN_AT, client_maker

PROJECT = Path(__file__).parents[2]
SECRETS = ("credentials.json", "ssh.json")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    yield home
    process.stop(home)


def kill(server: process.Server) -> None:
    os.kill(server.pid, signal.SIGKILL)
    os.waitpid(server.pid, 0)


def test_a_home_without_a_sandbox(home):
    assert process.find(home) is None
    assert process.presence(home).kind is Kind.NONE
    assert process.stop(home) == ""
    process.reset(home)
    assert process.find(home) is None


def test_the_file_of_a_sandbox_that_is_gone_is_no_sandbox(home):
    folder = process.directory(home)
    entry = process.Server("http://127.0.0.1:9", 9, 2**22 + 1, "key", "secret", "token")
    entry.write(folder / process.SERVER_FILE)
    assert process.find(home) is None
    assert process.presence(home).kind is Kind.KILLED
    (folder / process.SERVER_FILE).write_text("{ half a fi")
    assert process.find(home) is None
    assert process.stop(home) == ""
    assert process.presence(home).kind is Kind.NONE


def test_a_process_that_was_given_the_id_of_a_server_is_left_alone(home, monkeypatch):
    """Somebody holds the lock, but the process that its file names is another."""
    monkeypatch.setattr(process, "SECONDS_TO_DIE", 0)
    folder = process.directory(home)
    lock = HomeLock.take(folder / "server.lock")
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as stranger:
        (folder / "server.lock").write_text(str(stranger.pid))
        with pytest.raises(SandboxError, match=r"a program that can't be seen from here, .* holds .*server.lock"):
            process.stop(home)
        assert stranger.poll() is None
    lock.release()


@pytest.fixture
def slow(home, monkeypatch) -> Path:
    """A home whose server replays as slowly as the test says; the folder of its files."""
    monkeypatch.setattr(process, "SERVER_MODULE", "tests.sandbox.slow_server")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    folder = process.directory(home)
    say(folder, "replaying", 0, 3)
    return folder


def say(folder: Path, *said: object) -> None:
    (folder / "draft").write_text(json.dumps(said))
    (folder / "draft").replace(folder / "progress")


def test_a_start_waits_while_the_history_is_replayed_and_says_how_far_it_is(home, slow):
    seen = []

    def show(there: process.Presence) -> None:
        if there.kind is Kind.REPLAYING:
            seen.append((there.done, there.of))
            say(slow, "replaying" if there.done < 3 else "ok", there.done + 1, 3)

    server = process.start(home, show=show)
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert server == process.find(home)


def test_a_start_that_comes_no_further_is_given_up_and_ends_all_the_same(home, slow, monkeypatch):
    monkeypatch.setattr(process, "SECONDS_TO_STOP", 0.2)
    (slow / "deaf").touch()

    def show(there: process.Presence) -> None:
        if there.kind is Kind.REPLAYING:
            monkeypatch.setattr(process, "SECONDS_WITHOUT_PROGRESS", 0)

    with pytest.raises(SandboxBusy, match=r"0 of 3 changes of its history are repeated. It has come no further for"):
        process.start(home, show=show)
    assert process.presence(home).kind is Kind.REPLAYING
    with pytest.raises(SandboxError, match=r"the sandbox is starting: 0 of 3 changes .*; try again"):
        process.find(home).control("GET", "/clock")
    assert process.stop(home) == (
        "The sandbox did not end when told to, so it was killed; nothing that it answered is lost."
    )
    assert process.presence(home).kind is Kind.NONE


def test_a_sandbox_that_replays_without_end_can_be_reset(home, slow):
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(process.start, home)
        while process.presence(home).kind is not Kind.REPLAYING:
            assert not starting.done()
        process.SERVER_MODULE = "tests.sandbox.conftest"  # ends at once, should it be started again
        said = process.reset(home)
        with pytest.raises(SandboxError, match="did not start"):
            starting.result()
    assert said == "The sandbox is stopped. The sandbox starts anew with the next `labkit sandbox start`."
    assert not (slow / "progress").exists()


def test_a_killed_sandbox_comes_back_as_it_was_and_leaves_no_temporary_files(home, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    server = process.start(home, frozen_at=FROZEN_AT, seed=3)
    make = client_maker(server)
    vpc_id = make("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    (bucket,) = [each["Name"] for each in make("s3").list_buckets()["Buckets"]]
    make("s3").put_object(Bucket=bucket, Key="notes/å.txt", Body=b"kept")
    make("logs").create_log_group(logGroupName="VPCFlowLogs")
    make("logs").create_log_stream(logGroupName="VPCFlowLogs", logStreamName="eni-1")
    events = [{"timestamp": round(FROZEN_AT.timestamp() * 1000), "message": f"event {number}"} for number in range(5)]
    make("logs").put_log_events(logGroupName="VPCFlowLogs", logStreamName="eni-1", logEvents=events)
    server.control("POST", "/clock/advance", {"seconds": 125})
    rows = query(make, bucket)
    group = make("logs").describe_log_groups()["logGroups"]
    put = make("logs").filter_log_events(logGroupName="VPCFlowLogs")["events"]
    left = scratch(home)
    kill(server)
    assert left == scratch(home) != []
    assert list(temporary.iterdir()) == []
    assert process.presence(home).kind is Kind.KILLED

    again = process.start(home)
    assert not set(left) & set(scratch(home))
    assert again.endpoint == server.endpoint
    assert again.access_key_id == server.access_key_id
    make = client_maker(again)
    assert vpc_id in [vpc["VpcId"] for vpc in make("ec2").describe_vpcs()["Vpcs"]]
    assert make("s3").get_object(Bucket=bucket, Key="notes/å.txt")["Body"].read() == b"kept"
    assert make("logs").describe_log_groups()["logGroups"] == group
    assert make("logs").filter_log_events(logGroupName="VPCFlowLogs")["events"] == put
    assert [event["message"] for event in put] == [event["message"] for event in events]
    assert query(make, bucket) == rows
    assert again.control("GET", "/clock") == {"now": "2026-11-02T09:02:05Z", "frozen": True}
    process.stop(home)
    assert list(temporary.iterdir()) == scratch(home) == []


def query(make, bucket: str) -> list[dict[str, object]]:
    athena = make("athena")
    output = {"OutputLocation": f"s3://{bucket}/results/"}
    started = athena.start_query_execution(QueryString="SELECT 1 + 1 AS two", ResultConfiguration=output)
    by_id = {"QueryExecutionId": started["QueryExecutionId"]}
    while athena.get_query_execution(**by_id)["QueryExecution"]["Status"]["State"] != "SUCCEEDED":
        pass
    return athena.get_query_results(**by_id)["ResultSet"]["Rows"]


def scratch(home: Path) -> list[Path]:
    """All temporary files of a home's server."""
    return sorted((home / "sandbox" / "scratch").rglob("*"))


def test_the_same_seed_and_start_give_the_same_ids_another_seed_others(tmp_path):
    def ids(name: str, seed: int) -> list[str]:
        home = tmp_path / name
        make = client_maker(process.start(home, frozen_at=FROZEN_AT, seed=seed))
        try:
            made = make("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
            return [made, *sorted(vpc["VpcId"] for vpc in make("ec2").describe_vpcs()["Vpcs"])]
        finally:
            process.stop(home)

    assert ids("a", 3) == ids("b", 3) != ids("c", 4)


def test_starts_at_once_give_one_server_and_a_suspended_one_is_not_taken_for_none(home):
    with ThreadPoolExecutor(3) as pool:
        begun = [pool.submit(process.start, home, frozen_at=FROZEN_AT, provision=False) for _ in range(3)]
    first, *others = [each.result() for each in begun]
    assert others == [first, first] == [process.start(home)] * 2

    command = [sys.executable, "-m", "labkit.sandbox.server", "--home", str(home), "--region", "eu-west-1"]
    assert subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == HOME_TAKEN
    with pytest.raises(SandboxError, match=f"runs already, at port {first.port}: stop it with"):
        process.start(home, port=first.port - 1)

    os.kill(first.pid, signal.SIGSTOP)
    assert process.presence(home).kind is Kind.SUSPENDED
    assert process.find(home) == first
    with pytest.raises(SandboxBusy, match=f"is suspended. `kill -CONT {first.pid}` lets it go on"):
        process.start(home)
    with pytest.raises(SandboxBusy, match="runs but did not answer within 0 s"):
        first.control("GET", "/clock", timeout=0.1)
    assert process.stop(home) == "The sandbox was suspended; it is stopped now."
    assert process.find(home) is None


def test_another_process_stops_it_than_the_one_that_started_it(home):
    process.start(home, frozen_at=FROZEN_AT, provision=False)
    command = [sys.executable, "-m", "labkit", "sandbox", "stop"]
    environment = {**os.environ, "LABKIT_HOME": str(home)}
    stopped = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (stopped.returncode, stopped.stdout) == (0, "The sandbox is stopped.\n")
    assert process.find(home) is None


@pytest.fixture(scope="module")
def used_home(tmp_path_factory) -> tuple[Path, process.Server]:
    """A home with a short history of seed 3, its sandbox stopped; and how it ran."""
    home = tmp_path_factory.mktemp("used") / "home"
    server = process.start(home, frozen_at=FROZEN_AT, seed=3, provision=False)
    process.stop(home)
    return home, server


def test_options_that_contradict_the_history_are_refused(home, used_home):
    shutil.copytree(used_home[0], home)
    with pytest.raises(SandboxError, match="history with seed 3; `labkit sandbox reset` ends it"):
        process.start(home, seed=4)
    with pytest.raises(SandboxError, match="began at 2026-11-02T09:00:00"):
        process.start(home, frozen_at=FROZEN_AT.replace(hour=10))
    process.reset(home)
    assert process.start(home, seed=4, provision=False)


def test_a_port_that_is_taken_is_named(home):
    with socket.socket() as tenant:
        tenant.bind(("127.0.0.1", 0))
        tenant.listen()
        port = tenant.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port} is taken by another program"):
            process.start(home, port=port)


def test_last_times_port_is_given_up_when_another_has_it(home):
    with socket.create_server(("127.0.0.1", 0)) as tenant:
        taken = tenant.getsockname()[1]
        (process.directory(home) / "port").write_text(str(taken))
        assert process.start(home, provision=False).port != taken


def test_files_are_for_their_owner_alone_and_a_server_ends_with_them(home):
    server = process.start(home, provision=False)
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "sandbox").stat().st_mode & 0o777 == 0o700
    for name in ("server.json", "server.lock", "port", *SECRETS):
        assert (home / "sandbox" / name).stat().st_mode & 0o777 == 0o600
    shutil.rmtree(home)
    os.waitpid(server.pid, 0)


def test_without_provision_the_account_is_empty_and_any_credentials_may_be_allowed(home):
    server = process.start(home, provision=False, any_credentials=True)
    make = client_maker(server)
    assert make("s3", access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="any").list_buckets()["Buckets"] == []
    assert all(vpc["IsDefault"] for vpc in make("ec2").describe_vpcs()["Vpcs"])


def test_a_sandbox_that_can_not_start_shows_the_end_of_its_log(home, monkeypatch):
    monkeypatch.setattr(process, "SERVER_MODULE", "this")
    (process.directory(home) / "this.py").write_text("raise RuntimeError('no luck today')")
    with pytest.raises(SandboxError, match=r"(?s)did not start.*`labkit sandbox reset` begins anew.*no luck today"):
        process.start(home)


def test_a_full_disk_is_said_where_the_log_has_no_room_for_it(home, monkeypatch):
    monkeypatch.setattr(process, "SERVER_MODULE", "this")
    (process.directory(home) / "this.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(process.shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    with pytest.raises(SandboxError, match=r"sandbox can't be used \(No space left on device\): free some space"):
        process.start(home)


def test_damage_is_named_with_the_way_out_and_a_reset_mends_all_of_it(home, used_home):
    shutil.copytree(used_home[0], home)
    first = used_home[1]
    folder = process.directory(home)
    kept = {name: (folder / name).read_bytes() for name in ("port", *SECRETS)}
    for name in SECRETS:
        (folder / name).write_bytes(b"")
        with pytest.raises(SandboxError, match=rf"^[^\n]*{name} is damaged \(it is empty\): [^\n]*sandbox reset`$"):
            process.start(home)
        (folder / name).write_bytes(kept[name])
    (folder / "journal.sqlite").write_bytes(b"no journal" * 1000)
    with pytest.raises(SandboxError, match=r"^the sandbox's history [^\n]* is damaged [^\n]*sandbox reset`[^\n]*$"):
        process.start(home)
    (folder / "ssh.json").write_bytes(b"")

    process.reset(home)
    assert {path.name for path in folder.iterdir()} == {"port", "credentials.json", "server.lock", "server.log"}
    again = process.start(home, provision=False)
    assert (again.port, again.token) == (first.port, first.token)
    assert again.control("GET", "/ssh")["password"] != json.loads(kept["ssh.json"])["password"]


def test_a_home_that_can_not_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    for act in (process.start, process.reset):
        with pytest.raises(SandboxError, match=r"file/home.* can't be used \(Not a directory\): .* set LABKIT_HOME"):
            act(tmp_path / "file" / "home")


def test_a_history_that_was_cut_short_is_told_of_and_a_reset_is_the_way_out(tmp_path):
    server = process.start(tmp_path, frozen_at=FROZEN_AT, provision=False)
    try:
        for number in range(3):
            server.control("POST", "/clock/advance", {"seconds": number})
        os.kill(server.pid, signal.SIGKILL)
        (tmp_path / "sandbox" / "journal.sqlite-wal").unlink()
        with pytest.raises(process.SandboxError, match=r"change 0 of 3, and the last 3 .*`labkit sandbox reset`"):
            process.start(tmp_path)
        process.reset(tmp_path)
        assert process.start(tmp_path, frozen_at=FROZEN_AT, provision=False)
    finally:
        process.stop(tmp_path)
