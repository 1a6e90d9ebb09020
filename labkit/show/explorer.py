"""An interactive chart: choose what to count rejects by, at which port, and whom to leave out.

Without widgets (in the HTML book, on GitHub, in a test) it shows its first chart.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from labkit.show import charts
from labkit.show.axes import ChartError, Who, columns_of, service
from labkit.show.html import Html, tag
from labkit.show.pictures import Picture, picture
from labkit.show.shown import Shown

EVERY_PORT = "every port"
PORTS_OFFERED = 12
BARS = 8
_VIEW = "application/vnd.jupyter.widget-view+json"


class Explorer(Shown):
    """Rejects counted by source, port, weekday and hour, with the choices for the chart."""

    def __init__(self, frame: pd.DataFrame, *, who: Who | None = None) -> None:
        self.data = columns_of(frame, "source", "port", "weekday", "hour", "rejects")
        self.who = who or str
        addresses = self.data["source"].drop_duplicates()
        names = dict(zip(addresses, map(self.who, addresses), strict=True))
        self.data["name"] = self.data["source"].map(names)
        self.widget: Any = None

    @cached_property
    def first(self) -> Picture:
        """The chart that it begins with."""
        return self.draw()

    def text(self) -> str:
        """The first chart, in words."""
        return self.first.text()

    def html(self) -> Html:
        """The first chart: without widgets, there is nothing to choose."""
        note = tag("p", "In Jupyter, with a running kernel, this is a chart with controls. It begins with this:")
        return tag("div", note, self.first.html())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = self.build()._repr_mimebundle_()[_VIEW]
        return {"text/plain": self.text(), "text/html": str(self.html()), _VIEW: view}

    def views(self) -> dict[str, Callable[[pd.DataFrame], Axes]]:
        """The available charts, by what they count by."""
        return {
            "port": self._by("port", chart=lambda frame: charts.rejects_by_port(frame, top=BARS)),
            "source": self._by("source", chart=lambda frame: charts.rejects_by_source(frame, who=self.who, top=BARS)),
            "weekday": self._by("weekday", chart=charts.rejects_by_weekday),
            "weekday and hour": self._by("weekday", "hour", chart=charts.rejects_by_weekday_and_hour),
        }

    def ports(self) -> dict[str, int | None]:
        """The available ports by name, the busiest first."""
        busiest = self.data.groupby("port")["rejects"].sum().nlargest(PORTS_OFFERED).index
        return {EVERY_PORT: None} | {service(int(port)): int(port) for port in busiest}

    def names(self) -> list[str]:
        """The sources that can be left out: the dozen with most rejects."""
        return list(self.data.groupby("name")["rejects"].sum().nlargest(12).index)

    def draw(self, view: str = "port", port: int | None = None, without: tuple[str, ...] = ()) -> Picture:
        """Draw the chosen chart."""
        data = self.data[~self.data["name"].isin(without)]
        if port is not None:
            data = data[data["port"] == port]
        return picture(self.views()[view](data))

    def build(self) -> Any:
        """The widgets, made when they are first shown."""
        if self.widget is None:
            import ipywidgets

            wide = {"style": {"description_width": "7em"}, "layout": {"width": "24em"}}
            self.view = ipywidgets.Dropdown(options=list(self.views()), description="Count by", **wide)
            self.port = ipywidgets.Dropdown(options=list(self.ports().items()), description="At", **wide)
            self.without = ipywidgets.SelectMultiple(options=self.names(), description="Leave out", rows=4, **wide)
            self.image = ipywidgets.HTML()
            for control in (self.view, self.port, self.without):
                control.observe(lambda _: self._redraw(), names="value")
            self.image.value = str(self.first.html())
            self.widget = ipywidgets.VBox([self.view, self.port, self.without, self.image])
        return self.widget

    def _redraw(self) -> None:
        """Draw what is chosen now; a choice that leaves nothing to draw says so in place of the chart."""
        try:
            self.image.value = str(self.draw(self.view.value, self.port.value, self.without.value).html())
        except ChartError as refusal:
            self.image.value = str(tag("p", str(refusal)))

    def _by(self, *columns: str, chart: Callable[[pd.DataFrame], Axes]) -> Callable[[pd.DataFrame], Axes]:
        return lambda data: chart(data.groupby(list(columns), as_index=False)["rejects"].sum())


def explore(frame: pd.DataFrame, *, who: Who | None = None) -> Explorer:
    """Return an interactive chart of rejects: columns source, port, weekday (1 is Monday), hour, rejects."""
    return Explorer(frame, who=who)
