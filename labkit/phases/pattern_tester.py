"""A field to try filter patterns in: which lines match, what is extracted, what is wrong with a pattern.

Without widgets (in the HTML book, on GitHub, in a test) it shows the answer for its first pattern.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from labkit.lab.session import Lab
from labkit.phases.metric_filter import PATTERN, SAMPLE_LINES, try_pattern
from labkit.show.html import Html, tag
from labkit.show.shown import Shown

PLACE_OF_FAULT = "x-sandbox-detail"
"""The header in which a sandbox says where a pattern is wrong; AWS says only that it is wrong."""

_VIEW = "application/vnd.jupyter.widget-view+json"


class PatternTester(Shown):
    """Asks CloudWatch Logs about the pattern at every change, and shows the answer below."""

    def __init__(self, lab: Lab, pattern: str = PATTERN, lines: tuple[str, ...] = SAMPLE_LINES) -> None:
        self.lab = lab
        self.start = pattern
        self.lines = lines
        self.widget: Any = None

    def text(self) -> str:
        """The answer for the pattern that it begins with."""
        return f"Pattern {self.start}\n{try_pattern(self.lab, self.start, self.lines).text()}"

    def html(self) -> Html:
        """The same as HTML, with a word on what is missing."""
        note = tag("p", "In Jupyter, with a running kernel, you can type here. It begins with this:")
        return tag("div", note, tag("p", tag("code", self.start)), self.answer(self.start, self.lines))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.build()._repr_mimebundle_()[_VIEW]
        return {"text/plain": self.text(), "text/html": str(self.html()), _VIEW: view}

    def answer(self, pattern: str, lines: tuple[str, ...]) -> Html:
        """Return what CloudWatch Logs says about a pattern, errors included."""
        if not pattern or not lines:
            return tag("p", "Type a pattern, and at least one line to hold it against.")
        try:
            return try_pattern(self.lab, pattern, lines).html()
        except ClientError as refusal:
            error = refusal.response["Error"]
            headers = refusal.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
            return tag(
                "p", tag("strong", error["Code"]), f": {error['Message']} {headers.get(PLACE_OF_FAULT, '')}".rstrip()
            )

    def build(self) -> Any:
        """The widgets, made when they are first shown."""
        if self.widget is None:
            import ipywidgets

            wide = {"style": {"description_width": "5em"}, "layout": {"width": "100%"}}
            self.pattern = ipywidgets.Text(self.start, description="Pattern", **wide)
            self.typed = ipywidgets.Textarea("\n".join(self.lines), description="Lines", rows=5, **wide)
            self.result = ipywidgets.HTML()
            for control in (self.pattern, self.typed):
                control.observe(lambda _: self._ask(), names="value")
            self.widget = ipywidgets.VBox([self.pattern, self.typed, self.result])
            self._ask()
        return self.widget

    def _ask(self) -> None:
        lines = tuple(line for line in self.typed.value.splitlines() if line.strip())
        self.result.value = str(self.answer(self.pattern.value.strip(), lines))
