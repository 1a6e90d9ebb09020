"""A query execution: its request, its state, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from labkit.sandbox.athena.errors import Cancelled, QueryError

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
QUEUED_MILLISECONDS, PLANNING_MILLISECONDS, SERVICE_MILLISECONDS = 64, 107, 18
ENGINE_MILLISECONDS = 251
BYTES_A_MILLISECOND = 200_000


@dataclass
class QueryExecution:
    """One execution of one statement.

    Its times are a model (so much to queue and plan, and so much a byte): the clock of the sandbox stands still while a
    query runs, and a lab's output has to be the same whenever it is run.
    """

    id: str
    query: str
    work_group: str
    submitted: datetime
    database: str | None = None
    catalog: str | None = None
    results: dict[str, Any] = field(default_factory=dict)
    output_location: str = ""
    parameters: list[str] | None = None
    statement: str = ""
    """The statement that runs: with its parameters filled in, or the one that EXECUTE names."""
    seed: int = 0
    """The seed of random() and of the names of its objects."""
    cutoff: int | None = None
    """The maximum number of bytes that it may scan."""
    statement_type: str = "DML"
    substatement_type: str = ""
    state: str = "QUEUED"
    reason: str | None = None
    error: QueryError | None = None
    scanned: int = 0
    columns: list[dict[str, Any]] = field(default_factory=list)
    has_header: bool = True
    update_count: int | None = None
    rows: int = 0
    output_bytes: int = 0
    manifest_location: str | None = None
    reused: bool = False
    reuse: dict[str, Any] | None = None
    managed: bool = False
    """Whether Athena keeps its result itself, not in a bucket."""
    body: bytes = b""
    """That result."""
    starts: list[int] = field(default_factory=list)
    """Where in the result every thousandth row starts."""

    @property
    def schema(self) -> str:
        """The database of names without one."""
        return (self.database or "default").strip("`")

    @property
    def is_over(self) -> bool:
        """Whether it is over and won't change any more."""
        return self.state in ENDED

    def fail(self, error: QueryError) -> None:
        """End it as failed, or as stopped by a limit."""
        self.state = "CANCELLED" if isinstance(error, Cancelled) else "FAILED"
        self.error, self.reason = error, str(error)

    @property
    def engine_milliseconds(self) -> int:
        """How long the engine took, planning and all."""
        if self.reused:
            return 0
        return PLANNING_MILLISECONDS + ENGINE_MILLISECONDS + self.scanned // BYTES_A_MILLISECOND

    @property
    def total_milliseconds(self) -> int:
        """How long it took from its start to its end."""
        return QUEUED_MILLISECONDS + self.engine_milliseconds + SERVICE_MILLISECONDS

    def status(self) -> dict[str, Any]:
        """The Status member of the API."""
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.is_over:
            status["CompletionDateTime"] = self.submitted + timedelta(milliseconds=self.total_milliseconds)
        if self.error:
            status["AthenaError"] = {
                "ErrorCategory": self.error.category,
                "ErrorType": self.error.error_type,
                "Retryable": False,
                "ErrorMessage": str(self.error),
            }
        return status

    def statistics(self) -> dict[str, Any]:
        """The Statistics member of the API."""
        if not self.is_over:
            return {"DataScannedInBytes": self.scanned, "QueryQueueTimeInMillis": QUEUED_MILLISECONDS}
        found: dict[str, Any] = {
            "EngineExecutionTimeInMillis": self.engine_milliseconds,
            "DataScannedInBytes": self.scanned,
            "TotalExecutionTimeInMillis": self.total_milliseconds,
            "QueryQueueTimeInMillis": QUEUED_MILLISECONDS,
            "ServicePreProcessingTimeInMillis": SERVICE_MILLISECONDS // 2,
            "QueryPlanningTimeInMillis": PLANNING_MILLISECONDS,
            "ServiceProcessingTimeInMillis": SERVICE_MILLISECONDS - SERVICE_MILLISECONDS // 2,
            "ResultReuseInformation": {"ReusedPreviousResult": self.reused},
        }
        if self.manifest_location:
            found["DataManifestLocation"] = self.manifest_location
        return found

    def describe(self) -> dict[str, Any]:
        """As GetQueryExecution shows it."""
        context = {key: value for key, value in (("Database", self.database), ("Catalog", self.catalog)) if value}
        shown = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "ResultConfiguration": {**self.results, "OutputLocation": self.output_location},
            "ResultReuseConfiguration": self.reuse or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": context,
            "Status": self.status(),
            "Statistics": self.statistics(),
            "WorkGroup": self.work_group,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
            "SubstatementType": self.substatement_type,
        }
        if self.managed:
            del shown["ResultConfiguration"]
            shown["ManagedQueryResultsConfiguration"] = {"Enabled": True}
        if self.parameters is not None:
            shown["ExecutionParameters"] = self.parameters
        return shown
