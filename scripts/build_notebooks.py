"""Builds the notebooks, and what goes with them, from their one source: notebooks/source/*.md and the table of phases.

A source is a notebook in jupytext's Markdown format. Tags say what a cell is for: `exercise` (the task, and the cell to
do it in), `hint` (two of them, the second pointing back to a passage), `solution`, `instructor` (a note for whoever
teaches). Title, card, navigation and hints cell are written by this script from labkit/lab/syllabus.toml. A price is
written as `{price:alarm}`, with its name in labkit/lab/prices.toml.

    build_notebooks.py               writes the learner's notebooks, their pictures and labkit/checks/exercises.json
    build_notebooks.py --check       writes nothing, names what is stale, and ends with status 1 if anything is
    build_notebooks.py --instructor  writes the instructor's copies, solutions and notes included, to build/instructor/

Outputs stay with the cells whose source didn't change; `labkit run --update` renews them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from labkit.lab.prices import prices, usd
from labkit.lab.settings import DEFAULT_REGION
from labkit.lab.syllabus import PHASES, START, Phase

PROJECT = Path(__file__).parents[1]
NOTEBOOKS = PROJECT / "notebooks"
EXERCISES = PROJECT / "labkit" / "checks" / "exercises.json"
INSTRUCTOR = PROJECT / "build" / "instructor"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
ALL = (START, *PHASES)
FADING = ("Every command", "Goal only", "Specification")
"""The help that the exercises of a notebook give, the first one most."""

PRICE = re.compile(r"\{price:(\w+)\}")

Cell = Any


class SourceError(Exception):
    """A source is wrong; the message names it and says what to do."""


@dataclass(frozen=True)
class Source:
    """One notebook's source: its phase, and its cells with their tags."""

    phase: Phase
    cells: tuple[Cell, ...]

    @property
    def exercises(self) -> list[dict[str, Any]]:
        """The exercises with their hints and solutions, as `hints` shows them."""
        found: list[dict[str, Any]] = []
        for cell in self.cells:
            kind = tag_of(cell)
            if kind == "exercise" and cell.cell_type == "markdown":
                found.append({"task": title_of(cell.source, self.phase), "hints": [], "solution": "", "because": ""})
            elif kind == "hint":
                found[-1]["hints"].append(cell.source)
            elif kind == "solution":
                found[-1]["because" if cell.cell_type == "markdown" else "solution"] = cell.source
        return found


def read_source(phase: Phase) -> Source:
    """Read the source of a phase's notebook; raise SourceError if an exercise lacks something."""
    path = NOTEBOOKS / "source" / f"{phase.notebook}.md"
    notebook = jupytext.reads(with_prices(path.read_text("utf-8"), path.name), fmt="md")
    source = Source(phase, tuple(notebook.cells))
    for exercise in source.exercises:
        if not exercise["task"].startswith(FADING):
            raise SourceError(f"{path.name}: {exercise['task']!r} begins with none of {', '.join(FADING)}")
        if len(exercise["hints"]) != 2 or not (exercise["solution"] or exercise["because"]):
            raise SourceError(
                f"{path.name}: the exercise {exercise['task']!r} has {len(exercise['hints'])} hints; "
                "give it two cells tagged hint and one tagged solution"
            )
    return source


def with_prices(text: str, name: str) -> str:
    """The text of a source with its prices filled in, as `0.50 USD`: between two dollar signs would be mathematics.

    They are those of the lab's own region. SourceError for one that isn't known.
    """
    known = prices(DEFAULT_REGION).usd
    if unknown := sorted(set(PRICE.findall(text)) - set(known)):
        raise SourceError(f"{name}: there is no price {unknown[0]!r}; labkit/lab/prices.toml has {', '.join(known)}")
    return PRICE.sub(lambda match: f"{usd(known[match[1]])[1:]} USD", text)


def learner_copy(source: Source) -> Any:
    """Return the learner's copy: no solutions, no notes, and a cell with hints after the exercises."""
    cells: list[Cell] = []
    solutions = [place for place, cell in enumerate(source.cells) if tag_of(cell) == "solution"]
    for place, cell in enumerate(source.cells):
        if tag_of(cell) in (None, "exercise"):
            cells.append(plain(cell))
        if solutions and place == solutions[-1]:
            cells += hints_cells(source.phase)
    return finished(joined(cells), source.phase)


def joined(cells: list[Cell]) -> list[Cell]:
    """The cells with prose that follows on prose in one cell, for what stood between them isn't for learners.

    The first one stays by itself: the card follows on it.
    """
    result: list[Cell] = []
    for cell in cells:
        if len(result) > 1 and cell.cell_type == result[-1].cell_type == "markdown":
            result[-1].source += f"\n\n{cell.source}"
        else:
            result.append(cell)
    return result


def instructor_copy(source: Source) -> Any:
    """Return the instructor's copy: everything, with hints and notes labelled, and solutions as cells that run."""
    notebook = finished([instructor_cell(cell) for cell in source.cells], source.phase)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r'((?:\]\(|src="))(\.\./|images/)', _from_build, cell.source)
    return notebook


def instructor_cell(cell: Cell) -> Cell:
    """A cell of the source as the instructor's copy has it."""
    heads = {"hint": "**Hint.** ", "instructor": "**For the instructor.** ", "solution": "**Why.** "}
    head = heads.get(tag_of(cell) or "")
    if head and cell.cell_type == "markdown":
        quoted = "\n".join(f"> {line}".rstrip() for line in f"{head}{cell.source}".splitlines())
        return new_markdown_cell(quoted)
    return plain(cell)


def finished(cells: list[Cell], phase: Phase) -> Any:
    """A notebook of these cells with title, card and navigation, each cell with an id made from its source."""
    first, last = cells[0], cells[-1]
    first.source = f"# {heading(phase)}\n\n{first.source}\n\n{card(phase)}\n\n{navigation(phase)}"
    if coming := neighbour(phase, 1):
        last.source = f"{last.source}\n\n**Next:** {link(coming)}, {coming.teaser}"
    seen: dict[str, int] = {}
    for cell in cells:
        name = sha256(cell.source.encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return new_notebook(cells=cells, metadata=METADATA)


def hints_cells(phase: Phase) -> list[Cell]:
    """The cell that gives hints for the exercises, and the words that lead to it."""
    lead = "Stuck? Each has three hints: a nudge, the passage that taught it, the solution. Take one at a time:"
    return [new_markdown_cell(lead), new_code_cell(f'hints("{phase.key}")')]


def heading(phase: Phase) -> str:
    """The title of a notebook."""
    return phase.title if phase is START else f"{phase.number:02d} · {phase.title}"


def card(phase: Phase) -> str:
    """What the phase is for, how long it takes, what it costs and leaves: a picture and a table."""
    waiting = f", and on AWS up to {phase.waiting} more of waiting" if phase.waiting else ""
    rows = [
        ("Goal", phase.goal),
        ("Time", f"{phase.minutes} minutes{waiting}"),
        ("Cost on AWS", cost(phase)),
        ("Left behind", left_behind(phase)),
    ]
    table = "\n".join(["| | |", "|---|---|", *(f"| **{name}** | {text} |" for name, text in rows)])
    if not phase.picture:
        return table
    return f'<img src="images/{phase.notebook}.svg" alt="{phase.picture}" width="560">\n\n{table}'


def cost(phase: Phase) -> str:
    """What the phase costs, and whose price that is."""
    if phase.cost_of_all:
        return phase.cost_of_all
    known = prices(DEFAULT_REGION)
    return f"{phase.cost} ([list prices](../labkit/lab/prices.toml) of {known.priced_as}, {known.read_on})"


def left_behind(phase: Phase) -> str:
    """What the phase leaves, and until when."""
    stays = phase is not START and phase is not PHASES[-1] and phase.left_behind != "nothing"
    return f"{phase.left_behind}, until {link(PHASES[-1])}" if stays else phase.left_behind


def navigation(phase: Phase) -> str:
    """Links to the notebooks before and after, and to what every notebook links to."""
    links = [
        f"{name}{link(other)}"
        for name, other in (("", neighbour(phase, -1)), ("next: ", neighbour(phase, 1)))
        if other is not None
    ]
    return " · ".join([*links, "[glossary](../docs/glossary.md)", "[cheat sheet](../docs/cheat_sheet.md)"])


def neighbour(phase: Phase, step: int) -> Phase | None:
    """The phase before (-1) or after (1)."""
    place = phase.number + step
    return ALL[place] if 0 <= place < len(ALL) else None


def link(phase: Phase) -> str:
    """A link to a phase's notebook."""
    return f"[{phase.number:02d} {phase.short}]({phase.notebook}.ipynb)"


def picture(phase: Phase) -> str:
    """The picture of what is built, with the phase's own parts lit and the others dim."""
    namespace = "http://www.w3.org/2000/svg"
    ElementTree.register_namespace("", namespace)
    root = ElementTree.fromstring((NOTEBOOKS / "images" / "what_we_build.svg").read_text("utf-8"))
    parts = {group.get("id"): group for group in root.findall(f"{{{namespace}}}g")}
    if strange := set(phase.lit) - set(parts):
        raise SourceError(f"syllabus.toml lights {sorted(strange)} for {phase.key}; the picture has {sorted(parts)}")
    for name, group in parts.items():
        if name not in phase.lit:
            group.set("opacity", "0.45")
    title = root.find(f"{{{namespace}}}title")
    if title is not None:
        title.text = heading(phase)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def title_of(task: str, phase: Phase) -> str:
    """An exercise's name, the bold words that its task begins with."""
    match = re.match(r"(?:## Try it[^\n]*\s+)?\*\*(.+?)\*\*", task)
    if not match:
        raise SourceError(f"{phase.notebook}.md: an exercise begins with its name in bold, not with {task[:40]!r}")
    return match[1].rstrip(".")


def tag_of(cell: Cell) -> str | None:
    """What a cell is for; None for one that everybody sees."""
    tags = cell.metadata.get("tags", [])
    return tags[0] if tags else None


def plain(cell: Cell) -> Cell:
    """Return the cell with its text only."""
    return (new_markdown_cell if cell.cell_type == "markdown" else new_code_cell)(cell.source)


def with_outputs_of(notebook: Any, before: Any) -> Any:
    """Return the notebook with the old outputs of cells whose source is the same; repeated sources match in order."""
    kept: dict[str, list[Cell]] = {}
    for cell in before.cells:
        if cell.cell_type == "code" and cell.execution_count:
            kept.setdefault(cell.source, []).append(cell)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        if kept.get(cell.source):
            cell.outputs = kept[cell.source].pop(0).outputs
            cell.execution_count = number
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = number
    return notebook


def built() -> Iterator[tuple[Path, str]]:
    """Every file that is made from the sources, with its text."""
    sources = [read_source(phase) for phase in ALL]
    for source in sources:
        path = NOTEBOOKS / f"{source.phase.notebook}.ipynb"
        notebook = learner_copy(source)
        if path.exists():
            notebook = with_outputs_of(notebook, nbformat.read(path, as_version=4))
        yield path, nbformat.writes(notebook) + "\n"
    for phase in PHASES:
        yield NOTEBOOKS / "images" / f"{phase.notebook}.svg", picture(phase)
    exercises = {source.phase.key: source.exercises for source in sources if source.exercises}
    yield EXERCISES, json.dumps(exercises, indent=1, ensure_ascii=False) + "\n"


def stale() -> list[Path]:
    """Return the files that differ from what the sources produce."""
    return [path for path, text in built() if not path.exists() or path.read_text("utf-8") != text]


def write_instructor_copies(folder: Path = INSTRUCTOR) -> list[Path]:
    """Write the instructor's copies; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for phase in ALL:
        path = folder / f"{phase.notebook}.ipynb"
        nbformat.write(instructor_copy(read_source(phase)), path)
        paths.append(path)
    return paths


def main(arguments: list[str] | None = None) -> int:
    """Build, or say what is stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="name what is stale instead of writing it")
    what.add_argument("--instructor", action="store_true", help="write the instructor's copies to build/instructor/")
    options = parser.parse_args(arguments)
    try:
        if options.instructor:
            print(f"{len(write_instructor_copies())} notebooks with solutions and notes: {INSTRUCTOR}")
            return 0
        doomed = stale()
        if options.check:
            for path in doomed:
                print(f"stale: {path.relative_to(PROJECT)}; run `make notebooks`", file=sys.stderr)
            return 1 if doomed else 0
        for path, text in list(built()):
            if path in doomed:
                path.write_text(text, "utf-8")
                print(f"wrote {path.relative_to(PROJECT)}")
    except SourceError as error:
        print(f"build_notebooks: {error}", file=sys.stderr)
        return 1
    return 0


def _from_build(match: re.Match[str]) -> str:
    """A path as build/instructor/ has to write it: notebooks/ is not where the copies lie."""
    return f"{match[1]}../../{'notebooks/images/' if match[2] == 'images/' else ''}"


if __name__ == "__main__":
    sys.exit(main())
