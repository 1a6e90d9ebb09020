"""The flow map: from sources over ports to what became of it, as bands as wide as the flows are many."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from labkit.show.charts import ACCEPT, NEUTRAL, REJECT, Who, columns_of, described, new_axes, service

OTHERS = "all others"
COLUMNS = ("source", "port", "action")
GAP, NODE_WIDTH = 0.02, 0.012
TEXT_ALIGNMENT = {0: "right", 1: "left", 2: "left"}

Spans = dict[str, tuple[float, float]]
"""For each node of a column its bottom and its top, the whole column being 1 high."""


def flow_map(frame: pd.DataFrame, *, who: Who | None = None, top: int = 7) -> Axes:
    """Sources, the ports they spoke to, and whether they were let in: columns source, port, action, flows.

    The largest sources and ports stand for themselves, the rest together for all others.
    """
    data = columns_of(frame, "source", "port", "action", "flows")
    data["source"] = data["source"].map(who) if who else data["source"].astype(str)
    data["port"] = data["port"].astype(int).map(service)
    for column in ("source", "port"):
        data[column] = _largest(data, column, top)
    data = data.groupby(list(COLUMNS), as_index=False)["flows"].sum()
    axes = new_axes()
    axes.set_axis_off()
    axes.set_xlim(-0.32, 1.2)
    axes.set_ylim(-0.02, 1.08)
    axes.set_title("Who spoke to which port, and what became of it", loc="left", fontweight="bold")
    spans = [_spans(data, column) for column in COLUMNS]
    for place, (left, right) in enumerate(pairwise(COLUMNS)):
        _bands(axes, data, left, right, spans[place], spans[place + 1], place / 2)
    for place, column in enumerate(COLUMNS):
        _nodes(axes, data, column, spans[place], place)
    return described(axes, _sentences(data), "flows")


def _largest(data: pd.DataFrame, column: str, top: int) -> pd.Series[Any]:
    sizes = data.groupby(column)["flows"].sum()
    return data[column].where(data[column].isin(sizes.nlargest(top).index), OTHERS)


def _sizes(data: pd.DataFrame, column: str) -> pd.Series[Any]:
    """The nodes of a column from its bottom to its top: the others, then the small ones, then the large."""
    sizes = data.groupby(column)["flows"].sum().sort_values(kind="stable")
    others = [OTHERS] if OTHERS in sizes else []
    return sizes.reindex(others + [name for name in sizes.index if name != OTHERS])


def _spans(data: pd.DataFrame, column: str) -> Spans:
    sizes = _sizes(data, column)
    scale = (1 - GAP * (len(sizes) - 1)) / sizes.sum()
    bottom, spans = 0.0, {}
    for name, size in sizes.items():
        spans[str(name)] = (bottom, bottom + size * scale)
        bottom += size * scale + GAP
    return spans


def _bands(axes: Axes, data: pd.DataFrame, left: str, right: str, from_spans: Spans, to_spans: Spans, x: float) -> None:
    """The bands between two columns, coloured by their outcome."""
    pairs = list(dict.fromkeys((left, right, "action")))
    sizes = data.groupby(pairs, as_index=False)["flows"].sum()
    sizes = _in_order(sizes, {left: from_spans, right: to_spans})
    starts, ends = _pieces(sizes, left, from_spans), _pieces(sizes, right, to_spans)
    for action, start, end in zip(sizes["action"], starts, ends, strict=True):
        colour = ACCEPT if action == "ACCEPT" else REJECT
        outline = _band(x + NODE_WIDTH, start, x + 0.5, end)
        axes.add_patch(PathPatch(outline, facecolor=colour, alpha=0.45, linewidth=0))


def _in_order(sizes: pd.DataFrame, columns: dict[str, Spans]) -> pd.DataFrame:
    """Rows as their nodes lie, so that bands cross as little as they can."""
    order = {column: {name: place for place, name in enumerate(spans)} for column, spans in columns.items()}
    return sizes.sort_values(list(columns), key=lambda names: names.map(order[names.name]), kind="stable")


def _pieces(sizes: pd.DataFrame, column: str, spans: Spans) -> Iterator[tuple[float, float]]:
    """Each row's share of its node, one upon the other."""
    totals = sizes.groupby(column)["flows"].transform("sum")
    below = sizes.groupby(column)["flows"].cumsum() - sizes["flows"]
    for name, size, under, total in zip(sizes[column], sizes["flows"], below, totals, strict=True):
        bottom, top = spans[name]
        height = top - bottom
        yield bottom + height * under / total, bottom + height * (under + size) / total


def _band(x0: float, start: tuple[float, float], x1: float, end: tuple[float, float]) -> Path:
    middle = (x0 + x1) / 2
    upper = [(x0, start[1]), (middle, start[1]), (middle, end[1]), (x1, end[1])]
    lower = [(x1, end[0]), (middle, end[0]), (middle, start[0]), (x0, start[0])]
    codes = [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4]
    return Path(upper + lower, codes)


def _nodes(axes: Axes, data: pd.DataFrame, column: str, spans: Spans, place: int) -> None:
    sizes, x = _sizes(data, column), place / 2
    axes.text(x, 1.03, column, ha=TEXT_ALIGNMENT[place], fontsize=9, style="italic")
    for name, (bottom, top) in spans.items():
        colour = {"ACCEPT": ACCEPT, "REJECT": REJECT}.get(name, NEUTRAL)
        axes.add_patch(Rectangle((x, bottom), NODE_WIDTH, top - bottom, color=colour))
        edge = x - 0.01 if place == 0 else x + NODE_WIDTH + 0.01
        words = f"{name}  {sizes[name]:,.0f}"
        axes.text(edge, (bottom + top) / 2, words, ha=TEXT_ALIGNMENT[place], va="center", fontsize=8)


def _sentences(data: pd.DataFrame) -> Iterator[tuple[str, float]]:
    for row in data.nlargest(8, "flows").itertuples():
        yield f"{row.source} to {row.port}, {row.action}:", row.flows
