"""The API operations on metrics: PutMetricData, ListMetrics, GetMetricStatistics, GetMetricData."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from labkit.sandbox.alarms.labels import Viewer, time_zone
from labkit.sandbox.alarms.queries import Window, merged
from labkit.sandbox.alarms.reasons import number
from labkit.sandbox.alarms.region import Region
from labkit.sandbox.alarms.retrieval import ACTIVE, Retrieval, aligned, check_dimensions, invalid_token, is_plain, kept
from labkit.sandbox.alarms.samples import Metric, SampleSet, metric_of, statistic_set
from labkit.sandbox.alarms.statistics import SIMPLE, UnknownStatistic, statistic
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.paging import page
from labkit.sandbox.service import Call, Result, Service, operation

OLDEST, NEWEST = timedelta(days=14), timedelta(hours=2)
"""How far in the past and in the future a sample's timestamp may be (PutMetricData)."""
MAX_METRICS, MAX_VALUES = 1000, 150
"""The maximum number of metrics in one PutMetricData, and of values in each."""
LISTED_PAGE = 500
MAX_DATAPOINTS = 1440


class MetricOperations(Service):
    """The API operations on metrics."""

    def region(self, name: str) -> Region:
        """Return the metrics and alarms of a region."""
        raise NotImplementedError

    def record(
        self,
        region: str,
        namespace: str,
        metric_name: str,
        dimensions: Mapping[str, str],
        timestamp: float,
        value: float,
        unit: str | None = None,
        *,
        count: float = 1.0,
    ) -> None:
        """Add a sample, or `count` equal ones, as an AWS service does for its own metrics.

        Unlike PutMetricData it takes namespaces that begin with AWS/. `timestamp` is in seconds since the epoch.
        """
        samples = SampleSet()
        samples.add(value, count)
        self.put_samples(region, Metric.of(namespace, metric_name, dimensions), timestamp, samples, unit, 60)

    def put_samples(
        self, region: str, metric: Metric, timestamp: float, samples: SampleSet, unit: str | None, resolution: int
    ) -> None:
        """Add samples to a metric and wake the alarms on it; `resolution` is 60 or 1 seconds."""
        raise NotImplementedError

    @operation("PutMetricData")
    def put_metric_data(self, call: Call) -> Result:
        """Publish samples: values, values with counts, or statistic sets; an error in one publishes none."""
        namespace = call.params["Namespace"]
        if namespace.startswith("AWS/") or not is_plain(namespace):
            raise _wrong_value(namespace, "Namespace")
        data = [*call.params.get("MetricData", [])]
        data += [datum for entity in call.params.get("EntityMetricData", []) for datum in entity.get("MetricData", ())]
        if len(data) > MAX_METRICS:
            raise ServiceError(
                "InvalidParameterValue", f"The collection MetricData must not have a size greater than {MAX_METRICS}."
            )
        now = self.sandbox.clock.now()
        # A list, not a generator: all samples are checked before the first one is stored.
        checked = [(datum, _samples(datum, number), _moment(datum, number, now)) for number, datum in _numbered(data)]
        for datum, samples, moment in checked:
            metric = metric_of({**datum, "Namespace": namespace})
            resolution = datum.get("StorageResolution", 60)
            self.put_samples(call.region, metric, moment.timestamp(), samples, datum.get("Unit"), resolution)
        return {}

    @operation("ListMetrics")
    def list_metrics(self, call: Call) -> Result:
        """List metrics in the order of namespace, name and dimensions."""
        region = self.region(call.region)
        oldest = (self.sandbox.clock.now() - ACTIVE).timestamp()
        if call.params.get("RecentlyActive"):
            # RecentlyActive has one value, PT3H, which the model checks.
            oldest = (self.sandbox.clock.now() - timedelta(hours=3)).timestamp()
        listed = [
            {
                "Namespace": metric.namespace,
                "MetricName": metric.name,
                "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
            }
            for metric in sorted(region.store.metrics())
            if _fits(metric, call.params) and (region.store.newest(metric) or 0) >= oldest
        ]
        return page(listed, call.params, "Metrics", LISTED_PAGE, invalid_token)

    @operation("GetMetricStatistics")
    def get_metric_statistics(self, call: Call) -> Result:
        """Return statistics of one metric: a datapoint for each period and unit that has samples."""
        params = call.params
        window = _statistics_window(params, self.sandbox.clock.now())
        extended = params.get("ExtendedStatistics", [])
        for name in extended:
            checked_statistic(name, "ExtendedStatistics")
        units = self.region(call.region).store.units(metric_of(params))
        found = (
            _statistics_datapoint(at, unit, samples, params.get("Statistics", []), extended)
            for unit, series in units.items()
            if params.get("Unit") in (None, unit)
            # merged() yields the newest first. AWS gives no order here; the oldest first is what a reader expects.
            for at, samples in reversed(list(merged(series, window)))
        )
        datapoints = [datapoint for datapoint in found if datapoint is not None]
        return {"Label": params["MetricName"], "Datapoints": datapoints}

    @operation("GetMetricData")
    def get_metric_data(self, call: Call) -> Result:
        """Return datapoints of metrics and of metric math."""
        zone = time_zone(call.params.get("LabelOptions", {}).get("Timezone", "+0000"))
        viewer = Viewer(self.sandbox.clock.now(), zone, call.account_id, call.region)
        return Retrieval(self.region(call.region).store, call.params, viewer).answer()


def checked_statistic(name: str, parameter: str) -> None:
    """Raise InvalidParameterValue for a statistic that CloudWatch doesn't have."""
    try:
        statistic(name)
    except UnknownStatistic:
        raise ServiceError(
            "InvalidParameterValue", f"The value {name} for parameter {parameter} is not supported."
        ) from None


def _numbered(data: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((f"MetricData.member.{number}", datum) for number, datum in enumerate(data, start=1))


def _samples(datum: dict[str, Any], where: str) -> SampleSet:
    _check_alone(datum, where)
    check_dimensions(datum, f"{where}.Dimensions")
    if datum.get("StorageResolution", 60) not in (1, 60):
        raise _wrong_value(f"{datum['StorageResolution']}", f"{where}.StorageResolution")
    if "StatisticValues" in datum:
        return _statistic_set(datum["StatisticValues"], f"{where}.StatisticValues")
    values = datum.get("Values") or [datum["Value"]]
    counts = datum.get("Counts", [1.0] * len(values))
    if len(values) > MAX_VALUES:
        raise ServiceError(
            "InvalidParameterValue", f"The collection {where}.Values must not have a size greater than {MAX_VALUES}."
        )
    if len(values) != len(counts):
        raise ServiceError(
            "InvalidParameterValue", f"The parameters {where}.Values and {where}.Counts must be of the same size."
        )
    samples = SampleSet()
    for value, count in zip(values, counts, strict=True):
        if not _in_range(value):
            raise _wrong_value(number(value), f"{where}.{'Values' if 'Values' in datum else 'Value'}")
        if not _in_range(count) or count <= 0:
            raise _wrong_value(number(count), f"{where}.Counts")
        samples.add(value, count)
    return samples


def _in_range(value: float) -> bool:
    """Tell whether CloudWatch accepts a value: from -2^360 to 2^360, no NaN or infinity (PutMetricData)."""
    return math.isfinite(value) and abs(value) <= 2.0**360


def _wrong_value(value: str, where: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", f"The value {value} for parameter {where} is invalid.")


def _statistic_set(given: dict[str, float], where: str) -> SampleSet:
    for name, value in given.items():
        if not _in_range(value) or (name == "SampleCount" and value <= 0):
            raise _wrong_value(number(value), f"{where}.{name}")
    if given["Minimum"] > given["Maximum"]:
        raise ServiceError(
            "InvalidParameterValue", f"The parameter {where}.Minimum must be less than or equal to {where}.Maximum."
        )
    return statistic_set(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])


def _check_alone(datum: dict[str, Any], where: str) -> None:
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        raise ServiceError(
            "MissingParameter",
            f"At least one of the parameters {where}.Value, {where}.Values and {where}.StatisticValues "
            "must be specified.",
        )
    if len(given) > 1:
        first, second = given[:2]
        raise ServiceError(
            "InvalidParameterCombination",
            f"The parameters {where}.{first} and {where}.{second} are mutually exclusive and you have specified both.",
        )


def _moment(datum: dict[str, Any], where: str, now: datetime) -> datetime:
    moment: datetime = datum.get("Timestamp", now)
    if now - moment > OLDEST:
        raise ServiceError(
            "InvalidParameterValue",
            f"The parameter {where}.Timestamp must specify a time no more than two weeks in the past.",
        )
    if moment - now > NEWEST:
        raise ServiceError(
            "InvalidParameterValue",
            f"The parameter {where}.Timestamp must specify a time no more than two hours in the future.",
        )
    return moment


def _fits(metric: Metric, wanted: dict[str, Any]) -> bool:
    dimensions = dict(metric.dimensions)
    return (
        wanted.get("Namespace", metric.namespace) == metric.namespace
        and wanted.get("MetricName", metric.name) == metric.name
        and all(
            item["Name"] in dimensions and item.get("Value", dimensions[item["Name"]]) == dimensions[item["Name"]]
            for item in wanted.get("Dimensions", [])
        )
    )


def _statistics_window(params: dict[str, Any], now: datetime) -> Window:
    if not params.get("Statistics") and not params.get("ExtendedStatistics"):
        raise ServiceError(
            "InvalidParameterCombination",
            "At least one of the parameters Statistics and ExtendedStatistics must be specified.",
        )
    if params.get("Statistics") and params.get("ExtendedStatistics"):
        raise ServiceError(
            "InvalidParameterCombination",
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        )
    start, end, period = params["StartTime"], params["EndTime"], params["Period"]
    if start >= end:
        raise ServiceError("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise ServiceError("InvalidParameterValue", "The parameter Period must be a multiple of 60.")
    # The limit counts what was asked for; kept() afterwards drops the datapoints that have expired.
    window = aligned(start, end, period, now)
    requested = len(window.timestamps())
    if requested > MAX_DATAPOINTS:
        raise ServiceError(
            "InvalidParameterCombination",
            f"You have requested up to {requested:,} datapoints, which exceeds the limit of {MAX_DATAPOINTS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        )
    return kept(window, now)


def _statistics_datapoint(
    at: int, unit: str, samples: SampleSet, simple: list[str], extended: list[str]
) -> dict[str, Any] | None:
    """Return the datapoint of a period; None if its samples determine none of the extended statistics."""
    datapoint: dict[str, Any] = {"Timestamp": datetime.fromtimestamp(at, UTC), "Unit": unit}
    if not extended:
        return datapoint | {name: SIMPLE[name](samples) for name in simple}
    computed = {name: statistic(name)(samples) for name in extended}
    known = {name: value for name, value in computed.items() if value is not None}
    return datapoint | {"ExtendedStatistics": known} if known else None
