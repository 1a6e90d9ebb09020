"""Prints the figures that the code and the notebooks are held to, and fails where one is out of bounds."""

from __future__ import annotations

import ast
import json
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
EMBEDDED_IMAGE = re.compile(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)")
WHAT_TO_DO = re.compile(
    r"\b(use|run|try|choose|set|unset|give|delete|start|draw|keep|drop|correct|leave|write|name|remove|install|wait|fetch|"
    r"type|see|must|should|has to|put|take|look it up|open the|confirm|_?advice\w*|next_step)\b",
    re.IGNORECASE,
)
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
    test_lines += sum(len(file.read_text().splitlines()) for file in (PROJECT / "tests").rglob("*.json"))
    yield Figure("source: lines of the longest file", max(lengths), at_most=600)
    yield Figure("source: files over 400 lines", sum(length > 400 for length in lengths), at_most=3)
    yield Figure("source: lines of a function, median", statistics.median(sizes), at_most=8)
    yield Figure("source: lines of a function, nine in ten", sizes[int(len(sizes) * 0.9)], at_most=25)
    yield Figure("source: lines of the longest function", sizes[-1], at_most=60)
    yield Figure("source: positional parameters, nine in ten", parameters[int(len(parameters) * 0.9)], at_most=4)
    raised = [
        message for file in files if "sandbox" not in file.parts for message in _raised(ast.parse(file.read_text()))
    ]
    yield Figure("source: share of labkit's own errors that carry a value", _share(raised, _has_value), at_least=0.9)
    yield Figure(
        "source: share of labkit's own errors that say what to do", _share(raised, _says_what_to_do), at_least=0.9
    )
    yield Figure("source: share of functions with a return type", _share(functions, lambda f: f.returns), at_least=1)
    yield Figure("source: share of modules with a docstring", _share(trees, ast.get_docstring), at_least=1)
    yield Figure("source: share of public functions with a docstring", _share(public, ast.get_docstring), at_least=0.9)
    yield Figure("tests: lines for a line of source", test_lines / sum(lengths), at_least=1.2)


def _public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """The functions of a module and the methods of its public classes; not what they define within."""
    scopes = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    for scope in scopes:
        yield from (n for n in scope.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_"))


def _raised(tree: ast.Module) -> Iterator[ast.Call]:
    """What is raised with a message. The sandbox's errors are left out: they are worded as AWS words them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            yield node.exc


def _has_value(error: ast.Call) -> bool:
    return any(
        isinstance(part, ast.FormattedValue) or not isinstance(part, ast.Constant | ast.JoinedStr | ast.expr_context)
        for argument in error.args
        for part in ([argument, *ast.walk(argument)])
    )


def _says_what_to_do(error: ast.Call) -> bool:
    """By the words that such a sentence has; a message made elsewhere is counted for its advice alone, by that name."""
    told = [*error.args, *(keyword.value for keyword in error.keywords)]
    return bool(WHAT_TO_DO.search(" ".join(map(ast.unparse, told))))


def _share(items: list, has: object) -> float:
    return sum(bool(has(item)) for item in items) / len(items)


def _length(function: ast.FunctionDef) -> int:
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
    """Prints every figure; 1 where one is out of bounds."""
    figures = list(source_figures())
    for path in sorted((PROJECT / "notebooks").glob("*.ipynb")):
        figures += notebook_figures(path)
    for figure in figures:
        print(figure)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
