"""Records an alarm's state change in the history and runs its actions."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from labkit.sandbox.alarms.alarm import Alarm, HistoryItem, State
from labkit.sandbox.alarms.messages import dimensions, publication, query_data, subject
from labkit.sandbox.alarms.reasons import compact, timestamp
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.notifications.checks import MAX_SUBJECT

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox

HISTORY_KEPT = timedelta(days=30)
"""Alarm history is kept for 30 days ("Using Amazon CloudWatch alarms")."""


class History:
    """The history of a region's alarms, oldest first, deleted alarms included."""

    def __init__(self) -> None:
        self._items: deque[HistoryItem] = deque()

    def add(self, alarm: Alarm, at: datetime, item: str, summary: str, data: dict[str, Any]) -> None:
        """Add an entry, and drop entries older than HISTORY_KEPT."""
        self._items.append(HistoryItem(alarm.name, alarm.kind, at, item, summary, compact(data)))
        while self._items[0].at < at - HISTORY_KEPT:
            self._items.popleft()

    def since(self, moment: datetime) -> list[HistoryItem]:
        """Return the entries from a moment on."""
        return [item for item in self._items if item.at >= moment]


def changed_state(
    state: State, value: str, reason: str, reason_data: str | None, now: datetime, *, transition: bool
) -> State:
    """Return the state after an evaluation or SetAlarmState; only a `transition` moves StateTransitionedTimestamp."""
    changed = replace(state, value=value, reason=reason, reason_data=reason_data, updated=now)
    return replace(changed, transitioned=now) if transition else changed


def record_transition(history: History, alarm: Alarm, old: State) -> None:
    """Write a state change into the history."""
    data = {"version": "1.0", "oldState": _state_data(old), "newState": _state_data(alarm.state)}
    summary = f"Alarm updated from {old.value} to {alarm.state.value}"
    history.add(alarm, alarm.state.updated, "StateUpdate", summary, data)


def _state_data(state: State) -> dict[str, Any]:
    data: dict[str, Any] = {"stateValue": state.value, "stateReason": state.reason}
    if state.reason_data is not None:
        data["stateReasonData"] = json.loads(state.reason_data)
    return data


def record_configuration(history: History, alarm: Alarm, change: str, now: datetime) -> None:
    """Write a creation, an update or a deletion into the history."""
    member = {"created": "createdAlarm", "updated": "updatedAlarm", "deleted": "deletedAlarm"}[change]
    kinds = {"created": "Create", "updated": "Update", "deleted": "Delete"}
    data = {"version": "1.0", "type": kinds[change], member: _configuration(alarm)}
    history.add(alarm, now, "ConfigurationUpdate", f'Alarm "{alarm.name}" {change}', data)


_OF_THE_STATE = ("StateReason", "StateReasonData", "StateTransitionedTimestamp")


def _configuration(alarm: Alarm) -> dict[str, Any]:
    """Return the settings as the history shows them: in lower camel case (except okactions), without the reason."""
    shown = {name: value for name, value in alarm.describe().items() if name not in _OF_THE_STATE}
    shown |= {name: dimensions(shown[name]) for name in ("Dimensions",) if name in shown}
    shown |= {name: [query_data(query) for query in shown[name]] for name in ("Metrics",) if name in shown}
    ordered = sorted(shown, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    return {
        # Not oKActions: published histories have it in lower case throughout.
        "okactions" if name == "OKActions" else name[0].lower() + name[1:]: (
            timestamp(shown[name]) if isinstance(shown[name], datetime) else shown[name]
        )
        for name in ordered
    }


_ORDER = (
    *("AlarmName", "AlarmDescription", "AlarmArn", "AlarmConfigurationUpdatedTimestamp", "Namespace", "MetricName"),
    *("Statistic", "ExtendedStatistic", "Period", "Dimensions", "Unit", "Metrics", "Threshold", "ComparisonOperator"),
    *("EvaluationPeriods", "DatapointsToAlarm", "TreatMissingData", "EvaluateLowSampleCountPercentile", "AlarmRule"),
    *("StateValue", "StateUpdatedTimestamp", "ActionsEnabled", "AlarmActions", "InsufficientDataActions", "OKActions"),
)
"""The order of the members in published histories."""


def run_actions(sandbox: Sandbox, history: History, alarm: Alarm, old: State, children: Sequence[Alarm] = ()) -> None:
    """Run the actions of the state that an alarm has entered, and record each in the history."""
    for arn in alarm.actions(alarm.state.value) if alarm.actions_enabled else ():
        message = publication(alarm, old, children)
        error = _publish(sandbox, alarm, arn, message)
        data = {
            "actionState": "Failed" if error else "Succeeded",
            "stateUpdateTimestamp": round(alarm.state.updated.timestamp() * 1000),
            "notificationResource": arn,
            "publishedMessage": message,
            "error": error,
        }
        done = "Failed to execute" if error else "Successfully executed"
        history.add(alarm, alarm.state.updated, "Action", f"{done} action {arn}", data)


def _publish(sandbox: Sandbox, alarm: Alarm, arn: str, message: str) -> str | None:
    """Publish to a topic; return the error's text if that failed, None otherwise."""
    try:
        shown = subject(alarm)[:MAX_SUBJECT]
        sandbox.wiring.publish(alarm.region, arn, message, shown, message_structure="json")
    # A deleted topic fails the action, not the alarm: its state has changed all the same.
    except ServiceError as error:
        return error.message
    return None
