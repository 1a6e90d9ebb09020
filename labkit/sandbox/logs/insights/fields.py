"""The fields that every event has: system fields, fields of flow log records, and fields of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.sandbox.logs.insights import service_logs
from labkit.sandbox.logs.insights.values import Kind, Value, quoted

SYSTEM_FIELDS = {
    "@timestamp": Value("timestamp", Kind.TIME),
    "@ingestionTime": Value("ingestion_time", Kind.TIME),
    "@message": Value("message", Kind.TEXT),
    "@logStream": Value("stream", Kind.TEXT),
    "@log": Value("log", Kind.TEXT),
    "@ptr": Value("base64(encode(timestamp || '|' || sequence || '|' || log))", Kind.TEXT),
}

FLOW_LOG_RECORD = r"[0-9]+( [^ ]+){11} (ACCEPT|REJECT|-) (OK|NODATA|SKIPDATA)"
"""A record in the default format of flow logs."""
_TAILS = {"logStatus": ("",), "action": (" OK", " NODATA", " SKIPDATA")}
"""What can follow a field of such a record up to its end."""


@dataclass(frozen=True)
class Source:
    """The events of one log group that a query reads."""

    relation: str
    """The name of their table."""
    log: str
    """`account:group`, the value of @log."""
    flow_fields: tuple[str, ...]
    """The names that Insights gives the fields of a flow log record, in the order of the record."""
    record: str
    """The regular expression of such a record."""
    only_flow_logs: bool
    """Whether every event is a record: then fields are taken by position without checking the event's shape."""

    @property
    def json(self) -> str:
        """The SQL of an event's JSON; in a line of a Lambda function, the JSON within the line."""
        if self.log.partition(":")[2].startswith(service_logs.LAMBDA_GROUPS):
            fragments = (f"regexp_extract(message, {quoted(regex)})" for regex in service_logs.JSON_FRAGMENTS)
            return f"coalesce({', '.join(f'TRY_CAST({fragment} AS JSON)' for fragment in fragments)})"
        return "TRY_CAST(message AS JSON)"


@dataclass(frozen=True)
class Window:
    """The events that a query reads: in a time range in milliseconds, and stored before the query was started.

    The range ends at a whole second, and that second is included.
    """

    start: int
    end: int
    last_sequence: int

    @property
    def sql(self) -> str:
        """The condition on the columns of an event."""
        return f"timestamp >= {self.start} AND timestamp < {self.end + 1000} AND sequence <= {self.last_sequence}"


def event_structure(path: tuple[str, ...]) -> Value:
    """Return a field of an event's JSON as it is: `event_field` finds no text in a list or map."""
    return Value(extracted("TRY_CAST(message AS JSON)", path), Kind.STRUCTURE, of_event=True)


def event_field(path: tuple[str, ...], sources: Sequence[Source]) -> Value:
    """Return a field as it is found in an event; NULL if it is missing."""
    name = ".".join(path)
    if name in SYSTEM_FIELDS:
        return SYSTEM_FIELDS[name]
    choices = [_field_of(path, source) for source in sources]
    if len(set(choices)) <= 1:
        sql = choices[0] if choices else "CAST(NULL AS VARCHAR)"
        if not all(source.only_flow_logs and name in source.flow_fields for source in sources):
            return Value(sql, Kind.TEXT, of_event=True)
        default = all(source.record == FLOW_LOG_RECORD for source in sources)
        return Value(sql, Kind.TEXT, part_of="message", tails=_TAILS.get(name, ()) if default else (), of_event=True)
    # Groups with different formats have the field in different places: the event's own group decides.
    whens = [f"WHEN {quoted(source.log)} THEN {sql}" for source, sql in zip(sources, choices, strict=True)]
    return Value(f"(CASE log {' '.join(whens)} END)", Kind.TEXT, of_event=True)


def _field_of(path: tuple[str, ...], source: Source) -> str:
    name = ".".join(path)
    flow = None
    if name in source.flow_fields:
        flow = f"split_part(message, ' ', {source.flow_fields.index(name) + 1})"
    if source.only_flow_logs:
        return flow or "CAST(NULL AS VARCHAR)"
    tries = [
        f"CASE WHEN regexp_full_match(message, {quoted(source.record)}) THEN {flow} END" if flow else None,
        service_logs.field_sql(name),
        _json_field(path, source) if not name.startswith("@") or name.startswith("@@") else None,
    ]
    found = [sql for sql in tries if sql is not None]
    return f"coalesce({', '.join(found)})" if len(found) > 1 else (found or ["CAST(NULL AS VARCHAR)"])[0]


def _json_field(path: tuple[str, ...], source: Source) -> str:
    """Return the SQL of a field of JSON; `` `a.b` `` is tried as one key and as a path, `@@a` is the key `@a`."""
    if path[0].startswith("@@"):
        path = (path[0][1:], *path[1:])
    spellings = dict.fromkeys([path, tuple(".".join(path).split("."))])
    tries = [f"json_leaf({extracted(source.json, spelling)})" for spelling in spellings]
    return tries[0] if len(tries) == 1 else f"coalesce({', '.join(tries)})"


def extracted(json: str, path: Sequence[str]) -> str:
    """Return the SQL of what is at a path of a JSON value; a number is a list index or a key."""
    pointer = "".join("/" + segment.replace("~", "~0").replace("/", "~1") for segment in path)
    return f"json_extract({json}, {quoted(pointer)})"
