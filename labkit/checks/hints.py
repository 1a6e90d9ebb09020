"""Hints in three rungs, given one at a time: a nudge, the passage that taught it, the way to do it.

With a running kernel, a button gives the next hint, and the learner's progress file records it. Without widgets (in the
HTML book, on GitHub, in a test) the hints are folded, each inside the one before it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.checks.items import Item
from labkit.lab import progress
from labkit.lab.errors import LabError
from labkit.lab.syllabus import Phase, find_phase
from labkit.show.html import Html, folded, join, marked_up, tag
from labkit.show.shown import Shown

VIEW = "application/vnd.jupyter.widget-view+json"
RUNGS = ("a nudge", "where it is taught", "the way to do it")
_CODE = "white-space:pre-wrap;overflow-wrap:anywhere"


@dataclass(frozen=True)
class Rung:
    """One hint: words, code if code says it best, and what to notice in the code."""

    text: str
    code: str = ""
    because: str = ""

    def html(self) -> Html:
        """The hint as HTML."""
        code = tag("pre", self.code, style=_CODE) if self.code else ""
        return join((*_paragraphs(self.text), code, *_paragraphs(self.because)))

    def plain(self) -> str:
        """The hint as text."""
        return "\n".join(filter(None, (self.text, self.code, self.because)))


def _paragraphs(text: str) -> Iterator[Html]:
    return (tag("p", marked_up(part)) for part in text.split("\n\n") if part)


@dataclass(frozen=True)
class Ladder:
    """The hints for one exercise, or for one item of a check."""

    phase: Phase
    name: str
    rungs: tuple[Rung, ...]

    def folded(self) -> Html:
        """The hints, each folded inside the one before it."""
        inner = Html("")
        for place in range(len(self.rungs) - 1, -1, -1):
            inner = folded(f"Hint {place + 1}: {RUNGS[place]}", self.rungs[place].html(), inner)
        return inner

    def take(self, place: int) -> Rung:
        """Return the hint at that place, counted from 1, and record that the learner took it."""
        progress.note_hint(self.phase.key, self.name, place)
        return self.rungs[place - 1]

    def take_next(self) -> tuple[int, Rung]:
        """Return the first hint that wasn't taken yet and its place, or else the last one."""
        place = min(progress.hints_used(self.phase.key, self.name) + 1, len(self.rungs))
        return place, self.take(place)

    def button(self) -> Any:
        """Return a button that gives a hint at each press, and the place where hints appear.

        After the last one it hides them and shows them again: a button that is disabled while it has the keyboard's
        focus loses it, and a keyboard user would have to begin at the top of the page. The newest hint is an alert,
        which a screen reader says aloud.
        """
        import ipywidgets

        given, is_open = 0, True
        shown = ipywidgets.HTML()
        button = ipywidgets.Button(tooltip=f"Hint for: {self.name}", layout={"width": "auto"})
        button.add_class("labkit-hint")

        def label() -> None:
            if given < len(self.rungs):
                button.description = f"Hint {given + 1}: {RUNGS[given]}"
            else:
                button.description = "Hide the hints" if is_open else "Show the hints again"

        def press(_: Any) -> None:
            nonlocal given, is_open
            if given < len(self.rungs):
                given += 1
                self.take(given)
                shown.value = join(_given(place, rung, given) for place, rung in enumerate(self.rungs[:given], 1))
            else:
                is_open = not is_open
                shown.layout.display = "" if is_open else "none"
            label()

        button.on_click(press)
        label()
        return ipywidgets.VBox([button, shown])


def _given(place: int, rung: Rung, newest: int) -> Html:
    return tag("div", tag("strong", f"Hint {place}"), rung.html(), role="alert" if place == newest else "")


@dataclass(frozen=True, repr=False)
class Hints(Shown):
    """The hints for the exercises of one phase."""

    ladders: tuple[Ladder, ...]

    def text(self) -> str:
        """The exercises that have hints; the hints themselves come only on request."""
        return "\n".join(f"{number}. {ladder.name}: {_count(ladder)}" for number, ladder in enumerate(self.ladders, 1))

    def html(self) -> Html:
        """Each exercise with its hints folded."""
        return tag("div", *(tag("div", _title(ladder), ladder.folded()) for ladder in self.ladders))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return with_widget(self, self.build())

    def build(self) -> Any:
        """Each exercise with a button."""
        import ipywidgets

        rows = [(ipywidgets.HTML(_title(ladder)), ladder.button()) for ladder in self.ladders]
        return ipywidgets.VBox([widget for row in rows for widget in row])


def hints(name: str | int | Phase) -> Hints:
    """The hints for the exercises of a phase, by its key or number as for `check`."""
    phase = find_phase(name)
    found = _exercises().get(phase.key)
    if not found:
        raise LabError(f'The phase "{phase.key}" has no exercises, so it has no hints for them: choose another phase.')
    return Hints(tuple(_exercise_ladder(phase, entry) for entry in found))


def item_ladder(phase: Phase, item: Item) -> Ladder:
    """Return the hints for an item that isn't right: the item's own, then what its phase says about such items."""
    known = _check_hints()[phase.key]
    entry = next((entry for entry in known if item.name.startswith(entry["item"])), known[-1])
    passage = f"`{phase.notebook}`, {entry['passage']}, is about this. Read it again with what the check has seen."
    return Ladder(phase, item.name, (Rung(item.hint), Rung(passage), Rung(entry.get("words", ""), entry["show"])))


def with_widget(shown: Shown, widget: Any) -> dict[str, Any]:
    """Return what a cell shows: the widget, if one can be shown, with the static rendering beside it."""
    view = widget._repr_mimebundle_()[VIEW]
    return {"text/plain": repr(shown), "text/html": shown._repr_html_(), VIEW: view}


def _exercise_ladder(phase: Phase, entry: Mapping[str, Any]) -> Ladder:
    nudge, passage = entry["hints"]
    last = Rung("", entry["solution"], entry["because"])
    return Ladder(phase, entry["task"], (Rung(nudge), Rung(passage), last))


def _title(ladder: Ladder) -> Html:
    return tag("p", tag("strong", ladder.name))


def _count(ladder: Ladder) -> str:
    return f"{len(ladder.rungs)} hints"


@cache
def _exercises() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    found: Mapping[str, Sequence[Mapping[str, Any]]] = json.loads(
        files("labkit.checks").joinpath("exercises.json").read_text("utf-8")
    )
    return found


@cache
def _check_hints() -> Mapping[str, Sequence[Mapping[str, str]]]:
    return tomllib.loads(files("labkit.checks").joinpath("check_hints.toml").read_text("utf-8"))
