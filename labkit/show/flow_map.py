"""The flow map: bands from sources over ports to outcomes, each as wide as its number of flows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from labkit.lab.errors import require_positive
from labkit.show.axes import (
    ACCEPT,
    NEUTRAL,
    PALE,
    REJECT,
    SIZE,
    Who,
    check_verdicts,
    check_whole,
    columns_of,
    count,
    described,
    new_axes,
    service,
    shortened,
)

OTHERS = "all others"
COLUMNS = {"source": "source", "port": "destination port", "action": "outcome"}
"""The columns, and what stands above them."""
GAP, NODE_WIDTH = 0.02, 0.012
TEXT_ALIGNMENT = {0: "right", 1: "left", 2: "left"}
LETTERS_OF_A_NAME, WIDTH_OF_A_LETTER = 21, 0.0155
INCHES_A_LABEL = 0.17
"""The distance of labels, which is their height; the picture grows if a column has many."""

Spans = dict[str, tuple[float, float]]
"""For each node of a column its bottom and its top, the whole column being 1 high."""


def flow_map(frame: pd.DataFrame, *, who: Who | None = None, top: int = 7) -> Axes:
    """Sources, the ports they spoke to, and whether they were let in: columns source, port, action, flows.

    The largest sources and ports stand for themselves, the rest together for all others.
    """
    data = columns_of(frame, "source", "port", "action", "flows")
    require_positive(top=top)
    check_whole(data["port"], "port", range(65536))
    check_verdicts(data["action"])
    data["source"] = data["source"].map(who) if who else data["source"].astype(str)
    data["port"] = data["port"].astype(int).map(service)
    for column in ("source", "port"):
        data[column] = _largest(data, column, top)
    data = data.groupby(list(COLUMNS), as_index=False)["flows"].sum()
    height = max(SIZE[1], INCHES_A_LABEL * 1.3 * max(data[column].nunique() for column in COLUMNS))
    axes = new_axes(height)
    axes.set_axis_off()
    axes.set_ylim(-0.02, 1 + 0.3 / height)
    axes.set_title("Who spoke to which port, and what became of it (flows)", loc="left", fontweight="bold")
    spans = [_spans(data, column) for column in COLUMNS]
    for place, (left, right) in enumerate(pairwise(COLUMNS)):
        _bands(axes, data, left, right, spans[place], spans[place + 1], place / 2)
    widths = [_nodes(axes, data, column, spans[place], place, height) for place, column in enumerate(COLUMNS)]
    axes.set_xlim(-widths[0], 1 + widths[2])
    return described(axes, _sentences(data), "the largest")


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
    gap = min(GAP, 0.5 / len(sizes))
    scale = (1 - gap * (len(sizes) - 1)) / (sizes.sum() or 1)
    bottom, spans = 0.0, {}
    for name, size in sizes.items():
        spans[str(name)] = (bottom, bottom + size * scale)
        bottom += size * scale + gap
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
        axes.add_patch(PathPatch(outline, facecolor=colour, alpha=PALE, linewidth=0))


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


def _nodes(axes: Axes, data: pd.DataFrame, column: str, spans: Spans, place: int, height: float) -> float:
    """Draw a column's nodes and names them; the width that the names take."""
    sizes, x = _sizes(data, column), place / 2
    aligned = TEXT_ALIGNMENT[place]
    edge = x - 0.01 if aligned == "right" else x + NODE_WIDTH + 0.01
    axes.text(x, 1 + 0.12 / height, COLUMNS[column], ha=aligned, fontsize=9, style="italic")
    for name, (bottom, top) in spans.items():
        colour = {"ACCEPT": ACCEPT, "REJECT": REJECT}.get(name, NEUTRAL)
        axes.add_patch(Rectangle((x, bottom), NODE_WIDTH, top - bottom, color=colour))
    words = [f"{shortened(name, LETTERS_OF_A_NAME)}  {count(sizes[name])}" for name in spans]
    middles = _apart([(bottom + top) / 2 for bottom, top in spans.values()], INCHES_A_LABEL / (0.85 * height))
    for word, middle in zip(words, middles, strict=True):
        axes.text(edge, middle, word, ha=aligned, va="center", fontsize=8)
    return 0.05 + WIDTH_OF_A_LETTER * max(map(len, words))


def _apart(middles: list[float], least: float) -> list[float]:
    """Move positions as little as needed to keep that distance, from the bottom up and none above the top.

    >>> _apart([0.1, 0.1, 0.5], 0.2)
    [0.1, 0.30000000000000004, 0.5000000000000001]
    """
    for place in range(1, len(middles)):
        middles[place] = max(middles[place], middles[place - 1] + least)
    limit = 1.0
    for place in reversed(range(len(middles))):
        middles[place] = min(middles[place], limit)
        limit = middles[place] - least
    return middles


def _sentences(data: pd.DataFrame) -> Iterator[tuple[str, float]]:
    for row in data.nlargest(8, "flows").itertuples():
        yield f"{row.source} to {row.port}, {row.action}:", row.flows
