"""Keeps the expansion of nested macros within bounds.

DuckDB copies a macro's argument to each place where the macro names it, so nested macros grow exponentially: seven
nested calls of `replace` become a million words. If an expansion would become too large, the arguments are computed
once: `list_transform([struct_pack(a0 := argument)], lambda let: macro(let.a0))[1]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

MOST_WORDS = 1000
"""The size in words up to which a call is expanded as it is."""
_DEFINITION = re.compile(r"CREATE MACRO (\w+)\(([^)]*)\) AS\s(.*?);\s*(?=CREATE MACRO|--|\Z)", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+\(|\w+|[(),\[\]{}]|[^\w'\"(),\[\]{}]+|.")


@dataclass(frozen=True)
class _Macro:
    """The size of a macro's expansion: `own` words, and the words of each argument as often as `times` says."""

    own: int
    times: tuple[int, ...]


@dataclass(frozen=True)
class _Part:
    """Some SQL, and how many words it becomes in DuckDB."""

    sql: str
    words: int


_DUCKDB_MACROS = {"array_to_string": _Macro(6, (2, 1)), "nullif": _Macro(6, (2, 1))}
"""Functions that are macros in DuckDB, `SELECT * FROM duckdb_functions() WHERE function_type = 'macro'`."""


def bounded(sql: str) -> str:
    """Return the SQL with the arguments of macros computed once wherever their expansion would be too large.

    >>> bounded("SELECT trino_substr(c0, 2)")
    'SELECT trino_substr(c0, 2)'
    """
    return _Reader(sql, _macros(), MOST_WORDS).all().sql


class _Reader:
    """Reads SQL from left to right; `weights` gives the number of words that a name stands for."""

    def __init__(
        self, sql: str, macros: Mapping[str, _Macro], most: int, weights: Mapping[str, int] | None = None
    ) -> None:
        self._tokens = iter(_TOKEN.findall(sql))
        self._macros = macros
        self._most = most
        self._weights = weights or {}

    def all(self) -> _Part:
        """Read everything, including commas and closing brackets on the outermost level."""
        parts: list[_Part] = []
        while True:
            part, end = self._item()
            parts += [part, _Part(end, 0)]
            if not end:
                return _joined(parts)

    def _item(self) -> tuple[_Part, str]:
        """Read up to the next comma or closing bracket on this level; return the part and that token."""
        parts: list[_Part] = []
        for token in self._tokens:
            if token in (",", ")", "]", "}"):
                return _joined(parts), token
            if token.removesuffix("(") in self._macros:
                parts.append(self._call(token.removesuffix("("), self._items()[:-1:2]))
            elif token.endswith(("(", "[", "{")):
                parts += [_Part(token, 1), *self._items()]
            else:
                parts.append(_Part(token, self._weights.get(token, int(not token.isspace()))))
        return _joined(parts), ""

    def _items(self) -> list[_Part]:
        """Read up to the closing bracket: parts, commas and the bracket itself."""
        parts: list[_Part] = []
        end = ","
        while end == ",":
            part, end = self._item()
            parts += [part, _Part(end, 0)]
        return parts

    def _call(self, name: str, arguments: list[_Part]) -> _Part:
        macro = self._macros[name]
        words = macro.own + sum(each.words * times for each, times in zip(arguments, macro.times, strict=False))
        # Arguments without a call are names and literals: computing them once would save nothing.
        if words <= self._most or not any("(" in each.sql for each in arguments):
            return _Part(f"{name}({','.join(each.sql for each in arguments)})", words)
        # Every argument that is a call is computed outside, cheap ones too: a lambda of DuckDB's may hold no subquery
        # and no aggregate.
        computed = {f"a{number}": each.sql.strip() for number, each in enumerate(arguments) if "(" in each.sql}
        called = (f"let.a{n}" if f"a{n}" in computed else each.sql for n, each in enumerate(arguments))
        packed = ", ".join(f"{field} := {sql}" for field, sql in computed.items())
        sql = f"list_transform([struct_pack({packed})], lambda let: {name}({', '.join(called)}))[1]"
        return _Part(sql, macro.own + sum(macro.times) + sum(each.words for each in arguments))


def _joined(parts: list[_Part]) -> _Part:
    return _Part("".join(part.sql for part in parts), sum(part.words for part in parts))


@cache
def _macros() -> dict[str, _Macro]:
    """Return the sizes of the engine's macros; macros.sql defines each macro after those that it calls."""
    macros = dict(_DUCKDB_MACROS)
    text = resources.files("labkit.sandbox.athena").joinpath("macros.sql").read_text()
    for name, listed, body in _DEFINITION.findall(text):

        def words(**weights: int) -> int:
            return _Reader(body, macros, 1 << 62, weights).all().words  # noqa: B023 (called at once)

        parameters = [each.partition(":=")[0].strip() for each in listed.split(",") if each.strip()]
        # The body is read with every parameter weighing nothing, then with one weighing 1: the difference is its count.
        own = words(**dict.fromkeys(parameters, 0))
        macros[name] = _Macro(
            own, tuple(words(**{**dict.fromkeys(parameters, 0), each: 1}) - own for each in parameters)
        )
    return macros
