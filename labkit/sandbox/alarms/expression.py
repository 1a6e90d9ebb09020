"""Metric math: expressions over time series, as GetMetricData and alarms compute them.

Every function is in one of the tables below: FUNCTIONS (computed) or REFUSED (rejected by name). Source: CloudWatch
User Guide, "Using math expressions with CloudWatch metrics" (using-metric-math.html).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from labkit.sandbox.alarms import functions
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries, Value, paired

Compute = Callable[..., Value]

_OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
}

REFUSED = frozenset(
    ("ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SELECT", "SERVICE_QUOTA")
)
"""Functions that CloudWatch has and the sandbox doesn't support."""


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("expression.lark").read_text()
    return Lark(grammar, parser="lalr", maybe_placeholders=False, propagate_positions=True)


@cache
def parse(expression: str) -> Tree[Token]:
    """Return the tree of an expression; raise ExpressionError that points at a syntax error."""
    if expression.lstrip().upper().startswith("SELECT "):
        # Metrics Insights is another language, not a function: the grammar would report a confusing syntax error.
        raise functions.refused("SELECT")
    try:
        return _parser().parse(expression)
    except UnexpectedInput as error:
        raise ExpressionError(
            f"Syntax error at column {error.column}: {error.get_context(expression).strip()}"
        ) from None


def metrics_in(expression: str) -> list[str]:
    """Return the ids that an expression refers to, each once, in the order of their first use.

    >>> metrics_in("100 * m2 / SUM([m1, m2])")
    ['m2', 'm1']
    """
    return list(dict.fromkeys(_tokens(expression, "METRIC")))


def functions_in(expression: str) -> list[str]:
    """Return the names of the functions that an expression calls, in the order in which they are written."""
    return _tokens(expression, "FUNCTION")


def follows_clock(expression: str) -> bool:
    """Tell whether the value of an expression changes with time alone, as with HOUR()."""
    return not _PARTS_OF_TIME.keys().isdisjoint(functions_in(expression))


def _tokens(expression: str, kind: str) -> list[str]:
    children = (child for node in parse(expression).iter_subtrees() for child in node.children)
    tokens = (child for child in children if isinstance(child, Token) and child.type == kind)
    # iter_subtrees goes from the leaves up, so the order of the text has to be restored.
    return [str(token) for token in sorted(tokens, key=lambda token: token.start_pos or 0)]


@dataclass
class Scope:
    """The surroundings of an expression: the request's series by id, its search, the timestamps of its range."""

    series: Callable[[str], Value]
    metric_ids: Sequence[str]
    timestamps: Callable[[int], Sequence[int]]
    """Returns the period starts of the range, for a period length in seconds."""
    period: int
    search: Callable[[str, str, int | None], list[TimeSeries]] = lambda query, statistic, period: []
    """Returns the series that a search query finds, for a statistic and the period that SEARCH names, if any."""


def compute(expression: str, scope: Scope) -> Value:
    """Compute the value of an expression; raise ExpressionError if it can't be computed."""
    try:
        return _value(parse(expression), scope)
    except RecursionError:
        raise ExpressionError("The expression is nested too deeply") from None


def _value(node: Any, scope: Scope) -> Value:
    return _NODES[node.data](node, scope)


def _number(node: Tree[Token], scope: Scope) -> Value:
    return float(str(node.children[0]))


def _string(node: Tree[Token], scope: Scope) -> Value:
    return str(node.children[0])[1:-1]


def _keyword(node: Tree[Token], scope: Scope) -> Value:
    return str(node.children[0])


def _metric(node: Tree[Token], scope: Scope) -> Value:
    return scope.series(str(node.children[0]))


def _array(node: Tree[Token], scope: Scope) -> Value:
    return [series for child in node.children for series in functions.many(_value(child, scope))]


def _operation(node: Tree[Token], scope: Scope) -> Value:
    left, symbol, right = node.children
    return paired(_OPERATORS[str(symbol)], _value(left, scope), _value(right, scope))


def _either(node: Tree[Token], scope: Scope) -> Value:
    left, right = (_value(child, scope) for child in node.children)
    return paired(lambda a, b: float(bool(a) or bool(b)), left, right)


def _both(node: Tree[Token], scope: Scope) -> Value:
    left, right = (_value(child, scope) for child in node.children)
    return paired(lambda a, b: float(bool(a) and bool(b)), left, right)


def _negative(node: Tree[Token], scope: Scope) -> Value:
    # paired() takes numbers, series and arrays alike; Python's unary minus takes only numbers.
    return paired(operator.mul, -1.0, _value(node.children[0], scope))


def _call(node: Tree[Token], scope: Scope) -> Value:
    name, *arguments = node.children
    # On the tree, before the arguments are computed: their values don't show where they came from.
    if name == "PERIOD" and any(not _is_metric(argument, scope) for argument in arguments):
        raise ExpressionError("PERIOD takes a metric, not the result of an expression")
    function = FUNCTIONS.get(str(name))
    if function is None:
        if name in REFUSED:
            raise functions.refused(str(name))
        raise ExpressionError(f"Unknown function {name}")
    fewest, most, computed = function
    if not fewest <= len(arguments) <= most:
        raise ExpressionError(f"{name} takes {fewest} to {most} arguments, not {len(arguments)}")
    return computed(scope, *(_value(argument, scope) for argument in arguments))


def _is_metric(node: Any, scope: Scope) -> bool:
    return node.data == "metric" and node.children[0] in scope.metric_ids


_NODES: Mapping[str, Callable[[Tree[Token], Scope], Value]] = {
    "number": _number,
    "string": _string,
    "keyword": _keyword,
    "metric": _metric,
    "array": _array,
    "operation": _operation,
    "either": _either,
    "both": _both,
    "negative": _negative,
    "call": _call,
}


def _metrics(scope: Scope, containing: Value = "") -> Value:
    wanted = [scope.series(name) for name in scope.metric_ids if str(containing) in name]
    return [series for value in wanted for series in functions.many(value)]


def _period(scope: Scope, series: Value) -> Value:
    return float(functions.one(series).period)


def _fill(scope: Scope, value: Value, filler: Value) -> Value:
    def _filled(series: TimeSeries) -> TimeSeries:
        return functions.fill(series, filler, scope.timestamps(min(series.period, scope.period)))

    return functions.of_each(_filled, value)


def _search(scope: Scope, query: Value, statistic: Value, period: Value | None = None) -> Value:
    if not isinstance(query, str) or not isinstance(statistic, str):
        raise ExpressionError("SEARCH takes a query and a statistic in single quotes, and a period")
    return scope.search(query, statistic, None if period is None else int(functions.scalar(period)))


def _time_series(scope: Scope, value: Value) -> Value:
    return functions.constant(value, scope.timestamps(scope.period), scope.period)


def _plain(function: Compute) -> Compute:
    return lambda scope, *arguments: function(*arguments)


def _each(change: Callable[[float], float]) -> Compute:
    """Return a function that is applied to every single value."""
    return lambda scope, value: functions.mapped(change, value)


def _clock(part: Callable[[datetime], float]) -> Compute:
    """Return a function of every timestamp of the range, gaps of the series included."""

    def _of_range(scope: Scope, value: Value) -> Value:
        series = functions.one(value)
        return functions.of_timestamps(part, series, scope.timestamps(series.period))

    return _of_range


_PARTS_OF_TIME: Mapping[str, Callable[[datetime], float]] = {
    "MINUTE": lambda moment: moment.minute,
    "HOUR": lambda moment: moment.hour,
    # Monday is 1 and Sunday is 7, as CloudWatch counts; DATE is the day of the month.
    "DAY": lambda moment: moment.isoweekday(),
    "DATE": lambda moment: moment.day,
    "MONTH": lambda moment: moment.month,
    "YEAR": lambda moment: moment.year,
    "EPOCH": lambda moment: moment.timestamp(),
}

FUNCTIONS: Mapping[str, tuple[int, int, Compute]] = {
    "ABS": (1, 1, _each(abs)),
    "CEIL": (1, 1, _each(math.ceil)),
    "FLOOR": (1, 1, _each(math.floor)),
    "LOG": (1, 1, _each(math.log)),
    "LOG10": (1, 1, _each(math.log10)),
    "AVG": (1, 1, _plain(functions.mean)),
    "MAX": (1, 1, _plain(functions.reducer(max))),
    "MIN": (1, 1, _plain(functions.reducer(min))),
    "STDDEV": (1, 1, _plain(functions.reducer(functions.deviation))),
    "SUM": (1, 1, _plain(functions.reducer(sum))),
    "DATAPOINT_COUNT": (1, 1, _plain(functions.reducer(len))),
    "DIFF": (1, 1, _plain(functions.difference)),
    "DIFF_TIME": (1, 1, _plain(functions.difference_of_times)),
    "RATE": (1, 1, _plain(functions.rate)),
    "RUNNING_SUM": (1, 1, _plain(functions.running_sum)),
    "FILL": (2, 2, _fill),
    "FIRST": (1, 1, _plain(functions.first)),
    "LAST": (1, 1, _plain(functions.last)),
    "SLICE": (2, 3, _plain(functions.sliced)),
    "SORT": (3, 4, _plain(functions.in_order)),
    "REMOVE_EMPTY": (1, 1, _plain(functions.remove_empty)),
    "IF": (2, 3, _plain(functions.choose)),
    "METRICS": (0, 1, _metrics),
    "METRIC_COUNT": (1, 1, _plain(functions.metric_count)),
    "PERIOD": (1, 1, _period),
    "SEARCH": (2, 3, _search),
    "TIME_SERIES": (1, 1, _time_series),
    **{name: (1, 1, _clock(part)) for name, part in _PARTS_OF_TIME.items()},
}
"""Every function: its minimum and maximum number of arguments, and how it is computed."""
