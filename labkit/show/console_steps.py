"""The steps of the lab in the AWS console, folded, with the learner's own values filled in.

Most learners who get lost do so at a placeholder: they paste a literal `{BUCKET_NAME}`, or keep the example's region.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from labkit.lab.errors import LabError
from labkit.show.html import Html, folded, join, marked_up, tag
from labkit.show.shown import Shown

if TYPE_CHECKING:
    from labkit.lab.session import Lab


OFFERED = 3
"""How many similar actions an error names for an unknown action."""


class UnknownAction(LabError, LookupError):
    """An action that has no steps in the console."""


@dataclass(frozen=True, repr=False)
class ConsoleSteps(Shown):
    """What to click for one action of the lab; text between backticks is a value to type or to look for."""

    title: str
    steps: tuple[str, ...]

    def text(self) -> str:
        """The steps, numbered."""
        return "\n".join([self._summary(), *(f"  {number}. {step}" for number, step in enumerate(self.steps, 1))])

    def html(self) -> Html:
        """The steps as a list that opens when its summary is chosen."""
        return folded(self._summary(), tag("ol", join(tag("li", marked_up(step)) for step in self.steps)))

    def _summary(self) -> str:
        return f"In the console: {self.title}"


def in_console(lab: Lab, action: str) -> ConsoleSteps:
    """How to do an action of the lab in the AWS console, for this lab's VPC, bucket and region.

    Raises UnknownAction, with the actions whose names are nearest, for an action that has no steps.
    """
    if action not in _recipes():
        nearest = get_close_matches(str(action).lower(), _recipes(), n=OFFERED, cutoff=0)
        raise UnknownAction(
            f'there are no console steps for "{action}"; choose one such as {", ".join(nearest)}, '
            "or another one of labkit/show/console_steps.toml"
        )
    return ConsoleSteps(action, tuple(step.format(lab=lab, now=lab.now()) for step in _recipes()[action]))


@cache
def _recipes() -> dict[str, Any]:
    return tomllib.loads(files("labkit.show").joinpath("console_steps.toml").read_text("utf-8"))
