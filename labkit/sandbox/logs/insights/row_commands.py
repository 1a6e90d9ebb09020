"""The commands that look at neighbouring rows: totals, lags, gaps, sessions.

Neighbours are those of the result: newest first, unless a `sort` came before.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from labkit.sandbox.logs.insights import periods, tree
from labkit.sandbox.logs.insights.pipeline import Pipeline
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted

MAX_BINS = 100_000


def accum(pipeline: Pipeline, command: tree.Accum) -> None:
    """A running total: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Accum.html."""
    number = converted(pipeline.expressions().field(command.source), Kind.NUMBER)
    total = f"sum({number}) OVER (ORDER BY {pipeline.full_order} ROWS UNBOUNDED PRECEDING)"
    (value,) = pipeline.bind([Value(total, Kind.NUMBER)])
    pipeline.put(command.into, value)


def autoregress(pipeline: Pipeline, command: tree.Autoregress) -> None:
    """Values of earlier rows: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Autoregress.html."""
    value = pipeline.expressions().field(command.source)
    lags = [
        Value(f"lag({value.sql}, {lag}) OVER (ORDER BY {pipeline.full_order})", value.kind)
        for lag in command.into.values()
    ]
    for name, lagged in zip(command.into, pipeline.bind(lags), strict=True):
        pipeline.define(name, command)
        pipeline.put(name, lagged)


def filldown(pipeline: Pipeline, command: tree.Filldown) -> None:
    """Fills gaps from above: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Filldown.html."""
    patterns = command.patterns or ("*",)
    names = [name for name in pipeline.visible() if any(fnmatchcase(name, pattern) for pattern in patterns)]
    window = f"OVER (ORDER BY {pipeline.full_order} ROWS UNBOUNDED PRECEDING)"
    filled = [
        Value(f"last_value({value.sql} IGNORE NULLS) {window}", value.kind)
        for value in (pipeline.visible()[name] for name in names)
    ]
    for name, value in zip(names, pipeline.bind(filled), strict=True):
        pipeline.put(name, value)


def fillmissing(pipeline: Pipeline, command: tree.Fillmissing) -> None:
    """Rows for empty bins: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Fillmissing.html."""
    if len(pipeline.groups) != 1 or pipeline.groups[0].period is None:
        raise QueryError("fillmissing needs a stats command before it that groups by bin() alone", command.span)
    bins = pipeline.groups[0].column.sql
    step = periods.milliseconds(pipeline.groups[0].period)
    if periods.in_months(pipeline.groups[0].period):
        raise QueryError(
            "fillmissing: the sandbox fills bins of a fixed length, not months, quarters or years", command.span
        )
    fills = {name.name: pipeline.expressions().compile(value) for value, name in command.values}
    selected = [f"filled AS {bins}", "max(matched) OVER () AS matched"]
    for name, value in pipeline.columns.items():
        if value.sql != bins:
            fill = converted(fills[name], value.kind) if name in fills else "NULL"
            selected.append(f"CASE WHEN {bins} IS NULL THEN {fill} ELSE {value.sql} END AS {value.sql}")
    # Only gaps between existing bins are filled: the query's time range may be far longer.
    ends = f"SELECT min({bins}) AS first, max({bins}) AS last FROM before"
    series = f"SELECT unnest(range(first, least(last, first + {MAX_BINS * step}) + 1, {step})) AS filled FROM ({ends})"
    before = f"WITH before AS MATERIALIZED ({pipeline.sql})"
    pipeline.sql = f"{before} SELECT {', '.join(selected)} FROM ({series}) LEFT JOIN before ON filled = {bins}"


def sessionize(pipeline: Pipeline, command: tree.Sessionize) -> None:
    """Sessions by pauses: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sessionize.html."""
    if pipeline.sources is None:
        raise QueryError("sessionize needs @timestamp, which the stats command before it left out", command.span)
    pipeline.define(command.into, command)
    compiler = pipeline.expressions()
    keys = [converted(compiler.field(field), Kind.TEXT) for field in command.fields]
    window = f"OVER (PARTITION BY {', '.join(keys)} ORDER BY timestamp, sequence)"
    pause = f"timestamp - lag(timestamp) {window} > {periods.milliseconds(command.pause)}"
    (first,) = pipeline.bind([Value(f"coalesce({pause}, TRUE)", Kind.BOOLEAN)])
    number = f"sum(CAST({first.sql} AS INTEGER)) {window}"
    (session,) = pipeline.bind([Value(f"concat_ws('-', {', '.join(keys)}, {number})", Kind.TEXT)])
    pipeline.put(command.into, session)


def addtotals(pipeline: Pipeline, command: tree.Addtotals) -> None:
    """Sums of rows and columns: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Addtotals.html.

    Without a list of fields, all that the result shows and that are numbers are summed; times are not.
    """
    compiler = pipeline.expressions()
    summed = {field.name: compiler.field(field) for field in command.fields} or {
        name: value for name, value in pipeline.visible().items() if value.kind in (Kind.NUMBER, Kind.TEXT)
    }
    numbers = {name: converted(value, Kind.NUMBER) for name, value in summed.items() if not name.startswith("@")}
    if command.rows:
        total = f"list_sum([{', '.join(numbers.values())}])" if numbers else "NULL"
        (value,) = pipeline.bind([Value(f"CAST({total} AS DOUBLE)", Kind.NUMBER)])
        pipeline.put(command.into, value)
    if command.columns:
        _add_column_totals(pipeline, numbers)


def _add_column_totals(pipeline: Pipeline, numbers: dict[str, str]) -> None:
    """Add a last row with the sums of the columns."""
    pipeline.note_matched()
    *bound, last = pipeline.bind([*(Value(sql, Kind.NUMBER) for sql in numbers.values()), Value("FALSE", Kind.BOOLEAN)])
    selected = [*(f"sum({column.sql}) AS {column.sql}" for column in bound), f"TRUE AS {last.sql}"]
    if pipeline.sources is None:
        selected.append("max(matched) AS matched")
    before = f"WITH before AS MATERIALIZED ({pipeline.sql})"
    pipeline.sql = f"{before} SELECT * FROM before UNION ALL BY NAME SELECT {', '.join(selected)} FROM before"
    # FALSE sorts before TRUE, so the totals come last.
    pipeline.order = (last.sql, *pipeline.order)
    for name, value in zip(numbers, bound, strict=True):
        pipeline.put(name, value)


def outlier(pipeline: Pipeline, command: tree.Outlier) -> None:
    """Numbers far from the others: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Outlier.html.

    Far is more than `param` interquartile ranges above the third quartile, or below the first with `uselower`.
    """
    pipeline.note_matched()
    compiler = pipeline.expressions()
    numbers = pipeline.bind([_number(compiler.field(field)) for field in command.fields])
    far = []
    for field, number in zip(command.fields, numbers, strict=True):
        lowest, highest = _bounds(pipeline, number, command)
        (is_far,) = pipeline.bind(
            [Value(f"coalesce({number.sql} > {highest} OR {number.sql} < {lowest}, FALSE)", Kind.BOOLEAN)]
        )
        far.append(is_far.sql)
        if not command.remove:
            kept = f"CASE WHEN {number.sql} IS NOT NULL THEN least(greatest({number.sql}, {lowest}), {highest}) END"
            pipeline.put(field.name, *pipeline.bind([Value(kept, Kind.NUMBER)]))
        if command.mark:
            pipeline.put(f"{field.name}_outlier", is_far)
    if command.remove:
        pipeline.sql = f"SELECT * FROM ({pipeline.sql}) WHERE NOT ({' OR '.join(far)})"


def _number(value: Value) -> Value:
    return Value(converted(value, Kind.NUMBER), Kind.NUMBER)


def _bounds(pipeline: Pipeline, number: Value, command: tree.Outlier) -> tuple[str, str]:
    """Return the smallest and the greatest number that isn't an outlier."""
    quartiles = [Value(f"quantile_cont({number.sql}, {share}) OVER ()", Kind.NUMBER) for share in (0.25, 0.75)]
    first, third = pipeline.bind(quartiles)
    reach = f"{command.factor!r} * ({third.sql} - {first.sql})"
    lowest = f"({first.sql} - {reach})" if command.lower else "CAST('-infinity' AS DOUBLE)"
    return lowest, f"({third.sql} + {reach})"
