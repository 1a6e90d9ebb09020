"""The tree of a query: its commands, and the expressions in them, each with its place in the query's text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar, NamedTuple


class Span(NamedTuple):
    """Where something stands in the query's text: `[start, end)`, in characters."""

    start: int
    end: int


class QueryError(Exception):
    """A query that does not compile; becomes MalformedQueryException with a `queryCompileError`."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message = message
        self.span = span


@dataclass(frozen=True)
class Expression:
    """Anything that has a value in a row."""

    span: Span


@dataclass(frozen=True)
class Field(Expression):
    """A log field or an alias: `srcAddr`, `a.b.0.c`, `` `detail-type` ``."""

    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name as results show it: without the backquotes."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Attribute(Expression):
    """A path into a call's value: `jsonParse(a).b[0]`."""

    call: Call
    path: tuple[str, ...]


@dataclass(frozen=True)
class Text(Expression):
    """A quoted string."""

    value: str


@dataclass(frozen=True)
class Number(Expression):
    """A number."""

    value: float


@dataclass(frozen=True)
class Period(Expression):
    """A length of time: `5m`."""

    count: int
    unit: str


@dataclass(frozen=True)
class Regex(Expression):
    """A regular expression between slashes."""

    pattern: str


@dataclass(frozen=True)
class Call(Expression):
    """A function of arguments; `count(*)` has the argument `Star`."""

    name: str
    arguments: tuple[Expression, ...]
    label: str
    """The name of the call's column: the call as written, without stray blanks."""


@dataclass(frozen=True)
class Star(Expression):
    """The `*` of `count(*)`."""


@dataclass(frozen=True)
class Negative(Expression):
    """`-a`."""

    operand: Expression


@dataclass(frozen=True)
class Binary(Expression):
    """Arithmetic or comparison: `a operator b`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Logic(Expression):
    """`a and b and ...` or `a or b or ...`."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Not(Expression):
    """`not a`; also what `not like` and `not in` are read as."""

    operand: Expression


@dataclass(frozen=True)
class Like(Expression):
    """`a like "text"`, `a like /regex/`, `a =~ /regex/`."""

    operand: Expression
    pattern: Expression


@dataclass(frozen=True)
class In(Expression):
    """`a in [b, c]`."""

    operand: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True)
class InQuery(Expression):
    """`a in (query)`."""

    operand: Expression
    query: Query


@dataclass(frozen=True)
class Item:
    """An expression with the name that its column has."""

    expression: Expression
    name: str
    aliased: bool


@dataclass(frozen=True)
class Command:
    """A command of the pipeline."""

    name: ClassVar[str]
    span: Span


@dataclass(frozen=True)
class Fields(Command):
    """Computes fields and shows them."""

    name = "fields"
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Display(Command):
    """Says which columns the result has; the last one counts."""

    name = "display"
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Filter(Command):
    """Keeps the rows that meet a condition (`filter`, `where`, `filterIndex`)."""

    name = "filter"
    condition: Expression
    by_index: bool = False
    """Whether it is `filterIndex`."""


@dataclass(frozen=True)
class Stats(Command):
    """Aggregates over groups of rows."""

    name = "stats"
    items: tuple[Item, ...]
    groups: tuple[Item, ...]
    offset: Period | None = None
    """How far the bins are shifted."""


@dataclass(frozen=True)
class SortKey:
    """One key of a sort."""

    item: Item
    descending: bool


@dataclass(frozen=True)
class Sort(Command):
    """Orders the rows."""

    name = "sort"
    keys: tuple[SortKey, ...]


@dataclass(frozen=True)
class Limit(Command):
    """Keeps the first rows."""

    name = "limit"
    count: int


@dataclass(frozen=True)
class Parse(Command):
    """Extracts fields from a field by the groups of a regular expression (a glob has been made one)."""

    name = "parse"
    source: Field
    pattern: Regex
    names: tuple[str, ...]
    multi: bool = False
    """A row of each place that the pattern matches."""


@dataclass(frozen=True)
class ParseLogfmt(Command):
    """Makes a map of the `key=value` pairs in a field."""

    name = "parse"
    source: Field
    into: str


@dataclass(frozen=True)
class ParseCsv(Command):
    """Gives the comma-separated values in a field names."""

    name = "parse"
    source: Field
    names: tuple[str, ...]


@dataclass(frozen=True)
class JsonField(Command):
    """Takes what is at a path of a field that is a map, or the JSON of one."""

    name = "json"
    source: Field
    path: tuple[str, ...]
    into: str


@dataclass(frozen=True)
class Dedup(Command):
    """Keeps the first row of each combination of values."""

    name = "dedup"
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Unnest(Command):
    """Makes a row of each element of a list."""

    name = "unnest"
    source: Field
    into: str


@dataclass(frozen=True)
class Pattern(Command):
    """Clusters texts by their common structure."""

    name = "pattern"
    item: Item


@dataclass(frozen=True)
class Diff(Command):
    """Compares the patterns of the time range with those of an earlier one."""

    name = "diff"
    period: str


@dataclass(frozen=True)
class Expand(Command):
    """Makes a row of each element of a list, which takes the list's place."""

    name = "expand"
    source: Field


@dataclass(frozen=True)
class CountFrequent(Command):
    """Counts the combinations of values, the most frequent first."""

    name = "countFrequent"
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Accum(Command):
    """A running total."""

    name = "accum"
    source: Field
    into: str


@dataclass(frozen=True)
class Autoregress(Command):
    """The values that a field has in the rows before."""

    name = "autoregress"
    source: Field
    into: dict[str, int]
    """The names of the new fields, each with how many rows before it looks."""


@dataclass(frozen=True)
class Filldown(Command):
    """Puts the last value in the place of missing ones; patterns of names, none for all."""

    name = "filldown"
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Fillmissing(Command):
    """Makes rows for the bins that have none."""

    name = "fillmissing"
    values: tuple[tuple[Expression, Field], ...]


@dataclass(frozen=True)
class Sessionize(Command):
    """Tells the sessions of each identity apart by the pauses between them."""

    name = "sessionize"
    fields: tuple[Field, ...]
    pause: Period
    into: str


@dataclass(frozen=True)
class Addtotals(Command):
    """Sums of numeric fields in each row, and of each field in a last row."""

    name = "addtotals"
    fields: tuple[Field, ...]
    into: str
    rows: bool
    columns: bool


@dataclass(frozen=True)
class Outlier(Command):
    """Takes out rows with a number far from the others, or brings such numbers nearer."""

    name = "outlier"
    fields: tuple[Field, ...]
    factor: float
    """How many interquartile ranges from the quartiles is far."""
    remove: bool
    lower: bool
    mark: bool


@dataclass(frozen=True)
class Logcompare(Command):
    """Compares the patterns of the time range with those of a range so long before."""

    name = "logcompare"
    shift: Period


@dataclass(frozen=True)
class Appendcols(Command):
    """Puts the columns of another query beside those of this one, row by row."""

    name = "appendcols"
    query: Query
    override: bool
    most: int


@dataclass(frozen=True)
class Join(Command):
    """Puts rows of another query beside those of this one that have the same keys."""

    name = "join"
    query: Query
    left: str
    right: str
    keys: tuple[tuple[Field, Field], ...]
    outer: bool


@dataclass(frozen=True)
class Lookup(Command):
    """Adds columns of a lookup table: of its first row that has the values of the keys."""

    name = "lookup"
    table: Field
    keys: tuple[tuple[Field, Field], ...]
    """Each a column of the table, and the field it must equal."""
    outputs: tuple[tuple[Field, Field], ...]
    """Each a column of the table, and the field it becomes."""
    only_new: bool


@dataclass(frozen=True)
class Cidrlookup(Command):
    """Adds columns of a lookup table: of its row with the narrowest range that an address is in."""

    name = "cidrlookup"
    table: Field
    address: Field
    column: Field | None
    outputs: tuple[tuple[Field, Field], ...]
    only_new: bool


@dataclass(frozen=True)
class Relevantfields(Command):
    """Ranks fields by how much they differ between the events that meet a condition and the others."""

    name = "relevantfields"
    fields: tuple[Field, ...]
    """Empty: all."""
    condition: Expression


@dataclass(frozen=True)
class Source:
    """Which log groups a query reads, where it says so itself; empty: not limited."""

    span: Span
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    start: Period | None = None
    """How long before the query's start its events begin, and end; None: as the call says."""
    end: Period | None = None


@dataclass(frozen=True)
class Query:
    """A query: its commands, and where it reads."""

    commands: tuple[Command, ...]
    source: Source | None


def walk(node: object) -> Iterator[object]:
    """Yield a part of a query and all parts inside it."""
    if is_dataclass(node):
        yield node
        for field in fields(node):
            yield from walk(getattr(node, field.name))
    elif isinstance(node, tuple) and not isinstance(node, Span):
        for part in node:
            yield from walk(part)


def nested(query: Query) -> Iterator[Query]:
    """Yield the subqueries of a query."""
    for command in query.commands:
        yield from (node for node in walk(command) if isinstance(node, Query))
