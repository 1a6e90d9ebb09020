"""Metric filters: matching log events become samples of CloudWatch metrics as they are put.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, only_standard, page
from labkit.sandbox.logs.filter_patterns import FilterPattern, compile_pattern
from labkit.sandbox.logs.filter_patterns.parser import is_number
from labkit.sandbox.logs.filter_patterns.sql import decimal
from labkit.sandbox.logs.groups import LogGroup, LogStream
from labkit.sandbox.logs.store import Batch
from labkit.sandbox.service import Call, Result, operation

MAX_FILTERS = 100
MAX_REGEX_FILTERS = 5
MAX_DIMENSIONS = 3
MINUTE = 60_000
SYSTEM_DIMENSIONS = ("@aws.account", "@aws.region")


@dataclass
class MetricFilter:
    """A metric filter of a log group."""

    name: str
    pattern: FilterPattern
    transformations: list[dict[str, Any]]
    created: int
    system_dimensions: list[str]
    minutes_told: set[int] = field(default_factory=set)
    """The minutes that have a sample: of a match, or the default value for events that did not match."""
    minutes_open: set[int] = field(default_factory=set)
    """The minutes that had events, and get the default value unless there comes a match."""

    def describe(self, group: LogGroup) -> dict[str, Any]:
        """The filter as DescribeMetricFilters shows it."""
        shown = {
            "filterName": self.name,
            "filterPattern": self.pattern.text,
            "metricTransformations": self.transformations,
            "creationTime": self.created,
            "logGroupName": group.name,
            "applyOnTransformedLogs": False,
        }
        return shown | ({"emitSystemFieldDimensions": self.system_dimensions} if self.system_dimensions else {})


class MetricFilterOperations(LogsCore):
    """Put, describe, delete and test metric filters; run them over what comes in."""

    @operation("PutMetricFilter")
    def put_metric_filter(self, call: Call) -> None:
        """Create or replace a filter; it sees only events that are put from now on."""
        group = self.group(call.region, call.params["logGroupName"])
        only_standard(group)
        name = call.params["filterName"]
        pattern = compile_pattern(call.params["filterPattern"])
        _refuse_what_is_not_here(call)
        system_dimensions = call.params.get("emitSystemFieldDimensions", [])
        if unknown := set(system_dimensions) - set(SYSTEM_DIMENSIONS):
            known = " and ".join(SYSTEM_DIMENSIONS)
            raise invalid(f"Invalid emitSystemFieldDimensions {', '.join(sorted(unknown))}: there are {known}.")
        for transformation in call.params["metricTransformations"]:
            _check_transformation(transformation, pattern, len(system_dimensions))
        check_quotas(group, name, pattern, len({*group.metric_filters, name}) > MAX_FILTERS)
        old = group.metric_filters.get(name)
        group.metric_filters[name] = MetricFilter(
            name,
            pattern,
            [dict(transformation) for transformation in call.params["metricTransformations"]],
            old.created if old else self.now,
            system_dimensions,
        )

    @operation("DeleteMetricFilter")
    def delete_metric_filter(self, call: Call) -> None:
        """Delete a filter; the metric keeps its samples."""
        group = self.group(call.region, call.params["logGroupName"])
        only_standard(group)
        if group.metric_filters.pop(call.params["filterName"], None) is None:
            raise ServiceError("ResourceNotFoundException", "The specified metric filter does not exist.")

    @operation("DescribeMetricFilters")
    def describe_metric_filters(self, call: Call) -> Result:
        """The filters of a group or of a metric, in ASCII order of their names; a prefix counts in a group alone."""
        metric, namespace = call.params.get("metricName"), call.params.get("metricNamespace")
        if (metric is None) != (namespace is None) or (metric is not None and "logGroupName" in call.params):
            raise invalid(
                "Describe Metric Filters request must contain either logGroupName or metricName and metricNamespace"
            )
        if "logGroupName" in call.params:
            groups = [self.group(call.region, call.params["logGroupName"])]
            only_standard(groups[0])
        else:
            groups = self.groups(call.region)
        prefix = call.params.get("filterNamePrefix", "") if "logGroupName" in call.params else ""
        found = [
            (filter_.name, group.name, filter_.describe(group))
            for group in groups
            for filter_ in group.metric_filters.values()
            if filter_.name.startswith(prefix) and (metric is None or _makes(filter_, metric, str(namespace)))
        ]
        part, more = page(sorted(found, key=lambda item: item[:2]), call)
        return {"metricFilters": [shown for _, _, shown in part], **more}

    @operation("TestMetricFilter")
    def test_metric_filter(self, call: Call) -> Result:
        """Which of some messages a pattern matches, and the fields in those; events are counted from 0.

        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TestMetricFilter.html has examples.
        """
        pattern = compile_pattern(call.params["filterPattern"])
        messages = call.params["logEventMessages"]
        rows = self.store.cursor().execute(
            f"SELECT number, message, {pattern.fields} FROM"
            " (SELECT unnest($1::VARCHAR[]) AS message, generate_subscripts($1::VARCHAR[], 1) - 1 AS number)"
            f" WHERE {pattern.condition} ORDER BY number",
            [messages],
        )
        return {
            "matches": [
                {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.named(fields)}
                for number, message, fields in rows.fetchall()
            ]
        }

    def watch(self, group: LogGroup, stream: LogStream, batch: Batch) -> None:
        """Run the group's metric filters over a new batch."""
        super().watch(group, stream, batch)
        for filter_ in group.metric_filters.values():
            for transformation in filter_.transformations:
                self._publish(group, filter_, transformation, batch)

    def _publish(self, group: LogGroup, filter_: MetricFilter, transformation: dict[str, Any], batch: Batch) -> None:
        """One sample for each match that has a number and all dimensions, in the event's own minute."""
        dimensions = transformation.get("dimensions", {})
        columns = [_value_sql(filter_.pattern, transformation["metricValue"])]
        columns += [filter_.pattern.extraction(reference) or "NULL" for reference in dimensions.values()]
        rows = self._matches(batch, filter_.pattern.condition, ", ".join(columns))
        told = {timestamp // MINUTE for timestamp, *_ in rows}
        system = self._system_dimensions(group, filter_)
        for timestamp, matches, value, *found in rows:
            if value is not None and isfinite(value) and all(found):
                named = dict(zip(dimensions, found, strict=True))
                self._record(group, transformation, system | named, timestamp / 1000, value, matches)
        self._await_matches(group, filter_, transformation, batch, told)

    def _matches(self, batch: Batch, condition: str, columns: str) -> list[tuple[Any, ...]]:
        """For each minute and values of the columns that match: the first time, the number of matches, the values.

        Messages that were known before are looked at all at once, and each is found among those.
        """
        if batch.texts is None:
            return self.store.query_batch(
                batch,
                f"SELECT min(timestamp) AS first, count(*) AS matches, {columns} FROM batch"
                f" WHERE {condition} GROUP BY timestamp // {MINUTE}, {columns} ORDER BY ALL",
            )
        texts, places = batch.texts
        found = self.store.query_texts(texts, f"SELECT sequence, {columns} FROM batch WHERE {condition}")
        values = {place: values for place, *values in found}
        matches: dict[tuple[Any, ...], list[int]] = {}
        for place, at in zip(places.tolist(), batch.timestamps.tolist(), strict=True):
            if place in values:
                matches.setdefault((at // MINUTE, *values[place]), []).append(at)
        rows = [(min(times), len(times), *columns) for (_, *columns), times in matches.items()]
        return sorted(rows, key=lambda row: [(value is None, value) for value in row])

    def _await_matches(
        self, group: LogGroup, filter_: MetricFilter, transformation: dict[str, Any], batch: Batch, told: set[int]
    ) -> None:
        """Has the default value published, when this minute is over, for minutes that have had events but no match."""
        if transformation.get("defaultValue") is None:
            return
        filter_.minutes_told |= told
        if not filter_.minutes_open:
            name = f"default value of {filter_.name} of {group.arn}"
            end = (self.now // MINUTE + 1) * MINUTE / 1000
            record = partial(self._record_defaults, group, filter_, transformation)
            self.sandbox.clock.call_at(end, record, name=name)
        filter_.minutes_open |= set(np.unique(batch.timestamps // MINUTE).tolist())

    def _record_defaults(self, group: LogGroup, filter_: MetricFilter, transformation: dict[str, Any]) -> None:
        is_there = self._groups.get((group.region, group.name)) is group
        if not is_there or group.metric_filters.get(filter_.name) is not filter_:
            return
        for minute in sorted(filter_.minutes_open - filter_.minutes_told):
            self._record(group, transformation, {}, minute * MINUTE / 1000, transformation["defaultValue"])
        filter_.minutes_told |= filter_.minutes_open
        filter_.minutes_open = set()

    def _record(
        self,
        group: LogGroup,
        transformation: dict[str, Any],
        dimensions: dict[str, str],
        timestamp: float,
        value: float,
        count: int = 1,
    ) -> None:
        self.sandbox.wiring.record_metric(
            group.region,
            transformation["metricNamespace"],
            transformation["metricName"],
            dimensions,
            timestamp,
            float(value),
            transformation.get("unit"),
            count=count,
        )

    def _system_dimensions(self, group: LogGroup, filter_: MetricFilter) -> dict[str, str]:
        known = {"@aws.account": group.account_id, "@aws.region": group.region}
        return {name: known[name] for name in filter_.system_dimensions}


def check_quotas(group: LogGroup, name: str, pattern: FilterPattern, too_many: bool) -> None:
    """Refuses one filter too many; metric and subscription filters share a quota of regular expressions."""
    with_regexes = {*group.regex_filters(), name} if pattern.regexes else set()
    if too_many or len(with_regexes) > MAX_REGEX_FILTERS:
        raise ServiceError("LimitExceededException", "Resource limit exceeded.")


def _refuse_what_is_not_here(call: Call) -> None:
    for parameter in ("applyOnTransformedLogs", "fieldSelectionCriteria"):
        if call.params.get(parameter):
            raise invalid(
                f"The sandbox does not transform or centralize logs ({parameter})."
                " docs/sandbox/logs.md lists what it does."
            )


def _check_transformation(transformation: dict[str, Any], pattern: FilterPattern, system_dimensions: int) -> None:
    value = transformation["metricValue"]
    if not value.startswith("$") and not is_number(value):
        raise invalid("Invalid metric transformation: metric value must be a valid number")
    if value.startswith("$") and not pattern.has_fields:
        raise invalid(f"Invalid metric transformation: the filter pattern has no fields for the metric value {value}")
    dimensions = transformation.get("dimensions", {})
    if (dimensions or system_dimensions) and transformation.get("defaultValue") is not None:
        raise invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties")
    if len(dimensions) + system_dimensions > MAX_DIMENSIONS:
        raise invalid("Number of dimensions exceeds the maximum number of dimensions supported per metric filter")
    if dimensions and not pattern.has_fields:
        raise invalid("The specified filter pattern does not support dimensions")
    if not all(reference.startswith("$") for reference in dimensions.values()):
        raise invalid("Invalid metric transformation: dimension value must be valid selector")


def _value_sql(pattern: FilterPattern, value: str) -> str:
    """Return the SQL of the number that a match adds; NULL if its field is missing or not a number."""
    if not value.startswith("$"):
        return f"{float(value)!r}::DOUBLE"
    text = pattern.extraction(value)
    return decimal(text) if text else "NULL"


def _makes(filter_: MetricFilter, metric: str, namespace: str) -> bool:
    return any(
        (transformation["metricName"], transformation["metricNamespace"]) == (metric, namespace)
        for transformation in filter_.transformations
    )
