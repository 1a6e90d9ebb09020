"""Reads the functions of Athena's SQL from functions.txt, and finds the one that a call means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from labkit.sandbox.athena.types import (
    INTEGERS,
    NUMBERS,
    UNBOUNDED,
    VARCHAR,
    Type,
    as_decimal,
    coerces,
    common_type,
    decimal,
    parse_type,
    varchar,
)

LOCAL_TIMES = ("date", "timestamp", "timestamp with time zone")
_CLASSES = {
    "number": NUMBERS,
    "integral": INTEGERS,
    "decimal": ("decimal",),
    "local": LOCAL_TIMES,
    "text": ("varchar", "char"),
}
_VARIABLES = frozenset(("T", "K", "V", "U", "R", "longer", *_CLASSES))
_LINE = re.compile(r"(?:(agg|window) )?(\w+)\((.*?)\) -> (.*?)(?: = (.*))?$")


@dataclass(frozen=True)
class Signature:
    """One signature of a function: `substr(varchar, bigint) -> varchar`."""

    name: str
    kind: str
    """scalar, agg or window."""
    parameters: tuple[Type, ...]
    variadic: bool
    result: Type
    template: str

    def parameter(self, number: int) -> Type:
        """Return the parameter of an argument; a variadic function repeats its last one."""
        return self.parameters[min(number, len(self.parameters) - 1)]

    def of_each_type(self) -> Iterator[tuple[tuple[Type, ...], Type]]:
        """Yield parameters and result for each type of a class such as `number`, as Trino lists its signatures."""
        names = {part.name for kind in (*self.parameters, self.result) for part in _parts(kind)}
        class_ = next((name for name in ("number", "integral", "local") if name in names), "text")
        for name in _CLASSES[class_] if class_ != "text" else ("varchar(x)",):
            variables = {class_: Type(name), "longer": VARCHAR}
            yield tuple(_filled(each, variables) for each in self.parameters), _filled(self.result, variables)

    def takes(self, count: int) -> bool:
        """Tell whether it takes this number of arguments."""
        return count == len(self.parameters) or (self.variadic and count >= len(self.parameters) - 1)


@dataclass(frozen=True)
class Match:
    """A signature that fits a call: the types to cast the arguments to, and the types of its variables."""

    signature: Signature
    types: tuple[Type, ...]
    variables: dict[str, Type]

    @property
    def result(self) -> Type:
        """The type of the call."""
        return resolve(self.signature.result, self.variables)


def resolve(pattern: Type, variables: dict[str, Type]) -> Type:
    """Return a signature's type with its variables filled in; an unbound variable becomes unknown."""
    if pattern.name in _VARIABLES and not (pattern.name == "decimal" and pattern.parameters):
        return variables.get(pattern.name, Type("unknown"))
    return replace(pattern, items=tuple(resolve(item, variables) for item in pattern.items))


def _parts(kind: Type) -> Iterator[Type]:
    yield kind
    for item in kind.items:
        yield from _parts(item)


def _filled(pattern: Type, variables: dict[str, Type]) -> Type:
    """Return a type with the given variables filled in, and the others left as they are."""
    if pattern.name in variables:
        return variables[pattern.name]
    return replace(pattern, items=tuple(_filled(item, variables) for item in pattern.items))


def match(signature: Signature, given: Sequence[Type | None]) -> Match | None:
    """Match a signature with the types of a call's arguments; None if it doesn't fit.

    A lambda's type is given as None: it is typed after the other arguments.
    """
    if not signature.takes(len(given)):
        return None
    variables: dict[str, Type] = {}
    for number, kind in enumerate(given):
        pattern = signature.parameter(number)
        if (kind is None) != (pattern.name == "function"):
            return None
        if kind is not None and not _bind(pattern, kind, variables):
            return None
    # Trino's sum of decimals always has 38 digits, so that it doesn't overflow its arguments' precision.
    if signature.name == "sum" and "decimal" in variables:
        variables["decimal"] = decimal(38, variables["decimal"].parameters[1])
    if signature.result.name == "longer":
        variables["longer"] = _longer(signature.name, given)
    types = tuple(
        signature.parameter(n) if kind is None else resolve(signature.parameter(n), variables)
        for n, kind in enumerate(given)
    )
    return Match(signature, types, variables)


def _bind(pattern: Type, given: Type, variables: dict[str, Type]) -> bool:
    if pattern.name in _VARIABLES:
        allowed = _CLASSES.get(pattern.name)
        if allowed and given.name not in (*allowed, "unknown"):
            return False
        # char(n) arguments count as varchar(n): the functions of texts have no signature for char.
        if pattern.name == "text":
            given = Type("varchar", given.parameters)
        if pattern.name == "decimal" and given.name == "unknown":
            given = as_decimal(given)
        # f(T, T) with integer and double is f(double, double): the variable widens with each argument.
        common = common_type(variables[pattern.name], given) if pattern.name in variables else given
        if common is None:
            return False
        variables[pattern.name] = common
        return True
    if pattern.items and given.name == pattern.name and len(given.items) == len(pattern.items):
        return all(_bind(*pair, variables) for pair in zip(pattern.items, given.items, strict=True))
    if pattern.items:
        return given.name == "unknown"
    return coerces(given, pattern)


_LONGER: dict[str, Callable[..., int]] = {
    "regexp_replace": lambda text, pattern, by: text + max(text * by // 2, by) * (text + 1),
    "replace": lambda text, part, by: text + by * (text + 1),
    "url_encode": lambda text: 12 * text,
}


def _longer(name: str, given: Sequence[Type | None]) -> Type:
    """Return the varchar of a result that may be longer than its arguments; bounded if all their lengths are known."""
    lengths = [kind.parameters[0] for kind in given if kind and kind.name == "varchar" and kind.parameters]
    return varchar(min(UNBOUNDED, _LONGER[name](*lengths))) if len(lengths) == len(given) else VARCHAR


def best_match(name: str, given: Sequence[Type | None]) -> Match | None:
    """Return the signature that a call means: the one that needs the fewest casts; None if none fits."""
    matches = [found for each in signatures().get(name, ()) if (found := match(each, given))]
    # min() keeps the first of equals, so the order in functions.txt decides between them.
    return min(matches, key=lambda found: _casts(found, given), default=None)


def _casts(found: Match, given: Sequence[Type | None]) -> int:
    return sum(kind is not None and kind.name != wanted.name for kind, wanted in zip(given, found.types, strict=True))


@cache
def signatures() -> dict[str, tuple[Signature, ...]]:
    """Return every function of the table by name, with its signatures in the table's order."""
    found: dict[str, tuple[Signature, ...]] = {}
    for signature in _read():
        found[signature.name] = (*found.get(signature.name, ()), signature)
    return found


@cache
def not_here() -> frozenset[str]:
    """Return the names of Athena's functions that the sandbox doesn't support."""
    lines = resources.files(__package__).joinpath("not_here.txt").read_text().splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def _read() -> Iterator[Signature]:
    text = resources.files(__package__).joinpath("functions.txt").read_text()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            parts = _LINE.match(line)
            if not parts:
                raise ValueError(f"functions.txt: {line}")
            kind, name, parameters, result, template = parts.groups()
            yield Signature(
                name,
                kind or "scalar",
                tuple(parse_type(each, _VARIABLES) for each in _split(parameters.removesuffix("..."))),
                parameters.endswith("..."),
                parse_type(result, _VARIABLES),
                template or ("@" + name if kind else f"{name}({{args}})"),
            )


def _split(parameters: str) -> Iterator[str]:
    """Split a parameter list at the commas outside of parentheses."""
    depth, start = 0, 0
    for place, letter in enumerate(parameters):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield parameters[start:place]
            start = place + 1
    if parameters:
        yield parameters[start:]
