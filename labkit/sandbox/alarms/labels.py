"""The labels of GetMetricData's results: the default ones, and the dynamic parts of a label.

Source: CloudWatch User Guide, "Use dynamic labels" (graph-dynamic-labels.html).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from labkit.sandbox.alarms.functions import TimeSeries
from labkit.sandbox.alarms.reasons import number
from labkit.sandbox.kernel.errors import ServiceError

NOTHING = "--"
"""Shown for a dynamic part that has no value."""

_DYNAMIC = re.compile(r"\$\{([^}]*)\}")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


@dataclass(frozen=True)
class Viewer:
    """Who reads the labels, and when: times are shown in the viewer's time zone."""

    now: datetime
    zone: timezone
    account_id: str
    region: str


def time_zone(offset: str) -> timezone:
    """Return the time zone of LabelOptions, such as `+0130`; raise ServiceError for anything else.

    >>> time_zone("-0330").utcoffset(None) == -timedelta(hours=3, minutes=30)
    True
    """
    if not re.fullmatch(r"[+-]([01]\d|2[0-3])[0-5]\d", offset):
        raise ServiceError(
            "ValidationError",
            f"The value {offset} for parameter LabelOptions.Timezone is invalid: it is + or - and four digits.",
        )
    size = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
    return timezone(-size if offset[0] == "-" else size)


def is_dynamic(label: str) -> bool:
    """Tell whether a label has a dynamic part."""
    return _DYNAMIC.search(label) is not None


def telling_dimensions(own: Mapping[str, Any], same: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the values in `own` of the dimensions in which the metrics of `same` differ."""
    all_dimensions = [_dimensions(stat) for stat in same]
    return [value for name, value in _dimensions(own).items() if any(one.get(name) != value for one in all_dimensions)]


def found_label(own: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> str:
    """Return the label of a metric that a search found: whatever distinguishes it from the others."""
    name = own["Metric"]["MetricName"]
    parts = telling_dimensions(own, found)
    if not parts or any(stat["Metric"]["MetricName"] != name for stat in found):
        parts.append(name)
    return " ".join(parts)


def _dimensions(stat: Mapping[str, Any]) -> dict[str, str]:
    return {item["Name"]: item["Value"] for item in stat["Metric"].get("Dimensions", [])}


def filled(label: str, series: TimeSeries, default: str, viewer: Viewer) -> str:
    """Fill in a label's dynamic parts: `${MAX}`, `${LAST_TIME}`, `${PROP('Dim.InstanceId')}`.

    `default` is the label that the series would have otherwise; `${LABEL}` stands for it.
    """
    if not is_dynamic(label):
        return label
    known = {"LABEL": default} | _properties(series.stat, viewer)
    if series.points:
        known |= _values(list(series.points.values())) | _times(series.points, viewer)
    return _DYNAMIC.sub(lambda match: known.get(match[1].strip(), NOTHING), label)


def _properties(stat: Mapping[str, Any] | None, viewer: Viewer) -> dict[str, str]:
    properties = {"AccountId": viewer.account_id, "Region": viewer.region}
    if stat is not None:
        metric = stat["Metric"]
        properties |= {"MetricName": metric["MetricName"], "Namespace": metric["Namespace"]}
        properties |= {"Stat": stat["Stat"], "Period": str(stat["Period"])}
        properties |= {f"Dim.{name}": value for name, value in _dimensions(stat).items()}
    return {f"PROP('{name}')": value for name, value in properties.items()}


def _values(values: Sequence[float]) -> dict[str, str]:
    return {
        "MIN": number(min(values)),
        "MAX": number(max(values)),
        "AVG": number(sum(values) / len(values)),
        "SUM": number(sum(values)),
        "FIRST": number(values[0]),
        "LAST": number(values[-1]),
        "FIRST_LAST_RANGE": number(abs(values[-1] - values[0])),
        "MIN_MAX_RANGE": number(max(values) - min(values)),
        "DATAPOINT_COUNT": str(len(values)),
    }


def _times(points: Mapping[int, float], viewer: Viewer) -> dict[str, str]:
    """Return the dynamic parts about times; if several datapoints share the extreme value, the oldest counts."""
    moments = {
        "FIRST": min(points),
        "LAST": max(points),
        "MIN": min(points, key=lambda at: (points[at], at)),
        "MAX": min(points, key=lambda at: (-points[at], at)),
    }
    known = {}
    for name, at in moments.items():
        known[f"{name}_TIME"] = datetime.fromtimestamp(at, viewer.zone).strftime("%Y-%m-%d %H:%M:%S")
        known[f"{name}_TIME_RELATIVE"] = duration(abs(viewer.now.timestamp() - at))
    known["FIRST_LAST_TIME_RANGE"] = duration(moments["LAST"] - moments["FIRST"])
    known["MIN_MAX_TIME_RANGE"] = duration(abs(moments["MAX"] - moments["MIN"]))
    return known


def duration(seconds: float) -> str:
    """Write a length of time in its two largest units.

    >>> duration(3900), duration(90061), duration(0)
    ('1h 5m', '1d 1h', '0s')
    """
    rest, parts = int(seconds), []
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
