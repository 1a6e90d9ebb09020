"""Partition projection: partitions worked out from the table's properties instead of looked up.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import itertools
import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from labkit.sandbox.athena.catalog import Partition, Table
from labkit.sandbox.athena.errors import QueryError

MOST_PARTITIONS = 1_000_000
_PATTERN = {
    "y": {1: "%Y", 2: "%y", 4: "%Y"}, "u": {1: "%Y", 4: "%Y"},
    "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"}, "d": {1: "%-d", 2: "%d"}, "D": {1: "%-j", 3: "%j"},
    "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"}, "a": {1: "%p"}, "h": {1: "%-I", 2: "%I"},
    "H": {1: "%-H", 2: "%H"}, "m": {1: "%-M", 2: "%M"}, "s": {1: "%-S", 2: "%S"}, "S": {3: "%f"},
}  # fmt: skip
_UNITS = {
    "MILLISECONDS": timedelta(milliseconds=1),
    "SECONDS": timedelta(seconds=1),
    "MINUTES": timedelta(minutes=1),
    "HOURS": timedelta(hours=1),
    "DAYS": timedelta(days=1),
    "WEEKS": timedelta(weeks=1),
}
_RELATIVE = re.compile(
    r"NOW\s*(?:([+-])\s*(\d+)\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?", re.IGNORECASE
)


def is_projected(table: Table) -> bool:
    """Whether a table's partitions are projected."""
    return table.parameters.get("projection.enabled", "").lower() == "true"


def partitions(table: Table, now: datetime, injected: dict[str, list[str]]) -> Iterator[Partition]:
    """Every partition that the properties describe; `injected` has the values that the query names for a column."""
    names = [name for name, _ in table.partition_columns]
    unset = [name for name in names if f"projection.{name}.type" not in _properties(table)]
    if unset:
        shown = f"{table.database}.{table.name}"
        raise QueryError(
            "HIVE_METASTORE_ERROR",
            f"Table {shown} is configured for partition projection, but the following partition columns are missing"
            f" projection configuration: [{', '.join(unset)}] (table {shown})",
        )
    lists = [_values(table, name, now, injected) for name in names]
    total = 1
    for each in lists:
        total *= len(each)
    if total > MOST_PARTITIONS:
        raise _invalid(table, f"{total} partitions are more than {MOST_PARTITIONS}: narrow the query's WHERE")
    template = table.parameters.get("storage.location.template")
    missing = [name for name in names if template is not None and f"${{{name}}}" not in template.lower()]
    if missing:
        raise _invalid(
            table, f"storage.location.template has no ${{{missing[0]}}}, and has to have every partition column"
        )
    if template is None:
        template = table.location.rstrip("/") + "/" + "/".join(f"{name}=${{{name}}}" for name in names)
    pattern, places = _filled_in(template, names)
    for values in itertools.product(*lists):
        yield Partition(values, pattern % tuple(values[place] for place in places))


def _filled_in(template: str, names: list[str]) -> tuple[str, list[int]]:
    """A template with `%s` for each placeholder of a column, and which columns these are: locations may be many.

    >>> _filled_in("s3://logs/${region}/${day}/", ["day", "region"])
    ('s3://logs/%s/%s/', [1, 0])
    """
    places: list[int] = []

    def found(placeholder: re.Match[str]) -> str:
        name = placeholder[1].lower()
        if name not in names:
            return placeholder[0]
        places.append(names.index(name))
        return "%s"

    return re.sub(r"\$\{(\w[\w-]*)\}", found, template.replace("%", "%%")), places


def _invalid(table: Table, why: str) -> QueryError:
    return QueryError(
        "INVALID_TABLE_PROPERTY", f"The table {table.database}.{table.name} has invalid projection properties: {why}"
    )


def _values(table: Table, column: str, now: datetime, injected: dict[str, list[str]]) -> list[str]:
    kind = _property(table, column, "type").strip().lower()
    if kind == "enum":
        return _property(table, column, "values").split(",")  # blanks are part of the values
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


def _properties(table: Table) -> dict[str, str]:
    """The table's properties, whose names count in any case."""
    return {key.lower(): value for key, value in table.parameters.items()}


def _property(table: Table, column: str, name: str, default: str | None = None) -> str:
    value = _properties(table).get(f"projection.{column}.{name}", default)
    if value is None:
        raise _invalid(table, f"projection.{column}.{name} is missing")
    return value


def _integers(table: Table, column: str) -> list[str]:
    low, high = (_integer(table, column, "range", each) for each in _range(table, column))
    step = _positive(table, column, "interval", "1")
    digits = _positive(table, column, "digits", "1")
    if (high - low) // step >= MOST_PARTITIONS:
        raise _invalid(table, f"projection.{column}.range has more than {MOST_PARTITIONS} values")
    return [f"{value:0{digits + (value < 0)}}" for value in range(low, high + 1, step)]


def _integer(table: Table, column: str, name: str, text: str) -> int:
    if not re.fullmatch(r"\s*[+-]?\d+\s*", text):
        raise _invalid(table, f"projection.{column}.{name} has '{text}', which is no integer")
    return int(text)


def _positive(table: Table, column: str, name: str, default: str | None = None) -> int:
    number = _integer(table, column, name, _property(table, column, name, default))
    if number < 1:
        raise _invalid(table, f"projection.{column}.{name} is {number}, which is not positive")
    return number


def _range(table: Table, column: str) -> tuple[str, str]:
    ends = [each.strip() for each in _property(table, column, "range").split(",")]
    if len(ends) != 2:
        raise _invalid(table, f"projection.{column}.range is {','.join(ends)}, and has to be two values")
    return ends[0], ends[1]


def _dates(table: Table, column: str, now: datetime) -> list[str]:
    pattern = _property(table, column, "format")
    low, high = (_moment(table, column, each, pattern, now) for each in _range(table, column))
    by_default = _unit_by_default(pattern)
    unit = _property(table, column, "interval.unit", by_default).strip().upper()
    unit = unit if unit.endswith("S") else unit + "S"
    if unit not in (*_UNITS, "MONTHS", "YEARS"):
        raise _invalid(table, f"projection.{column}.interval.unit is {unit}")
    amount = _positive(table, column, "interval", "1" if by_default else None)
    values: list[str] = []
    for count in range(MOST_PARTITIONS + 1):
        moment = _later(low, count * amount, unit)
        if moment > high:
            break
        values.append(_written(moment, pattern))
    return list(dict.fromkeys(values))


def _unit_by_default(pattern: str) -> str | None:
    """Days and months are steps of one if nothing else is said; any other precision needs an interval and its unit."""
    letters = re.sub(r"'[^']*'", "", pattern)
    if re.search("[HhmsS]", letters):
        return None
    return "DAYS" if re.search("[dD]", letters) else "MONTHS" if "M" in letters else None


def _later(moment: datetime, amount: int, unit: str) -> datetime:
    if unit in _UNITS:
        return moment + amount * _UNITS[unit]
    months = moment.month - 1 + amount * (12 if unit == "YEARS" else 1)
    year, month = moment.year + months // 12, months % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))


def _moment(table: Table, column: str, text: str, pattern: str, now: datetime) -> datetime:
    relative = _RELATIVE.fullmatch(text)
    try:
        if not relative:
            return datetime.strptime(text, _strftime(pattern).replace("%-", "%"))
        sign, amount, unit = relative.groups()
        moment = now.astimezone(UTC).replace(tzinfo=None)
        if sign:
            moment = _later(moment, int(sign + amount), unit.upper().removesuffix("S") + "S")
        return datetime.strptime(_written(moment, pattern), _strftime(pattern).replace("%-", "%"))
    except KeyError as error:
        raise _invalid(table, f"projection.{column}.format has {error.args[0]}, which the sandbox can't read") from None
    except ValueError:
        raise _invalid(table, f"projection.{column}.range has {text}, which is not of the format {pattern}") from None


def _written(moment: datetime, pattern: str) -> str:
    return moment.strftime(_strftime(pattern).replace("%f", f"{moment.microsecond // 1000:03}"))


def _strftime(pattern: str) -> str:
    """A format of Java's as strftime writes it; raises KeyError for letters that it has no word for.

    >>> _strftime("yyyy/MM/d'T'HH")
    '%Y/%m/%-dT%H'
    """

    def translated(found: re.Match[str]) -> str:
        if found[1] is not None:
            return (found[1] or "'").replace("%", "%%")
        letters = found[2]
        if len(letters) not in _PATTERN.get(letters[0], {}):
            raise KeyError(letters)
        return _PATTERN[letters[0]][len(letters)]

    return re.sub(r"'([^']*)'|(([A-Za-z])\3*)", translated, pattern)
