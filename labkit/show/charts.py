"""The lab's charts: a DataFrame in, matplotlib Axes out.

`describe(axes)` says in words what a chart shows; `picture(axes)` uses it as the image's alternative text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.ticker import FuncFormatter, MaxNLocator

from labkit.lab.errors import require_positive
from labkit.show.axes import (
    ACCEPT,
    REJECT,
    SIZE,
    VERDICTS,
    ChartError,
    Who,
    check_verdicts,
    check_whole,
    columns_of,
    count,
    describe,
    described,
    new_axes,
    service,
    shortened,
)
from labkit.show.flow_map import flow_map

__all__ = [
    "ChartError",
    "accepted_against_rejected",
    "describe",
    "flow_map",
    "rejects_by_port",
    "rejects_by_source",
    "rejects_by_weekday",
    "rejects_by_weekday_and_hour",
    "sizes",
]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
BARS_THAT_FIT, INCHES_A_BAR = 15, 0.2
"""More bars than fit make the picture higher, so that each bar keeps its name."""
SHADES = 32
STEPS_A_TENFOLD = 5
FEW_MOMENTS = 5
TICKS, SAID_IN_WORDS = 6, 1e6


def rejects_by_source(frame: pd.DataFrame, *, who: Who | None = None, top: int = 15) -> Axes:
    """Rejected flows of each source address, the most first: columns source, rejects.

    `who` names the owner of an address, if known.
    """
    data = columns_of(frame, "source", "rejects")
    require_positive(top=top)
    shown = data.nlargest(top, "rejects")
    names = [f"{source}  {who(source)}" if who else str(source) for source in shown["source"]]
    return _bars(names, shown["rejects"], "Who was turned away most often", _unit(shown, data, "sources"))


def rejects_by_port(frame: pd.DataFrame, *, top: int = 15) -> Axes:
    """Rejected flows to each destination port, the most first: columns port, rejects."""
    data = columns_of(frame, "port", "rejects")
    require_positive(top=top)
    check_whole(data["port"], "port", range(65536))
    shown = data.nlargest(top, "rejects")
    names = [service(int(port)) for port in shown["port"]]
    return _bars(names, shown["rejects"], "What they knocked at", _unit(shown, data, "ports"))


def _unit(shown: pd.DataFrame, data: pd.DataFrame, things: str) -> str:
    """Return what the bars count, and how many bars are left out."""
    return "rejected flows" + (f", {len(shown)} of {len(data):,} {things}" if len(shown) < len(data) else "")


def rejects_by_weekday(frame: pd.DataFrame) -> Axes:
    """Rejected flows of each weekday: columns weekday (1 is Monday, as Athena's day_of_week has it), rejects."""
    data = columns_of(frame, "weekday", "rejects")
    check_whole(data["weekday"], "weekday, 1 for Monday to 7 for Sunday", range(1, 8))
    days = data.groupby("weekday")["rejects"].sum().reindex(range(1, 8), fill_value=0)
    axes = new_axes()
    bars = axes.bar(WEEKDAYS, days, color=[REJECT] * 5 + ["#A03C00"] * 2, edgecolor="white")
    for bar in bars[5:]:
        bar.set_hatch("//")
    axes.bar_label(bars, [count(value) for value in days], padding=2, fontsize=9)
    _finish(axes, "On which days", x="weekday in UTC, the weekend hatched", y="rejected flows")
    return described(axes, zip(WEEKDAYS, days, strict=True))


def rejects_by_weekday_and_hour(frame: pd.DataFrame) -> Axes:
    """A heat map of the week: columns weekday (1 is Monday), hour (0 to 23), rejects."""
    data = columns_of(frame, "weekday", "hour", "rejects")
    check_whole(data["weekday"], "weekday, 1 for Monday to 7 for Sunday", range(1, 8))
    check_whole(data["hour"], "hour of the day, 0 to 23", range(24))
    week = data.pivot_table(index="weekday", columns="hour", values="rejects", aggfunc="sum", fill_value=0)
    week = week.reindex(index=range(1, 8), columns=range(24), fill_value=0)
    axes = new_axes()
    image = axes.imshow(week, cmap=colormaps["cividis"].resampled(SHADES), aspect="auto", vmin=0)
    axes.set_yticks(range(7), WEEKDAYS)
    axes.set_xticks(range(0, 24, 2), [f"{hour:02d}" for hour in range(0, 24, 2)])
    axes.figure.colorbar(image, ax=axes, label="rejected flows", format=FuncFormatter(_tick))
    _finish(axes, "At which hours", x="hour in UTC", y="weekday in UTC", grid="")
    busiest = week.stack().nlargest(3)
    hours = ((f"{WEEKDAYS[int(day) - 1]} {hour:02d}:00", value) for (day, hour), value in busiest.items() if value)
    return described(axes, hours, "busiest")


def accepted_against_rejected(frame: pd.DataFrame) -> Axes:
    """Both verdicts over time: columns time (a day or a moment), action, flows."""
    data = columns_of(frame, "time", "action", "flows")
    check_verdicts(data["action"])
    data["time"] = _moments(data["time"])
    lines = data.pivot_table(index="time", columns="action", values="flows", aggfunc="sum", fill_value=0)
    axes = new_axes()
    for action, colour, style in zip(VERDICTS, (ACCEPT, REJECT), ("-", "--"), strict=True):
        if action in lines:
            axes.plot(lines.index, lines[action], style, color=colour, label=action, marker="o", markersize=3)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    _time_axis(axes, lines.index)
    years = " and ".join(sorted({f"{moment:%Y}" for moment in lines.index}))
    _finish(axes, "Let in and turned away", x=f"time in UTC, {years}", y="flows")
    return described(axes, _extremes(lines))


def _moments(times: pd.Series[Any]) -> pd.Series[Any]:
    try:
        return pd.to_datetime(times, format="ISO8601")
    except (ValueError, TypeError) as error:
        raise ChartError(f"column {times.name!r} has to hold days or moments such as 2026-10-05: {error}") from error


def _time_axis(axes: Axes, moments: pd.DatetimeIndex) -> None:
    """Labels that say day and, where it matters, hour; a single moment stands in the middle of its day."""
    by_day = bool((moments == moments.normalize()).all())
    axes.xaxis.set_major_formatter(DateFormatter("%d %b" if by_day else "%d %b\n%H:%M"))  # type: ignore[no-untyped-call]
    if len(moments) < FEW_MOMENTS:
        axes.set_xticks(list(moments))
    if len(moments) == 1:
        axes.set_xlim(moments[0] - pd.Timedelta(hours=12), moments[0] + pd.Timedelta(hours=12))


def _extremes(lines: pd.DataFrame) -> Iterable[tuple[str, float]]:
    """Each verdict's quietest and busiest moment."""
    for action in lines.columns:
        ends = {"fewest": lines[action].idxmin(), "most": lines[action].idxmax()}
        for word, moment in ends.items() if len(lines) > 1 else [("only", lines.index[0])]:
            when = f"{moment:%d %b}" if moment == moment.normalize() else f"{moment:%d %b %H:%M}"
            yield f"{action} {word}, {when}", lines[action][moment]


def sizes(frame: pd.DataFrame, *, unit: str) -> Axes:
    """Draw a histogram of sizes on a logarithmic scale: one column, the sizes."""
    data = columns_of(frame, "size")["size"].clip(lower=1)
    lowest, highest = np.floor(np.log10(data.min())), np.ceil(np.log10(data.max() + 1))
    edges = np.logspace(lowest, highest, int(highest - lowest) * STEPS_A_TENFOLD + 1)
    counts, _ = np.histogram(data, edges)
    axes = new_axes()
    bars = axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=ACCEPT, edgecolor="white")
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(0, 4 * counts.max())
    axes.bar_label(bars, [count(found) if found else "" for found in counts], padding=2, fontsize=9)
    _finish(axes, "Small ones and large ones", x=unit, y="how many")
    filled = zip(edges[:-1], edges[1:], counts, strict=True)
    return described(axes, ((f"{low:,.0f} to {high:,.0f}:", found) for low, high, found in filled if found))


def _bars(names: Sequence[str], values: pd.Series[Any], title: str, label: str) -> Axes:
    """A bar for each name, from the top down; one or two are no thicker than four would be."""
    axes = new_axes(SIZE[1] + INCHES_A_BAR * max(0, len(names) - BARS_THAT_FIT))
    places = np.arange(len(names))
    bars = axes.barh(places, values, color=REJECT)
    axes.set_yticks(places, [shortened(name) for name in names])
    axes.set_ylim(max(len(names), 4) - 0.5, -0.5)
    axes.bar_label(bars, [count(value) for value in values], padding=3, fontsize=9)
    axes.set_xlim(0, values.max() * (1.25 if values.max() >= SAID_IN_WORDS else 1.1) or 1)
    _finish(axes, title, x=label, y="", grid="x")
    return described(axes, zip(names, values, strict=True))


def _finish(axes: Axes, title: str, *, x: str, y: str, grid: str = "y") -> None:
    """Set title and units, and remove decoration."""
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    for numbers, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
        if numbers == grid:
            axis.set_major_formatter(FuncFormatter(_tick))
            axis.grid(color="#DDDDDD")
            if axis.get_scale() == "linear":
                few = axis.get_view_interval()[1] >= SAID_IN_WORDS
                axis.set_major_locator(MaxNLocator(TICKS // 2 if few else TICKS, integer=True))
    axes.set_axisbelow(True)


def _tick(value: float, _: int | None = None) -> str:
    """What stands at a step of a scale; steps between whole numbers have nothing to say of flows."""
    return count(value) if value == round(value) else ""
