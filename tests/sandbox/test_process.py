"""Starting, finding, stopping and killing the sandbox's process."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from labkit.sandbox import process
from labkit.sandbox.process import SandboxError
from tests.conftest import FROZEN_AT, client_maker


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
    assert process.stop(home) is False
    process.reset(home)
    assert process.find(home) is None


def test_the_file_of_a_sandbox_that_is_gone_is_no_sandbox(home):
    folder = process.directory(home)
    entry = process.Server("http://127.0.0.1:9", 9, 2**22 + 1, "key", "secret", "token")
    entry.write(folder / process.SERVER_FILE)
    assert process.find(home) is None
    (folder / process.SERVER_FILE).write_text("{ half a fi")
    assert process.find(home) is None


def test_a_killed_sandbox_comes_back_as_it_was(home):
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
    group = make("logs").describe_log_groups()["logGroups"]
    put = make("logs").filter_log_events(logGroupName="VPCFlowLogs")["events"]
    kill(server)

    again = process.start(home)
    assert again.endpoint == server.endpoint
    assert again.access_key_id == server.access_key_id
    make = client_maker(again)
    assert vpc_id in [vpc["VpcId"] for vpc in make("ec2").describe_vpcs()["Vpcs"]]
    assert make("s3").get_object(Bucket=bucket, Key="notes/å.txt")["Body"].read() == b"kept"
    assert make("logs").describe_log_groups()["logGroups"] == group
    assert make("logs").filter_log_events(logGroupName="VPCFlowLogs")["events"] == put
    assert [event["message"] for event in put] == [event["message"] for event in events]
    assert again.control("GET", "/clock") == {"now": "2026-11-02T09:02:05Z", "frozen": True}


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


def test_a_second_start_finds_the_first(home):
    first = process.start(home, frozen_at=FROZEN_AT, provision=False)
    assert process.start(home) == first


def test_another_process_stops_it_than_the_one_that_started_it(home):
    process.start(home, frozen_at=FROZEN_AT, provision=False)
    command = [sys.executable, "-m", "labkit", "sandbox", "stop"]
    environment = {**os.environ, "LABKIT_HOME": str(home)}
    stopped = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (stopped.returncode, stopped.stdout) == (0, "The sandbox is stopped.\n")
    assert process.find(home) is None


def test_options_that_contradict_the_history_are_refused(home):
    process.start(home, frozen_at=FROZEN_AT, seed=3, provision=False)
    process.stop(home)
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
    first = process.start(home, provision=False)
    process.stop(home)
    with socket.socket() as tenant:
        tenant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tenant.bind(("127.0.0.1", first.port))
        tenant.listen()
        second = process.start(home)
    assert second.port != first.port


def test_files_are_for_their_owner_alone(home):
    process.start(home, provision=False)
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "sandbox").stat().st_mode & 0o777 == 0o700
    for name in ("server.json", "credentials.json"):
        assert (home / "sandbox" / name).stat().st_mode & 0o777 == 0o600


def test_without_provision_the_account_is_empty_and_any_credentials_may_be_allowed(home):
    server = process.start(home, provision=False, any_credentials=True)
    make = client_maker(server)
    assert make("s3", access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="any").list_buckets()["Buckets"] == []
    assert all(vpc["IsDefault"] for vpc in make("ec2").describe_vpcs()["Vpcs"])


def test_a_sandbox_that_can_not_start_shows_the_end_of_its_log(home):
    folder = process.directory(home)
    (folder / "credentials.json").write_text(json.dumps({"unknown": 1}))
    with pytest.raises(SandboxError, match=r"(?s)did not start.*TypeError"):
        process.start(home)


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
