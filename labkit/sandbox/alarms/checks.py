"""Validates PutMetricAlarm and PutCompositeAlarm beyond the API model's constraints, with CloudWatch's errors."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any

from labkit.sandbox.alarms import rules
from labkit.sandbox.alarms.alarm import query_period
from labkit.sandbox.alarms.evaluation import BREACHING, COMPARISONS, IGNORE, MISSING, NOT_BREACHING
from labkit.sandbox.alarms.expression import functions_in
from labkit.sandbox.alarms.functions import ExpressionError, TimeSeries
from labkit.sandbox.alarms.metric_operations import checked_statistic
from labkit.sandbox.alarms.queries import Queries, Window
from labkit.sandbox.alarms.reasons import number
from labkit.sandbox.alarms.region import Region
from labkit.sandbox.alarms.retrieval import check_dimensions, check_queries
from labkit.sandbox.alarms.samples import DAY, HOUR, MINUTE, MetricStore
from labkit.sandbox.alarms.windows import WALL_CLOCK_PERIODS, UnknownTimezone, time_zone
from labkit.sandbox.kernel.errors import ServiceError, not_here
from labkit.sandbox.service import Call

TREATMENTS = (BREACHING, NOT_BREACHING, IGNORE, MISSING)
MAX_METRICS, MAX_QUERIES = 10, 20
"""The maximum number of metrics, and of queries in all, in one alarm on metric math."""
MAX_TAGS = 50
"""The maximum number of tags on an alarm (TagResource)."""
MAX_CHILDREN = 100
"""The maximum number of alarms in a composite alarm's rule (PutCompositeAlarm, AlarmRule)."""
MAX_ELEMENTS = 500
"""The maximum number of child alarms, TRUE, FALSE and parentheses in a rule ("Create a composite alarm")."""
MAX_PARENTS = 150
"""The maximum number of composite alarms that may have the same alarm in their rules (PutCompositeAlarm)."""

_REFUSED = (
    "EvaluationCriteria",
    "EvaluationInterval",
    "WarmUpConfiguration",
    "ThresholdMetricId",
    "ActionConfiguration",
)
"""Members that CloudWatch has and the sandbox doesn't act on: PromQL, warm-up, anomaly detection, tags in actions."""


def check_metric_alarm(call: Call) -> None:
    """Raise an error for a metric alarm that CloudWatch rejects or the sandbox can't evaluate."""
    params = call.params
    # What the sandbox doesn't support comes first: such an alarm may lack members that the other checks need.
    _check_refused(params)
    _check_name(params["AlarmName"])
    check_tags(params.get("Tags", []))
    _check_given(params, "EvaluationPeriods", "ComparisonOperator")
    _check_threshold(params)
    if params.get("Metrics"):
        _check_metrics(params, call.account_id)
    else:
        _check_metric(params)
    _check_treatment(params)
    if not 1 <= params.get("DatapointsToAlarm", 1) <= params["EvaluationPeriods"]:
        raise _invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    _check_window(params)
    check_actions(call)


def _check_window(params: dict[str, Any]) -> None:
    window = params.get("EvaluationWindow", {})
    if len(window) > 1:
        raise _invalid("EvaluationWindow must have exactly one of SlidingWindow and WallClockWindow.")
    if "WallClockWindow" not in window:
        return
    period = params.get("Period") or query_period(params["Metrics"])
    if period not in WALL_CLOCK_PERIODS:
        raise _invalid(f"Period must be one of {', '.join(map(str, WALL_CLOCK_PERIODS))} with a WallClockWindow.")
    try:
        time_zone(window["WallClockWindow"].get("Timezone", "UTC"))
    except UnknownTimezone as error:
        raise _invalid(
            f"The value {error} for parameter EvaluationWindow.WallClockWindow.Timezone is invalid."
        ) from None


def _invalid(message: str, code: str = "ValidationError") -> ServiceError:
    return ServiceError(code, message)


def _check_refused(params: dict[str, Any]) -> None:
    for name in _REFUSED:
        if name in params:
            raise not_here(f"alarms with {name}")


def _check_name(name: str) -> None:
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise _invalid(f"AlarmName must not have control characters: {name!r}")


def _check_threshold(params: dict[str, Any]) -> None:
    operator = params["ComparisonOperator"]
    # The three operators of anomaly detection bands are left in AWS's model.
    if operator not in COMPARISONS:
        raise not_here(f"{operator}, which is for anomaly detection")
    _check_given(params, "Threshold")
    if not math.isfinite(params["Threshold"]):
        raise _invalid(f"The value {number(params['Threshold'])} for parameter Threshold is invalid.")


def _check_given(params: dict[str, Any], *names: str) -> None:
    for name in names:
        if name not in params:
            raise _invalid(f"{name} must not be null")


def _check_metric(params: dict[str, Any]) -> None:
    _check_given(params, "MetricName", "Namespace", "Period")
    check_dimensions(params, "Dimensions")
    if ("Statistic" in params) == ("ExtendedStatistic" in params):
        raise _invalid(
            "Exactly one of Statistic and ExtendedStatistic must be specified for a metric alarm.",
            code="InvalidParameterCombination",
        )
    if "ExtendedStatistic" in params:
        checked_statistic(params["ExtendedStatistic"], "ExtendedStatistic")
    _check_period(params["Period"], params["EvaluationPeriods"])


def _check_period(period: int, evaluation_periods: int) -> None:
    if period not in (10, 20, 30) and period % 60:
        raise _invalid("Period must be 10, 20, 30 or a multiple of 60")
    # PutMetricAlarm, EvaluationPeriods: a week is allowed only from periods of an hour on.
    longest, words = (DAY, "a day") if period < HOUR else (7 * DAY, "a week")
    if period * evaluation_periods > longest:
        raise _invalid(
            f"Metrics cannot be checked across more than {words} (EvaluationPeriods * Period must be <= {longest})."
        )


def _check_metrics(params: dict[str, Any], account_id: str) -> None:
    for name in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"):
        if name in params:
            raise _invalid(f"{name} should not be set if list of Metrics is set.")
    queries = params["Metrics"]
    if len(queries) > MAX_QUERIES:
        raise _invalid(f"The collection Metrics must not have a size greater than {MAX_QUERIES}.")
    if sum("MetricStat" in query for query in queries) > MAX_METRICS:
        raise _invalid(f"Metrics list must not have more than {MAX_METRICS} metrics.")
    check_queries(queries, "Metrics", account_id)
    # Before the result is computed: on an empty store a SEARCH finds nothing and looks like an array.
    _check_no_search(queries)
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        raise _invalid("Exactly one element of the metrics list should return data.")
    periods = {query["MetricStat"]["Period"] for query in queries if "MetricStat" in query}
    if len(periods) > 1:
        raise _invalid("Period must be consistent across all metrics")
    if not periods:
        raise _invalid("At least one element of the metrics list should be a metric.")
    _check_period(periods.pop(), params["EvaluationPeriods"])
    _check_result(queries)


def _check_no_search(queries: list[dict[str, Any]]) -> None:
    for query in queries:
        if "SEARCH" in functions_in(query.get("Expression", "0")):
            _check_given(query, "Period")
            raise _invalid("SEARCH is not supported on Metric Alarms")


def _check_result(queries: list[dict[str, Any]]) -> None:
    """Compute the expression on metrics without datapoints: the result has to be one time series.

    Its type doesn't depend on the data, so a wrong alarm fails here and not at its first evaluation.
    """
    watched = next(query["Id"] for query in queries if query.get("ReturnData", True))
    try:
        value = Queries(MetricStore(), queries, lambda period: Window(0, period, period), MINUTE).value(watched)
    except ExpressionError as error:
        raise _invalid(f"Error in expression '{watched}': {error}") from None
    if isinstance(value, list):
        raise _invalid(f"The expression '{watched}' comes to several time series; an alarm watches one.")
    if not isinstance(value, TimeSeries):
        raise _invalid(f"The expression '{watched}' comes to a single value; an alarm watches a time series.")


def _check_treatment(params: dict[str, Any]) -> None:
    treatment = params.get("TreatMissingData", MISSING)
    if treatment not in TREATMENTS:
        raise _invalid(
            f"Option {treatment} is not supported. Supported options for parameter TreatMissingData are "
            f"{', '.join(TREATMENTS[:-1])} and {TREATMENTS[-1]}."
        )
    few = params.get("EvaluateLowSampleCountPercentile")
    if few not in (None, "evaluate", "ignore"):
        raise _invalid(
            f"Option {few} is not supported. "
            "Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore."
        )


def check_tags(tags: list[dict[str, str]], held: Collection[str] = ()) -> None:
    """Raise an error for reserved or repeated tag keys, and for too many tags together with those in `held`."""
    keys = [tag["Key"] for tag in tags]
    for key in keys:
        if key.lower().startswith("aws:"):
            raise _invalid(f"Tag keys that begin with aws: are reserved for AWS use: {key}", "InvalidParameterValue")
        if keys.count(key) > 1:
            raise _invalid(f"The tag key {key} is given more than once.", "InvalidParameterValue")
    if len({*keys, *held}) > MAX_TAGS:
        raise _invalid(f"An alarm can't have more than {MAX_TAGS} tags.", "InvalidParameterValue")


def check_actions(call: Call) -> None:
    """Raise an error for actions that aren't an SNS topic's ARN in the alarm's own region."""
    for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for arn in call.params.get(member, []):
            parts = arn.split(":")
            if len(parts) < 6 or parts[0] != "arn":
                raise _invalid(f"Invalid arn syntax: {arn}")
            if parts[2] != "sns":
                raise not_here(f"alarm actions other than SNS topics ({arn})")
            if parts[3] != call.region:
                raise _invalid(f"Invalid region {parts[3]} specified. Only {call.region} is supported.")
            if not re.fullmatch(r"\d{12}", parts[4]):
                raise _invalid(f"Invalid account specified: {parts[4]}")


def check_composite_alarm(call: Call, region: Region) -> None:
    """Raise an error for a composite alarm whose rule can't be evaluated.

    A rule may lead back to its own alarm: CloudWatch accepts that and stops evaluating where it meets the cycle.
    """
    _check_refused(call.params)
    _check_name(call.params["AlarmName"])
    _check_rule(call.params["AlarmRule"], call.params["AlarmName"], region)
    _check_suppressor(call.params, region)
    check_tags(call.params.get("Tags", []))
    check_actions(call)


def _check_rule(rule: str, name: str, region: Region) -> None:
    try:
        children, elements = rules.children(rule), rules.elements(rule)
    except rules.RuleError as error:
        raise _invalid(f"AlarmRule must be a valid expression: {error}") from None
    if len(children) > MAX_CHILDREN:
        raise _invalid(f"AlarmRule must not have more than {MAX_CHILDREN} children alarms, it has {len(children)}.")
    if elements > MAX_ELEMENTS:
        raise _invalid(f"AlarmRule must not have more than {MAX_ELEMENTS} elements, it has {elements}.")
    if unknown := [child for child in children if region.find(child) is None]:
        raise _invalid(f"Could not find alarm(s) named in the AlarmRule: {', '.join(unknown)}")
    for child in children:
        # An update of the alarm itself doesn't count it twice.
        if sum(parent.name != name for parent in region.parents(child)) >= MAX_PARENTS:
            raise _invalid(f"{child} is in the rules of {MAX_PARENTS} composite alarms already.", "LimitExceeded")


def _check_suppressor(params: dict[str, Any], region: Region) -> None:
    periods = ("ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod")
    given = [name for name in ("ActionsSuppressor", *periods) if name in params]
    if given and len(given) < 3:
        raise _invalid(f"ActionsSuppressor, {periods[0]} and {periods[1]} must be specified together.")
    if given and region.find(params["ActionsSuppressor"]) is None:
        raise _invalid(f"Could not find the alarm of ActionsSuppressor: {params['ActionsSuppressor']}")
