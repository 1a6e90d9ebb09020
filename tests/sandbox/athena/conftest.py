# ruff: noqa: E501 (tables of cases: a case a line)
"""Runs statements on a sandbox's Athena and hands back what came of them."""

import gzip
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from labkit.sandbox import moto_state, validation
from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.athena import runner
from labkit.sandbox.athena.engine import Engine
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from labkit.sandbox.service import Call

WHERE = ("123456789012", "eu-west-1")
"""The account and region of Glue's entries."""
BUCKET = "flow-logs-bucket"
HEADER = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
COLUMNS = (
    "version int, account_id string, interface_id string, srcaddr string, dstaddr string, srcport int, dstport int,"
    " protocol bigint, packets bigint, bytes bigint, start bigint, `end` bigint, action string, log_status string"
)
REJECTED = "2 123456789012 eni-0a 198.51.100.7 10.0.0.5 40000 22 6 1 40 1793610000 1793610060 REJECT OK\n"
ACCEPTED = "2 123456789012 eni-0a 203.0.113.9 10.0.0.5 40001 443 6 12 4000 1793610000 1793610060 ACCEPT OK\n"
NODATA = "2 123456789012 eni-0a - - - - - - - 1793610000 1793610060 - NODATA\n"


@dataclass
class Done:
    """A statement that has ended."""

    id: str
    execution: dict[str, Any]
    rows: list[list[str | None]]
    columns: list[dict[str, Any]]

    @property
    def state(self) -> str:
        return self.execution["Status"]["State"]

    @property
    def reason(self) -> str:
        return self.execution["Status"].get("StateChangeReason", "")

    @property
    def scanned(self) -> int:
        return self.execution["Statistics"]["DataScannedInBytes"]

    @property
    def types(self) -> list[str]:
        return [column["Type"] for column in self.columns]

    @property
    def output(self) -> str:
        return self.execution["ResultConfiguration"]["OutputLocation"]


class Athena:
    """Athena's operations on a sandbox, and its S3."""

    def __init__(self, sandbox: AssembledSandbox) -> None:
        self.sandbox = sandbox

    def call(self, operation: str, *, region: str = "eu-west-1", **params: Any) -> dict[str, Any]:
        service = self.sandbox.athena
        call = Call("athena", operation, region, self.sandbox.account_id, "http://127.0.0.1:1", params, None)  # type: ignore[arg-type]
        if prepare := type(service).preparations.get(operation):
            call = replace(call, prepared=prepare(service, call))
        with self.sandbox.change():
            return dict(type(service).handlers[operation](service, call) or {})

    def start(self, sql: str, **params: Any) -> str:
        params.setdefault("ResultConfiguration", {"OutputLocation": f"s3://{BUCKET}/results/"})
        return self.call("StartQueryExecution", QueryString=sql, **params)["QueryExecutionId"]

    def wait(self, identity: str) -> Done:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            execution = self.call("GetQueryExecution", QueryExecutionId=identity)["QueryExecution"]
            if execution["Status"]["State"] not in ("QUEUED", "RUNNING"):
                break
        rows, columns = [], []
        if execution["Status"]["State"] == "SUCCEEDED":
            found = self.call("GetQueryResults", QueryExecutionId=identity)["ResultSet"]
            rows = [[cell.get("VarCharValue") for cell in row["Data"]] for row in found["Rows"]]
            columns = found["ResultSetMetadata"]["ColumnInfo"]
        return Done(identity, execution, rows, columns)

    def run(self, sql: str, **params: Any) -> Done:
        """A statement, however it ends."""
        return self.wait(self.start(sql, **params))

    def rows(self, sql: str, **params: Any) -> list[list[str | None]]:
        """The rows of a query that has to succeed, without the header."""
        done = self.run(sql, **params)
        assert done.state == "SUCCEEDED", done.reason
        return done.rows[1:]

    def lines(self, sql: str, **params: Any) -> list[str | None]:
        """The lines of a DDL or utility statement that has to succeed."""
        done = self.run(sql, **params)
        assert done.state == "SUCCEEDED", done.reason
        return [row[0] for row in done.rows]

    def error(self, sql: str, **params: Any) -> str:
        """Why a statement fails, or is refused when it is started."""
        try:
            done = self.run(sql, **params)
        except ServiceError as error:
            return f"{error.code}: {error.message}"
        assert done.state == "FAILED", done.rows
        return done.reason

    def refused(self, operation: str, *, region: str = "eu-west-1", **params: Any) -> str:
        """How an operation is refused, by the constraints of AWS's model or by what the sandbox holds."""
        try:
            validation.check("athena", operation, params)
            self.call(operation, region=region, **params)
        except ServiceError as error:
            return f"{error.code}: {error.message}"
        raise AssertionError(f"{operation} was not refused")

    def put(self, key: str, text: str | bytes, bucket: str = BUCKET) -> int:
        """Stores an object, compressed if its key ends in .gz; says how many bytes it takes."""
        body = text.encode() if isinstance(text, str) else text
        if key.endswith(".gz"):
            body = gzip.compress(body, mtime=0)
        s3.put_object(bucket, key, body)
        return len(body)

    def numbers(self, name: str, text: str) -> None:
        """Makes a table of one column of integers, `a`, that reads one object."""
        self.put(f"{name}/x", text)
        self.lines(f"CREATE EXTERNAL TABLE {name} (a int) LOCATION 's3://{BUCKET}/{name}/'")

    def get(self, location: str) -> bytes:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        return s3.get_object(bucket, key)


class LentEngine(Engine):
    """An engine that goes from one sandbox to the next: to make one takes as long as fifty short queries."""

    idle: ClassVar[list[Engine]] = []

    @classmethod
    def borrow(cls) -> Engine:
        """One that no sandbox has, with nothing in its directory."""
        return cls.idle.pop() if cls.idle else cls()

    def _settings(self) -> None:
        super()._settings()
        self._execute("SET GLOBAL enable_external_file_cache=false")  # the next sandbox's files have the same names

    def close(self, *, at_rest: bool = True) -> None:
        """Gives it back."""
        shutil.rmtree(self.directory / "objects")
        self.idle.append(self)


@pytest.fixture(scope="package", autouse=True)
def lend_engines() -> Iterator[None]:
    """The sandboxes of these tests share engines, though no two of them at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "Engine", LentEngine.borrow)
        yield
    while LentEngine.idle:
        Engine.close(LentEngine.idle.pop())


def make_athena() -> Athena:
    sandbox = AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), frozen=True, seed=1)
    moto_state.backend("s3", sandbox.account_id, "aws").create_bucket(BUCKET, "eu-west-1")
    return Athena(sandbox)


@pytest.fixture
def athena() -> Iterator[Athena]:
    """An Athena of the test's own."""
    athena = make_athena()
    yield athena
    athena.sandbox.close()


@pytest.fixture(scope="module")
def shared_athena() -> Iterator[Athena]:
    """An Athena for the tests of a module that change nothing."""
    athena = make_athena()
    yield athena
    athena.sandbox.close()
