"""Long chains of operators: `a + b + c`, `a || b || c`, `a AND b AND c`.

A chain is a tree as deep as it is long. DuckDB's planner walks the rest of the tree at each level, and again for each
of those: five hundred terms take a minute. So after the first few operators, a chain is written as a list that is
reduced from left to right, with the same results and the same errors.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from labkit.sandbox.athena.dialect.scope import Value
from labkit.sandbox.athena.types import common_type

if TYPE_CHECKING:
    from labkit.sandbox.athena.dialect.compiling import Expressions

NESTED = 50
"""How many operators of a chain are written as plain operators."""

Combine = Callable[["Expressions", Any, Value, Value], Value]


def parts(node: Any, kinds: Collection[type[exp.Expr]]) -> tuple[exp.Expr, list[Any]]:
    """Return the first operand of a chain of operators, and its operators from left to right."""
    operators = []
    while type(node) in kinds:
        operators.append(node)
        node = node.this
    return node, operators[::-1]


def compiled(compiler: Expressions, node: Any, kinds: Collection[type[exp.Expr]], combine: Combine) -> Value:
    """Compile a chain of operators; `combine` compiles one operator from its two sides."""
    first, operators = parts(node, kinds)
    outside = len(compiler.ungrouped)
    value = compiler.value(first)
    # Ordinary SQL has short chains: they stay plain, which is easiest for DuckDB to optimize.
    for each in operators[:NESTED]:
        value = compiler.grouped(combine(compiler, each, value, compiler.value(each.expression)), outside)
    rest = _Rest(compiler, combine, value)
    for each in operators[NESTED:]:
        rest.add(each, compiler.value(each.expression))
    return rest.value()


class _Rest:
    """The rest of a chain: operators whose result has the type of their left side are gathered into one list_reduce."""

    def __init__(self, compiler: Expressions, combine: Combine, value: Value) -> None:
        self._compiler = compiler
        self._combine = combine
        self._left = value
        self._written: dict[str, int] = {}
        """The SQL of each different operator on `x.v` and `y.v`, and its number."""
        self._gathered: list[str] = []

    def add(self, node: Any, right: Value) -> None:
        """Add an operator and its right side; an operator that changes the type is written plainly."""
        left = self._left.type
        result = self._combine(self._compiler, node, self._left if not self._gathered else Value("x", left), right)
        # decimal(5,2) + decimal(5,2) is decimal(6,2): a list_reduce, whose elements have one type, can't widen.
        if result.type != left or common_type(left, right.type) != left:
            self._left = self._combine(self._compiler, node, self.value(), right)
            return
        alike = self._compiler.cast(right, left)
        written = self._combine(self._compiler, node, Value("x.v", left), Value("y.v", left))
        if written.type != left:
            self._left = self._combine(self._compiler, node, self.value(), right)
            return
        number = self._written.setdefault(written.sql, len(self._written))
        self._gathered.append(f"struct_pack(o := {number}, v := {alike.sql})")

    def value(self) -> Value:
        """Return everything so far as one value, and start anew."""
        if self._gathered:
            listed = ", ".join([f"struct_pack(o := 0, v := {self._left.sql})", *self._gathered])
            cases = " ".join(f"WHEN {number} THEN {sql}" for sql, number in self._written.items())
            step = f"lambda x, y: struct_pack(o := 0, v := CASE y.o {cases} END)"
            self._left = Value(f"list_reduce([{listed}], {step}).v", self._left.type)
            self._written, self._gathered = {}, []
        return self._left
