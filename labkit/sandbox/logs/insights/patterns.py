"""`pattern` and `diff`: cluster texts by their common structure, and compare them with an earlier time range.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Pattern.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Diff.html

AWS learns its patterns; here a word with digits in it is a token that varies, by a rule (`macros.sql`). What is
constant and what varies in a line is the same for most logs; the names of tokens may not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from labkit.sandbox.logs.insights import periods, tree
from labkit.sandbox.logs.insights.fields import Window
from labkit.sandbox.logs.insights.pipeline import Pipeline
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted

_COLUMNS = {
    "@pattern": (Kind.TEXT, "numbered_pattern(masked)"),
    "@ratio": (Kind.NUMBER, "samples / sum(samples) OVER ()"),
    "@sampleCount": (Kind.NUMBER, "CAST(samples AS DOUBLE)"),
    "@severityLabel": (Kind.TEXT, "severity_label(masked)"),
}
_DIFFERENCES = {
    "@differenceStat": (Kind.NUMBER, "CAST(samples - before AS DOUBLE)"),
    "@differenceDescription": (
        Kind.TEXT,
        "CASE WHEN before = 0 THEN 'new' WHEN samples = 0 THEN 'no longer there'"
        " WHEN samples > before THEN 'more often' WHEN samples < before THEN 'less often' ELSE 'unchanged' END",
    ),
}


def earlier_window(commands: Sequence[tree.Command], window: Window) -> Window | None:
    """Return the time range that a query's `diff` compares with; None if it has no `diff`."""
    diffs = [place for place, command in enumerate(commands) if isinstance(command, (tree.Diff, tree.Logcompare))]
    if not diffs:
        return None
    command = commands[diffs[0]]
    if isinstance(command, tree.Logcompare):
        if len(diffs) > 1:
            raise QueryError("logcompare: a query compares with one earlier time range only", command.span)
        return _earlier(window, periods.distance(command.shift))
    assert isinstance(command, tree.Diff)
    if diffs[0] == 0 or not isinstance(commands[diffs[0] - 1], tree.Pattern) or len(diffs) > 1:
        message = "Diff compilation Failed : Diff operation has to be used after Pattern"
        raise QueryError(message, command.span)
    return _earlier(window, _distance(command.period, window))


def _earlier(window: Window, back: int) -> Window:
    return Window(window.start - back, window.end - back, window.last_sequence)


def _distance(period: str, window: Window) -> int:
    if not period:
        return window.end + 1000 - window.start
    days = {"previousday": 1, "previousweek": 7}
    if period in days:
        return days[period] * 86_400_000
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=window.start)
    last_of_month_before = start.replace(day=1) - timedelta(days=1)
    # The month before has its own length: 31 March goes back 31 days, to 28 February's end.
    return max(last_of_month_before.day, start.day) * 86_400_000


def pattern(pipeline: Pipeline, command: tree.Pattern) -> None:
    """Group the rows by pattern, the most frequent first."""
    if pipeline.sources is None:
        raise QueryError("pattern needs the text of events, which the stats command before it left out", command.span)
    text = converted(pipeline.expressions().compile(command.item.expression), Kind.TEXT)
    counts = f"count(*) FILTER (WHERE {pipeline.window.sql}) AS samples"
    if pipeline.earlier is not None:
        counts += f", count(*) FILTER (WHERE {pipeline.earlier.sql}) AS before"
    grouped = f"SELECT masked_pattern({text}) AS masked, {counts} FROM ({pipeline.sql}) GROUP BY 1"
    made = {**_COLUMNS, **(_DIFFERENCES if pipeline.earlier is not None else {})}
    columns = {name: Value(pipeline.new_column(), kind) for name, (kind, _) in made.items()}
    selected = [f"{sql} AS {columns[name].sql}" for name, (_, sql) in made.items()]
    total = "CAST(sum(samples) OVER () AS BIGINT) AS matched"
    sql = f"SELECT {', '.join([*selected, total])} FROM ({grouped}) WHERE masked IS NOT NULL"
    pipeline.groups = ()
    pipeline.replace_rows(sql, columns, [f"{columns['@sampleCount'].sql} DESC", columns["@pattern"].sql])


def diff(pipeline: Pipeline, command: tree.Diff) -> None:
    """Order the patterns by how much they changed; `pattern` has counted both time ranges."""
    pipeline.order = (f"abs({pipeline.columns['@differenceStat'].sql}) DESC",)


def logcompare(pipeline: Pipeline, command: tree.Logcompare) -> None:
    """Compare as `diff` does, with a range that begins earlier; without a `pattern` before it, messages are compared.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Logcompare.html
    """
    if "@pattern" not in pipeline.columns:
        message = tree.Field(command.span, ("@message",))
        pattern(pipeline, tree.Pattern(command.span, tree.Item(message, message.name, aliased=False)))
    pipeline.order = (f"abs({pipeline.columns['@differenceStat'].sql}) DESC",)
