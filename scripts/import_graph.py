"""Which module of labkit imports which, and the circles among them.

Imports inside functions and those for type checking count too: a reader has to open these files as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def modules() -> dict[str, Path]:
    """Every module of labkit, by its dotted name."""
    paths = (PROJECT / "labkit").rglob("*.py")
    return {".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imported(tree: ast.AST, known: set[str]) -> Iterator[str]:
    """What a module imports of labkit, inside functions and for type checking too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            names = [f"{node.module}.{each.name}" for each in node.names]
            yield from (name if name in known else node.module for name in names)


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that reach each other."""

    def reached(start: str) -> set[str]:
        found, left = set(), [start]
        while left:
            left.extend(new := graph[left.pop()] - found)
            found |= new
        return found

    reach = {name: reached(name) for name in graph}
    tied = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph if name in reach[name]}
    return [set(each) for each in tied]


def graph() -> dict[str, set[str]]:
    """What each module imports of labkit."""
    found = modules()
    return {name: set(imported(ast.parse(path.read_text()), set(found))) - {name} for name, path in found.items()}
