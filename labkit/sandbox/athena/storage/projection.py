"""Partition projection: partitions worked out from the table's properties instead of looked up.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from labkit.sandbox.athena.catalog import Partition, Table
from labkit.sandbox.athena.errors import QueryError

MOST_PARTITIONS = 1_000_000
_PATTERN = {"y": "%Y", "M": "%m", "d": "%d", "H": "%H", "m": "%M", "s": "%S"}
_UNITS = {
    "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
    "WEEKS": timedelta(weeks=1),
}
_RELATIVE = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*([A-Z]+))?", re.IGNORECASE)


def is_projected(table: Table) -> bool:
    """Whether a table's partitions are projected."""
    return table.parameters.get("projection.enabled", "").lower() == "true"


def partitions(table: Table, now: datetime, injected: dict[str, list[str]]) -> Iterator[Partition]:
    """Every partition that the properties describe; `injected` has the values that the query names for a column."""
    names = [name for name, _ in table.partition_columns]
    lists = [_values(table, name, now, injected) for name in names]
    total = 1
    for each in lists:
        total *= len(each)
    if total > MOST_PARTITIONS:
        raise _invalid(table, f"{total} partitions are more than {MOST_PARTITIONS}: narrow the query's WHERE")
    template = table.parameters.get("storage.location.template")
    for values in itertools.product(*lists):
        yield Partition(values, _location(table, template, dict(zip(names, values, strict=True))))


def _location(table: Table, template: str | None, values: dict[str, str]) -> str:
    if template is None:
        return table.location.rstrip("/") + "/" + "/".join(f"{name}={value}" for name, value in values.items())
    return re.sub(r"\$\{(\w[\w-]*)\}", lambda found: values.get(found[1].lower(), found[0]), template)


def _invalid(table: Table, why: str) -> QueryError:
    return QueryError(
        "INVALID_TABLE_PROPERTY", f"The table {table.database}.{table.name} has invalid projection properties: {why}"
    )


def _values(table: Table, column: str, now: datetime, injected: dict[str, list[str]]) -> list[str]:
    kind = _property(table, column, "type").lower()
    if kind == "enum":
        return [each.strip() for each in _property(table, column, "values").split(",")]
    if kind == "integer":
        return _integers(table, column)
    if kind == "date":
        return _dates(table, column, now)
    if kind == "injected":
        if column not in injected:
            raise QueryError(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must contain only static"
                " equality"
                " conditions, and at least one such condition must be present.",
            )
        return injected[column]
    raise _invalid(table, f"projection.{column}.type is {kind}")


def _property(table: Table, column: str, name: str, default: str | None = None) -> str:
    properties = {key.lower(): value for key, value in table.parameters.items()}
    value = properties.get(f"projection.{column}.{name}", default)
    if value is None:
        raise _invalid(table, f"projection.{column}.{name} is missing")
    return value


def _integers(table: Table, column: str) -> list[str]:
    low, high = _range(table, column)
    step = int(_property(table, column, "interval", "1"))
    digits = int(_property(table, column, "digits", "0"))
    return [str(value).zfill(digits) for value in range(int(low), int(high) + 1, step)]


def _range(table: Table, column: str) -> tuple[str, str]:
    ends = [each.strip() for each in _property(table, column, "range").split(",")]
    if len(ends) != 2:
        raise _invalid(table, f"projection.{column}.range is {','.join(ends)}")
    return ends[0], ends[1]


def _dates(table: Table, column: str, now: datetime) -> list[str]:
    pattern = _property(table, column, "format")
    low, high = (_moment(table, column, each, pattern, now) for each in _range(table, column))
    unit = _property(table, column, "interval.unit", _finest(pattern)).upper()
    unit = unit if unit.endswith("S") else unit + "S"
    amount = int(_property(table, column, "interval", "1"))
    written = _strftime(pattern)
    values: list[str] = []
    while low <= high and len(values) <= MOST_PARTITIONS:
        values.append(low.strftime(written))
        low = _later(low, amount, unit)
    return list(dict.fromkeys(values))


def _finest(pattern: str) -> str:
    for letter, unit in (("s", "SECONDS"), ("m", "MINUTES"), ("H", "HOURS"), ("d", "DAYS"), ("M", "MONTHS")):
        if letter in pattern:
            return unit
    return "YEARS"


def _later(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _UNITS:
        return moment + amount * _UNITS[unit]
    months = moment.month - 1 + amount * (12 if unit == "YEARS" else 1)
    return moment.replace(year=moment.year + months // 12, month=months % 12 + 1, day=1)


def _moment(table: Table, column: str, text: str, pattern: str, now: datetime) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    if relative:
        sign, amount, unit = relative.groups()
        moment = now.astimezone(UTC).replace(tzinfo=None)
        if sign:
            unit = unit.upper() if unit.upper().endswith("S") else unit.upper() + "S"
            moment = _later(moment, int(sign + amount), unit)
        return datetime.strptime(moment.strftime(_strftime(pattern)), _strftime(pattern))
    try:
        return datetime.strptime(text, _strftime(pattern))
    except ValueError:
        raise _invalid(table, f"projection.{column}.range has {text}, which is not of the format {pattern}") from None


def _strftime(pattern: str) -> str:
    """A format of Java's as strftime writes it.

    >>> _strftime("yyyy/MM/dd'T'HH")
    '%Y/%m/%dT%H'
    """

    def translated(found: re.Match[str]) -> str:
        if found[1] is not None:
            return found[1]
        return _PATTERN.get(found[2][0], found[2])

    return re.sub(r"'([^']*)'|(([A-Za-z])\3*)", translated, pattern)
