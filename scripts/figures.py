"""Prints the figures that code and notebooks have to keep, and fails if one is out of bounds."""

from __future__ import annotations

import ast
import io
import json
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import import_graph

PROJECT = Path(__file__).parents[1]
EMBEDDED_IMAGE = re.compile(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")
WHERE_THERE_IS_A_WHY = {
    "compilers": (
        "sandbox/athena/dialect",
        "sandbox/athena/statements",
        "sandbox/logs/insights",
        "sandbox/logs/filter_patterns",
    ),
    "alarms": ("sandbox/alarms",),
    "journal and kernel": ("sandbox/kernel", "sandbox/journal.py", "sandbox/keeper.py", "sandbox/state.py"),
    "moto's room": ("sandbox/moto", "sandbox/moto_state"),
}
LEAST_COMMENTS = 0.0
"""3 is what other projects have where there is a why; this bound goes up with them, and never down."""
TABLES = [path for ending in ("json", "tsv") for path in (PROJECT / "tests").rglob(f"*.{ending}")]
_NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
LINK_OR_TAG = re.compile(r"!?\[([^]]*)\]\([^)]*\)|<[^>]*>")


@dataclass(frozen=True)
class Figure:
    """One figure, and the bounds it has to keep."""

    name: str
    value: float
    at_least: float = float("-inf")
    at_most: float = float("inf")

    @property
    def holds(self) -> bool:
        """Whether the figure is within its bounds."""
        return self.at_least <= self.value <= self.at_most

    def __str__(self) -> str:
        bounds = [f">= {self.at_least:g}"] * (self.at_least > float("-inf"))
        bounds += [f"<= {self.at_most:g}"] * (self.at_most < float("inf"))
        return f"{'ok  ' if self.holds else 'OUT '} {self.name:<58} {self.value:>8.2f}  {' and '.join(bounds)}"


def notebook_figures(path: Path) -> Iterator[Figure]:
    """The figures of one notebook."""
    cells = json.loads(path.read_text())["cells"]
    prose = [_text(cell) for cell in cells if cell["cell_type"] == "markdown"]
    code = [_code_lines(cell) for cell in cells if cell["cell_type"] == "code"]
    words = sum(len(LINK_OR_TAG.sub(r"\1", text).split()) for text in prose)
    heading_only = sum(all(line.startswith("#") for line in text.splitlines() if line.strip()) for text in prose)
    yield Figure(f"{path.stem}: cells", len(cells), at_least=25, at_most=45)
    yield Figure(f"{path.stem}: share of prose cells", len(prose) / len(cells), at_least=0.5)
    yield Figure(f"{path.stem}: words for a line of code", words / max(1, sum(code)), at_least=12)
    yield Figure(f"{path.stem}: share of prose cells that are a heading only", heading_only / len(prose), at_most=0.1)
    yield Figure(f"{path.stem}: lines of a code cell, median", statistics.median(code), at_most=4)
    yield Figure(f"{path.stem}: lines of a code cell, longest", max(code), at_most=20)
    yield Figure(f"{path.stem}: size in KB", path.stat().st_size / 1000, at_most=100)
    yield Figure(f"{path.stem}: largest image in KB", max(_image_sizes(cells), default=0), at_most=60)


def source_figures() -> Iterator[Figure]:
    """The figures of the package and its tests."""
    files = sorted((PROJECT / "labkit").rglob("*.py"))
    trees = [ast.parse(file.read_text()) for file in files]
    lengths = [len(file.read_text().splitlines()) for file in files]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    sizes = sorted(_length(function) for function in functions)
    public = [function for tree in trees for function in _public_functions(tree)]
    parameters = sorted(len(function.args.posonlyargs + function.args.args) for function in functions)
    test_lines = sum(len(file.read_text().splitlines()) for file in (PROJECT / "tests").rglob("*.py"))
    yield Figure("source: lines of the longest file", max(lengths), at_most=600)
    yield Figure("source: files over 400 lines", sum(length > 400 for length in lengths), at_most=3)
    yield Figure("source: lines of a function, median", statistics.median(sizes), at_most=8)
    yield Figure("source: lines of a function, nine in ten", sizes[int(len(sizes) * 0.9)], at_most=25)
    yield Figure("source: lines of the longest function", sizes[-1], at_most=60)
    yield Figure("source: positional parameters, nine in ten", parameters[int(len(parameters) * 0.9)], at_most=4)
    yield Figure("source: share of functions with a return type", _share(functions, lambda f: f.returns), at_least=1)
    yield Figure("source: share of modules with a docstring", _share(trees, ast.get_docstring), at_least=1)
    yield Figure("source: share of public functions with a docstring", _share(public, ast.get_docstring), at_least=0.9)
    circles = import_graph.circles(import_graph.graph())
    yield Figure("source: files in the largest circle of imports", max(map(len, circles), default=0), at_most=5)
    for room, folders in WHERE_THERE_IS_A_WHY.items():
        yield Figure(
            f"source: comments for 100 lines of code, {room}", comment_density(folders), at_least=LEAST_COMMENTS
        )
    yield Figure("tests: lines of Python for a line of source", test_lines / sum(lengths), at_least=0.85)
    yield Figure("tests: cases in tables beside them", sum(map(_cases, TABLES)), at_least=2000)


def comment_density(folders: tuple[str, ...]) -> float:
    """Return comments per 100 lines of code in these folders and files; docstrings and blank lines count as neither."""
    comments = code = 0
    for folder in folders:
        place = PROJECT / "labkit" / folder
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            lines: set[int] = set()
            for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
                comments += token.type == tokenize.COMMENT
                if token.type not in _NOT_CODE:
                    lines.update(range(token.start[0], token.end[0] + 1))
            code += len(lines) - sum(_length(each) for each in _docstrings(ast.parse(file.read_text())))
    return 100 * comments / code


def _docstrings(tree: ast.AST) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield from (n for n in body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))


def _cases(path: Path) -> int:
    """How many cases a table of tests holds: rows of a list, or of the lists in an object."""
    if path.suffix == ".tsv":
        return len(path.read_text().splitlines())
    table = json.loads(path.read_text())
    parts = table.values() if isinstance(table, dict) else [table]
    return sum(len(part) if isinstance(part, list | dict) else 1 for part in parts)


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions of a module and the methods of its public classes; not what they define within."""
    scopes = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for scope in scopes:
        yield from (n for n in scope.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_"))


def _share(items: list, has: object) -> float:
    return sum(bool(has(item)) for item in items) / len(items)


def _length(function: ast.stmt) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _text(cell: dict) -> str:
    return "".join(cell["source"])


def _code_lines(cell: dict) -> int:
    return sum(bool(line.strip()) for line in _text(cell).splitlines())


def _image_sizes(cells: list[dict]) -> Iterator[float]:
    for cell in cells:
        for output in cell.get("outputs", []):
            for kind, data in output.get("data", {}).items():
                if kind.startswith("image/"):
                    yield len("".join(data)) * 3 / 4 / 1000
                for embedded in EMBEDDED_IMAGE.findall("".join(data)):
                    yield len(embedded) * 3 / 4 / 1000


def main() -> int:
    """Print every figure; 1 where one is out of bounds."""
    figures = list(source_figures())
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        figures += notebook_figures(path)
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
