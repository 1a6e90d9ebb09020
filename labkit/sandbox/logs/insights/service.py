"""The operations of CloudWatch Logs Insights.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import duckdb

from labkit.sandbox.logs.insights import engine
from labkit.sandbox.logs.insights.discovery import discovered
from labkit.sandbox.logs.insights.fields import SYSTEM_FIELDS
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.store import EventStore
from labkit.sandbox.service import Call, ServiceError, operation

RESULTS_KEPT = 7 * 24 * 3600
MAX_LOG_GROUPS = 50
RUNNING = ("Scheduled", "Running")

_ARN = re.compile(r"arn:aws:logs:([a-z0-9-]+):(\d{12}):log-group:([^:*]+)(:\*)?")
_GROUP_FIELDS_EVENTS = 1000
_PAGE = 10_000


@dataclass
class Query:
    """A query that was started. It runs when somebody looks at it, over the events there were when it was started."""

    id: str
    job: engine.Job
    group_names: tuple[str, ...]
    status: str = "Running"
    answer: engine.Answer | None = None


@dataclass
class Definition:
    """A saved query."""

    id: str
    name: str
    text: str
    group_names: tuple[str, ...]
    last_modified: int


@dataclass
class Region:
    """What Insights keeps in a region."""

    queries: dict[str, Query] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)


class InsightsOperations:
    """The part of the service `logs` that is Logs Insights; the service brings `sandbox` and `store`."""

    sandbox: Any
    store: EventStore

    @operation("StartQuery")
    def start_query(self, call: Call) -> dict[str, Any]:
        """Compiles a query and notes when it was started, and over what."""
        _only_insights_ql(call)
        start, end = call.params["startTime"], call.params["endTime"]
        if start > end:
            raise ServiceError("InvalidParameterException", f"The start time {start} is after the end time {end}.")
        names = self._group_names(call)
        groups = tuple(self._log_group(call, name) for name in names)
        text = call.params["queryString"]
        try:
            engine.check(text)
        except QueryError as error:
            raise malformed(error) from None
        with self.store.cursor() as cursor:
            last = engine.last_sequence([group.relation for group in groups], cursor)
        now = self.sandbox.clock.timestamp()
        job = engine.Job(text, groups, start * 1000, (end + 1) * 1000, now, call.params.get("limit"), last)
        query = Query(self._new_id(), job, names)
        self._region(call).queries[query.id] = query
        return {"queryId": query.id}

    @operation("GetQueryResults")
    def get_query_results(self, call: Call) -> dict[str, Any]:
        """The rows of a query, and what was scanned for them."""
        query = self._query(call)
        self._finish(query)
        page: dict[str, Any] = {"queryLanguage": "CWLI", "status": query.status, "results": []}
        if query.answer is None:
            return page | {"statistics": _statistics(engine.Answer([], 0, 0, 0), 0)}
        first = _offset(call)
        rows = query.answer.rows[first : first + (call.params.get("maxItems") or _PAGE)]
        if first + len(rows) < len(query.answer.rows):
            page["nextToken"] = str(first + len(rows))
        page["results"] = [[{"field": name, "value": value} for name, value in row] for row in rows]
        return page | {"statistics": _statistics(query.answer, len(query.job.groups))}

    @operation("StopQuery")
    def stop_query(self, call: Call) -> dict[str, Any]:
        """Cancels a query that has not run yet."""
        query = self._query(call)
        if query.status not in RUNNING:
            raise ServiceError("InvalidParameterException", "The query is not running: it has ended already.")
        query.status = "Cancelled"
        return {"success": True}

    @operation("DescribeQueries")
    def describe_queries(self, call: Call) -> dict[str, Any]:
        """The queries of the last days, newest first."""
        group, status = call.params.get("logGroupName"), call.params.get("status")
        if call.params.get("queryLanguage", "CWLI") != "CWLI":
            return {"queries": []}
        queries = [query for query in self._region(call).queries.values() if not self._lapsed(query)]
        for query in queries:
            self._finish(query)
        chosen = [
            query
            for query in reversed(queries)
            if group in (None, *query.group_names) and status in (None, query.status)
        ]
        return _page(call, "queries", [_described(query, group) for query in chosen])

    @operation("PutQueryDefinition")
    def put_query_definition(self, call: Call) -> dict[str, Any]:
        """Saves a query, or changes a saved one. As in AWS, its text is not compiled."""
        _only_insights_ql(call)
        if call.params.get("parameters"):
            raise ServiceError(
                "InvalidParameterException",
                "Query definitions with parameters are not in the sandbox, see docs/sandbox.md",
            )
        definitions = self._region(call).definitions
        identifier = call.params.get("queryDefinitionId")
        if identifier is not None and identifier not in definitions:
            raise _not_found(f"Query definition {identifier} does not exist.")
        identifier = identifier or self._new_id()
        definitions[identifier] = Definition(
            identifier,
            call.params["name"],
            call.params["queryString"],
            tuple(call.params.get("logGroupNames", ())),
            int(self.sandbox.clock.timestamp() * 1000),
        )
        return {"queryDefinitionId": identifier}

    @operation("DescribeQueryDefinitions")
    def describe_query_definitions(self, call: Call) -> dict[str, Any]:
        """The saved queries, by name."""
        prefix = call.params.get("queryDefinitionNamePrefix", "")
        saved = sorted(self._region(call).definitions.values(), key=lambda definition: (definition.name, definition.id))
        found = [
            {
                "queryLanguage": "CWLI",
                "queryDefinitionId": definition.id,
                "name": definition.name,
                "queryString": definition.text,
                "lastModified": definition.last_modified,
                "logGroupNames": list(definition.group_names),
            }
            for definition in saved
            if definition.name.startswith(prefix)
        ]
        return _page(call, "queryDefinitions", found)

    @operation("DeleteQueryDefinition")
    def delete_query_definition(self, call: Call) -> dict[str, Any]:
        """Forgets a saved query."""
        identifier = call.params["queryDefinitionId"]
        if self._region(call).definitions.pop(identifier, None) is None:
            raise _not_found(f"Query definition {identifier} does not exist.")
        return {"success": True}

    @operation("GetLogRecord")
    def get_log_record(self, call: Call) -> dict[str, Any]:
        """All fields of the event that an @ptr points at."""
        timestamp, sequence, log = _pointed_at(call.params["logRecordPointer"])
        group = self._log_group(call, log.partition(":")[2])
        with self.store.cursor() as cursor:
            events = cursor.execute(
                f"SELECT ingestion_time, stream, message FROM {group.relation} WHERE timestamp = ? AND sequence = ?",
                [timestamp, sequence],
            ).fetchall()
            if not events:
                raise _not_found("The log record does not exist.")
            source = engine.source(group, f"sequence = {sequence}", cursor)
        ingestion_time, stream, message = events[0]
        system = {
            "@timestamp": str(timestamp),
            "@ingestionTime": str(ingestion_time),
            "@log": group.log,
            "@logStream": stream,
            "@message": message,
            "@ptr": call.params["logRecordPointer"],
        }
        return {"logRecord": {**discovered(message, source), **system}}

    @operation("GetLogGroupFields")
    def get_log_group_fields(self, call: Call) -> dict[str, Any]:
        """The fields that the events around a time have, with the share of events that have each.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogGroupFields.html
        """
        (name,) = self._group_names(call)
        group = self._log_group(call, name)
        start, end = self._around(call.params.get("time"))
        window = f"timestamp BETWEEN {start} AND {end}"
        with self.store.cursor() as cursor:
            source = engine.source(group, window, cursor)
            events = cursor.execute(
                f"SELECT message FROM {group.relation} WHERE {window}"
                f" ORDER BY timestamp DESC, sequence DESC LIMIT {_GROUP_FIELDS_EVENTS}"
            ).fetchall()
        counts = Counter(name for (message,) in events for name in discovered(message, source))
        counts.update({name: len(events) for name in SYSTEM_FIELDS if name != "@ptr" and events})
        shares = [(round(100 * count / len(events)), name) for name, count in counts.items()]
        found = sorted(shares, key=lambda share: (-share[0], share[1]))
        return {"logGroupFields": [{"name": name, "percent": percent} for percent, name in found]}

    # parts

    def _region(self, call: Call) -> Region:
        regions: dict[str, Region] = self.__dict__.setdefault("_insights", {})
        return regions.setdefault(call.region, Region())

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self.sandbox.random.getrandbits(128), version=4))

    def _group_names(self, call: Call) -> tuple[str, ...]:
        """The log groups that a call names, in one of the three ways to name them."""
        ways = {
            "logGroupName": [call.params.get("logGroupName")],
            "logGroupNames": call.params.get("logGroupNames"),
            "logGroupIdentifiers": call.params.get("logGroupIdentifiers"),
            "logGroupIdentifier": [call.params.get("logGroupIdentifier")],
        }
        given = [way for way in ways if call.params.get(way)]
        if len(given) != 1:
            message = (
                f"Exactly one way to name log groups must be used, but {len(given)} are: {', '.join(given) or 'none'}"
            )
            raise ServiceError("InvalidParameterException", message)
        names = tuple(dict.fromkeys(_named(identifier, call) for identifier in ways[given[0]] or ()))
        if len(names) > MAX_LOG_GROUPS:
            message = f"A query can have at most {MAX_LOG_GROUPS} log groups, not {len(names)}"
            raise ServiceError("InvalidParameterException", message)
        return names

    def _log_group(self, call: Call, name: str) -> engine.LogGroup:
        try:
            relation = self.store.relation(call.region, name)
        except KeyError:
            raise _not_found(f"Log group '{name}' does not exist for account ID '{call.account_id}'") from None
        log_format = getattr(self.sandbox.network, "log_format", lambda region, group: None)(call.region, name)
        return engine.LogGroup(relation, f"{call.account_id}:{name}", log_format)

    def _query(self, call: Call) -> Query:
        identifier = call.params["queryId"]
        query = self._region(call).queries.get(identifier)
        if query is None or self._lapsed(query):
            raise _not_found(f"Query '{identifier}' does not exist for account ID '{call.account_id}'")
        return query

    def _lapsed(self, query: Query) -> bool:
        return bool(self.sandbox.clock.timestamp() - query.job.now > RESULTS_KEPT)

    def _finish(self, query: Query) -> None:
        """Runs a query that has not been looked at yet. One that DuckDB cannot run has failed."""
        if query.status not in RUNNING:
            return
        with self.store.cursor() as cursor:
            try:
                query.answer = engine.run(query.job, cursor)
                query.status = "Complete"
            except duckdb.Error:
                query.status = "Failed"

    def _around(self, time: int | None) -> tuple[int, int]:
        """The last 15 minutes, or 8 minutes to both sides of a time in seconds."""
        if time is None:
            now = int(self.sandbox.clock.timestamp() * 1000)
            return now - 15 * 60_000, now
        return (time - 8 * 60) * 1000, (time + 8 * 60) * 1000


def malformed(error: QueryError) -> ServiceError:
    """The error of a query that does not compile, with its place."""
    location = {"startCharOffset": error.span.start, "endCharOffset": error.span.end}
    compile_error = {"location": location, "message": error.message}
    return ServiceError("MalformedQueryException", error.message, queryCompileError=compile_error)


def _not_found(message: str) -> ServiceError:
    return ServiceError("ResourceNotFoundException", message)


def _only_insights_ql(call: Call) -> None:
    language = call.params.get("queryLanguage", "CWLI")
    if language != "CWLI":
        message = f"The sandbox has the query language CWLI only, not {language}, see docs/sandbox.md"
        raise ServiceError("InvalidParameterException", message)


def _named(identifier: Any, call: Call) -> str:
    if not str(identifier).startswith("arn:"):
        return str(identifier)
    arn = _ARN.fullmatch(identifier)
    if arn is None or arn[4]:
        raise ServiceError("InvalidParameterException", f"Invalid log group ARN: {identifier}")
    region, account, name = arn[1], arn[2], arn[3]
    if (region, account) != (call.region, call.account_id):
        raise _not_found(f"Log group '{name}' does not exist for account ID '{account}' in {region}")
    return name


def _pointed_at(pointer: str) -> tuple[int, int, str]:
    try:
        timestamp, sequence, log = base64.b64decode(pointer, validate=True).decode().split("|", 2)
        return int(timestamp), int(sequence), log
    except (ValueError, binascii.Error):
        raise ServiceError("InvalidParameterException", f"Invalid log record pointer: {pointer}") from None


def _statistics(answer: engine.Answer, groups: int) -> dict[str, float]:
    return {
        "recordsMatched": float(answer.records_matched),
        "recordsScanned": float(answer.records_scanned),
        "bytesScanned": float(answer.bytes_scanned),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": float(groups),
    }


def _described(query: Query, group: str | None) -> dict[str, Any]:
    return {
        "queryLanguage": "CWLI",
        "queryId": query.id,
        "queryString": query.job.text,
        "status": query.status,
        "createTime": int(query.job.now * 1000),
        "logGroupName": group or query.group_names[0],
    }


def _offset(call: Call) -> int:
    token = call.params.get("nextToken", "0")
    if not token.isdigit():
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


def _page(call: Call, member: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    first = _offset(call)
    last = first + call.params.get("maxResults", 1000)
    page: dict[str, Any] = {member: items[first:last]}
    return page | ({"nextToken": str(last)} if last < len(items) else {})
