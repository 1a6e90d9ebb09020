"""The table of the aggregate functions of `stats`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

from dataclasses import dataclass

from labkit.sandbox.logs.insights.values import Kind

SORT_KEYS = (
    "text_number({0}) IS NOT NULL",
    "text_number({0})",
    "CASE WHEN text_number({0}) IS NULL THEN natural_order({0}) END",
    "{0}",
)
"""The sort keys of texts: words before numbers, words in natural order.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
"""
_BY_TEXT = ", ".join(key + " {direction}" for key in SORT_KEYS)


@dataclass(frozen=True)
class Aggregate:
    """An aggregate of one field; `sql` by the kind of the field's values, `other` for all other kinds."""

    sql: dict[Kind, str]
    other: tuple[Kind, str]
    """The kind that values of any other kind are converted to first, and the SQL for it."""
    result: Kind | None = None
    """The kind of the result; None: that of the field."""
    second: str | None = None
    """The second argument, if the function has one: a percentage, a period, or a number of buckets."""
    of_events: bool = False
    """Whether it needs the time of each row, and so rows that are events."""


def _numeric(sql: str, second: str | None = None, *, of_events: bool = False) -> Aggregate:
    return Aggregate({}, (Kind.NUMBER, sql), Kind.NUMBER, second, of_events)


def _extreme(function: str) -> Aggregate:
    """Return max or min: of the numbers if any value is one, else of the texts.

    A flow log writes `-` for a missing number: beside numbers it doesn't count.
    """
    texts = (
        f"CASE WHEN count(text_number({{0}})) > 0 THEN arg_{function}({{0}}, text_number({{0}}))"
        f" ELSE {function}({{0}}) END"
    )
    return Aggregate({Kind.TEXT: texts, Kind.NUMBER: f"{function}({{0}})"}, (Kind.NUMBER, f"{function}({{0}})"))


def _nth(order: str) -> Aggregate:
    """Return the aggregate that takes the value of the first event in an order."""
    pick = f"first({{0}} ORDER BY {order}) FILTER (WHERE {{0}} IS NOT NULL)"
    return Aggregate({Kind.TEXT: pick, Kind.NUMBER: pick}, (Kind.NUMBER, pick), of_events=True)


def _sorted(direction: str) -> Aggregate:
    pick = "first({0} ORDER BY " + _BY_TEXT.replace("{direction}", direction) + ") FILTER (WHERE {0} IS NOT NULL)"
    return Aggregate({}, (Kind.TEXT, pick), Kind.TEXT)


_RATE = (
    "(arg_max({0}, timestamp) FILTER (WHERE {0} IS NOT NULL) - arg_min({0}, timestamp) FILTER (WHERE {0} IS NOT NULL))"
    " * {1} / nullif(max(timestamp) FILTER (WHERE {0} IS NOT NULL) - min(timestamp) FILTER (WHERE {0} IS NOT NULL), 0)"
)
"""How much a number grows per period, from its first event to its last."""
_HISTOGRAM = "histogram_map(list({0} ORDER BY {0}) FILTER (WHERE isfinite({0})), {1})"
_COUNT = Aggregate({}, (Kind.TEXT, "CAST(count({0}) AS DOUBLE)"), Kind.NUMBER)
_DISTINCT = Aggregate({}, (Kind.TEXT, "CAST(count(DISTINCT {0}) AS DOUBLE)"), Kind.NUMBER)
"""Exact here; AWS's is an approximation for many values."""

_VALUES = Aggregate(
    {}, (Kind.TEXT, "to_json(list_sort(list(DISTINCT {0}) FILTER (WHERE {0} IS NOT NULL)))"), Kind.STRUCTURE
)

AGGREGATES: dict[str, Aggregate] = {
    "avg": _numeric("avg({0})"),
    "collect_values": _VALUES,
    "count": _COUNT,
    "count_distinct": _DISTINCT,
    "countdistinct": _DISTINCT,
    "count_over_time": _COUNT,
    "countovertime": _COUNT,
    "earliest": _nth("timestamp, sequence"),
    "latest": _nth("timestamp DESC, sequence DESC"),
    "histogram": Aggregate({}, (Kind.NUMBER, _HISTOGRAM), Kind.STRUCTURE, "buckets"),
    "max": _extreme("max"),
    "median": _numeric("quantile_cont({0}, 0.5)"),
    "min": _extreme("min"),
    "pct": _numeric("quantile_cont({0}, {1})", "percentage"),
    "rate": _numeric(_RATE, "period", of_events=True),
    "sortsfirst": _sorted("ASC"),
    "sortslast": _sorted("DESC"),
    # Of the population; DuckDB's plain stddev is that of a sample.
    "stddev": _numeric("stddev_pop({0})"),
    "sum": _numeric("sum({0})"),
    "sum_over_time": _numeric("sum({0})"),
    "sumovertime": _numeric("sum({0})"),
    "values": _VALUES,
    "variance": _numeric("var_pop({0})"),
}
"""By name in lower case."""
