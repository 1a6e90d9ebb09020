"""An alarm's life as a picture: the datapoints, the threshold, and the state it was in meanwhile.

The picture shows the two clocks of an alarm: a datapoint stands at the minute of the traffic, a change of state at the
minute in which the datapoint had arrived.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, date2num
from matplotlib.ticker import MaxNLocator

from labkit.show.charts import ChartError, new_axes

COLOURS = {"ALARM": "#D55E00", "OK": "#009E73", "INSUFFICIENT_DATA": "#BBBBBB"}
"""Okabe and Ito's, told apart by colour-blind readers; each band is named as well."""

_CHANGE = re.compile(r"from (\w+) to (\w+)")
_MARGIN = timedelta(minutes=5)


def alarm_timeline(datapoints: pd.DataFrame, history: pd.DataFrame, *, threshold: float, until: datetime) -> Axes:
    """Datapoints (columns timestamp, sum) over the states that an alarm's history tells of.

    `history` has the columns Timestamp and HistorySummary, as DescribeAlarmHistory answers with `StateUpdate`.
    """
    spans = list(_states(history, datapoints, until))
    axes = new_axes()
    for moment, next_moment, state in spans:
        begin, end = date2num([moment, next_moment])  # type: ignore[no-untyped-call]
        axes.axvspan(begin, end, color=COLOURS[state], alpha=0.3, linewidth=0)
        axes.text((begin + end) / 2, 0.97, state, transform=axes.get_xaxis_transform(), ha="center", va="top")
    axes.stem(datapoints["timestamp"], datapoints["sum"], basefmt=" ", linefmt="k-", markerfmt="ko")
    axes.axhline(threshold, color="black", linestyle="--", linewidth=1)
    axes.annotate(
        f"threshold {threshold:g}", (1, threshold), xycoords=("axes fraction", "data"), ha="right", va="bottom"
    )
    axes.set_ylim(0, max(float(datapoints["sum"].max()), threshold) * 1.6)
    axes.set_title("When the alarm rang, and why", loc="left", fontweight="bold")
    axes.set_xlabel("time of day, UTC")
    axes.set_ylabel("rejected SSH attempts a minute")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.xaxis_date(tz="UTC")
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz="UTC"))  # type: ignore[no-untyped-call]
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_label(_in_words(datapoints, spans, threshold))
    return axes


def _states(
    history: pd.DataFrame, datapoints: pd.DataFrame, until: datetime
) -> Iterator[tuple[datetime, datetime, str]]:
    """From when to when the alarm was in which state."""
    changes = [
        (moment.to_pydatetime(), *_states_of(summary))
        for moment, summary in sorted(zip(history["Timestamp"], history["HistorySummary"], strict=True))
    ]
    if not changes:
        raise ChartError("the alarm's history has no change of state yet; watch_alarm(lab) waits for one")
    first = min([changes[0][0], *datapoints["timestamp"]]) - _MARGIN
    end = max(until, changes[-1][0] + _MARGIN)  # the last state may be seconds old, and is to be seen
    moments = [first, *(moment for moment, _, _ in changes), end]
    states = [changes[0][1], *(after for _, _, after in changes)]
    yield from zip(moments, moments[1:], states, strict=False)


def _states_of(summary: str) -> tuple[str, str]:
    found = _CHANGE.search(summary)
    if found is None:
        raise ChartError(f"{summary!r} tells of no change of state; ask for HistoryItemType='StateUpdate'")
    return found[1], found[2]


def _in_words(datapoints: pd.DataFrame, spans: list[tuple[datetime, datetime, str]], threshold: float) -> str:
    counted = ", ".join(
        f"{value:g} at {moment:%H:%M}" for moment, value in zip(datapoints["timestamp"], datapoints["sum"], strict=True)
    )
    lived = ", ".join(f"{state} from {begin:%H:%M}" for begin, _, state in spans)
    return f"When the alarm rang, and why: datapoints {counted}; threshold {threshold:g}; {lived}."
