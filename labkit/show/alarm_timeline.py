"""An alarm's life as a picture: the datapoints, the threshold, and its state at each time.

The picture shows the two times of an alarm: a bar is at the minute of the traffic, a change of state at the moment at
which an evaluation found the datapoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, date2num
from matplotlib.ticker import MaxNLocator

from labkit.show.axes import PALE, ChartError, new_axes

COLOURS = {"ALARM": "#D55E00", "OK": "#009E73", "INSUFFICIENT_DATA": "#BBBBBB"}
"""Okabe and Ito's, told apart by colour-blind readers; each band is named as well."""

_TITLE, _TITLE_BEFORE = "When the alarm fired, and why", "The alarm up to now"
_WIDE = 0.16
"""The part of the picture's width that a state's name takes; in a narrower band it is written upwards."""
_ROOM = 0.3
"""The part of the picture's width that a mark's name takes."""
_BARS_TO, _MARKS_FROM = 0.48, 0.7
"""How high the highest bar reaches, and where the marks' names begin, as parts of the picture's height."""


def alarm_timeline(
    datapoints: pd.DataFrame,
    states: pd.DataFrame,
    *,
    threshold: float,
    period: timedelta = timedelta(minutes=1),
    marks: Mapping[str, datetime] = MappingProxyType({}),
) -> Axes:
    """Draw datapoints (columns timestamp, sum) as bars of a period over an alarm's states (columns begin, end, state).

    `marks` are moments to point at, by name.
    """
    _check_states(states)
    axes = new_axes()
    _draw_states(axes, states)
    starts = date2num(datapoints["timestamp"])  # type: ignore[no-untyped-call]
    bars = axes.bar(starts, datapoints["sum"], period / timedelta(days=1), align="edge", color="black")
    axes.bar_label(bars, [f"{value:g}" for value in datapoints["sum"]], padding=2, fontsize=9)
    axes.axhline(threshold, color="black", linestyle="--", linewidth=1)
    axes.annotate(
        f"threshold {threshold:g}", (1, threshold), xycoords=("axes fraction", "data"), ha="right", va="bottom"
    )
    axes.set_ylabel(f"rejected SSH attempts in {period.total_seconds():g} s")
    axes.set_ylim(0, max([*datapoints["sum"], threshold]) / _BARS_TO or 1)
    _finish(axes, [*states["begin"], *states["end"], *(datapoints["timestamp"] - 2 * period)])
    _draw_marks(axes, marks)
    title = _TITLE if "ALARM" in set(states["state"]) else _TITLE_BEFORE
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_label(f"{title}: {'; '.join(_words(datapoints, states, threshold, marks))}.")
    return axes


def _check_states(states: pd.DataFrame) -> None:
    if states.empty:
        raise ChartError(
            "there is no state to draw: the frame of states (begin, end, state) has no rows; give it one at least"
        )
    unknown = sorted(set(states["state"]) - set(COLOURS))
    if unknown:
        raise ChartError(f"{', '.join(unknown)}: no state of an alarm; give one of {', '.join(COLOURS)}")


def _draw_states(axes: Axes, states: pd.DataFrame) -> None:
    whole = states["end"].max() - states["begin"].min()
    for begin, end, state in states[["begin", "end", "state"]].itertuples(index=False):
        left, right = date2num([begin, end])  # type: ignore[no-untyped-call]
        axes.axvspan(left, right, color=COLOURS[state], alpha=PALE, linewidth=0)
        axes.text(
            (left + right) / 2,
            0.97,
            state.replace("_", "\n"),
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            rotation="horizontal" if end - begin >= _WIDE * whole else "vertical",
            fontsize=9,
        )


def _draw_marks(axes: Axes, marks: Mapping[str, datetime]) -> None:
    """Write the marks' names above the bars, one below the other, left and right in turn if there is room."""
    left, right = axes.get_xlim()
    for place, (name, moment) in enumerate(marks.items()):
        at = date2num(moment)  # type: ignore[no-untyped-call]
        share = (at - left) / (right - left)
        leftwards = share > _ROOM if place % 2 == 0 else share > 1 - _ROOM
        height = _MARKS_FROM - 0.1 * place
        axes.axvline(at, ymax=height, color="black", linestyle=":", linewidth=1)
        axes.annotate(
            f"{moment:%H:%M} {name}",
            (at, height),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-3 if leftwards else 3, 0),
            textcoords="offset points",
            ha="right" if leftwards else "left",
            va="top",
            fontsize=9,
        )


def _finish(axes: Axes, moments: list[datetime]) -> None:
    """Set the units, and keep all moments in view."""
    axes.set_xlim(*date2num([min(moments), max(moments)]))  # type: ignore[no-untyped-call]
    axes.set_xlabel("time of day, UTC")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis_date(tz="UTC")
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz="UTC"))  # type: ignore[no-untyped-call]
    axes.spines[["top", "right"]].set_visible(False)


def _words(
    datapoints: pd.DataFrame, states: pd.DataFrame, threshold: float, marks: Mapping[str, datetime]
) -> Iterator[str]:
    counted = [f"{value:g} at {at:%H:%M}" for at, value in zip(datapoints["timestamp"], datapoints["sum"], strict=True)]
    yield f"datapoints {', '.join(counted) or 'none'}"
    yield f"threshold {threshold:g}"
    yield from (f"{name} {moment:%H:%M}" for name, moment in marks.items())
    first, *later = states["state"]
    changes = zip(states["begin"][1:], later, strict=True)
    yield ", ".join([f"first {first}", *(f"from {begin:%H:%M} {state}" for begin, state in changes)])
