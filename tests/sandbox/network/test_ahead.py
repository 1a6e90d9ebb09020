"""Minutes that are drawn ahead are those that would have been drawn one by one."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from labkit.sandbox.assembly import AssembledSandbox
from labkit.sandbox.moto_state import s3
from labkit.sandbox.network.ahead import Ahead
from labkit.sandbox.network.flows import Book
from tests.sandbox.calls import client_call
from tests.sandbox.network.vpc import BUCKET, GROUP, REGION, Vpc, group, interface

MINUTE = 29_893_500
MINUTES = 90
FILTERS = {
    "counted": ("REJECT", {"metricValue": "1", "defaultValue": 0.0}),
    "by port": (
        "[v, account, eni, source, destination, srcport, destport, protocol, packets, bytes, a, b, action, status]",
        {"metricValue": "$bytes", "dimensions": {"port": "$destport"}},
    ),
    "of one field": (
        "[version, ..., protocol=6, packets, bytes, first, last, action, status]",
        {"metricValue": "$bytes"},
    ),
}


def drawn(minutes_left: int) -> list[Any]:
    """The rows of the minutes, an interface that changes on the way, and the addresses in their order."""
    ahead, addresses = Ahead(seed=7), Book()
    first, other = interface(), replace(interface(), groups=(group(),))
    told = []
    for number in range(MINUTES):
        here, level = (other, 2.0) if 30 <= number < 35 else (first, 2.0 if number < 60 else 1.0)
        rows = ahead.flows(here, 3, addresses, minute=MINUTE + number, level=level, minutes_left=minutes_left)
        rows["origin"] = 0
        told.append(rows.tolist())
    return [*told, addresses.names]


def test_what_is_drawn_ahead_is_what_would_have_been_drawn_then():
    assert drawn(1) == drawn(2) == drawn(1000)
    assert np.mean([len(rows) for rows in drawn(1)[:-1]]) > 20


def seen(seconds: int, steps: int) -> dict[str, Any]:
    """What came of some time with flow logs and metric filters that passed in so many steps."""
    with closing(AssembledSandbox(start=datetime(2026, 11, 2, 9, tzinfo=UTC), seed=1)) as sandbox:
        with sandbox.change():  # so that the interface has the same id each time
            vpc = Vpc(sandbox)
        vpc.log_to_s3(MaxAggregationInterval=60)
        vpc.log_to_s3(MaxAggregationInterval=600, TrafficType="REJECT")
        vpc.log_to_group()
        client_call(sandbox, "logs", "CreateLogGroup", logGroupName=GROUP)
        for name, (pattern, transformation) in FILTERS.items():
            metric = {"metricName": name, "metricNamespace": "Lab", **transformation}
            filter_ = {"filterName": name, "filterPattern": pattern, "metricTransformations": [metric]}
            client_call(sandbox, "logs", "PutMetricFilter", logGroupName=GROUP, **filter_)
        for _ in range(steps):
            sandbox.clock.advance(seconds / steps)
        table = sandbox.logs.store.relation(REGION, GROUP)
        metrics = sandbox.cloudwatch.region(REGION).store
        samples = {
            (metric, unit, begin): repr(series.at(begin))
            for metric in metrics.metrics()
            for unit, series in metrics.units(metric).items()
            for begin in series.begins(0, 1e11)
        }
        return {
            "events": sandbox.logs.store.cursor().execute(f"FROM {table} ORDER BY sequence").fetchall(),
            "samples": samples,
            "objects": {each.key: s3.get_object(BUCKET, each.key) for each in s3.list_objects(BUCKET)},
        }


def test_records_and_what_filters_find_in_them_are_the_same_however_time_passes():
    at_once, by_half_minutes = seen(2400, 1), seen(2400, 80)
    assert len(at_once["events"]) > 500
    assert {metric.name for metric, *_ in at_once["samples"]} > FILTERS.keys()
    assert at_once == by_half_minutes


@pytest.mark.parametrize("minutes_left", [2, 1000])
def test_an_interface_that_nobody_reaches_has_no_rows(minutes_left):
    here = replace(interface(), public_address=None)
    assert not len(Ahead(7).flows(here, 3, Book(), minute=MINUTE, level=1.0, minutes_left=minutes_left))
    assert not len(Ahead(7).flows(interface(), 3, Book(), minute=MINUTE, level=0, minutes_left=minutes_left))
