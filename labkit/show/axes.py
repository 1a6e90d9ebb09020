"""What every chart is made of: colours, names of services, axes that show only once, and their text.

The colours are Okabe and Ito's, told apart by colour-blind readers; nothing is said by colour alone. A frame's columns
are read by their place, whatever a query called them: what is counted by first, the number last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labkit.lab.errors import LabError

ACCEPT, REJECT, NEUTRAL = "#0072B2", "#D55E00", "#8C8C8C"
PALE = 0.45
"""The opacity of a surface behind text: its colour still differs from others, and black stays readable on it."""
SIZE = (6.4, 3.4)
LETTERS_OF_A_NAME = 36
VALUES_IN_WORDS = 20

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

VERDICTS = ("ACCEPT", "REJECT")

Who = Callable[[str], str]


class ChartError(LabError, ValueError):
    """A frame that can't be charted; says which columns it should have."""


def service(port: int) -> str:
    """Return a port with its service's name.

    >>> service(22), service(4567)
    ('22 SSH', '4567')
    """
    return f"{port} {SERVICES[port]}" if port in SERVICES else str(port)


def count(value: float) -> str:
    """Return a number of flows or bytes, short enough to stand beside a bar.

    >>> count(850_624), count(1_234_567), count(9.8e12)
    ('850,624', '1.23 million', '9,800 billion')
    """
    for size, word in ((1e9, "billion"), (1e6, "million")):
        if value >= size:
            return f"{float(f'{value / size:.3g}'):,.10g} {word}"
    return f"{value:,.0f}"


def shortened(name: str, letters: int = LETTERS_OF_A_NAME) -> str:
    """Shorten a name to leave room for the chart; the chart's text has it in full."""
    return name if len(name) <= letters else f"{name[: letters - 1].rstrip()}…"


def describe(axes: Axes) -> str:
    """Return what the chart shows, in words. It is the axes' label, which matplotlib stores and does not draw."""
    return str(axes.get_label())


def columns_of(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Return the frame's columns under the chart's names for them; raise ChartError for a frame that doesn't fit."""
    if not isinstance(frame, pd.DataFrame):
        raise ChartError(
            f"give this chart a DataFrame with {len(names)} columns ({', '.join(names)}), not a {type(frame).__name__}"
        )
    if len(frame.columns) != len(names):
        raise ChartError(
            f"give this chart a frame with {len(names)} columns ({', '.join(names)}); "
            f"this one has {len(frame.columns)}: {', '.join(map(str, frame.columns))}"
        )
    data = frame.set_axis(list(names), axis="columns")
    if not pd.api.types.is_numeric_dtype(data[names[-1]]):
        raise ChartError(
            f"column {frame.columns[-1]!r} has to hold the numbers; it holds {data[names[-1]].dtype}: "
            "make numbers of it, or give the columns in their order"
        )
    data[names[-1]] = data[names[-1]].astype(float)
    if data.empty:
        raise ChartError(
            f"there is nothing to draw: the frame has no rows ({', '.join(names)}); see whether the query found any"
        )
    if not (np.isfinite(data[names[-1]]) & (data[names[-1]] >= 0)).all():
        raise ChartError(f"column {frame.columns[-1]!r} has to hold counts; it has negative or missing ones: drop them")
    return data


def check_whole(values: pd.Series[Any], what: str, allowed: range) -> None:
    """Raise ChartError if one value of a column isn't valid: a chart would leave it out silently."""
    wrong = values[~values.isin(allowed)]
    if len(wrong):
        raise ChartError(f"{wrong.iloc[0]} is no {what}; correct these rows, or leave them out")


def check_verdicts(actions: pd.Series[Any]) -> None:
    """Raise ChartError for flows that were neither accepted nor rejected, such as the `-` of a NODATA record."""
    wrong = sorted(set(map(str, actions)) - set(VERDICTS))
    if wrong:
        raise ChartError(f"{wrong[0]!r} is no verdict; keep the rows whose action is {' or '.join(VERDICTS)}")


def new_axes(height: float = SIZE[1]) -> Axes:
    """Return axes on a new figure, `height` inches high; pyplot does not know it, so nothing shows it twice."""
    figure = Figure(figsize=(SIZE[0], height), dpi=100, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def described(axes: Axes, values: Iterable[tuple[str, float]], what: str = "") -> Axes:
    """Give the axes their text alternative: the title, and the numbers in words."""
    words = [f"{' '.join(name.split())} {value:,.0f}" for name, value in values]
    if len(words) > VALUES_IN_WORDS:
        words[VALUES_IN_WORDS:] = [f"and {len(words) - VALUES_IN_WORDS} more"]
    axes.set_label(
        f"{axes.get_title(loc='left')}, {what or axes.get_xlabel() or axes.get_ylabel()}: {'; '.join(words)}."
    )
    return axes
