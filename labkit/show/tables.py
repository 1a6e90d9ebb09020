"""Tables, one-line notes, and calls as AWS CLI lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labkit.lab.calls import shortened
from labkit.show.html import Html, table, tag
from labkit.show.shown import Shown, text_table


@dataclass(frozen=True, repr=False)
class Table(Shown):
    """Rows under a title."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def text(self) -> str:
        """The title, and the columns side by side."""
        return f"{self.title}\n{text_table(self.head, self.rows)}" if self.rows else f"{self.title}: none"

    def html(self) -> Html:
        """The rows as a table with its title as the caption."""
        return table(self.head, self.rows, caption=self.title) if self.rows else tag("p", f"{self.title}: none")


@dataclass(frozen=True, repr=False)
class Note(Shown):
    """One sentence."""

    sentence: str

    def text(self) -> str:
        """The sentence."""
        return self.sentence

    def html(self) -> Html:
        """The sentence as a paragraph."""
        return tag("p", self.sentence)


@dataclass(frozen=True, repr=False)
class CliLines(Shown):
    """AWS calls as a learner would type them in a terminal."""

    lines: tuple[str, ...]

    def text(self) -> str:
        """A line for each call."""
        return "\n".join(map(shortened, self.lines)) or "AWS was asked nothing yet."

    def html(self) -> Html:
        """The calls, wrapped to fit a phone."""
        return tag("pre", self.text(), style="white-space:pre-wrap;overflow-wrap:anywhere")
