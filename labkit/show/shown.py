"""What a cell can show: text and HTML from one object, the same from run to run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from labkit.lab.masking import masked
from labkit.show.html import Html


class Shown(ABC):
    """An object that prints itself: `text()` in a terminal, `html()` in a notebook."""

    @abstractmethod
    def text(self) -> str:
        """The object as plain text."""

    @abstractmethod
    def html(self) -> Html:
        """The object as HTML, everything in it escaped."""

    def __repr__(self) -> str:
        return masked(self.text())

    def __str__(self) -> str:
        return masked(self.text())

    def _repr_html_(self) -> str:
        return masked(self.html())


def text_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns side by side, as wide as their longest cell.

    >>> print(text_table(("what", "id"), [("VPC", "vpc-1")]))
    what  id
    VPC   vpc-1
    """
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
