"""The commands of the language, each a function that extends the pipeline by one step.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from labkit.sandbox.logs.insights import (
    aggregates,
    combining,
    parsing,
    patterns,
    periods,
    relevance,
    row_commands,
    tree,
)
from labkit.sandbox.logs.insights.pipeline import Group, Pipeline, Statement, default_order
from labkit.sandbox.logs.insights.reading import Reading
from labkit.sandbox.logs.insights.stats import Aggregation
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted

MAX_STATS = 10
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html"""
MAX_COMMANDS = 100
"""A limit of ours: each command nests the SQL one level deeper."""
MAX_TOP = 10_000
"""A limit of ours."""
MAX_NESTED = 10
"""A limit of ours."""
MAX_LAMBDAS = 16
"""A limit of ours: DuckDB takes twice as long for each level of nested lambdas, and can't be interrupted then."""
_NESTING = re.compile(r"'[^']*'|\"[^\"]*\"|\(|\)|\blambda ")


def compile_query(query: tree.Query, reading: Reading, limit: int) -> Statement:
    """Compile a query to SQL that returns at most `limit` rows; raise QueryError with the span of what is wrong."""
    _check_nested(query)
    try:
        statement = _compiled(query, reading, None).statement(limit)
        if _lambdas_deep(statement.sql) > MAX_LAMBDAS:
            raise RecursionError
    except RecursionError:
        raise QueryError("the query is nested too deeply for the sandbox", query.commands[0].span) from None
    return statement


def _lambdas_deep(sql: str) -> int:
    """Return how deeply lambdas are nested at most: in a lambda's list or in its body."""
    levels, most = [0], 0
    for token in _NESTING.findall(sql):
        if token == "(":
            levels.append(0)
        elif token == ")":
            inside = levels.pop()
            levels[-1] = max(levels[-1], inside)
        elif token == "lambda ":
            levels[-1] += 1
        most = max(most, levels[-1])
    return most


def _compiled(query: tree.Query, reading: Reading, numbers: Iterator[int] | None) -> Pipeline:
    """Compile all commands of a query; `numbers` continues the column numbers of the query around it."""

    def nested(inner: tree.Query, further: Iterator[int]) -> Pipeline:
        return _compiled(inner, reading.within(inner), further)

    _check_places(query.commands)
    pipeline = Pipeline(reading, nested, patterns.earlier_window(query.commands, reading.window), numbers)
    for place, command in enumerate(query.commands, 1):
        pipeline.later = query.commands[place:]
        COMMANDS[type(command)](pipeline, command)
    return pipeline


def _check_nested(query: tree.Query) -> None:
    """Raise QueryError for too many subqueries, or for nested ones, which AWS doesn't support."""
    inner = list(tree.nested(query))
    if len(inner) > MAX_NESTED:
        raise QueryError(f"a query has at most {MAX_NESTED} others within it in the sandbox", query.commands[0].span)
    for other in inner:
        if next(tree.nested(other), None) is not None:
            raise QueryError("Nested subqueries are not supported", other.commands[0].span)


def _check_places(commands: Sequence[tree.Command]) -> None:
    """Raise QueryError for misplaced commands.

    Only `limit` may follow `dedup`; `sort` and `limit` must come after the last of several `stats`.
    """
    stats = [place for place, command in enumerate(commands) if isinstance(command, tree.Stats)]
    if len(stats) > MAX_STATS:
        raise QueryError(f"a query has at most {MAX_STATS} stats commands", commands[stats[MAX_STATS]].span)
    if len(commands) > MAX_COMMANDS:
        raise QueryError(f"a query has at most {MAX_COMMANDS} commands in the sandbox", commands[MAX_COMMANDS].span)
    for place, command in enumerate(commands):
        if isinstance(command, (tree.Sort, tree.Limit)) and len(stats) > 1 and place < stats[-1]:
            message = f"unexpected symbol found {command.name}: it must come after the last stats command"
            raise QueryError(message, command.span)
        if isinstance(command, tree.Dedup):
            for later in commands[place + 1 :]:
                if not isinstance(later, tree.Limit):
                    message = f"unexpected symbol found {later.name}: only limit can follow dedup"
                    raise QueryError(message, later.span)


def _fields(pipeline: Pipeline, command: tree.Fields) -> None:
    """Compute and show fields. Names defined in a command are known from the next one on, as on AWS."""
    compiler = pipeline.expressions()
    # All are compiled before any is defined: an alias isn't known to the other items of its command.
    values = {item.name: compiler.compile(item.expression) for item in command.items}
    computed = [item.name for item in command.items if item.aliased or not isinstance(item.expression, tree.Field)]
    bound = dict(zip(computed, pipeline.bind([values[name] for name in computed]), strict=True))
    for item in command.items:
        if item.aliased:
            pipeline.define(item.name, command)
    pipeline.chosen = True
    pipeline.columns |= bound
    pipeline.shown |= values | bound


def _display(pipeline: Pipeline, command: tree.Display) -> None:
    """Choose the columns of the result; the last `display` counts."""
    compiler = pipeline.expressions()
    values = pipeline.bind([compiler.compile(item.expression) for item in command.items])
    pipeline.displayed = {item.name: value for item, value in zip(command.items, values, strict=True)}


def _filter(pipeline: Pipeline, command: tree.Filter) -> None:
    """Keep the rows that meet a condition."""
    pipeline.sql = f"SELECT * FROM ({pipeline.sql}) WHERE {pipeline.expressions().condition(command.condition)}"


def _stats(pipeline: Pipeline, command: tree.Stats) -> None:
    """Aggregate the rows by groups."""
    if any(_is_call(item.expression, "topk") for item in command.items):
        _top(pipeline, command)
        return
    first = pipeline.sources is not None
    aggregation = Aggregation(pipeline.scope(), pipeline.reading)
    keys = [(item, _shifted(aggregation.key(item), item, command.offset)) for item in command.groups]
    outputs = [(item, aggregation.output(item)) for item in command.items]
    # recordsMatched counts the events before the first stats; later ones carry that number along.
    grouped = aggregation.sql(pipeline.sql, f"{'count(*)' if first else 'max(matched)'} AS rows")
    made = [(item.name, value, Value(pipeline.new_column(), value.kind)) for item, value in keys + outputs]
    total = "CAST(sum(rows) OVER () AS BIGINT)" if first else "rows"
    selected = [f"{value.sql} AS {column.sql}" for _, value, column in made]
    sql = f"SELECT {', '.join([*selected, f'{total} AS matched'])} FROM ({grouped})"
    columns = {name: column for name, _, column in made}
    pipeline.groups = tuple(Group(columns[item.name], _bin_period(item.expression)) for item, _ in keys)
    pipeline.replace_rows(sql, columns, [default_order(group.column) for group in pipeline.groups])


def _shifted(key: Value, item: tree.Item, offset: tree.Period | None) -> Value:
    """Return a bin shifted by the `offset` of its `stats`, so that it lines up with the bins it is compared with."""
    if offset is None or _bin_period(item.expression) is None:
        return key
    return Value(f"({key.sql} + {periods.distance(offset)})", key.kind)


def _bin_period(expression: tree.Expression) -> tree.Period | None:
    if isinstance(expression, tree.Call) and _is_call(expression, "bin"):
        return next((argument for argument in expression.arguments if isinstance(argument, tree.Period)), None)
    return None


def _is_call(expression: tree.Expression, name: str) -> bool:
    return isinstance(expression, tree.Call) and expression.name.lower() == name


def _sort(pipeline: Pipeline, command: tree.Sort) -> None:
    """Order the rows: numbers by size, texts in natural order, ties newest first."""
    compiler = pipeline.expressions()
    order: list[str] = []
    for key in command.keys:
        value = compiler.compile(key.item.expression)
        if key.item.aliased:
            (value,) = pipeline.bind([value])
            pipeline.put(key.item.name, value)
        # A missing value sorts as the smallest one, in either direction.
        direction = "DESC NULLS LAST" if key.descending else "ASC NULLS FIRST"
        order += [f"{sql} {direction}" for sql in _sort_keys(value)]
    pipeline.order = tuple(order)


def _sort_keys(value: Value) -> list[str]:
    if value.kind in (Kind.NUMBER, Kind.TIME, Kind.BOOLEAN):
        return [value.sql]
    text = converted(value, Kind.TEXT)
    return [key.format(text) for key in aggregates.SORT_KEYS]


def _limit(pipeline: Pipeline, command: tree.Limit) -> None:
    """Keep the first rows."""
    pipeline.note_matched()
    # Ordered inside too: SQL forgets the order of a subquery, but LIMIT has to choose by it.
    pipeline.sql = f"SELECT * FROM ({pipeline.sql}) ORDER BY {pipeline.full_order} LIMIT {command.count}"


def _dedup(pipeline: Pipeline, command: tree.Dedup) -> None:
    """Keep the first row of each combination of values, and every row in which one of them is missing."""
    pipeline.note_matched()
    compiler = pipeline.expressions()
    keys = [converted(compiler.field(field), Kind.TEXT) for field in command.fields]
    place = f"row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {pipeline.full_order})"
    missing = " OR ".join(f"{key} IS NULL" for key in keys)
    pipeline.sql = f"SELECT * FROM ({pipeline.sql}) QUALIFY {place} = 1 OR {missing}"


def _unnest(pipeline: Pipeline, command: tree.Unnest) -> None:
    """Make a row of each element of a list; any other value counts as a list of one, a missing one gives no row."""
    pipeline.note_matched()
    pipeline.define(command.into, command)
    (whole,) = pipeline.bind([Value(pipeline.expressions().structure(command.source), Kind.STRUCTURE)])
    alone = f"CASE WHEN {whole.sql} IS NOT NULL THEN [{whole.sql}] END"
    pipeline.put(command.into, _element(pipeline, f"coalesce(TRY_CAST({whole.sql} AS JSON[]), {alone})"))


def _element(pipeline: Pipeline, elements: str) -> Value:
    """Multiply the rows by the elements of a list; return the element."""
    (bound,) = pipeline.bind([Value(elements, Kind.STRUCTURE)])
    number = pipeline.spread(f"len({bound.sql})")
    return Value(f"{bound.sql}[{number.sql}]", Kind.STRUCTURE)


def _expand(pipeline: Pipeline, command: tree.Expand) -> None:
    """Make a row of each element of a list, which replaces the list; a row without a list stays as it is."""
    pipeline.note_matched()
    (whole,) = pipeline.bind([Value(pipeline.expressions().structure(command.source), Kind.STRUCTURE)])
    elements = f"coalesce(json_list({whole.sql}), [{whole.sql}])"
    pipeline.put(command.source.name, _element(pipeline, elements))


def _count_frequent(pipeline: Pipeline, command: tree.CountFrequent) -> None:
    """Count combinations of values, most frequent first; exactly, though the column is called _approxcount."""
    groups = tuple(tree.Item(field, field.name, aliased=False) for field in command.fields)
    count = tree.Item(tree.Call(command.span, "count", (), "count()"), "_approxcount", aliased=True)
    _stats(pipeline, tree.Stats(command.span, (count,), groups))
    pipeline.order = (f"{pipeline.columns['_approxcount'].sql} DESC",)


def _top(pipeline: Pipeline, command: tree.Stats) -> None:
    """Compile `topk(3, field)`: the most frequent values of a field with their counts; it must stand alone."""
    call = command.items[0].expression
    if len(command.items) > 1 or command.groups or not isinstance(call, tree.Call) or len(call.arguments) != 2:
        raise QueryError("topk stands alone, without by, as in stats topk(3, field)", command.span)
    count, field = call.arguments
    if not isinstance(count, tree.Number) or count.value not in range(1, MAX_TOP + 1):
        raise QueryError(f"topk: the number of values must be a whole number from 1 to {MAX_TOP}", count.span)
    if not isinstance(field, tree.Field):
        raise QueryError("topk: a field is wanted here", field.span)
    present = f"{pipeline.expressions().field(field).sql} IS NOT NULL"
    pipeline.sql = f"SELECT * FROM ({pipeline.sql}) WHERE {present}"
    _count_frequent(pipeline, tree.CountFrequent(command.span, (field,)))
    _limit(pipeline, tree.Limit(command.span, int(count.value)))


COMMANDS: dict[type[tree.Command], Callable[[Pipeline, Any], None]] = {
    tree.Accum: row_commands.accum,
    tree.Addtotals: row_commands.addtotals,
    tree.Appendcols: combining.appendcols,
    tree.Autoregress: row_commands.autoregress,
    tree.Cidrlookup: combining.cidrlookup,
    tree.CountFrequent: _count_frequent,
    tree.Dedup: _dedup,
    tree.Diff: patterns.diff,
    tree.Display: _display,
    tree.Expand: _expand,
    tree.Fields: _fields,
    tree.Filldown: row_commands.filldown,
    tree.Fillmissing: row_commands.fillmissing,
    tree.Filter: _filter,
    tree.Join: combining.join,
    tree.JsonField: parsing.json_field,
    tree.Limit: _limit,
    tree.Logcompare: patterns.logcompare,
    tree.Lookup: combining.lookup,
    tree.Outlier: row_commands.outlier,
    tree.Parse: parsing.parse,
    tree.ParseCsv: parsing.parse_csv,
    tree.ParseLogfmt: parsing.parse_logfmt,
    tree.Pattern: patterns.pattern,
    tree.Relevantfields: relevance.relevantfields,
    tree.Sessionize: row_commands.sessionize,
    tree.Sort: _sort,
    tree.Stats: _stats,
    tree.Unnest: _unnest,
}
