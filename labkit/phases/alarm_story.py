"""The alarm's life, read back from the cloud: a picture of it, and in plain words why it fired at that minute.

CloudWatch keeps both times: the history has the time of the evaluation (`queryDate`) and the datapoints that it saw
(`evaluatedDatapoints`); CloudWatch Logs has the time at which the record of the traffic arrived (`ingestionTime`).
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from labkit.flowlog import reader
from labkit.lab.cloud import minutes
from labkit.lab.errors import LabError
from labkit.lab.session import Lab
from labkit.phases.alarm import ALARM_NAME, find_alarm
from labkit.phases.flow_logs import LOG_GROUP
from labkit.phases.metric_filter import PATTERN
from labkit.phases.traffic import log_events
from labkit.show.tables import Table

if TYPE_CHECKING:
    import pandas as pd

    from labkit.show.pictures import Picture

COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": ("at least", operator.ge),
    "GreaterThanThreshold": ("more than", operator.gt),
    "LessThanOrEqualToThreshold": ("at most", operator.le),
    "LessThanThreshold": ("less than", operator.lt),
}
"""How an alarm with a fixed threshold compares, in words."""

_MARGIN = timedelta(minutes=5)
_LONGEST = timedelta(hours=2)
"""The longest span of a picture: in a longer one, a bar of one minute would be as thin as a hair."""


@dataclass(frozen=True)
class Change:
    """A change of the alarm's state; without `data` if somebody set the state by hand."""

    moment: datetime
    before: str
    state: str
    reason: str
    data: Mapping[str, Any]

    @property
    def looked(self) -> datetime:
        """When the alarm evaluated its metric."""
        return _moment(self.data["queryDate"]) if "queryDate" in self.data else self.moment

    @property
    def by_hand(self) -> bool:
        """Whether somebody set the state by hand: an evaluation would say what it evaluated."""
        return "evaluatedDatapoints" not in self.data

    @property
    def seen(self) -> dict[datetime, float]:
        """The datapoints that it found, out of those it looked for."""
        looked_for = self.data.get("evaluatedDatapoints", [])
        return {_moment(each["timestamp"]): each["value"] for each in looked_for if "value" in each}


@dataclass(frozen=True)
class Record:
    """A rejected attempt at SSH as the log group has it."""

    source: str
    start: datetime
    delivered: datetime


@dataclass(frozen=True)
class Life:
    """The alarm's settings, as DescribeAlarms has them, and its history since it was created, oldest first."""

    alarm: Mapping[str, Any]
    history: tuple[Mapping[str, Any], ...]

    @property
    def period(self) -> timedelta:
        """The period of a datapoint."""
        return timedelta(seconds=self.alarm["Period"])

    @property
    def created(self) -> datetime:
        """When it was created, or how far back CloudWatch knows: it keeps the history of 30 days."""
        known: datetime = (
            self.history[0]["Timestamp"] if self.history else self.alarm["AlarmConfigurationUpdatedTimestamp"]
        )
        return known.astimezone(UTC)

    @property
    def changes(self) -> list[Change]:
        """The changes of its state."""
        return [_change(item) for item in self.history if item["HistoryItemType"] == "StateUpdate"]

    @property
    def fired(self) -> Change | None:
        """The last change to ALARM."""
        return next((change for change in reversed(self.changes) if change.state == "ALARM"), None)

    @property
    def evaluation_periods(self) -> int:
        """How many datapoints it looks for."""
        return int(self.alarm["EvaluationPeriods"])

    @property
    def datapoints_to_alarm(self) -> int:
        """How many of them have to cross the threshold."""
        return int(self.alarm.get("DatapointsToAlarm", self.evaluation_periods))

    def crossings(self, change: Change) -> list[datetime]:
        """The minutes that the alarm saw over its threshold when it changed."""
        _, crosses = COMPARISONS[self.alarm["ComparisonOperator"]]
        return [at for at, value in change.seen.items() if crosses(value, self.alarm["Threshold"])]

    def crossing(self, change: Change) -> datetime | None:
        """The latest of them."""
        return max(self.crossings(change), default=None)


def timeline(lab: Lab) -> Picture:
    """The alarm's life up to now as a picture: datapoints, threshold and states. Draw it again as time goes on."""
    from labkit.show.alarm_timeline import alarm_timeline
    from labkit.show.pictures import picture

    life = _life(lab)
    begin, end = _window(life, lab.now())
    return picture(
        alarm_timeline(
            _datapoints(lab, life.alarm, begin, end),
            _states(life, begin, end),
            threshold=life.alarm["Threshold"],
            period=life.period,
            marks=_marks(lab, life),
        )
    )


def why(lab: Lab) -> Table:
    """Say why the alarm last went to ALARM when it did: the attempt, its record, the evaluation, the mail."""
    life = _life(lab)
    if life.fired is None:
        raise LabError(f"The alarm {ALARM_NAME} has not been in ALARM yet: wait for it with watch_alarm(lab).")
    rows = [(f"{moment:%H:%M:%S}", words) for moment, words in _account(lab, life, life.fired)]
    return Table(f"Why {ALARM_NAME} went to ALARM at {life.fired.moment:%H:%M:%S} UTC", ("UTC", "what happened"), rows)


def _account(lab: Lab, life: Life, fired: Change) -> Iterator[tuple[datetime, str]]:
    crossing = life.crossing(fired)
    record = _first_record(lab, crossing, life.period, fired.looked) if crossing else None
    if record:
        yield record.start, f"{record.source} tried SSH, and was rejected."
        yield record.delivered, _delivery_in_words(record)
    if crossing:
        yield fired.looked, f"The alarm looked{_late(record, fired)}: {_datapoints_in_words(life, fired, crossing)}"
    elif fired.by_hand:
        yield fired.looked, f"Somebody set the state by hand (SetAlarmState), and said why: {fired.reason}"
    elif life.alarm.get("TreatMissingData") == "breaching":
        yield (
            fired.looked,
            (
                "The alarm looked, and found no datapoint as far back as it looks. It takes missing ones for breaching "
                "(TreatMissingData), so that was enough."
            ),
        )
    else:
        yield fired.looked, f"The alarm looked. CloudWatch's reason: {fired.reason}"
    after = f", {_between(record.start, fired.moment)} after the attempt" if record else ""
    lasting = " That lasts until the next look at the metric." if fired.by_hand else ""
    yield fired.moment, f"It went from {fired.before} to {fired.state}{after}.{lasting}"
    yield from _actions(life, fired)


def _delivery_in_words(record: Record) -> str:
    return (
        f"The record of it came to {LOG_GROUP}, {_between(record.start, record.delivered)} later. "
        f"The filter counted it into the minute of the attempt, {record.start:%H:%M}, not into that of its coming."
    )


def _late(record: Record | None, fired: Change) -> str:
    return f", {_between(record.delivered, fired.looked)} after the record had come" if record else ""


def _datapoints_in_words(life: Life, fired: Change, crossing: datetime) -> str:
    """Say what the alarm saw, and why that was enough."""
    words, _ = COMPARISONS[life.alarm["ComparisonOperator"]]
    wanted = f"{words} {life.alarm['Threshold']:g}"
    summed = f"the {life.alarm['Statistic'].lower()} of {life.alarm['MetricName']}"
    if life.evaluation_periods == 1:
        return (
            f"from {crossing:%H:%M} to {crossing + life.period:%H:%M} {summed} was {fired.seen[crossing]:g}. "
            f"It waits for {wanted}, so that was enough."
        )
    crossed = life.crossings(fired)
    told = ", ".join(f"{fired.seen[at]:g} at {at:%H:%M}" for at in sorted(crossed))
    least = life.datapoints_to_alarm
    asked = f"{summed} was {wanted} in {len(crossed)} of its datapoints ({told}). It waits for {least} of "
    return f"{asked}{life.evaluation_periods}{_enough(life, len(crossed))}"


def _enough(life: Life, crossed: int) -> str:
    if crossed >= life.datapoints_to_alarm:
        return ", so that was enough."
    if life.alarm.get("TreatMissingData") == "breaching":
        return ", and takes missing ones for breaching, so that was enough."
    return ". The others were missing, and these had waited as long as that: CloudWatch waits for no more then."


def _between(begin: datetime, end: datetime) -> str:
    return minutes((end - begin).total_seconds())


def _actions(life: Life, fired: Change) -> Iterator[tuple[datetime, str]]:
    for item in life.history:
        if item["HistoryItemType"] != "Action" or not fired.moment <= item["Timestamp"] < fired.moment + _MARGIN:
            continue
        data = json.loads(item["HistoryData"])
        topic = data.get("notificationResource", "").rpartition(":")[2]
        told = f"It told the topic {topic}, which sends the mail."
        if data.get("actionState") == "Failed":
            told = f"It could not tell the topic {topic}: {data.get('error')}"
        yield item["Timestamp"].astimezone(UTC), told


def _life(lab: Lab) -> Life:
    """Return the alarm with its history, without that of an earlier alarm of the same name."""
    alarm = find_alarm(lab)
    if alarm is None:
        raise LabError(f"There is no alarm {ALARM_NAME} yet: run create_alarm(lab) first.")
    if alarm.get("ComparisonOperator") not in COMPARISONS or not {"Threshold", "Period", "Statistic"} <= alarm.keys():
        raise LabError(
            f"The alarm {ALARM_NAME} ({alarm.get('ComparisonOperator')}) doesn't hold one statistic of one metric "
            "against a fixed threshold, and can't be explained here: run create_alarm(lab) to put it right."
        )
    pages = lab.client("cloudwatch").get_paginator("describe_alarm_history")
    items: list[Mapping[str, Any]] = []
    for page in pages.paginate(AlarmName=ALARM_NAME, ScanBy="TimestampDescending"):
        for item in page["AlarmHistoryItems"]:
            items.append(item)
            if _is_creation(item):
                return Life(alarm, tuple(reversed(items)))
    return Life(alarm, tuple(reversed(items)))


def _is_creation(item: Mapping[str, Any]) -> bool:
    if item["HistoryItemType"] != "ConfigurationUpdate":
        return False
    return bool(json.loads(item["HistoryData"]).get("type") == "Create")


def _change(item: Mapping[str, Any]) -> Change:
    told = json.loads(item["HistoryData"])
    new = told["newState"]
    data = new.get("stateReasonData")
    return Change(
        item["Timestamp"].astimezone(UTC),
        told["oldState"]["stateValue"],
        new["stateValue"],
        new.get("stateReason", ""),
        data if isinstance(data, dict) else {},
    )


def _moment(text: str) -> datetime:
    """A time as the reason's data have it: `2026-11-02T09:15:00.000+0000`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _window(life: Life, now: datetime) -> tuple[datetime, datetime]:
    """Return the time from shortly before the cause until now; of a long time, only the beginning."""
    fired, last = life.fired, life.changes[-1].moment if life.changes else life.created
    begin = min([fired.moment, *fired.seen]) - _MARGIN if fired else max(last - _MARGIN, now - _LONGEST)
    return begin, min(max(now, last + _MARGIN), begin + _LONGEST)  # shows a state of seconds ago


def _states(life: Life, begin: datetime, end: datetime) -> pd.DataFrame:
    """Return the alarm's states with their beginnings and ends; it had no state before it was created."""
    import pandas as pd

    changes = life.changes
    moments = [life.created, *(change.moment for change in changes), end]
    states = [changes[0].before if changes else life.alarm["StateValue"], *(change.state for change in changes)]
    spans = [
        (max(start, begin), min(stop, end), state)
        for start, stop, state in zip(moments, moments[1:], states, strict=False)
        if start < end and stop > begin
    ]
    return pd.DataFrame(spans, columns=["begin", "end", "state"])


def _marks(lab: Lab, life: Life) -> dict[str, datetime]:
    """Return the moments to mark: when the record arrived, and when the alarm saw it."""
    fired = life.fired
    if fired is None:
        return {}
    if fired.by_hand:
        return {"set by hand": fired.moment}
    crossing = life.crossing(fired)
    record = _first_record(lab, crossing, life.period, fired.looked) if crossing else None
    delivered = {"record delivered": record.delivered} if record else {}
    return {**delivered, "alarm looked": fired.looked}


def _first_record(lab: Lab, begin: datetime, period: timedelta, before: datetime) -> Record | None:
    """Return the minute's record that was delivered first, before the alarm evaluated it."""
    bounds = {
        "startTime": round(begin.timestamp() * 1000),
        "endTime": round((begin + period).timestamp() * 1000) - 1,
    }
    events = [
        (datetime.fromtimestamp(event["ingestionTime"] / 1000, UTC), event["message"])
        for event in log_events(lab, LOG_GROUP, PATTERN, **bounds)
    ]
    in_time = [event for event in events if event[0] <= before]
    if not in_time:
        return None
    delivered, message = min(in_time)
    fields = reader.read_lines([message]).to_pylist()[0]
    return Record(fields["srcaddr"], datetime.fromtimestamp(fields["start"], UTC), delivered)


def _datapoints(lab: Lab, alarm: Mapping[str, Any], begin: datetime, end: datetime) -> pd.DataFrame:
    """Return the metric's datapoints in that time, by the alarm's own statistic: timestamp, sum."""
    import pandas as pd

    answer = lab.client("cloudwatch").get_metric_statistics(
        **{name: alarm[name] for name in ("Namespace", "MetricName", "Period")},
        Dimensions=alarm.get("Dimensions", []),
        StartTime=begin,
        EndTime=end,
        Statistics=[alarm["Statistic"]],
    )
    points = sorted((point["Timestamp"], point[alarm["Statistic"]]) for point in answer["Datapoints"])
    return pd.DataFrame(points, columns=["timestamp", "sum"])
