"""Three questions at the end of a notebook: choose an answer and read what speaks for or against it.

The answers fold, so they need no kernel and no widget: they work in Jupyter, in the HTML book and by keyboard alone.
Opening an answer closes the one before.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from labkit.lab.syllabus import Phase, find_phase
from labkit.show.html import Html, folded, join, tag
from labkit.show.shown import Shown

_LETTERS = "abcd"


@dataclass(frozen=True)
class Answer:
    """One possible answer, and its feedback."""

    text: str
    right: bool
    feedback: str


@dataclass(frozen=True)
class Question:
    """One question with its answers."""

    text: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, repr=False)
class Quiz(Shown):
    """The questions of one phase."""

    title: str
    questions: tuple[Question, ...]

    def text(self) -> str:
        """The questions and the answers to choose from, without the feedback."""
        lines = [f"Questions: {self.title}"]
        for number, question in enumerate(self.questions, 1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   {letter}) {answer.text}" for letter, answer in zip(_LETTERS, question.answers, strict=False)]
        return "\n".join(lines)

    def html(self) -> Html:
        """The questions, each answer unfolding to its feedback."""
        parts = (_question_html(question, f"{self.title} {n}") for n, question in enumerate(self.questions, 1))
        return tag("div", join(parts), style="max-width:50em")


def quiz(name: str | int | Phase) -> Quiz:
    """The questions of a phase, by its key or number as for `check`."""
    phase = find_phase(name)
    return Quiz(phase.title, tuple(map(_question, _questions()[phase.key])))


@cache
def _questions() -> dict[str, list[Mapping[str, Any]]]:
    return tomllib.loads(files("labkit.show").joinpath("quiz.toml").read_text("utf-8"))


def _question(entry: Mapping[str, Any]) -> Question:
    return Question(entry["question"], tuple(Answer(**answer) for answer in entry["answers"]))


def _question_html(question: Question, group: str) -> Html:
    """Render a question. Its answers share a name, so that browsers close one when another opens."""
    answers = (tag("li", folded(answer.text, _feedback_html(answer), name=group)) for answer in question.answers)
    return tag("div", tag("p", tag("strong", question.text)), tag("ul", join(answers), style="list-style:none"))


def _feedback_html(answer: Answer) -> Html:
    return tag("p", tag("strong", "Yes. " if answer.right else "No. "), answer.feedback)
