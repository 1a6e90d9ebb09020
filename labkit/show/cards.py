"""Cards: what an action made or found, with its console link and its AWS calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labkit.lab.calls import shortened
from labkit.show.html import Html, folded, join, tag
from labkit.show.shown import Shown

_WRAPPED = "white-space:pre-wrap;overflow-wrap:anywhere"
"""Wraps a call, which is a long line, to fit a phone too."""


@dataclass(frozen=True, repr=False)
class Card(Shown):
    """One resource or one outcome: `flow_log.id`, `flow_log.status`, and a card when a cell ends in it.

    `outcome` says what the action did (`created`, `already there`, `removed`, `already gone`); `calls` are the calls it
    made, as AWS CLI lines.
    """

    kind: str
    id: str
    outcome: str = ""
    status: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    console: str = ""
    calls: tuple[str, ...] = ()

    def text(self) -> str:
        """The card as lines of text, with the calls as AWS CLI lines at the end."""
        lines = [f"{self.kind} {self.id}{f' - {self.outcome}' if self.outcome else ''}"]
        lines += [f"  {label}: {value}" for label, value in self._rows()]
        if self.console:
            lines.append(f"  Console: {self.console}")
        if self.calls:
            lines += ["  As AWS CLI:", *(f"    {shortened(line)}" for line in self.calls)]
        return "\n".join(lines)

    def html(self) -> Html:
        """The card as a box, the calls folded."""
        head = tag("strong", f"{self.kind} {self.id}")
        rows = (
            tag("tr", tag("th", label, scope="row", style="text-align:left"), tag("td", value, style="text-align:left"))
            for label, value in self._rows()
        )
        link = tag("a", "Open in the AWS console", href=self.console, target="_blank") if self.console else ""
        calls = (
            folded("What AWS was asked", tag("pre", "\n".join(map(shortened, self.calls)), style=_WRAPPED))
            if self.calls
            else ""
        )
        return tag(
            "div",
            tag("p", head, f" - {self.outcome}" if self.outcome else ""),
            tag("table", tag("tbody", join(rows))),
            link,
            calls,
            style="border:1px solid #8c8c8c;border-radius:6px;padding:0.5em 1em;max-width:60em",
        )

    def _rows(self) -> list[tuple[str, str]]:
        status = [("Status", self.status)] if self.status else []
        return status + list(self.details.items())
