"""Amazon Athena: the operations on query executions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from labkit.sandbox.athena.ending import KIND, Endings
from labkit.sandbox.athena.errors import QueryError
from labkit.sandbox.athena.execution import QueryExecution
from labkit.sandbox.athena.metadata import MetadataOperations
from labkit.sandbox.athena.region import Region
from labkit.sandbox.athena.results import read_csv
from labkit.sandbox.athena.runner import Runner
from labkit.sandbox.athena.saved import new_id
from labkit.sandbox.athena.statements.classify import Malformed, Parsed
from labkit.sandbox.athena.statements.reading import Reading
from labkit.sandbox.athena.storage.location import split, split_object
from labkit.sandbox.athena.work import BATCH
from labkit.sandbox.athena.workgroups import PRIMARY, WorkGroup, bad_request, invalid_token, page
from labkit.sandbox.journal import Entry
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.moto_state import s3
from labkit.sandbox.paging import position, token
from labkit.sandbox.sandbox import Sandbox
from labkit.sandbox.service import Call, operation, preparation

NO_OUTPUT_LOCATION = (
    "No output location provided. An output location is required either through the Workgroup result"
    " configuration setting"
    " or as an API input."
)
EXTERNAL_LOCATION = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena"
    " Workgroup that enforces a centralized output location for all queries. Please remove the 'external_location'"
    " property and resubmit the query."
)
"""https://docs.aws.amazon.com/athena/latest/ug/workgroups-troubleshooting.html"""
MOST_ROWS = 1000


class AthenaService(MetadataOperations):
    """Amazon Athena.

    https://docs.aws.amazon.com/athena/latest/APIReference/Welcome.html
    """

    name = "athena"

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._endings = Endings(sandbox)
        self.runner = Runner(sandbox, self._endings)
        self._regions: dict[str, Region] = {}
        sandbox.changes.makers[KIND] = self._end
        sandbox.changes.ends.add(KIND)

    def resume(self) -> None:
        """Have the queries carried out that were not over when the sandbox stopped."""
        for name, region in self._regions.items():
            for execution in region.executions.values():
                if not execution.is_over:
                    execution.state = "QUEUED"
                    self.runner.submit(execution, name)

    def _end(self, entry: Entry) -> None:
        region = self._regions.get(entry.request["region"])
        execution = region.executions.get(entry.request["id"]) if region else None
        self._endings.apply(execution, entry)

    def parts(self) -> dict[str, object]:
        """What a checkpoint does not hold; the queries that run are begun anew."""
        return {"runner": self.runner, "endings": self._endings}

    def close(self) -> None:
        """Stops what runs and removes its files."""
        self.runner.close()

    def region(self, call: Call) -> Region:
        """What is held of the call's region."""
        if call.region not in self._regions:
            self._regions[call.region] = Region(self.sandbox.clock.now())
        return self._regions[call.region]

    # --- start and stop

    @preparation("StartQueryExecution")
    def read_statement(self, call: Call) -> Reading:
        """Read a statement: the longest take seconds, in which others are answered."""
        text, parameters = call.params["QueryString"], call.params.get("ExecutionParameters")
        group = call.params.get("WorkGroup") or PRIMARY
        held = self._regions[call.region].prepared if call.region in self._regions else {}

        def prepared(name: str) -> str | None:
            return (held.get((group, name)) or {}).get("QueryStatement")

        return Reading.of(text, parameters, group, prepared)

    @operation("StartQueryExecution")
    def start_query_execution(self, call: Call) -> dict[str, Any]:
        """Start a statement; it is compiled and run later, and what goes wrong there is told by its state."""
        region = self.region(call)
        if held := region.made_before(call):
            return {"QueryExecutionId": held}
        group = self.work_group(call, call.params.get("WorkGroup"))
        if group.state != "ENABLED":
            raise bad_request(f"WorkGroup {group.name} is disabled")
        execution = self._new_execution(call, group)
        parsed = self._read(call, group, execution)
        if not execution.is_over:
            self._begin(call, group, execution, parsed)
        region.executions[execution.id] = execution
        region.remember(call, execution.id)
        if not execution.is_over and not self.sandbox.changes.replaying:
            self.runner.submit(execution, call.region, parsed)
        return {"QueryExecutionId": execution.id}

    def _new_execution(self, call: Call, group: WorkGroup) -> QueryExecution:
        params = call.params
        context = params.get("QueryExecutionContext") or {}
        given = params.get("ResultConfiguration") or {}
        results = dict(group.results if group.enforced else {**group.results, **given})
        location = _location(group, results.pop("OutputLocation", None) or "", given.get("OutputLocation"))
        identity = new_id(self.sandbox)
        return QueryExecution(
            identity,
            params["QueryString"],
            group.name,
            self.sandbox.clock.now(),
            database=(context.get("Database") or "").lower() or None,
            catalog=(context.get("Catalog") or "").lower() or None,
            results=results,
            output_location=location.rstrip("/") + "/" if location else "",
            managed=group.managed,
            parameters=params.get("ExecutionParameters"),
            reuse=params.get("ResultReuseConfiguration"),
            seed=self.sandbox.random.getrandbits(64),
            cutoff=group.cutoff,
        )

    def _read(self, call: Call, group: WorkGroup, execution: QueryExecution) -> Parsed | None:
        """The statement; None if it is in order for the API and fails, which its state tells."""
        reading: Reading | None = call.prepared
        if reading is None or not reading.is_of({key: each["QueryStatement"] for key, each in self._held(call, group)}):
            reading = self.read_statement(call)
        folder = execution.output_location
        execution.statement = reading.text
        if isinstance(reading.parsed, Malformed):
            raise bad_request(str(reading.parsed), "MALFORMED_QUERY")
        if isinstance(reading.parsed, QueryError):
            execution.statement_type = "DDL" if reading.parsed.name == "" else "DML"
            execution.output_location = f"{folder}{execution.id}.txt" if folder else ""
            execution.fail(reading.parsed)
            return None
        execution.output_location = folder + _result_name(reading.parsed, execution.id) if folder else ""
        return reading.parsed

    def _held(self, call: Call, group: WorkGroup) -> Iterator[tuple[str, dict[str, Any]]]:
        """The prepared statements of a work group, by their names."""
        return ((name, each) for (owner, name), each in self.region(call).prepared.items() if owner == group.name)

    def _begin(self, call: Call, group: WorkGroup, execution: QueryExecution, parsed: Parsed | None) -> None:
        """Have an execution fail, or be over, that needs no worker for it."""
        assert parsed is not None
        if group.enforced and group.results.get("OutputLocation") and parsed.external_location:
            raise bad_request(EXTERNAL_LOCATION)
        execution.statement_type = parsed.statement_type
        execution.substatement_type = parsed.substatement_type
        bucket = "" if execution.managed else split(execution.output_location)[0]
        if not execution.managed and not s3.bucket_exists(bucket):
            execution.fail(QueryError("", f"Unable to verify/create output bucket {bucket}"))
        elif execution.catalog not in (None, "awsdatacatalog"):
            execution.fail(QueryError("CATALOG_NOT_FOUND", f"line 1:1: Catalog '{execution.catalog}' does not exist"))
        elif not self._reuse(call, execution) and not self._saved(call, group, execution, parsed):
            self.catalog(call)  # makes the database `default`, if nobody has asked for it yet

    def _saved(self, call: Call, group: WorkGroup, execution: QueryExecution, parsed: Parsed) -> bool:
        """PREPARE and DEALLOCATE PREPARE; False for any other statement."""
        statement: Any = parsed.statement
        held = self.region(call).prepared
        if parsed.kind == "prepare":
            held[group.name, statement.name] = {
                "StatementName": statement.name,
                "QueryStatement": statement.text,
                "WorkGroupName": group.name,
                "Description": "",
                "LastModifiedTime": self.sandbox.clock.now(),
            }
        elif parsed.kind == "deallocate_prepare":
            if held.pop((group.name, statement.name), None) is None:
                message = f"PreparedStatement {statement.name} was not found in workGroup {group.name}"
                execution.fail(QueryError("NOT_FOUND", message))
                return True
        else:
            return False
        execution.has_header = False
        execution.state = "SUCCEEDED"
        return True

    def _reuse(self, call: Call, execution: QueryExecution) -> bool:
        """Takes the result of the same query if the request lets it be that old."""
        by_age = (execution.reuse or {}).get("ResultReuseByAgeConfiguration") or {}
        if not by_age.get("Enabled") or execution.statement_type != "DML" or execution.managed:
            return False
        oldest = execution.submitted - timedelta(minutes=by_age.get("MaxAgeInMinutes", 60))
        for earlier in reversed(self.region(call).executions.values()):
            same = (earlier.query, earlier.database, earlier.work_group, earlier.parameters) == (
                execution.query, execution.database, execution.work_group, execution.parameters
            )  # fmt: skip
            if (
                same
                and earlier.state == "SUCCEEDED"
                and earlier.substatement_type == "SELECT"
                and earlier.submitted >= oldest
            ):
                execution.output_location = earlier.output_location
                execution.columns, execution.starts, execution.rows = earlier.columns, earlier.starts, earlier.rows
                execution.output_bytes, execution.reused, execution.state = earlier.output_bytes, True, "SUCCEEDED"
                return True
        return False

    @operation("StopQueryExecution")
    def stop_query_execution(self, call: Call) -> dict[str, Any]:
        """Cancels a query that is still running; one that is over stays as it is."""
        self.runner.stop(self._execution(call))
        return {}

    def _execution(self, call: Call) -> QueryExecution:
        found = self.region(call).executions.get(call.params["QueryExecutionId"])
        if found is None:
            raise bad_request(f"QueryExecution {call.params['QueryExecutionId']} was not found")
        return found

    # --- what became of them

    @preparation("GetQueryExecution")
    def wait_for_a_short_query(self, call: Call) -> None:
        """Wait for a query that was just started: a client that has asked in vain asks again after a second."""
        self.runner.wait(call.params["QueryExecutionId"])

    @operation("GetQueryExecution")
    def get_query_execution(self, call: Call) -> dict[str, Any]:
        """A query execution."""
        return {"QueryExecution": self._execution(call).describe()}

    @operation("BatchGetQueryExecution")
    def batch_get_query_execution(self, call: Call) -> dict[str, Any]:
        """Several query executions."""
        held, wanted = self.region(call).executions, call.params["QueryExecutionIds"]
        missing = [
            {
                "QueryExecutionId": each,
                "ErrorCode": "INVALID_INPUT",
                "ErrorMessage": f"QueryExecution {each} was not found",
            }
            for each in wanted
            if each not in held
        ]
        found = [held[each].describe() for each in wanted if each in held]
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    @operation("ListQueryExecutions")
    def list_query_executions(self, call: Call) -> dict[str, Any]:
        """The ids of a work group's executions, the latest first."""
        group = self.work_group(call, call.params.get("WorkGroup"))
        ids = [each.id for each in self.region(call).executions.values() if each.work_group == group.name]
        return page(call, "QueryExecutionIds", ids[::-1], 50)

    @operation("GetQueryRuntimeStatistics")
    def get_query_runtime_statistics(self, call: Call) -> dict[str, Any]:
        """The times, bytes and rows of an execution."""
        execution = self._execution(call)
        if not execution.is_over:
            raise bad_request(
                "Query has not yet finished. Current state: " + execution.state, "INVALID_QUERY_EXECUTION_STATE"
            )
        return {
            "QueryRuntimeStatistics": {
                "Timeline": {
                    "QueryQueueTimeInMillis": execution.statistics()["QueryQueueTimeInMillis"],
                    "QueryPlanningTimeInMillis": execution.statistics()["QueryPlanningTimeInMillis"],
                    "EngineExecutionTimeInMillis": execution.engine_milliseconds,
                    "ServiceProcessingTimeInMillis": execution.statistics()["ServiceProcessingTimeInMillis"],
                    "TotalExecutionTimeInMillis": execution.total_milliseconds,
                },
                "Rows": {
                    "InputBytes": execution.scanned,
                    "OutputBytes": execution.output_bytes,
                    "OutputRows": execution.rows,
                },
            }
        }

    @operation("GetQueryResults")
    def get_query_results(self, call: Call) -> dict[str, Any]:
        """A page of the rows of an execution that succeeded."""
        execution = self._execution(call)
        if execution.state in ("QUEUED", "RUNNING"):
            raise bad_request(
                f"Query has not yet finished. Current state: {execution.state}", "INVALID_QUERY_EXECUTION_STATE"
            )
        if execution.state != "SUCCEEDED":
            raise bad_request(
                f"Query did not finish successfully. Final query state: {execution.state}",
                "INVALID_QUERY_EXECUTION_STATE",
            )
        first = position(call.params.get("NextToken"), invalid_token)
        most = call.params.get("MaxResults") or MOST_ROWS
        if call.params.get("QueryResultType") == "DATA_MANIFEST":
            rows, more = _page_of_lines(_manifest(execution), first, most)
        else:
            rows, more = self._rows(execution, first, most)
        answer: dict[str, Any] = {
            "UpdateCount": execution.update_count or 0,
            "ResultSet": {
                "Rows": [{"Data": [{"VarCharValue": v} if v is not None else {} for v in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": execution.columns},
            },
        }
        if more:
            answer["NextToken"] = token(first + len(rows))
        return answer

    def _rows(self, execution: QueryExecution, first: int, most: int) -> tuple[list[list[str | None]], bool]:
        """Rows of the object that holds the result; the header is the first."""
        if execution.update_count is not None or not (execution.has_header or execution.rows):
            return [], False
        body = _result(execution)
        if not execution.has_header:
            return _page_of_lines(body, first, most)
        batch = 0 if first == 0 else (first - 1) // BATCH + 1
        before = 0 if batch == 0 else (batch - 1) * BATCH + 1
        start = execution.starts[batch] if batch < len(execution.starts) else len(body)
        _, at = read_csv(body, start, first - before)
        rows, at = read_csv(body, at, most)
        return rows, at < len(body)


def _location(group: WorkGroup, location: str, asked: str | None) -> str:
    """Where the result of a query goes; nowhere if Athena keeps it itself."""
    if group.managed:
        if asked:
            raise bad_request(
                f"WorkGroup {group.name} has managed query results enabled. An output location cannot be provided."
            )
        return ""
    if not location:
        raise bad_request(NO_OUTPUT_LOCATION)
    if not location.startswith("s3://") or location[5:6] in ("", "/"):
        raise bad_request(f"outputLocation is not a valid S3 path. Provided outputLocation: {location}")
    return location


def _result(execution: QueryExecution) -> bytes:
    return execution.body if execution.managed else _object(execution.output_location)


def _manifest(execution: QueryExecution) -> bytes:
    """The list of the objects that a query wrote."""
    if execution.manifest_location is None:
        raise bad_request("Only CREATE TABLE AS SELECT, UNLOAD and INSERT queries have a data manifest")
    return _object(execution.manifest_location)


def _object(location: str) -> bytes:
    try:
        return s3.get_object(*split_object(location))
    except ServiceError:
        raise bad_request(f"Could not find results at location {location}") from None


def _page_of_lines(body: bytes, first: int, most: int) -> tuple[list[list[str | None]], bool]:
    lines = body.decode().splitlines()
    return [[line] for line in lines[first : first + most]], first + most < len(lines)


def _result_name(parsed: Parsed, identity: str) -> str:
    """The name of a result: .csv for rows, .txt for what DDL answers, a folder for the tables that queries make."""
    if parsed.kind == "create_table_as_select":
        return f"tables/{identity}"
    if parsed.kind in ("insert", "unload"):
        return identity
    return f"{identity}.csv" if parsed.kind == "select" else f"{identity}.txt"
