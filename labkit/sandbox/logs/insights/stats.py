"""The expressions of a `stats` command: aggregates of rows, and expressions over them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

from labkit.sandbox.logs.insights import periods, tree
from labkit.sandbox.logs.insights.aggregates import AGGREGATES, Aggregate
from labkit.sandbox.logs.insights.expressions import Expressions, Scope
from labkit.sandbox.logs.insights.reading import Reading
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted

MAX_BUCKETS = 100
"""The maximum number of buckets in a histogram; a limit of ours."""


class Aggregation(Expressions):
    """Compiles the items of one `stats` over the columns of the grouped rows, which `sql` selects.

    Outside an aggregate an expression may use the groups' keys and the aliases of the items before it.
    """

    def __init__(self, scope: Scope, reading: Reading) -> None:
        super().__init__(scope, reading)
        self.rows = Expressions(scope, reading)
        self._keys: list[str] = []
        self._aggregates: dict[str, str] = {}
        self._names: dict[str, Value] = {}

    def key(self, item: tree.Item) -> Value:
        """Compile a key of the groups; a map or list can't be one and counts as missing."""
        value = self.rows.compile(item.expression)
        kind = Kind.TEXT if value.kind is Kind.STRUCTURE else value.kind
        self._keys.append(converted(value, kind))
        key = Value(f"k{len(self._keys)}", kind)
        self._names[item.name] = key
        if isinstance(item.expression, tree.Call):
            self._names[item.expression.label] = key
        return key

    def output(self, item: tree.Item) -> Value:
        """Compile a column of the result."""
        value = self.compile(item.expression)
        self._names.setdefault(item.name, value)
        return value

    def sql(self, rows: str, *counts: str) -> str:
        """Return the SQL of the grouped rows: keys, aggregates, and further columns; no rows give no group."""
        selected = [f"{sql} AS k{number}" for number, sql in enumerate(self._keys, 1)]
        selected += [f"{sql} AS {column}" for sql, column in self._aggregates.items()]
        groups = ", ".join(str(number) for number in range(1, len(self._keys) + 1))
        # SQL makes one row of an empty input without GROUP BY; Insights shows no row then.
        grouping = f"GROUP BY {groups}" if groups else "HAVING count(*) > 0"
        return f"SELECT {', '.join([*selected, *counts])} FROM ({rows}) {grouping}"

    def field(self, field: tree.Field) -> Value:
        """Compile a key or an alias of this `stats`."""
        if field.name in self._names:
            return self._names[field.name]
        raise QueryError(f"{field.name} is neither a field after by nor inside an aggregation function", field.span)

    def call(self, call: tree.Call) -> Value:
        """Compile an aggregate, a key, or a function of these."""
        if call.name.lower() in AGGREGATES:
            return self._aggregate(call, AGGREGATES[call.name.lower()])
        if call.label in self._names:
            return self._names[call.label]
        return super().call(call)

    def _aggregate(self, call: tree.Call, aggregate: Aggregate) -> Value:
        if call.name.lower() in ("count", "count_over_time", "countovertime") and (
            not call.arguments or isinstance(call.arguments[0], tree.Star)
        ):
            return self._column("CAST(count(*) AS DOUBLE)", Kind.NUMBER)
        wanted = 2 if aggregate.second else 1
        if len(call.arguments) != wanted:
            raise QueryError(f"{call.name} takes {wanted} argument{'s'[: wanted - 1]}", call.span)
        if aggregate.of_events and self.scope.sources is None:
            raise QueryError(f"{call.name} needs @timestamp, which the stats command before it left out", call.span)
        value = self.rows.compile(call.arguments[0])
        kind, sql = (value.kind, aggregate.sql[value.kind]) if value.kind in aggregate.sql else aggregate.other
        second = _SECOND[aggregate.second](call) if aggregate.second else ""
        return self._column(sql.format(converted(value, kind), second), aggregate.result or kind)

    def _column(self, sql: str, kind: Kind) -> Value:
        return Value(self._aggregates.setdefault(sql, f"a{len(self._aggregates) + 1}"), kind)


def _fraction(call: tree.Call) -> str:
    percentage = call.arguments[1]
    if not isinstance(percentage, tree.Number) or not 0 <= percentage.value <= 100:
        raise QueryError(f"{call.name}: the percentage must be a number from 0 to 100", percentage.span)
    return repr(percentage.value / 100)


def _period_length(call: tree.Call) -> str:
    period = call.arguments[1]
    if not isinstance(period, tree.Period) or not period.count:
        raise QueryError(f"{call.name}: a period is wanted here, such as 5m or 1h", period.span)
    return str(periods.distance(period))


def _buckets(call: tree.Call) -> str:
    number = call.arguments[1]
    if not isinstance(number, tree.Number) or number.value not in range(1, MAX_BUCKETS + 1):
        message = f"{call.name}: the number of buckets must be a whole number from 1 to {MAX_BUCKETS}"
        raise QueryError(message, number.span)
    return str(int(number.value))


_SECOND = {"percentage": _fraction, "period": _period_length, "buckets": _buckets}
