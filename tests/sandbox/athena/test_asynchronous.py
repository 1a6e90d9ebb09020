"""Nobody waits for a query, and none that ended is run again: seen by clients of a host in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from labkit.sandbox.athena import ending, runner, work
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.host import Host
from labkit.sandbox.kernel import workers
from labkit.sandbox.kernel.checkpoints import Checkpoints
from tests.sandbox.in_process import BARE, CREDENTIALS, client_maker, open_host

OUTPUT = {"OutputLocation": "s3://results/out/"}
OVER = ("SUCCEEDED", "FAILED", "CANCELLED")


class Client:
    """Athena and S3 of a host, as boto3 has them."""

    def __init__(self, host: Host) -> None:
        self.host = host
        make = client_maker(host)
        self.athena, self.s3, self.glue = make("athena"), make("s3"), make("glue")

    def start(self, sql: str) -> str:
        return str(self.athena.start_query_execution(QueryString=sql, ResultConfiguration=OUTPUT)["QueryExecutionId"])

    def execution(self, identity: str) -> dict[str, Any]:
        return dict(self.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"])

    def state(self, identity: str) -> str:
        return str(self.execution(identity)["Status"]["State"])

    def end(self, identity: str) -> dict[str, Any]:
        while (found := self.execution(identity))["Status"]["State"] not in OVER:
            pass
        return found

    def run(self, sql: str) -> dict[str, Any]:
        return self.end(self.start(sql))

    def rows(self, identity: str) -> list[list[str]]:
        found = self.athena.get_query_results(QueryExecutionId=identity)["ResultSet"]["Rows"]
        return [[cell.get("VarCharValue", "") for cell in row["Data"]] for row in found]

    def buckets(self) -> None:
        where = {"LocationConstraint": "eu-west-1"}
        for name in ("results", "data"):
            self.s3.create_bucket(Bucket=name, CreateBucketConfiguration=where)
        self.s3.put_object(Bucket="data", Key="t/x", Body=b"1\n2\n3\n")
        assert self.run("CREATE EXTERNAL TABLE t (a int) LOCATION 's3://data/t/'")["Status"]["State"] == "SUCCEEDED"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        client = Client(host)
        client.buckets()
        yield client


class Held:
    """Workers that stop at some point of their work until they are let go on."""

    def __init__(self) -> None:
        self.there = threading.Semaphore(0)
        self.go_on = threading.Event()

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def held(*arguments: Any, **named: Any) -> Any:
            self.there.release()
            self.go_on.wait(60)
            return function(*arguments, **named)

        return held


@pytest.fixture
def held() -> Iterator[Held]:
    held = Held()
    yield held
    held.go_on.set()


PHASES = {
    "compiling": (work.Work, "_compiled"),
    "planning": (work.scans, "plan"),
    "running": (work.Work, "_rows"),
}


@pytest.mark.parametrize("phase", PHASES)
def test_others_are_answered_and_a_stop_is_heard_while_a_query_is(phase, client, held, monkeypatch):
    owner, name = PHASES[phase]
    monkeypatch.setattr(owner, name, held.before(getattr(owner, name)))
    identity = client.start("SELECT * FROM t")
    held.there.acquire()
    assert len(client.s3.list_buckets()["Buckets"]) == 2
    assert client.state(identity) == "RUNNING"
    client.athena.stop_query_execution(QueryExecutionId=identity)
    assert client.execution(identity)["Status"]["StateChangeReason"] == "Query cancelled by user"
    held.go_on.set()
    assert client.state(identity) == "CANCELLED"
    assert "Contents" not in client.s3.list_objects_v2(Bucket="results", Prefix=f"out/{identity}")


def test_stopped_queries_whose_workers_do_not_hear_it_block_no_others(client, held, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(work.Work, "_compiled", held.before(work.Work._compiled))
        stuck = [client.start(f"SELECT {number}") for number in range(runner.WORKERS + 1)]
        for _ in range(runner.WORKERS):
            held.there.acquire()
        assert client.state(stuck[-1]) == "QUEUED"
    for identity in reversed(stuck):  # the one in the queue first: it would have a place otherwise, and succeed
        client.athena.stop_query_execution(QueryExecutionId=identity)
    assert client.run("SELECT 1")["Status"]["State"] == "SUCCEEDED"
    assert {client.state(identity) for identity in stuck} == {"CANCELLED"}


def test_what_is_no_statement_is_refused_at_once(client):
    with pytest.raises(ClientError, match="mismatched input") as refused:
        client.start("SELEKT 1")
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


STATEMENTS = (
    "SELECT a, random() AS r FROM t",
    "SELECT nope FROM t",
    "CREATE TABLE copied WITH (format = 'JSON', partitioned_by = ARRAY['b']) AS SELECT a, a % 2 AS b FROM t",
    "INSERT INTO copied VALUES (7, 9)",
    "UNLOAD (SELECT a FROM t) TO 's3://data/unloaded/' WITH (format = 'PARQUET')",
    "CREATE VIEW seen AS SELECT a FROM t",
    "SHOW TABLES",
    "DROP TABLE t",
)


def looked_at(client: Client, identities: list[str]) -> dict[str, Any]:
    """All that queries leave."""
    seen: dict[str, Any] = {identity: client.execution(identity) for identity in identities}
    for bucket in ("results", "data"):
        for each in client.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            body = client.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            seen[f"{bucket}/{each['Key']}"] = (each["ETag"], each["LastModified"], body)
    for table in client.glue.get_tables(DatabaseName="default")["TableList"]:
        parts = client.glue.get_partitions(DatabaseName="default", TableName=table["Name"])["Partitions"]
        seen[f"table {table['Name']}"] = (table, parts)
    return seen


@pytest.mark.parametrize("large", [False, True])
def test_no_query_that_ended_is_run_again_after_a_restart(large, tmp_path, monkeypatch):
    monkeypatch.setattr(ending, "LARGE", 0 if large else ending.LARGE)
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        client = Client(host)
        client.buckets()
        ended = [client.run(sql)["QueryExecutionId"] for sql in STATEMENTS]
        before = looked_at(client, ended)
    assert {before[each]["Status"]["State"] for each in ended} == {"SUCCEEDED", "FAILED"}

    def run(*_: Any) -> None:
        raise AssertionError("a query was run again")

    monkeypatch.setattr(work.Work, "done", run)
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        assert looked_at(Client(host), ended) == before


def test_a_query_that_was_under_way_is_run_after_a_restart(tmp_path, held, monkeypatch):
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host, monkeypatch.context() as patch:
        client = Client(host)
        client.buckets()
        monkeypatch.setattr(workers, "LAST_WORDS", 0.0)
        patch.setattr(work.Work, "_rows", held.before(work.Work._rows))
        running = client.start("SELECT sum(a) AS s FROM t")
        held.there.acquire()
        stopped = client.start("SELECT 2")
        client.athena.stop_query_execution(QueryExecutionId=stopped)
    with closing(open_host(tmp_path / "journal.sqlite", BARE)) as host:
        client = Client(host)
        assert client.end(running)["Status"]["State"] == "SUCCEEDED"
        assert client.rows(running) == [["s"], ["6"]]
        assert client.state(stopped) == "CANCELLED"


def test_a_checkpoint_has_the_queries_that_ended_and_those_under_way(tmp_path, held, monkeypatch):
    def opened() -> Host:
        checkpoints = Checkpoints(tmp_path / "checkpoints", CREDENTIALS.secret_access_key, "this version")
        return open_host(tmp_path / "journal.sqlite", BARE, checkpoints=checkpoints)

    with closing(opened()) as host, monkeypatch.context() as patch:
        client = Client(host)
        client.buckets()
        ended = [client.run(sql)["QueryExecutionId"] for sql in STATEMENTS[:4]]
        monkeypatch.setattr(workers, "LAST_WORDS", 0.0)
        patch.setattr(work.Work, "_rows", held.before(work.Work._rows))
        running = client.start("SELECT sum(a) AS s FROM t")
        held.there.acquire()
        before = looked_at(client, ended)
        assert host.checkpoint(0)
    with closing(opened()) as host:
        client = Client(host)
        assert client.end(running)["Status"]["State"] == "SUCCEEDED"
        assert client.rows(running) == [["s"], ["6"]]
        after = looked_at(client, ended)
        assert {name: seen for name, seen in after.items() if running not in name} == before


def test_ids_do_not_depend_on_when_a_query_ends(tmp_path, held, monkeypatch):
    def ids(name: str, wait: bool) -> list[str]:
        with closing(open_host(tmp_path / name, BARE)) as host:
            client = Client(host)
            client.buckets()
            first = client.start("SELECT random() AS r")
            if wait:
                client.end(first)
            second = client.start("SELECT 2 AS a")
            client.end(second), client.end(first)
            return [first, second, *(row for rows in client.rows(first) for row in rows)]

    assert ids("one.sqlite", wait=True) == ids("other.sqlite", wait=False)


@pytest.mark.parametrize(
    ("sql", "between", "reason"),
    [
        (
            "CREATE TABLE c AS SELECT 1 AS a",
            "CREATE EXTERNAL TABLE c (a int) LOCATION 's3://data/c/'",
            "already exists",
        ),
        ("INSERT INTO t VALUES 4", "DROP TABLE t", "does not exist"),
        ("CREATE VIEW v AS SELECT 1 AS a", "CREATE EXTERNAL TABLE v (a int) LOCATION 's3://data/v/'", "already exists"),
    ],
)
def test_a_query_fails_as_a_whole_if_the_catalog_changed_meanwhile(sql, between, reason, client, held, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ending.Endings, "make", held.before(ending.Endings.make))
        identity = client.start(sql)
        held.there.acquire()
    assert client.run(between)["Status"]["State"] == "SUCCEEDED"
    objects = client.s3.list_objects_v2(Bucket="data")["KeyCount"]
    held.go_on.set()
    status = client.end(identity)["Status"]
    assert (status["State"], reason in status["StateChangeReason"]) == ("FAILED", True)
    assert client.s3.list_objects_v2(Bucket="data")["KeyCount"] == objects
    assert "Contents" not in client.s3.list_objects_v2(Bucket="results", Prefix=f"out/{identity}")


def test_a_query_fails_if_the_bucket_of_its_result_was_deleted_meanwhile(client, held, monkeypatch):
    client.s3.create_bucket(Bucket="brief", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setattr(ending.Endings, "make", held.before(ending.Endings.make))
    started = client.athena.start_query_execution(
        QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://brief/"}
    )
    held.there.acquire()
    client.s3.delete_bucket(Bucket="brief")
    held.go_on.set()
    status = client.end(started["QueryExecutionId"])["Status"]
    assert status["StateChangeReason"] == "Unable to verify/create output bucket brief"


def test_a_query_ends_after_thirty_minutes(client, held, monkeypatch):
    monkeypatch.setitem(runner.MINUTES, "DML", 0.0)
    monkeypatch.setattr(work.Work, "_compiled", held.before(work.Work._compiled))
    status = client.run("SELECT 1")["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", "Query timeout")


def test_an_end_that_can_not_be_written_down_fails_the_query(client, monkeypatch):
    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ending, "LARGE", 0)
    monkeypatch.setattr(client.host.sandbox.files, "draft", full)
    status = client.run("SELECT 1")["Status"]
    assert (status["State"], "No space left" in status["StateChangeReason"]) == ("FAILED", True)


def test_no_file_of_a_result_stays(client):
    client.run("SELECT * FROM t")
    client.run("SELECT 1 / (a - 3) FROM t")
    engine: Engine = client.host.sandbox.athena.runner.engine
    assert list(engine.directory.glob("*.csv")) == []
