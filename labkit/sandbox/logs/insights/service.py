"""The operations of CloudWatch Logs Insights.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labkit.sandbox.journal import Entry
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import invalid, page
from labkit.sandbox.logs.groups import LogGroup
from labkit.sandbox.logs.insights import engine, fields, tree
from labkit.sandbox.logs.insights.definitions import DefinitionOperations, not_found, only_insights_ql
from labkit.sandbox.logs.insights.discovery import discovered
from labkit.sandbox.logs.insights.fields import SYSTEM_FIELDS
from labkit.sandbox.logs.insights.lookup_tables import LookupTableOperations
from labkit.sandbox.logs.insights.reading import limited
from labkit.sandbox.logs.insights.runner import KIND, RUNNING, Query, Runner
from labkit.sandbox.logs.insights.tree import QueryError, Source
from labkit.sandbox.logs.store import is_place
from labkit.sandbox.service import Call, operation, preparation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

RESULTS_KEPT = 7 * 24 * 3600
MAX_LOG_GROUPS = 50
STANDARD_ONLY = (tree.Pattern, tree.Diff)
"""Commands that log groups of the class Infrequent Access do not have, beside `filterIndex`.

There are fewer `stats` in such a query, too.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData_Classes.html
"""
MAX_STATS_INFREQUENT_ACCESS = 2

_GROUP_FIELDS_EVENTS = 1000
_PAGE = 10_000


class InsightsOperations(DefinitionOperations, LookupTableOperations):
    """Queries, and the fields of events."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._queries: defaultdict[str, dict[str, Query]] = defaultdict(dict)
        self.runner = Runner(sandbox, self.store)
        sandbox.changes.makers[KIND] = self._end
        sandbox.changes.ends.add(KIND)

    def _end(self, entry: Entry) -> None:
        query = self._queries[entry.request["region"]].get(entry.request["id"])
        self.runner.apply(query, entry)

    def resume(self) -> None:
        """Have the queries run that had not ended when the sandbox stopped."""
        super().resume()
        for queries in self._queries.values():
            for query in queries.values():
                if query.status in RUNNING:
                    query.status = "Scheduled"
                    self.runner.submit(query)

    def parts(self) -> dict[str, object]:
        """What a checkpoint does not hold; the queries that are under way are begun anew."""
        return {**super().parts(), "insights": self.runner}

    def close(self) -> None:
        """Stop the queries and let go of the events."""
        self.runner.close()
        super().close()

    @operation("StartQuery")
    def start_query(self, call: Call) -> dict[str, Any]:
        """Compiles a query and has it run, over the events that there are."""
        only_insights_ql(call)
        start, end = call.params["startTime"], call.params["endTime"]
        if start > end:
            raise invalid(f"The start time {start} is after the end time {end}.")
        text = call.params["queryString"]
        try:
            query = engine.check(text, tables := self.lookup_tables(call.region))
        except QueryError as error:
            raise malformed(error) from None
        groups = self._log_groups(call) if query.source is None else self._groups_of(query.source, call)
        _check_class(query, groups)
        events = tuple(map(self._events, groups))
        inner = {
            other.source: tuple(map(self._events, self._sources(other.source, call)))
            for other in tree.nested(query)
            if other.source is not None
        }
        with self.store.cursor() as cursor:
            # Fixed now: the query runs when somebody looks at it, and must not see events that came later.
            relations = [group.relation for some in (events, *inner.values()) for group in some]
            last = engine.last_sequence(relations, cursor)
        now = self.sandbox.clock.timestamp()
        window = limited(fields.Window(start * 1000, end * 1000, last), query.source, now)
        job = engine.Job(text, events, window, now, call.params.get("limit"), inner, tables)
        started = Query(self.new_id(), call.region, job, tuple(group.name for group in groups))
        self.runner.prepare(started)
        self._queries[call.region][started.id] = started
        if not self.sandbox.changes.replaying:
            self.runner.submit(started)
        return {"queryId": started.id}

    @preparation("GetQueryResults")
    @preparation("CreateLookupTable")
    @preparation("UpdateLookupTable")
    def wait_for_a_short_query(self, call: Call) -> None:
        """Wait for a query that was just started: a client that has asked in vain asks again later."""
        self.runner.wait(call.params.get("queryId", ""))

    @preparation("DescribeQueries")
    def wait_for_short_queries(self, call: Call) -> None:
        """Wait for all queries that were just started."""
        self.runner.wait_for_all()

    @operation("GetQueryResults")
    def get_query_results(self, call: Call) -> dict[str, Any]:
        """The rows of a query, and what was scanned for them."""
        query = self._query(call)
        known = {"queryLanguage": "CWLI", "status": query.status}
        if query.answer is None:
            return known | {"results": [], "statistics": _statistics(engine.Answer([], 0, 0, 0), 0)}
        rows, more = page(query.answer.rows, call, key="maxItems", most=_PAGE)
        results = [[{"field": name, "value": value} for name, value in row] for row in rows]
        return known | {"results": results, "statistics": _statistics(query.answer, len(query.job.groups))} | more

    @operation("StopQuery")
    def stop_query(self, call: Call) -> dict[str, Any]:
        """Cancels a query that has not ended yet."""
        query = self._query(call)
        if query.status not in RUNNING:
            raise invalid("Query specified is not running.")
        self.runner.stop(query)
        return {"success": True}

    @operation("DescribeQueries")
    def describe_queries(self, call: Call) -> dict[str, Any]:
        """The queries of the last days, newest first."""
        group, status = call.params.get("logGroupName"), call.params.get("status")
        if call.params.get("queryLanguage", "CWLI") != "CWLI":
            return {"queries": []}
        queries = [query for query in self._queries[call.region].values() if not self._lapsed(query)]
        chosen = [
            query
            for query in reversed(queries)
            if group in (None, *query.group_names) and status in (None, query.status)
        ]
        some, more = page(chosen, call, key="maxResults", most=1000)
        return {"queries": [_described(query, group) for query in some]} | more

    @operation("GetLogRecord")
    def get_log_record(self, call: Call) -> dict[str, Any]:
        """All fields of the event that an @ptr points at."""
        timestamp, sequence, log = _pointed_at(call.params["logRecordPointer"])
        group = self._events(self._named(call, log.partition(":")[2]))
        with self.store.cursor() as cursor:
            events = cursor.execute(
                f"SELECT ingestion_time, stream, message FROM {group.relation} WHERE timestamp = ? AND sequence = ?",
                [timestamp, sequence],
            ).fetchall()
            if not events:
                raise not_found("The log record does not exist.")
            source = engine.source(group, cursor, self.runner.seen)
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
        group = self._events(self.group_of(call))
        start, end = self._around(call.params.get("time"))
        window = f"timestamp BETWEEN {start} AND {end}"
        with self.store.cursor() as cursor:
            source = engine.source(group, cursor, self.runner.seen)
            events = cursor.execute(
                f"SELECT message FROM {group.relation} WHERE {window}"
                f" ORDER BY timestamp DESC, sequence DESC LIMIT {_GROUP_FIELDS_EVENTS}"
            ).fetchall()
        counts = Counter(name for (message,) in events for name in discovered(message, source))
        counts.update({name: len(events) for name in SYSTEM_FIELDS if name != "@ptr" and events})
        shares = [(round(100 * count / len(events)), name) for name, count in counts.items()]
        found = sorted(shares, key=lambda share: (-share[0], share[1]))
        return {"logGroupFields": [{"name": name, "percent": percent} for percent, name in found]}

    def rows_as_csv(self, call: Call) -> str:
        """The rows of a query, all fields of any of them as columns; of a cancelled query there are none."""
        query = self._query(call)
        if query.status in RUNNING:
            raise invalid(f"The query {query.id} is still running: ask again once its status is Complete.")
        rows = [dict(row) for row in query.answer.rows] if query.answer else []
        columns = list(dict.fromkeys(name for row in rows for name in row if name != "@ptr"))
        if not columns:
            raise invalid(f"The query {query.id} has no results.")
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    # parts

    def _log_groups(self, call: Call) -> tuple[LogGroup, ...]:
        """The log groups that a query names, in one of the three ways to name them."""
        params = call.params
        ways = {
            "logGroupName": [params["logGroupName"]] if "logGroupName" in params else [],
            "logGroupNames": params.get("logGroupNames", []),
            "logGroupIdentifiers": params.get("logGroupIdentifiers", []),
        }
        given = [way for way, named in ways.items() if named]
        if len(given) != 1:
            raise invalid(f"Exactly one of {', '.join(ways)} must be specified, not {', '.join(given) or 'none'}.")
        identifiers = ways[given[0]]
        if len(identifiers) > MAX_LOG_GROUPS:
            raise invalid(f"A query can have at most {MAX_LOG_GROUPS} log groups, not {len(identifiers)}.")
        return tuple(self._named(call, identifier) for identifier in dict.fromkeys(identifiers))

    def _groups_of(self, source: Source, call: Call) -> tuple[LogGroup, ...]:
        """The log groups that a query's own SOURCE command selects."""
        if any(name in call.params for name in ("logGroupName", "logGroupNames", "logGroupIdentifiers")):
            raise invalid("A query with a SOURCE command takes its log groups from there, not from the call.")
        return self._sources(source, call)

    def _sources(self, source: Source, call: Call) -> tuple[LogGroup, ...]:
        """The log groups of a SOURCE command: those that it names, or those that it describes."""
        if source.names:
            return tuple(self._named(call, name) for name in source.names)
        found = tuple(
            group
            for group in self.groups(call.region)
            if group.name.startswith(source.prefixes or ("",))
            and group.account_id in (source.accounts or (call.account_id,))
            and group.log_class in (source.classes or ("STANDARD",))
        )
        if not found:
            raise not_found("No log group is selected by the SOURCE command.")
        return found

    def _named(self, call: Call, identifier: str) -> LogGroup:
        try:
            return self.group_by_identifier(call.region, identifier)
        except ServiceError:
            raise not_found(f"Log group '{identifier}' does not exist for account ID '{call.account_id}'") from None

    def _events(self, group: LogGroup) -> engine.Events:
        """The events of a log group, and the format of the flow log that is published to it."""
        relation = self.store.relation(group.region, group.name)
        log_format = self.sandbox.wiring.log_format(group.region, group.name)
        return engine.Events(relation, f"{group.account_id}:{group.name}", log_format)

    def _query(self, call: Call) -> Query:
        identifier = call.params["queryId"]
        query = self._queries[call.region].get(identifier)
        if query is None or self._lapsed(query):
            raise not_found(f"Query '{identifier}' does not exist for account ID '{call.account_id}'")
        return query

    def _lapsed(self, query: Query) -> bool:
        return bool(self.sandbox.clock.timestamp() - query.job.now > RESULTS_KEPT)

    def before_deletion(self, group: LogGroup) -> None:
        """Note which queries are to lose events: those under way see them, but could not be begun anew."""
        super().before_deletion(group)
        relation = self.store.relation(group.region, group.name)
        for query in self._queries[group.region].values():
            if query.status in RUNNING and any(events.relation == relation for events, _ in query.job.scanned):
                query.is_cut = True

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


def _check_class(query: tree.Query, groups: Sequence[LogGroup]) -> None:
    """Refuses what only log groups of the class Standard can be asked for; of the class Delivery nothing can."""
    for group in groups:
        if group.log_class == "DELIVERY":
            raise invalid(f"The log group {group.name} is of log-group-class DELIVERY, which has no queries.")
    if all(group.log_class == "STANDARD" for group in groups):
        return
    stats = [command for command in query.commands if isinstance(command, tree.Stats)]
    indexed = [command for command in query.commands if isinstance(command, tree.Filter) and command.by_index]
    refused = [command for command in query.commands if isinstance(command, STANDARD_ONLY)]
    for command in (*indexed, *refused, *stats[MAX_STATS_INFREQUENT_ACCESS:]):
        name = "filterIndex" if command in indexed else command.name
        message = f"{name} is not supported for log groups in the Infrequent Access log class"
        raise malformed(QueryError(message, command.span))


def _pointed_at(pointer: str) -> tuple[int, int, str]:
    try:
        timestamp, sequence, log = base64.b64decode(pointer, validate=True).decode().split("|", 2)
        place = int(timestamp), int(sequence)
    except (ValueError, binascii.Error):
        raise invalid(f"Invalid log record pointer: {pointer}") from None
    if not is_place(*place):
        raise invalid(f"Invalid log record pointer: {pointer}")
    return *place, log


def _statistics(answer: engine.Answer, groups: int) -> dict[str, float]:
    return {
        "recordsMatched": float(answer.records_matched),
        "recordsScanned": float(answer.records_scanned),
        "bytesScanned": float(answer.bytes_scanned),
        "estimatedRecordsSkipped": 0.0,
        "estimatedBytesSkipped": 0.0,
        "logGroupsScanned": float(groups),
        "resultCount": float(len(answer.rows)),
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
