"""The commands that extract fields from a field: `parse` in its modes, and `json field=`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Parse.html
"""

from __future__ import annotations

from labkit.sandbox.logs.insights import fields, tree
from labkit.sandbox.logs.insights.calls import check_regex
from labkit.sandbox.logs.insights.pipeline import Pipeline
from labkit.sandbox.logs.insights.values import Kind, Value, converted, quoted


def parse(pipeline: Pipeline, command: tree.Parse) -> None:
    """Extract fields by the groups of a regular expression; they are missing if it doesn't match."""
    check_regex(command.pattern.pattern, command.pattern.span, len(command.names))
    subject = converted(pipeline.expressions().field(command.source), Kind.TEXT)
    pattern = quoted(command.pattern.pattern)
    keys = ", ".join(f"'{number}'" for number in range(len(command.names)))
    # regexp_extract gives empty texts without a match: only the CASE makes the fields missing.
    found = f"CASE WHEN regexp_matches({subject}, {pattern}) THEN regexp_extract({subject}, {pattern}, [{keys}]) END"
    if command.multi:
        _parse_all(pipeline, command, subject, pattern)
        return
    (groups,) = pipeline.bind([Value(found, Kind.STRUCTURE)])
    for number, name in enumerate(command.names):
        pipeline.define(name, command)
        pipeline.put(name, Value(f"{groups.sql}['{number}']", Kind.TEXT))


def _parse_all(pipeline: Pipeline, command: tree.Parse, subject: str, pattern: str) -> None:
    """Make a row of each match of the regular expression, and one of each event without a match."""
    pipeline.note_matched()
    groups = range(1, len(command.names) + 1)
    found = [Value(f"regexp_extract_all({subject}, {pattern}, {group})", Kind.STRUCTURE) for group in groups]
    matches = pipeline.bind(found)
    number = pipeline.spread(f"greatest(coalesce(len({matches[0].sql}), 0), 1)")
    for name, match in zip(command.names, matches, strict=True):
        pipeline.define(name, command)
        pipeline.put(name, Value(f"{match.sql}[{number.sql}]", Kind.TEXT))


def parse_logfmt(pipeline: Pipeline, command: tree.ParseLogfmt) -> None:
    """Make a map of the `key=value` pairs in a text; of two with the same key the first counts."""
    pipeline.define(command.into, command)
    subject = converted(pipeline.expressions().field(command.source), Kind.TEXT)
    (pairs,) = pipeline.bind([Value(f"logfmt_json({subject})", Kind.STRUCTURE)])
    pipeline.put(command.into, pairs)


def parse_csv(pipeline: Pipeline, command: tree.ParseCsv) -> None:
    """Give the values of a line of CSV to fields in turn; fields beyond the last value are missing."""
    subject = converted(pipeline.expressions().field(command.source), Kind.TEXT)
    (line,) = pipeline.bind([Value(f"csv_values({subject})", Kind.STRUCTURE)])
    for number, name in enumerate(command.names, 1):
        pipeline.define(name, command)
        pipeline.put(name, Value(f"{line.sql}[{number}]", Kind.TEXT))


def json_field(pipeline: Pipeline, command: tree.JsonField) -> None:
    """Take the value at a path of a map, or of a text that is JSON."""
    pipeline.define(command.into, command)
    whole = f"json_inside({pipeline.expressions().structure(command.source)})"
    (found,) = pipeline.bind([Value(fields.extracted(whole, command.path), Kind.STRUCTURE)])
    pipeline.put(command.into, found)
