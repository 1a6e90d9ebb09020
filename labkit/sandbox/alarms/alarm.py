"""Alarms: their settings, their state, and how DescribeAlarms shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from labkit.sandbox.alarms import rules
from labkit.sandbox.alarms.evaluation import COMPARISONS, INSUFFICIENT_DATA, MISSING, Breach, Rule
from labkit.sandbox.alarms.expression import follows_clock
from labkit.sandbox.alarms.samples import Metric, metric_of

if TYPE_CHECKING:
    from labkit.sandbox.alarms.suppression import Suppression

INITIAL_REASON = "Unchecked: Initial alarm creation"
ACTIONS = {"OK": "OKActions", "ALARM": "AlarmActions", INSUFFICIENT_DATA: "InsufficientDataActions"}
"""The request's member that lists the actions of each state."""


@dataclass(frozen=True)
class State:
    """An alarm's state, its reason, and since when.

    `updated` is when state or reason were last set, `transitioned` when the state last changed.
    """

    value: str
    reason: str
    reason_data: str | None
    updated: datetime
    transitioned: datetime


class Alarm:
    """The common base of metric alarms and composite alarms.

    `settings` holds the members of the request as they came, without the tags; an update replaces all of them and keeps
    the state (PutMetricAlarm).
    """

    kind: ClassVar[str]

    def __init__(self, region: str, account_id: str, settings: Mapping[str, Any], now: datetime) -> None:
        self.name: str = settings["AlarmName"]
        self.region = region
        self.account_id = account_id
        self.arn = f"arn:aws:cloudwatch:{region}:{account_id}:alarm:{self.name}"
        # Here, not in configure(): PutMetricAlarm ignores the tags of an alarm that exists.
        self.tags: dict[str, str] = {tag["Key"]: tag["Value"] for tag in settings.get("Tags", [])}
        self.state = State(INSUFFICIENT_DATA, INITIAL_REASON, None, now, now)
        self.configure(settings, now)

    def configure(self, settings: Mapping[str, Any], now: datetime) -> None:
        """Takes over the settings of a request."""
        self.settings = {name: value for name, value in settings.items() if name != "Tags"}
        self.configured = now

    @property
    def description(self) -> str | None:
        """The description; None if it is empty or wasn't given."""
        return self.settings.get("AlarmDescription") or None

    @property
    def actions_enabled(self) -> bool:
        """Whether state changes run actions."""
        return bool(self.settings.get("ActionsEnabled", True))

    def actions(self, state: str) -> list[str]:
        """Return the ARNs of a state's actions."""
        return list(self.settings.get(ACTIONS[state], []))

    def all_actions(self) -> list[str]:
        """Return the ARNs of the actions of all states."""
        return [arn for state in ACTIONS for arn in self.actions(state)]

    def describe(self) -> dict[str, Any]:
        """Return the alarm as DescribeAlarms lists it: without empty members, except for the lists of actions."""
        shown = {name: value for name, value in self.settings.items() if value not in ("", None, [])}
        shown |= {member: self.actions(state) for state, member in ACTIONS.items()}
        shown |= {
            "AlarmArn": self.arn,
            "ActionsEnabled": self.actions_enabled,
            "AlarmConfigurationUpdatedTimestamp": self.configured,
            "StateValue": self.state.value,
            "StateReason": self.state.reason,
            "StateUpdatedTimestamp": self.state.updated,
            "StateTransitionedTimestamp": self.state.transitioned,
        }
        if self.state.reason_data is not None:
            shown["StateReasonData"] = self.state.reason_data
        return shown


class MetricAlarm(Alarm):
    """An alarm on one metric, or on the result of metric math."""

    kind = "MetricAlarm"
    metrics: list[dict[str, Any]]
    """The queries of an alarm on metric math; empty for an alarm on one metric."""
    period: int
    """The length of a datapoint in seconds."""
    inputs: tuple[Metric, ...]
    """The metrics that it reads, each once."""
    follows_clock: bool
    """Whether its state may change with time alone, as metric math with HOUR() does."""
    looks_at: tuple[object, ...] | None
    """A key that alarms on the same datapoints share; None for metric math, whose results aren't shared."""
    due: float | None = None
    """The time of its next evaluation; None while no evaluation could change anything."""

    def configure(self, settings: Mapping[str, Any], now: datetime) -> None:
        """Takes over the settings of a request."""
        super().configure(settings, now)
        self.metrics = settings.get("Metrics", [])
        self.period = int(settings["Period"] if not self.metrics else query_period(self.metrics))
        self.rule = Rule(
            evaluation_periods=settings["EvaluationPeriods"],
            datapoints_to_alarm=settings.get("DatapointsToAlarm", settings["EvaluationPeriods"]),
            treat_missing_data=self.treat_missing_data,
            breaches=Breach(COMPARISONS[settings["ComparisonOperator"]], self.threshold),
        )
        described = [query["MetricStat"]["Metric"] for query in self.metrics if "MetricStat" in query] or [settings]
        self.inputs = tuple(dict.fromkeys(metric_of(metric) for metric in described))
        periods = self.rule.evaluation_periods
        where = self.inputs[0], settings.get("Unit"), self.statistic
        how = self.period, periods, json.dumps(settings.get("EvaluationWindow"))
        # Without threshold and TreatMissingData: alarms that differ in these alone look at the same datapoints.
        self.looks_at = None if self.metrics else (*where, *how)
        self.follows_clock = any(follows_clock(query["Expression"]) for query in self.metrics if "Expression" in query)

    @property
    def threshold(self) -> float:
        """The number that datapoints are compared with."""
        return float(self.settings["Threshold"])

    @property
    def statistic(self) -> str | None:
        """The statistic of the metric, extended or not; None for metric math."""
        return self.settings.get("Statistic") or self.settings.get("ExtendedStatistic")

    @property
    def treat_missing_data(self) -> str:
        """How missing datapoints are treated; alarms on DynamoDB's metrics ignore them whatever was asked for."""
        if self.settings.get("Namespace") == "AWS/DynamoDB":
            return "ignore"
        return str(self.settings.get("TreatMissingData", MISSING))

    @property
    def watched_query(self) -> dict[str, Any]:
        """The query whose result is compared with the threshold; PutMetricAlarm has checked that there is one."""
        return next(query for query in self.metrics if query.get("ReturnData", True))

    def describe(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms lists it."""
        return super().describe() | {"Dimensions": self.settings.get("Dimensions", [])}


def query_period(queries: list[dict[str, Any]]) -> int:
    """Return the period of metric math, which all its metrics share."""
    return max(int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query)


class CompositeAlarm(Alarm):
    """An alarm on the states of other alarms."""

    kind = "CompositeAlarm"
    suppressed_by: str | None = None
    """What suppresses its actions: Alarm, WaitPeriod or ExtensionPeriod; None while nothing does."""
    suppression: Suppression | None = None

    def configure(self, settings: Mapping[str, Any], now: datetime) -> None:
        """Takes over the settings of a request."""
        super().configure(settings, now)
        self.children = rules.children(settings["AlarmRule"])

    @property
    def suppressor(self) -> str | None:
        """The name or the ARN of the alarm that suppresses its actions."""
        return self.settings.get("ActionsSuppressor")

    def describe(self) -> dict[str, Any]:
        """The alarm as DescribeAlarms lists it."""
        shown = super().describe()
        if self.suppressed_by is not None:
            shown["ActionsSuppressedBy"] = self.suppressed_by
            shown["ActionsSuppressedReason"] = f"Actions suppressed by {self.suppressed_by}"
        return shown


@dataclass
class HistoryItem:
    """One entry of an alarm's history."""

    alarm: str
    kind: str
    at: datetime
    item: str
    """ConfigurationUpdate, StateUpdate or Action."""
    summary: str
    data: str = field(repr=False)
