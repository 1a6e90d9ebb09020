"""The API operations on alarms, their history and their tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from labkit.sandbox.alarms.alarm import Alarm, CompositeAlarm, MetricAlarm
from labkit.sandbox.alarms.checks import check_composite_alarm, check_metric_alarm, check_tags
from labkit.sandbox.alarms.evaluator import Evaluator
from labkit.sandbox.alarms.region import Region
from labkit.sandbox.alarms.retrieval import invalid_token
from labkit.sandbox.alarms.samples import metric_of
from labkit.sandbox.alarms.state_changes import record_configuration
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.paging import page
from labkit.sandbox.service import Call, Result, Service, operation

AnyAlarm = TypeVar("AnyAlarm", bound=Alarm)


class AlarmOperations(Service):
    """The operations on alarms."""

    def region(self, name: str) -> Region:
        """Return the metrics and alarms of a region."""
        raise NotImplementedError

    def evaluator(self, name: str) -> Evaluator:
        """Return the evaluator of a region's alarms."""
        raise NotImplementedError

    @operation("PutMetricAlarm")
    def put_metric_alarm(self, call: Call) -> Result:
        """Create an alarm, or replace the settings of an existing one and keep its state."""
        check_metric_alarm(call)
        alarm = self._put(call, MetricAlarm)
        evaluator = self.evaluator(call.region)
        # Schedule.add keeps an earlier time: the old one may not be a regular time of the new period.
        evaluator.forget(alarm)
        evaluator.wake(alarm)
        return {}

    @operation("PutCompositeAlarm")
    def put_composite_alarm(self, call: Call) -> Result:
        """Create an alarm on other alarms, or replace its settings; its rule is evaluated at once."""
        region = self.region(call.region)
        check_composite_alarm(call, region)
        # Asked before _put, after which the alarm exists in any case.
        created = call.params["AlarmName"] not in region.alarms
        alarm = self._put(call, CompositeAlarm)
        state = self.evaluator(call.region).rule_state(alarm)
        why = f"{alarm.arn} was {'created' if created else 'updated'} and its alarm rule evaluates to {state}"
        self.evaluator(call.region).judge(alarm, why)
        return {}

    def _put(self, call: Call, kind: type[AnyAlarm]) -> AnyAlarm:
        region, now = self.region(call.region), self.sandbox.clock.now()
        region.alarms_changed()
        held = region.alarms.get(call.params["AlarmName"])
        if isinstance(held, kind):
            held.configure(call.params, now)
            record_configuration(region.history, held, "updated", now)
            return held
        if held is not None:
            raise ServiceError("ValidationError", f"An alarm named {held.name} exists, and is a {held.kind}.")
        alarm = kind(call.region, call.account_id, call.params, now)
        region.alarms[alarm.name] = alarm
        record_configuration(region.history, alarm, "created", now)
        return alarm

    @operation("DescribeAlarms")
    def describe_alarms(self, call: Call) -> Result:
        """List alarms in the order of their names; only metric alarms unless AlarmTypes says otherwise."""
        params, region = call.params, self.region(call.region)
        _check_filters(params)
        kinds = params.get("AlarmTypes") or ["MetricAlarm"]
        # The default of metric alarms alone would hide the parents, which are all composite alarms.
        if not params.get("AlarmTypes") and (params.get("ChildrenOfAlarmName") or params.get("ParentsOfAlarmName")):
            kinds = ["MetricAlarm", "CompositeAlarm"]
        chosen = [alarm for alarm in self._related(region, params) if alarm.kind in kinds and _wanted(alarm, params)]
        chosen.sort(key=lambda alarm: alarm.name)
        # One page over both kinds together, which are told apart only afterwards: MaxRecords counts both.
        listed = page(chosen, params, "alarms", params.get("MaxRecords", 50), invalid_token)
        alarms = listed.pop("alarms")
        short = bool(params.get("ChildrenOfAlarmName") or params.get("ParentsOfAlarmName"))
        shown = [(alarm.kind, _short(alarm) if short else alarm.describe()) for alarm in alarms]
        return {
            "CompositeAlarms": [alarm for kind, alarm in shown if kind == "CompositeAlarm"],
            "MetricAlarms": [alarm for kind, alarm in shown if kind == "MetricAlarm"],
            **listed,
        }

    def _related(self, region: Region, params: dict[str, Any]) -> Iterator[Alarm]:
        if name := params.get("ChildrenOfAlarmName"):
            parent = region.find(name)
            found = (region.find(child) for child in getattr(parent, "children", []))
            return (child for child in found if child is not None)
        if name := params.get("ParentsOfAlarmName"):
            return iter(region.parents(name))
        return iter(region.alarms.values())

    @operation("DescribeAlarmsForMetric")
    def describe_alarms_for_metric(self, call: Call) -> Result:
        """List the alarms on one metric."""
        params = call.params
        members = ("Statistic", "ExtendedStatistic", "Period", "Unit")
        asked = {name: params[name] for name in members if name in params}
        metric = metric_of(params)
        alarms = [
            alarm.describe()
            for alarm in self.region(call.region).metric_alarms()
            if not alarm.metrics and metric in alarm.inputs and asked.items() <= alarm.settings.items()
        ]
        return {"MetricAlarms": alarms}

    @operation("DescribeAlarmHistory")
    def describe_alarm_history(self, call: Call) -> Result:
        """List the history of alarms, newest first unless ScanBy says otherwise."""
        params = call.params
        start = params.get("StartDate", datetime.fromtimestamp(0, UTC))
        end = params.get("EndDate", self.sandbox.clock.now())
        kinds = params.get("AlarmTypes") or ["MetricAlarm"]
        items = [
            {
                "AlarmName": item.alarm,
                "AlarmType": item.kind,
                "Timestamp": item.at,
                "HistoryItemType": item.item,
                "HistorySummary": item.summary,
                "HistoryData": item.data,
            }
            for item in self.region(call.region).history.since(start)
            if item.at <= end
            and item.kind in kinds
            and params.get("AlarmName", item.alarm) == item.alarm
            and params.get("HistoryItemType", item.item) == item.item
        ]
        if params.get("ScanBy") != "TimestampAscending":
            items.reverse()
        return page(items, params, "AlarmHistoryItems", params.get("MaxRecords", 50), invalid_token)

    @operation("SetAlarmState")
    def set_alarm_state(self, call: Call) -> Result:
        """Set a state that lasts until the next evaluation; if it is a new one, the actions run."""
        params = call.params
        alarm = self.region(call.region).find(params["AlarmName"])
        if alarm is None:
            raise ServiceError("ResourceNotFound", "", status=404)
        _check_json(params.get("StateReasonData"))
        self.evaluator(call.region).change(
            alarm, params["StateValue"], params["StateReason"], params.get("StateReasonData")
        )
        # A sleeping alarm would keep a state that its datapoints contradict. Composite alarms wait for their children.
        if isinstance(alarm, MetricAlarm):
            self.evaluator(call.region).wake(alarm)
        return {}

    @operation("EnableAlarmActions")
    def enable_alarm_actions(self, call: Call) -> Result:
        """Let state changes run actions."""
        return self._switch_actions(call, enabled=True)

    @operation("DisableAlarmActions")
    def disable_alarm_actions(self, call: Call) -> Result:
        """Keep state changes from running actions."""
        return self._switch_actions(call, enabled=False)

    def _switch_actions(self, call: Call, *, enabled: bool) -> Result:
        region, now = self.region(call.region), self.sandbox.clock.now()
        for name in call.params["AlarmNames"]:
            # Names of alarms that don't exist are ignored, as AWS ignores them.
            if alarm := region.alarms.get(name):
                alarm.configure({**alarm.settings, "ActionsEnabled": enabled}, now)
                record_configuration(region.history, alarm, "updated", now)
        return {}

    @operation("DeleteAlarms")
    def delete_alarms(self, call: Call) -> Result:
        """Delete alarms, at most one composite alarm among them; reject alarms that a composite alarm depends on."""
        region, names = self.region(call.region), call.params["AlarmNames"]
        alarms = [region.alarms[name] for name in dict.fromkeys(names) if name in region.alarms]
        if sum(isinstance(alarm, CompositeAlarm) for alarm in alarms) > 1:
            raise ServiceError("ValidationError", "Only one composite alarm can be deleted at a time.")
        # All are checked before any is deleted: an error deletes nothing.
        for alarm in alarms:
            _check_deletable(region, alarm)
        for alarm in alarms:
            self.evaluator(call.region).forget(alarm)
            del region.alarms[alarm.name]
            region.alarms_changed()
            record_configuration(region.history, alarm, "deleted", self.sandbox.clock.now())
        return {}

    @operation("TagResource")
    def tag_resource(self, call: Call) -> Result:
        """Add tags to an alarm."""
        held = self._tagged(call).tags
        check_tags(call.params["Tags"], held)
        held.update({tag["Key"]: tag["Value"] for tag in call.params["Tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, call: Call) -> Result:
        """Remove tags from an alarm."""
        tags = self._tagged(call).tags
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call) -> Result:
        """List the tags of an alarm."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tagged(call).tags.items()]}

    def _tagged(self, call: Call) -> Alarm:
        arn = call.params["ResourceARN"]
        alarm = self.region(call.region).find(arn) if ":alarm:" in arn else None
        if alarm is None:
            name = arn.split(":alarm:")[-1]
            raise ServiceError(
                "ResourceNotFoundException",
                f"Unknown alarm: {name}",
                status=404,
                ResourceType="AWS::CloudWatch::Alarm",
                ResourceId=name,
            )
        return alarm


def _check_deletable(region: Region, alarm: Alarm) -> None:
    if parents := [parent.name for parent in region.parents(alarm.name)]:
        raise ServiceError(
            "ValidationError",
            f"Cannot delete {alarm.name} as there are composite alarm(s) depending on it: {parents}",
        )


def _check_json(data: str | None) -> None:
    try:
        json.loads(data or "{}")
    except ValueError:
        raise ServiceError("InvalidFormat", "StateReasonData is not syntactically valid JSON.") from None


def _check_filters(params: dict[str, Any]) -> None:
    """Raise ValidationError for filters that DescribeAlarms doesn't take together."""
    if params.get("AlarmNames") and "AlarmNamePrefix" in params:
        raise ServiceError("ValidationError", "AlarmNames and AlarmNamePrefix can't be specified together.")
    for related in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        others = sorted(name for name in params if name not in (related, "MaxRecords", "NextToken"))
        if related in params and others:
            raise ServiceError(
                "ValidationError",
                f"With {related}, no other parameters can be specified but MaxRecords and NextToken: {others[0]}.",
            )


def _wanted(alarm: Alarm, params: dict[str, Any]) -> bool:
    prefix = params.get("ActionPrefix")
    return (
        alarm.name in (params.get("AlarmNames") or [alarm.name])
        and alarm.name.startswith(params.get("AlarmNamePrefix", ""))
        and params.get("StateValue", alarm.state.value) == alarm.state.value
        and (prefix is None or any(arn.startswith(prefix) for arn in alarm.all_actions()))
    )


def _short(alarm: Alarm) -> dict[str, Any]:
    """Return the members that DescribeAlarms shows of children and parents."""
    members = ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")
    return {name: value for name, value in alarm.describe().items() if name in members}
