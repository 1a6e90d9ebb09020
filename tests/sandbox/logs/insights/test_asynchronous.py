"""Nobody waits for a query, and none that ended is run again: seen by clients of a host in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from labkit.sandbox.host import Host
from labkit.sandbox.kernel import workers
from labkit.sandbox.kernel.checkpoints import Checkpoints
from labkit.sandbox.logs.insights import engine, runner
from tests.sandbox.in_process import BARE, CREDENTIALS, client_maker, open_host

NOW = int(BARE.start)
RUN = engine.run


class Client:
    """CloudWatch Logs of a host, as boto3 has it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.logs = client_maker(host)("logs")

    def put(self, *messages: str, stream: str = "s") -> None:
        self.logs.create_log_stream(logGroupName="g", logStreamName=stream)
        events = [{"timestamp": NOW * 1000, "message": message} for message in messages]
        self.logs.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)

    def start(self, query: str = "fields @message") -> str:
        window = {"startTime": NOW - 60, "endTime": NOW + 60}
        return str(self.logs.start_query(logGroupName="g", queryString=query, **window)["queryId"])

    def answer(self, identity: str) -> dict[str, Any]:
        found = dict(self.logs.get_query_results(queryId=identity))
        found.pop("ResponseMetadata")
        return found

    def end(self, identity: str) -> dict[str, Any]:
        while (found := self.answer(identity))["status"] in ("Scheduled", "Running"):
            pass
        return found

    def messages(self, identity: str) -> list[str]:
        found = self.end(identity)
        assert found["status"] == "Complete"
        return sorted(row[0]["value"] for row in found["results"])


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    """What opens the same sandbox again and again."""

    def open_again() -> Host:
        checkpoints = Checkpoints(tmp_path / "checkpoints", CREDENTIALS.secret_access_key, "this version")
        return open_host(tmp_path / "journal.sqlite", BARE, checkpoints=checkpoints)

    return open_again


class Held:
    """Queries that stop before their work until they are let go on."""

    def __init__(self) -> None:
        self.there = threading.Semaphore(0)
        self.go_on = threading.Event()

    def run(self, *arguments: Any) -> engine.Answer:
        self.there.release()
        self.go_on.wait(60)
        return RUN(*arguments)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held()
    monkeypatch.setattr(engine, "run", held.run)
    monkeypatch.setattr(workers, "SHORT", 0.0)
    monkeypatch.setattr(workers, "LAST_WORDS", 0.0)
    yield held
    held.go_on.set()


def with_events(host: Host) -> Client:
    client = Client(host)
    client.logs.create_log_group(logGroupName="g")
    client.put("one", "two")
    return client


def status(client: Client, identity: str) -> str:
    found = {query["queryId"]: query["status"] for query in client.logs.describe_queries()["queries"]}
    return str(found[identity])


def test_others_are_answered_and_a_stop_is_heard_while_a_query_runs(opened, held):
    with closing(opened()) as host:
        client = with_events(host)
        identity = client.start()
        held.there.acquire()
        assert len(client.logs.describe_log_groups()["logGroups"]) == 1
        assert (client.answer(identity)["status"], status(client, identity)) == ("Running", "Running")
        client.logs.stop_query(queryId=identity)
        held.go_on.set()
        assert (client.answer(identity)["status"], client.answer(identity)["results"]) == ("Cancelled", [])
        assert client.messages(client.start()) == ["one", "two"]


def test_a_query_sees_the_events_there_were_when_it_was_started(opened, held):
    with closing(opened()) as host:
        client = with_events(host)
        running, waiting = [client.start() for _ in range(runner.WORKERS)], client.start()
        for _ in running:
            held.there.acquire()
        assert status(client, waiting) == "Scheduled"
        client.put("three", stream="later")
        client.logs.delete_log_group(logGroupName="g")
        held.go_on.set()
        for identity in (*running, waiting):
            assert client.messages(identity) == ["one", "two"]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("from_checkpoint", [False, True])
def test_no_query_that_ended_is_run_again_after_a_restart(large, from_checkpoint, opened, monkeypatch):
    monkeypatch.setattr(runner, "LARGE", 0 if large else runner.LARGE)
    with closing(opened()) as host:
        client = with_events(host)
        ended = [client.start(query) for query in ("fields @message", "stats count(*) as n")]
        before = [client.end(identity) for identity in ended]
        assert not from_checkpoint or host.checkpoint(0)

    def run(*_: Any) -> None:
        raise AssertionError("a query was run again")

    monkeypatch.setattr(engine, "run", run)
    with closing(opened()) as host:
        assert [Client(host).answer(identity) for identity in ended] == before
    assert [answer["status"] for answer in before] == ["Complete", "Complete"]


@pytest.mark.parametrize("from_checkpoint", [False, True])
def test_a_query_that_was_under_way_is_run_after_a_restart(from_checkpoint, opened, held):
    with closing(opened()) as host:
        client = with_events(host)
        running = client.start()
        stopped = client.start()
        client.logs.stop_query(queryId=stopped)
        client.put("three", stream="later")
        assert not from_checkpoint or host.checkpoint(0)
    held.go_on.set()
    with closing(opened()) as host:
        client = Client(host)
        assert client.messages(running) == ["one", "two"]
        assert client.answer(stopped)["status"] == "Cancelled"


def test_a_query_whose_events_went_before_a_checkpoint_has_failed_after_a_restart(opened, held):
    with closing(opened()) as host:
        client = with_events(host)
        identity = client.start()
        client.logs.delete_log_group(logGroupName="g")
        assert host.checkpoint(0)
    with closing(opened()) as host:
        assert Client(host).answer(identity)["status"] == "Failed"


def test_a_query_times_out_after_an_hour(opened, held, monkeypatch):
    monkeypatch.setattr(runner, "MINUTES", 0.0)
    with closing(opened()) as host:
        client = with_events(host)
        assert client.end(client.start())["status"] == "Timeout"
