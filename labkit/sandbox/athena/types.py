"""Athena's types: the names that Trino and Hive give them, what each is held as in DuckDB, and which become which.

The SQL side speaks Trino's names (`varchar`, `integer`, `row(a integer)`), the catalog Hive's (`string`, `int`,
`struct<a:int>`): https://docs.aws.amazon.com/athena/latest/ug/data-types.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

CLOCKS = ("time", "time with time zone", "timestamp", "timestamp with time zone")
"""The types that have digits of a second."""
UNBOUNDED = 2147483647
"""The length of a varchar without one."""


@dataclass(frozen=True)
class Type:
    """A type by Trino's name. `parameters` are a varchar's length or a decimal's precision and scale; `items` are the
    types inside an array, map or row, `names` the fields of a row.

    `zone` is the time zone that values of a `timestamp with time zone` are shown in: DuckDB holds the instant alone.
    `digits` is how many digits of a second a time or timestamp has; DuckDB's have six.

    >>> str(Type("map", items=(VARCHAR, Type("array", items=(BIGINT,)))))
    'map(varchar, array(bigint))'
    """

    name: str
    parameters: tuple[int, ...] = ()
    items: tuple[Type, ...] = ()
    names: tuple[str | None, ...] = ()
    zone: str = field(default="UTC", compare=False)
    digits: int = field(default=3, compare=False)

    def __str__(self) -> str:
        if self.name == "row":
            pairs = zip(self.names, self.items, strict=True)
            fields = (f"{name} {item}" if name else str(item) for name, item in pairs)
            return f"row({', '.join(fields)})"
        if self.name in CLOCKS:
            name, _, zone = self.name.partition(" ")
            return f"{name}({self.digits}) {zone}".rstrip()
        inside = [str(each) for each in (*self.parameters, *self.items)]
        separator = "," if self.name == "decimal" else ", "
        return f"{self.name}({separator.join(inside)})" if inside else self.name


BOOLEAN, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, DOUBLE, VARCHAR, VARBINARY, DATE, TIME, TIMESTAMP, JSON = (
    Type(name)
    for name in (
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "varchar",
        "varbinary",
        "date",
        "time",
        "timestamp",
        "json",
    )
)
TIMESTAMP_TZ = Type("timestamp with time zone")
TIME_TZ = Type("time with time zone")
DAY_TO_SECOND = Type("interval day to second")
YEAR_TO_MONTH = Type("interval year to month")
IPADDRESS = Type("ipaddress")
IPPREFIX = Type("ipprefix")
UUID = Type("uuid")
UNKNOWN = Type("unknown")
"""The type of NULL: it becomes any other."""

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
INTEGER_DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
NUMBERS = (*INTEGERS, "decimal", "real", "double")
_DUCKDB = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "char": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "time with time zone": "TIMETZ",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
    "json": "JSON",
    "uuid": "UUID",
    "ipaddress": "UHUGEINT",
    "ipprefix": "STRUCT(network UHUGEINT, bits INTEGER)",
    "unknown": "INTEGER",
}
_HIVE_TO_TRINO = {"string": "varchar", "int": "integer", "float": "real", "binary": "varbinary", "struct": "row"}
_TRINO_TO_HIVE = {trino: hive for hive, trino in _HIVE_TO_TRINO.items()}
_TOKEN = re.compile(r'\s*("(?:[^"]|"")*"|`[^`]*`|[\w$-]+|[<>(),:])')


def array(item: Type) -> Type:
    """The type of an array."""
    return Type("array", items=(item,))


def row(items: Sequence[Type], names: Sequence[str | None]) -> Type:
    """The type of a row."""
    return Type("row", items=tuple(items), names=tuple(names))


def decimal(precision: int, scale: int) -> Type:
    """The type of a decimal; Athena's have up to 38 digits."""
    return Type("decimal", (min(38, precision), min(38, scale)))


def varchar(length: int) -> Type:
    """The type of a string literal of a length."""
    return Type("varchar", (length,))


def duckdb_type(kind: Type) -> str:
    """Return the DuckDB type that holds values of a type.

    >>> duckdb_type(row([INTEGER, array(VARCHAR)], ["a", None]))
    'STRUCT("a" INTEGER, "field1" VARCHAR[])'
    """
    if kind.name == "decimal":
        return f"DECIMAL({kind.parameters[0]},{kind.parameters[1]})"
    if kind.name == "array":
        return f"{duckdb_type(kind.items[0])}[]"
    if kind.name == "map":
        return f"MAP({duckdb_type(kind.items[0])}, {duckdb_type(kind.items[1])})"
    if kind.name == "row":
        fields = (f"{quoted(field_key(kind, number))} {duckdb_type(item)}" for number, item in enumerate(kind.items))
        return f"STRUCT({', '.join(fields)})"
    return _DUCKDB[kind.name]


def field_key(kind: Type, number: int) -> str:
    """Return the name of a row's field in DuckDB, where every field needs a name."""
    return kind.names[number] or f"field{number}"


def quoted(name: str) -> str:
    """Quote a name as an identifier of DuckDB's.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'


def parse_type(text: str, variables: frozenset[str] = frozenset()) -> Type:
    """A type from Trino's or Hive's way of writing it; raises ValueError naming what it can't read.

    `variables` are the names that stand for any type in a function's signature.

    >>> str(parse_type("array<struct<a:int,b:decimal(10,2)>>"))
    'array(row(a integer, b decimal(10,2)))'
    >>> str(parse_type("map(varchar(5), row(x bigint))"))
    'map(varchar(5), row(x bigint))'
    """
    position, tokens = 0, []
    while position < len(text.rstrip()):
        found = _TOKEN.match(text, position)
        if not found:
            raise ValueError(f"unknown type: {text}")
        tokens.append(found[1])
        position = found.end()
    reader = _TypeReader(text, tokens, variables)
    kind = reader.type()
    if reader.tokens:
        raise ValueError(f"unknown type: {text}")
    return kind


def hive_name(kind: Type) -> str:
    """Write a type as the catalog and Hive's DDL do.

    >>> hive_name(parse_type("row(a integer, b array(varchar))"))
    'struct<a:int,b:array<string>>'
    """
    if kind.name == "row":
        fields = (f"{field_key(kind, number)}:{hive_name(item)}" for number, item in enumerate(kind.items))
        return f"struct<{','.join(fields)}>"
    if kind.name in ("array", "map"):
        return f"{kind.name}<{','.join(hive_name(item) for item in kind.items)}>"
    if kind.name == "varchar" and kind.parameters:
        return f"varchar({kind.parameters[0]})"
    if kind.name in ("decimal", "char"):
        return f"{kind.name}({','.join(map(str, kind.parameters))})"
    return _TRINO_TO_HIVE.get(kind.name, kind.name)


class _TypeReader:
    def __init__(self, text: str, tokens: list[str], variables: frozenset[str]) -> None:
        self.text = text
        self.tokens = tokens
        self.variables = variables

    def type(self) -> Type:
        name = self._next()
        if name in self.variables and self.tokens[:1] != ["("]:
            return Type(name)
        name = name.lower()
        name = _HIVE_TO_TRINO.get(name, name)
        if name == "array":
            return array(self._inside(1)[0])
        if name == "map":
            return Type("map", items=tuple(self._inside(2)))
        if name == "row":
            return self._row()
        if name == "function" and self.variables:
            return Type("function", items=tuple(self._inside(self.tokens.index(")") // 2)))
        if name in ("timestamp", "time"):
            return self._time(name)
        if name == "interval":
            return Type(f"interval {self._next()} {self._next()} {self._next()}".lower())
        parameters = tuple(int(each) for each in self._parameters())
        if name == "decimal":
            parameters = (*parameters, *(10, 0)[len(parameters) :]) if len(parameters) < 2 else parameters
        if name == "char":
            parameters = parameters or (1,)
        if name not in _DUCKDB and name != "decimal":
            raise ValueError(f"unknown type: {name}")
        return Type(name, parameters if name in ("decimal", "char", "varchar") else ())

    def _next(self) -> str:
        if not self.tokens:
            raise ValueError(f"unknown type: {self.text}")
        return self.tokens.pop(0)

    def _expect(self, *wanted: str) -> None:
        if self._next() not in wanted:
            raise ValueError(f"unknown type: {self.text}")

    def _inside(self, count: int) -> list[Type]:
        self._expect("<", "(")
        kinds = [self.type()]
        for _ in range(count - 1):
            self._expect(",")
            kinds.append(self.type())
        self._expect(">", ")")
        return kinds

    def _parameters(self) -> list[str]:
        if not self.tokens or self.tokens[0] != "(":
            return []
        self._next()
        found = [self._next()]
        while self._next() == ",":
            found.append(self._next())
        return found

    def _time(self, name: str) -> Type:
        digits = next((int(each) for each in self._parameters()), 3)
        if [each.lower() for each in self.tokens[:4]] == ["with", "time", "zone"] or self.tokens[:1] == ["with"]:
            del self.tokens[:3]
            name = f"{name} with time zone"
        return Type(name, digits=digits)

    def _row(self) -> Type:
        self._expect("<", "(")
        names: list[str | None] = []
        kinds: list[Type] = []
        while True:
            name = self._field_name()
            names.append(name)
            kinds.append(self.type())
            separator = self._next()
            if separator in (">", ")"):
                return row(kinds, names)
            if separator != ",":
                raise ValueError(f"unknown type: {self.text}")

    def _field_name(self) -> str | None:
        following = self.tokens[1] if len(self.tokens) > 1 else ""
        if following in (",", ")", "(", "<"):
            return None
        name = self._next()
        if self.tokens[:1] == [":"]:
            self._next()
        return name.strip('"`').lower() if name[0] not in '"`' else name[1:-1]


def common_type(left: Type, right: Type) -> Type | None:
    """Return the common type of two types (in a comparison, a CASE, a UNION); None if they have none.

    >>> str(common_type(INTEGER, decimal(5, 2)))
    'decimal(12,2)'
    >>> common_type(INTEGER, VARCHAR) is None
    True
    """
    if left == right:
        return left if left.digits >= right.digits else right
    if UNKNOWN in (left, right):
        return right if left == UNKNOWN else left
    if left.name == right.name:
        return _same_kind(left, right)
    if coerces(left, right):
        return right
    if coerces(right, left):
        return left
    if "decimal" in (left.name, right.name):
        other = right if left.name == "decimal" else left
        if other.name in INTEGERS:
            return _wider_decimal(as_decimal(left), as_decimal(right))
    return None


def as_decimal(kind: Type) -> Type:
    """Return the decimal that can hold every value of an integer type; one digit for NULL."""
    return kind if kind.name == "decimal" else decimal(1 if kind == UNKNOWN else INTEGER_DIGITS[kind.name], 0)


def _wider_decimal(left: Type, right: Type) -> Type:
    (left_digits, left_scale), (right_digits, right_scale) = left.parameters, right.parameters
    scale = max(left_scale, right_scale)
    return decimal(max(left_digits - left_scale, right_digits - right_scale) + scale, scale)


def _same_kind(left: Type, right: Type) -> Type | None:
    if left.name in ("varchar", "char"):
        lengths = (*left.parameters, *right.parameters)
        return Type(left.name, (max(lengths),)) if len(lengths) == 2 else VARCHAR
    if left.name == "decimal":
        return _wider_decimal(left, right)
    if len(left.items) != len(right.items):
        return None
    items = [common_type(a, b) for a, b in zip(left.items, right.items, strict=True)]
    if None in items:
        return None
    return replace(left, items=tuple(item for item in items if item))


_WIDENS = {
    "tinyint": ("smallint", "integer", "bigint", "real", "double"),
    "smallint": ("integer", "bigint", "real", "double"),
    "integer": ("bigint", "real", "double"),
    "bigint": ("real", "double"),
    "decimal": ("real", "double"),
    "real": ("double",),
    "date": ("timestamp", "timestamp with time zone"),
    "timestamp": ("timestamp with time zone",),
    "time": ("time with time zone",),
    "char": ("varchar",),
}


def coerces(given: Type, wanted: Type) -> bool:
    """Tell whether a value of one type is implicitly cast to another."""
    if given in (wanted, UNKNOWN):
        return True
    if given.name == wanted.name:
        if given.name in ("varchar", "char"):
            return not wanted.parameters or (bool(given.parameters) and given.parameters <= wanted.parameters)
        if given.name == "decimal":
            return _wider_decimal(given, wanted) == wanted
        return len(given.items) == len(wanted.items) and all(map(coerces, given.items, wanted.items))
    if wanted.name == "decimal" and given.name in INTEGERS:
        return _wider_decimal(as_decimal(given), wanted) == wanted
    return wanted.name in _WIDENS.get(given.name, ())
