"""The lab's charts: a DataFrame in, matplotlib Axes out.

A frame's columns are read by their place, whatever a query called them: what is counted by first, the number last. The
colours are Okabe and Ito's, told apart by colour-blind readers; nothing is said by colour alone. Each chart describes
itself in words too: `describe(axes)`, which `picture(axes)` puts on the page as the image's text alternative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure

ACCEPT, REJECT, NEUTRAL = "#0072B2", "#D55E00", "#8C8C8C"
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SIZE = (6.4, 3.4)

SERVICES = {
    0: "ICMP",
    21: "FTP",
    22: "SSH",
    23: "Telnet",
    25: "SMTP",
    53: "DNS",
    80: "HTTP",
    123: "NTP",
    161: "SNMP",
    443: "HTTPS",
    445: "SMB",
    1433: "SQL Server",
    1900: "SSDP",
    2323: "Telnet, other port",
    2375: "Docker",
    3306: "MySQL",
    3389: "Remote Desktop",
    4444: "Metasploit's default",
    5060: "SIP",
    5432: "PostgreSQL",
    5900: "VNC",
    6379: "Redis",
    6667: "IRC",
    8080: "HTTP, other port",
    8443: "HTTPS, other port",
    9001: "Tor",
    9200: "Elasticsearch",
}
"""What listens on a port by custom; IANA's names made readable. A flow log writes ICMP with port 0."""

Who = Callable[[str], str]


class ChartError(ValueError):
    """A frame that a chart can't be made of; says which columns it should have."""


def service(port: int) -> str:
    """A port with its service's name.

    >>> service(22), service(4567)
    ('22 SSH', '4567')
    """
    return f"{port} {SERVICES[port]}" if port in SERVICES else str(port)


def describe(axes: Axes) -> str:
    """What the chart shows, in words. It is the axes' label, which matplotlib keeps and does not draw."""
    return str(axes.get_label())


def rejects_by_source(frame: pd.DataFrame, *, who: Who | None = None, top: int = 15) -> Axes:
    """Rejected flows of each source address, the most first: columns source, rejects.

    `who` names the one behind an address, where that is known.
    """
    data = columns_of(frame, "source", "rejects").nlargest(top, "rejects")
    names = [f"{source}  {who(source)}" if who else str(source) for source in data["source"]]
    return _bars(names, data["rejects"], title="Who was turned away most often", label="rejected flows")


def rejects_by_port(frame: pd.DataFrame, *, top: int = 15) -> Axes:
    """Rejected flows to each destination port, the most first: columns port, rejects."""
    data = columns_of(frame, "port", "rejects").nlargest(top, "rejects")
    names = [service(int(port)) for port in data["port"]]
    return _bars(names, data["rejects"], title="What they knocked at", label="rejected flows")


def rejects_by_weekday(frame: pd.DataFrame) -> Axes:
    """Rejected flows of each weekday: columns weekday (1 is Monday, as Athena's day_of_week has it), rejects."""
    data = (
        columns_of(frame, "weekday", "rejects").groupby("weekday")["rejects"].sum().reindex(range(1, 8), fill_value=0)
    )
    axes = new_axes()
    bars = axes.bar(WEEKDAYS, data, color=[REJECT] * 5 + ["#A03C00"] * 2, edgecolor="white")
    for bar in bars[5:]:
        bar.set_hatch("//")
    axes.bar_label(bars, [f"{value:,.0f}" for value in data], padding=2, fontsize=9)
    _finish(axes, "On which days", x="weekday in UTC, the weekend hatched", y="rejected flows")
    return described(axes, zip(WEEKDAYS, data, strict=True))


def rejects_by_weekday_and_hour(frame: pd.DataFrame) -> Axes:
    """A heat map of the week: columns weekday (1 is Monday), hour (0 to 23), rejects."""
    data = columns_of(frame, "weekday", "hour", "rejects")
    week = data.pivot_table(index="weekday", columns="hour", values="rejects", aggfunc="sum", fill_value=0)
    week = week.reindex(index=range(1, 8), columns=range(24), fill_value=0)
    axes = new_axes()
    image = axes.imshow(week, cmap="cividis", aspect="auto", vmin=0)
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xticks(range(0, 24, 2), [f"{hour:02d}" for hour in range(0, 24, 2)])
    axes.figure.colorbar(image, ax=axes, label="rejected flows")
    _finish(axes, "At which hours", x="hour in UTC", y="", grid="")
    busiest = week.stack().nlargest(3)
    return described(
        axes, ((f"{WEEKDAYS[int(day) - 1]} {hour:02d}:00", value) for (day, hour), value in busiest.items()), "busiest"
    )


def accepted_against_rejected(frame: pd.DataFrame) -> Axes:
    """Both verdicts over time: columns time (a day or a moment), action, flows."""
    data = columns_of(frame, "time", "action", "flows")
    data["time"] = pd.to_datetime(data["time"])
    lines = data.pivot_table(index="time", columns="action", values="flows", aggfunc="sum", fill_value=0)
    axes = new_axes()
    for action, colour, style in (("ACCEPT", ACCEPT, "-"), ("REJECT", REJECT, "--")):
        if action in lines:
            axes.plot(lines.index, lines[action], style, color=colour, label=action, marker="o", markersize=3)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    by_day = bool((lines.index == lines.index.normalize()).all())
    axes.xaxis.set_major_formatter(DateFormatter("%d %b" if by_day else "%d %b\n%H:%M"))  # type: ignore[no-untyped-call]
    _finish(axes, "Let in and turned away", x="time in UTC", y="flows")
    return described(axes, _extremes(lines))


def _extremes(lines: pd.DataFrame) -> Iterable[tuple[str, float]]:
    """Each verdict's quietest and busiest moment."""
    for action in lines.columns:
        for word, moment in (("fewest", lines[action].idxmin()), ("most", lines[action].idxmax())):
            when = f"{moment:%d %b}" if moment == moment.normalize() else f"{moment:%d %b %H:%M}"
            yield f"{action} {word}, {when}", lines[action][moment]


def sizes(frame: pd.DataFrame, *, unit: str) -> Axes:
    """How many there are of which size, on a scale where each step is ten times the last: one column, the sizes."""
    data = columns_of(frame, "size")["size"].clip(lower=1)
    lowest, highest = np.floor(np.log10(data.min())), np.ceil(np.log10(data.max() + 1))
    edges = np.logspace(lowest, highest, int(highest - lowest) * 8 + 1)
    counts, _ = np.histogram(data, edges)
    axes = new_axes()
    bars = axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=ACCEPT, edgecolor="white")
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 4 * counts.max())
    axes.bar_label(bars, [f"{count:,}" if count else "" for count in counts], padding=2, fontsize=9)
    _finish(axes, "Small ones and large ones", x=unit, y="how many")
    filled = zip(edges[:-1], edges[1:], counts, strict=True)
    return described(axes, ((f"{low:,.0f} to {high:,.0f}:", count) for low, high, count in filled if count))


def columns_of(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """The frame's columns under the names that a chart calls them by; a frame that doesn't fit is refused."""
    if len(frame.columns) != len(names):
        raise ChartError(
            f"this chart wants {len(names)} columns ({', '.join(names)}); "
            f"the frame has {len(frame.columns)}: {', '.join(map(str, frame.columns))}"
        )
    data = frame.set_axis(list(names), axis="columns")
    if not pd.api.types.is_numeric_dtype(data[names[-1]]):
        raise ChartError(f"column {frame.columns[-1]!r} is to hold the numbers; it holds {data[names[-1]].dtype}")
    data[names[-1]] = data[names[-1]].astype(float)
    if data.empty:
        raise ChartError("there is nothing to draw: the frame has no rows; has the query found any records?")
    return data


def new_axes() -> Axes:
    """Axes on a figure of their own; pyplot does not know it, so nothing shows it twice."""
    figure = Figure(figsize=SIZE, dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _bars(names: list[str], values: pd.Series[Any], *, title: str, label: str) -> Axes:
    axes = new_axes()
    places = np.arange(len(names))
    bars = axes.barh(places, values, color=REJECT)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=9)
    axes.margins(x=0.1)
    _finish(axes, title, x=label, y="", grid="x")
    return described(axes, zip(names, values, strict=True))


def _finish(axes: Axes, title: str, *, x: str, y: str, grid: str = "y") -> None:
    """Title, units and nothing that is not needed."""
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    for numbers, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if numbers == grid:
            axis.set_major_formatter("{x:,.0f}")
            axis.grid(color="#DDDDDD")
    axes.set_axisbelow(True)


def described(axes: Axes, values: Iterable[tuple[str, float]], what: str = "") -> Axes:
    """Gives the axes their text alternative: the title, and the numbers in words."""
    words = "; ".join(f"{' '.join(name.split())} {value:,.0f}" for name, value in values)
    axes.set_label(f"{axes.get_title(loc='left')}, {what or axes.get_xlabel() or axes.get_ylabel()}: {words}.")
    return axes
