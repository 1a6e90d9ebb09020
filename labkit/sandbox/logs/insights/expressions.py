"""Compiles expressions to SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labkit.sandbox.logs.insights import fields, functions, tree, values
from labkit.sandbox.logs.insights.calls import CALLS, check_regex
from labkit.sandbox.logs.insights.reading import Reading
from labkit.sandbox.logs.insights.tree import QueryError
from labkit.sandbox.logs.insights.values import Kind, Value, converted, once, quoted

_ARITHMETIC = {
    "+": "({0} + {1})",
    "-": "({0} - {1})",
    "*": "({0} * {1})",
    # A division by zero gives no value; DuckDB's doubles would give Infinity.
    "/": "({0} / nullif({1}, 0e0))",
    "%": "({0} % nullif({1}, 0e0))",
    "^": "pow({0}, {1})",
}
_NUMERIC_KINDS = (Kind.NUMBER, Kind.TIME, Kind.BOOLEAN)
_CONSTANTS = {"true": values.number(1), "false": values.number(0)}
"""To Insights, JSON's true and false are the numbers 1 and 0."""


@dataclass(frozen=True)
class Scope:
    """The names that an expression may use: columns made by the query, then the fields of the events.

    `sources` is None after a `stats`, which leaves no events. After a `join`, names may begin with `left`, the name of
    the rows on the left. `nested` compiles a subquery in an expression to the SQL of the values it finds for a field.
    """

    columns: Mapping[str, Value]
    sources: Sequence[fields.Source] | None
    left: str | None = None
    nested: Callable[[tree.InQuery], str] | None = None

    def resolve(self, field: tree.Field) -> Value:
        """Return the value of a field or alias; raise QueryError after a `stats` that doesn't define it."""
        # The longest name first: `a.b` may be a column itself, or key b of a column `a` that is a map.
        for length in range(len(field.path), 0, -1):
            column = self.columns.get(".".join(field.path[:length]))
            if column is None:
                continue
            if length == len(field.path):
                return column
            if column.kind is Kind.STRUCTURE:
                return Value(fields.extracted(column.sql, field.path[length:]), Kind.STRUCTURE)
        if len(field.path) > 1 and field.path[0] == self.left:
            return self.resolve(tree.Field(field.span, field.path[1:]))
        if field.name in _CONSTANTS:
            return _CONSTANTS[field.name]
        if self.sources is None:
            raise QueryError(f"{field.name} is not defined by the stats command before it", field.span)
        return fields.event_field(field.path, self.sources)

    def structure(self, field: tree.Field) -> Value:
        """Return a field that should be a list or map; of an event's JSON it is taken whole, not as text."""
        value = self.resolve(field)
        if self.sources is not None and value == fields.event_field(field.path, self.sources):
            return fields.event_structure(field.path)
        return value


class Expressions:
    """The compiler of the expressions of one command."""

    def __init__(self, scope: Scope, reading: Reading) -> None:
        self.scope = scope
        self.reading = reading

    def compile(self, expression: tree.Expression) -> Value:
        """Compile an expression."""
        return _COMPILERS[type(expression)](self, expression)

    def time(self, expression: tree.Expression) -> str:
        """Return the SQL of an expression as a time."""
        return converted(self.compile(expression), Kind.TIME)

    def number(self, expression: tree.Expression) -> str:
        """Return the SQL of an expression as a number."""
        return converted(self.compile(expression), Kind.NUMBER)

    def structure(self, expression: tree.Expression) -> str:
        """Return the SQL of an expression as a list or map; a field of an event's JSON is taken whole."""
        whole = self.scope.structure(expression) if isinstance(expression, tree.Field) else self.compile(expression)
        return converted(whole, Kind.STRUCTURE)

    def condition(self, expression: tree.Expression) -> str:
        """Return the SQL of an expression as a condition."""
        return converted(self.compile(expression), Kind.BOOLEAN)

    def field(self, field: tree.Field) -> Value:
        """Compile a field or an alias."""
        return self.scope.resolve(field)

    def call(self, call: tree.Call) -> Value:
        """Compile a function call, or return the column of an earlier `stats` that is called like it."""
        if call.label in self.scope.columns:
            return self.scope.columns[call.label]
        name = call.name.lower()
        if name in CALLS:
            return CALLS[name](self, call)
        if name not in functions.FUNCTIONS:
            raise QueryError(f"unknown function {call.name}", call.span)
        return self._simple(call, functions.FUNCTIONS[name])

    def attribute(self, node: tree.Attribute) -> Value:
        """Compile the access to a path of a call's value."""
        whole = converted(self.compile(node.call), Kind.STRUCTURE)
        return Value(fields.extracted(whole, node.path), Kind.STRUCTURE)

    def _simple(self, call: tree.Call, function: functions.Function) -> Value:
        count = len(call.arguments)
        if not function.takes(count):
            raise QueryError(f"{call.name} takes {function.arity}, not {count}", call.span)
        optional = function.optional[: count - len(function.parameters)] if not function.rest else ()
        kinds = [*function.parameters, *(kind for kind, _ in optional)]
        kinds += [function.parameters[-1]] * (count - len(kinds)) if function.rest else []
        arguments = [
            Value(converted(self.compile(argument), kind), kind)
            for argument, kind in zip(call.arguments, kinds, strict=True)
        ]
        defaults = [default for _, default in function.optional[len(optional) :]]
        return Value(once(lambda given: function.applied([*given, *defaults]), arguments), function.result)

    def binary(self, node: tree.Binary) -> Value:
        """Compile arithmetic, or a comparison."""
        if node.operator in _ARITHMETIC:
            form = _ARITHMETIC[node.operator]
            operands = [Value(self.number(side), Kind.NUMBER) for side in (node.left, node.right)]
            return Value(once(lambda given: form.format(*given), operands), Kind.NUMBER)
        left, right = self.compile(node.left), self.compile(node.right)
        return _of_plain([left, right], lambda sides: compared(node.operator, *sides))

    def logic(self, node: tree.Logic) -> Value:
        """Compile `and` and `or`."""
        operands = [self.condition(operand) for operand in node.operands]
        return Value("(" + f" {node.operator.upper()} ".join(operands) + ")", Kind.BOOLEAN)

    def like(self, node: tree.Like) -> Value:
        """Compile `like`: a substring or a regular expression, both case-sensitive."""
        subject = converted(self.compile(node.operand), Kind.TEXT)
        if isinstance(node.pattern, tree.Regex):
            check_regex(node.pattern.pattern, node.pattern.span)
            return Value(f"regexp_matches({subject}, {quoted(node.pattern.pattern)})", Kind.BOOLEAN)
        part = converted(self.compile(node.pattern), Kind.TEXT)
        return Value(f"contains({subject}, {part})", Kind.BOOLEAN)

    def membership(self, node: tree.In) -> Value:
        """Compile `in [...]`."""
        if not node.items:
            return Value("FALSE", Kind.BOOLEAN)
        return _of_plain([self.compile(node.operand)], lambda operands: self._one_of(node, operands[0]))

    def _one_of(self, node: tree.In, operand: Value) -> Value:
        items = [self.compile(item) for item in node.items]
        kind = values.common_kind(items)
        if kind is Kind.TEXT and operand.kind in (Kind.TEXT, Kind.STRUCTURE):
            texts = [item for item in items if item.kind is Kind.TEXT]
            numbers = [item for item in items if item.kind is not Kind.TEXT]
            lists = [(Kind.TEXT, texts), (Kind.NUMBER, numbers)]
        else:
            lists = [(Kind.NUMBER, items)]
        tests = [
            f"{converted(operand, kind)} IN ({', '.join(converted(item, kind) for item in some)})"
            for kind, some in lists
            if some
        ]
        return Value("(" + " OR ".join(tests) + ")", Kind.BOOLEAN)

    def found(self, node: tree.InQuery) -> Value:
        """Compile `in (query)`: equal to one of the values that another query finds."""
        assert self.scope.nested is not None
        operand = converted(self.compile(node.operand), Kind.TEXT)
        return Value(f"({operand} IN ({self.scope.nested(node)}))", Kind.BOOLEAN)


def _of_plain(values: list[Value], build: Callable[[list[Value]], Value]) -> Value:
    """Build a condition in which values may occur several times, without repeating their SQL."""

    def given(texts: list[str]) -> str:
        plain = [value if value.plain else Value(text, value.kind) for value, text in zip(values, texts, strict=True)]
        return build(plain).sql

    return Value(once(given, values), Kind.BOOLEAN)


def compared(operator: str, left: Value, right: Value) -> Value:
    """Compile a comparison, of numbers if both sides can be numbers.

    A text is compared as a number with a number, and in order with a string of digits; equality with a string compares
    texts. A missing value equals nothing, so it is unequal to everything. A comparison with a map or list is never
    true, not even `!=`.
    """
    if operator == "!=":
        wholes = [f"json_whole({side.sql})" for side in (left, right) if side.kind is Kind.STRUCTURE]
        return _not(
            Value(
                " OR ".join([compared("=", left, right).sql, *(f"coalesce({w}, FALSE)" for w in wholes)]), Kind.BOOLEAN
            )
        )
    numeric = f"({converted(left, Kind.NUMBER)} {operator} {converted(right, Kind.NUMBER)})"
    if left.kind in _NUMERIC_KINDS or right.kind in _NUMERIC_KINDS:
        return Value(f"({_sooner(left, right)}{numeric})" if operator == "=" else numeric, Kind.BOOLEAN)
    first, second = converted(left, Kind.TEXT), converted(right, Kind.TEXT)
    textual = f"({first} {operator} {second})"
    if operator == "=":
        return Value(_ends(left, right) or f"({_sooner(left, right)}{textual})", Kind.BOOLEAN)
    return Value(f"coalesce({numeric}, {textual})", Kind.BOOLEAN)


def _sooner(left: Value, right: Value) -> str:
    """Return a quicker test to run first: if a part of the message must equal a constant, the message contains it."""
    for part, other in ((left, right), (right, left)):
        if part.part_of and other.constant:
            return f"contains({part.part_of}, {quoted(other.constant)}) AND "
    return ""


def _ends(left: Value, right: Value) -> str | None:
    """Return the quickest test: a part near the end of the message equals a word if the message ends with it."""
    for part, other in ((left, right), (right, left)):
        if part.tails and other.constant and " " not in other.constant:
            ends = (quoted(f" {other.constant}{tail}") for tail in part.tails)
            return "(" + " OR ".join(f"ends_with({part.part_of}, {end})" for end in ends) + ")"
    return None


def _not(value: Value) -> Value:
    return Value(f"(NOT coalesce({converted(value, Kind.BOOLEAN)}, FALSE))", Kind.BOOLEAN)


def _misplaced(compiler: Expressions, node: tree.Expression) -> Value:
    raise QueryError("a value is wanted here", node.span)


_COMPILERS: dict[type[tree.Expression], Callable[[Any, Any], Value]] = {
    tree.Attribute: lambda compiler, node: compiler.attribute(node),
    tree.Binary: Expressions.binary,
    tree.Call: lambda compiler, node: compiler.call(node),
    tree.Field: lambda compiler, node: compiler.field(node),
    tree.In: Expressions.membership,
    tree.InQuery: Expressions.found,
    tree.Like: Expressions.like,
    tree.Logic: Expressions.logic,
    tree.Negative: lambda compiler, node: Value(f"(-{compiler.number(node.operand)})", Kind.NUMBER),
    tree.Not: lambda compiler, node: _not(compiler.compile(node.operand)),
    tree.Number: lambda compiler, node: values.number(node.value),
    tree.Period: _misplaced,
    tree.Regex: _misplaced,
    tree.Star: _misplaced,
    tree.Text: lambda compiler, node: values.text(node.value),
}
