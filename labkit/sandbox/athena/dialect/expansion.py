"""Keeps what DuckDB makes of nested macros within bounds.

DuckDB writes a macro's argument out at each place where the macro names it. Macros within macros so grow with every
level, seven calls of `replace` within one another to a million words. Where that would be too much, arguments are
computed once: `list_transform([struct_pack(a0 := argument)], lambda let: macro(let.a0))[1]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

MOST_WORDS = 1000
"""How many words a call may become before its arguments are computed once."""
_DEFINITION = re.compile(r"CREATE MACRO (\w+)\(([^)]*)\) AS\s(.*?);\s*(?=CREATE MACRO|--|\Z)", re.DOTALL)
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+\(|\w+|[(),\[\]{}]|[^\w'\"(),\[\]{}]+|.")


@dataclass(frozen=True)
class _Macro:
    """A call becomes `own` words, and those of each argument `times`."""

    own: int
    times: tuple[int, ...]


@dataclass(frozen=True)
class _Part:
    """Some SQL, and how many words DuckDB makes of it."""

    sql: str
    words: int


_DUCKDB_MACROS = {"array_to_string": _Macro(6, (2, 1)), "nullif": _Macro(6, (2, 1))}
"""Functions that are macros in DuckDB, `SELECT * FROM duckdb_functions() WHERE function_type = 'macro'`."""


def bounded(sql: str) -> str:
    """The same SQL with the arguments of macros computed once where they would be written out too often.

    >>> bounded("SELECT trino_substr(c0, 2)")
    'SELECT trino_substr(c0, 2)'
    """
    return _Reader(sql, _macros(), MOST_WORDS).all().sql


class _Reader:
    """Reads SQL from left to right; `weights` are the words that names stand for."""

    def __init__(
        self, sql: str, macros: Mapping[str, _Macro], most: int, weights: Mapping[str, int] | None = None
    ) -> None:
        self._tokens = iter(_TOKEN.findall(sql))
        self._macros = macros
        self._most = most
        self._weights = weights or {}

    def all(self) -> _Part:
        """All of it, with the commas and closing brackets that stand outside."""
        parts: list[_Part] = []
        while True:
            part, end = self._item()
            parts += [part, _Part(end, 0)]
            if not end:
                return _joined(parts)

    def _item(self) -> tuple[_Part, str]:
        """What comes before the next comma or closing bracket at this level, and that token."""
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
        """All up to the closing bracket, and each comma and the bracket too."""
        parts: list[_Part] = []
        end = ","
        while end == ",":
            part, end = self._item()
            parts += [part, _Part(end, 0)]
        return parts

    def _call(self, name: str, arguments: list[_Part]) -> _Part:
        macro = self._macros[name]
        words = macro.own + sum(each.words * times for each, times in zip(arguments, macro.times, strict=False))
        if words <= self._most or not any("(" in each.sql for each in arguments):
            return _Part(f"{name}({','.join(each.sql for each in arguments)})", words)
        # All that is computed is computed outside: the body of a lambda may hold no subquery and no aggregate.
        computed = {f"a{number}": each.sql.strip() for number, each in enumerate(arguments) if "(" in each.sql}
        called = (f"let.a{n}" if f"a{n}" in computed else each.sql for n, each in enumerate(arguments))
        packed = ", ".join(f"{field} := {sql}" for field, sql in computed.items())
        sql = f"list_transform([struct_pack({packed})], lambda let: {name}({', '.join(called)}))[1]"
        return _Part(sql, macro.own + sum(macro.times) + sum(each.words for each in arguments))


def _joined(parts: list[_Part]) -> _Part:
    return _Part("".join(part.sql for part in parts), sum(part.words for part in parts))


@cache
def _macros() -> dict[str, _Macro]:
    """The macros of the engine; one that calls others stands after them."""
    macros = dict(_DUCKDB_MACROS)
    text = resources.files("labkit.sandbox.athena").joinpath("macros.sql").read_text()
    for name, listed, body in _DEFINITION.findall(text):

        def words(**weights: int) -> int:
            return _Reader(body, macros, 1 << 62, weights).all().words  # noqa: B023 (called at once)

        parameters = [each.partition(":=")[0].strip() for each in listed.split(",") if each.strip()]
        own = words(**dict.fromkeys(parameters, 0))
        macros[name] = _Macro(
            own, tuple(words(**{**dict.fromkeys(parameters, 0), each: 1}) - own for each in parameters)
        )
    return macros
